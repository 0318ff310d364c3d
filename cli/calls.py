"""`python -m cli calls`: the calls of the last days, a call's story, and a call as a scenario."""

import json
from collections import Counter
from pathlib import Path

import click

from cli.call_story import Line, story_of
from cli.pages import REVEAL
from cli.scenario_export import scenario_of
from cli.store import Commands, open_actions, open_journal, open_store
from cli.times import iso, local
from shared.agent.agents import agents_of
from shared.calls.calls import Calls
from shared.calls.decisions import Decisions
from shared.calls.tool_calls import ToolCalls
from shared.domain.kinds import Kind
from shared.journal.listing import Filter, Listing
from shared.phone import as_e164
from shared.settings import load_settings
from shared.vapi.call_list import CallList, CallListError
from shared.vapi.messages import safe_id


@click.group(cls=Commands, help=__doc__)
def calls() -> None:
    """The group of calls commands."""


@calls.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True,
              help="How many recorded calls to print.")  # fmt: skip
@click.option("--from", "begins", default="", metavar="PLACE", help="Where the last page ended.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_(limit: int, begins: str, as_json: bool) -> None:
    """List the calls that are not recorded yet, then the recorded ones, newest first.

    A call stays in the list until its receipts are purged (KEEP_RECEIPTS_H).
    """
    journal, store = open_journal(), open_store()
    page = Listing(store, journal).page(Filter(kind=Kind.CALL_LOG), limit, begins)
    unfinished = {} if begins else Calls(store).unfinished(limit)
    rows = [(call_id, at_ms, "not recorded yet") for call_id, at_ms in unfinished.items()]
    rows += [
        (record.call_id, record.accepted_at_ms, f"its Task is {record.state}")
        for record in page.intents
        if record.call_id not in unfinished
    ]
    of_calls = journal.of_calls(call_id for call_id, _, _ in rows)
    for call_id, at_ms, state in rows:
        counts = Counter(str(intent.state) for intent in of_calls.get(call_id, []))
        if as_json:
            row = {"call_id": call_id, "at": iso(at_ms), "state": state, "intents": counts}
            click.echo(json.dumps(row))
        else:
            writes = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
            click.echo(f"{local(at_ms)}  {call_id}  {state}; writes: {writes or 'none'}")
    if page.next:
        more = json.dumps({"shown": len(rows), "next": page.next})
        click.echo(more if as_json else f"the next page: --from {page.next}")
    elif not rows and not as_json:
        click.echo("none")


@calls.command()
@click.argument("call_id", metavar="ID")
@REVEAL
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def show(call_id: str, reveal: bool, as_json: bool) -> None:
    """Show a call's story in the order of time: events, tool calls, decisions, and writes with what
    became of them.

    With --reveal, also who called, what was said, and the arguments and answers of tool calls, as
    long as they are stored.
    """
    store, call_id = open_store(), safe_id(call_id)
    story = story_of(call_id, Calls(store), open_journal(), Decisions(store), ToolCalls(store))
    if not story:
        raise click.ClickException(
            f"nothing is stored of a call {call_id}. It may be in Salesforce: search its Tasks"
        )
    if reveal:
        open_actions().note("reveal", about=f"call {call_id}"[:200])
    for line in story:
        if as_json:
            click.echo(json.dumps(_public(line, reveal=reveal), ensure_ascii=False))
        else:
            click.echo(line.text(reveal=reveal))


def _public(line: Line, *, reveal: bool) -> dict[str, str]:
    row = {"at": iso(line.at_ms), "what": line.what, "about": line.about}
    return row | ({"private": line.private} if reveal and line.private else {})


@calls.command()
@click.argument("call_id", metavar="ID")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file. Default: print it.",
)
def export(call_id: str, out: Path | None) -> None:
    """Write a call, as Vapi has it, as a scenario for `simulator vapi play`.

    Keeps who spoke when, the words that the service understands, and the tool calls. Replaces
    every other word, every digit, and the caller's number. Read it before you pass it on.
    """
    settings = load_settings()
    try:
        record = CallList(settings.vapi).find(safe_id(call_id))
    except CallListError as refused:
        raise click.ClickException(str(refused)) from refused
    if record is None:
        raise click.ClickException(f"Vapi has no call {call_id}, or no longer")
    agents = agents_of(settings)
    number = as_e164(record.report.own_number, "ZZ") or ""
    agent = agents.named(agents.claiming(record.report.assistant_id, number))
    text = scenario_of(record, agent)
    if "[[step]]" not in text:
        raise click.ClickException(
            "Vapi has no words of this call: retention or Zero Data Retention"
        )
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{out} exists already") from None
    except OSError as trouble:
        raise click.ClickException(f"{out}: {trouble.strerror}") from None
    click.echo(f"wrote {out}")
