"""`python -m cli reconcile`: compare Vapi's list of calls with what was recorded."""

import json
from collections.abc import Iterable
from functools import partial

import click
import redis

from cli.pauses import YES
from cli.store import journal_of, open_store
from cli.times import Moment, iso, local
from shared.agent.agents import agents_of
from shared.calls.calls import Calls
from shared.calls.end_of_call import EndOfCallWriter
from shared.calls.reconciled import Reconciled
from shared.calls.reconciliation import Finding, Reconciliation, Verdict
from shared.calls.reconciliation_run import LOOK_BACK_MS, Totals
from shared.calls.reconciliation_run import reconcile as run
from shared.domain.kinds import Kind
from shared.journal.answers import Answers
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.call_logs import logged_calls
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import SalesforceError
from shared.salesforce.records import Records
from shared.settings import Settings, load_settings
from shared.vapi.call_list import CallList, CallListError
from shared.wake_ups import Notifier, celery_app

ANSWER_S = 20.0

RETENTION = (
    "Vapi lists calls for 14 days, unless your contract says otherwise. "
    "Older ones can't be compared."
)


@click.command()
@click.option(
    "--since",
    "since_ms",
    type=Moment(),
    required=True,
    metavar="WHEN",
    help="Calls created since then: 30m, 6h or 3d ago, or 2026-11-27T14:00 by local time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@YES
def reconcile(since_ms: int, as_json: bool, yes: bool) -> None:
    """Record the calls that ended without the service, as Vapi lists them.

    Lists each difference, by ids and without anything that was said. With --yes, it records what is
    missing: a Task for each call, and a call-back where the agent's tools could not be reached. You
    can repeat it. Exit code 1 when the list or the org could not be read to the end.
    """
    settings, store = load_settings(), open_store()
    totals = Totals()
    now_ms = Reconciled(store).now_ms()
    notifier = Notifier(celery_app(settings.store))

    def notify(kinds: Iterable[Kind]) -> None:
        notifier.notify(kinds)

    def found(finding: Finding) -> None:
        click.echo(json.dumps(_public(finding)) if as_json else _line(finding))

    try:
        run(
            CallList(settings.vapi).windows(since_ms, now_ms),
            _reconciliation(settings, store),
            totals,
            now_ms=now_ms,
            notify=notify,
            found=found,
            write=yes,
        )
    except CallListError as refused:
        raise click.ClickException(_stopped(str(refused), totals)) from refused
    except SalesforceError as error:
        text = f"Salesforce could not be asked ({error})"
        raise click.ClickException(_stopped(text, totals)) from error
    if as_json:
        click.echo(json.dumps({"totals": _counts(totals)}))
        return
    for line in _summary(totals, since_ms, now_ms, yes=yes):
        click.echo(line)


def _reconciliation(settings: Settings, store: redis.Redis) -> Reconciliation:
    calls = Calls(store)
    journal = journal_of(settings, store)
    agents = agents_of(settings)
    client = SalesforceClient(
        settings.salesforce, store, ApiBudget(settings.salesforce, store), Use.CHECK
    )
    records = Records(client, timeout_s=ANSWER_S, has_key_fields=settings.salesforce.key_fields)
    writer = EndOfCallWriter(calls, journal, settings, agents)
    in_org = partial(logged_calls, records)
    return Reconciliation(calls, journal, Answers(store), writer, agents, settings, in_org)


def _public(finding: Finding) -> dict[str, object]:
    return {
        "call_id": finding.call_id,
        "created_at": iso(finding.record.created_ms),
        "verdict": finding.verdict,
        "unreached_tools": list(finding.unreached),
        "has_words": finding.record.has_words,
    }


def _line(finding: Finding) -> str:
    line = f"{local(finding.record.created_ms)}  {finding.call_id}  {finding.verdict}"
    unreached = ", ".join(finding.unreached)
    return f"{line}; not reached: {unreached}" if unreached else line


def _counts(totals: Totals) -> dict[str, int]:
    counts = {str(verdict): totals.verdicts[verdict] for verdict in Verdict}
    return counts | {
        "listed": totals.listed,
        "written_calls": totals.recorded + totals.completed,
        "written_call_backs": totals.call_backs,
        "failed": totals.failed,
        "without_words": totals.without_words,
    }


def _summary(totals: Totals, since_ms: int, now_ms: int, *, yes: bool) -> Iterable[str]:
    counted = [f"{totals.verdicts[each]} {each}" for each in Verdict if totals.verdicts[each]]
    yield f"Vapi lists {totals.listed} calls: {', '.join(counted) or 'none'}"
    if yes:
        yield (
            f"recorded {totals.recorded}, completed {totals.completed}, "
            f"call-backs {totals.call_backs}, failed {totals.failed}"
        )
    elif totals.differences:
        yield f"would change {totals.differences}; add --yes to do it"
    if totals.without_words:
        yield (
            f"{totals.without_words} of these have no words at Vapi (retention, Zero Data "
            "Retention, or nobody spoke): their Tasks get no transcript"
        )
    if since_ms < now_ms - LOOK_BACK_MS:
        yield RETENTION


def _stopped(why: str, totals: Totals) -> str:
    return f"{why}. Until then: {totals}. Run the command again; what is recorded stays."
