"""`python -m cli intents`: what was promised, what became of it, and settling what parked."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from cli.edits import Edit, EditRefusedError, edited
from cli.standing import standing_of
from cli.store import Commands, open_journal
from shared.dispatch import Notifier, celery_app
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings, load_settings

MAX_BY_FILTER = 10_000
MAX_SHOWN = 200


@click.group(cls=Commands, help=__doc__)
def intents() -> None:
    """The group of journal commands."""


# -- looking ---------------------------------------------------------------------------------------


@intents.command("list")
@click.option("--state", type=click.Choice([str(item) for item in State]), help="only this state")
@click.option("--kind", type=click.Choice([str(item) for item in Kind]), help="only this kind")
@click.option("--call", "call_id", help="only this call's")
@click.option("--limit", default=100, show_default=True, help="how many to look at")
@click.option("--json", "as_json", is_flag=True, help="a JSON object a line")
def list_(
    state: str | None, kind: str | None, call_id: str | None, limit: int, as_json: bool
) -> None:
    """The newest intents, or the longest parked, without what callers said.

    Salesforce's words for what parked may quote a value.
    """
    journal = open_journal()
    if call_id:
        found = journal.of_call(call_id)
    elif state == State.PARKED:
        found = journal.parked(limit)
    else:
        found = journal.newest(limit)
    listed = [
        row for row in found if (not state or row.state == state) and (not kind or row.kind == kind)
    ]
    for intent in listed:
        click.echo(json.dumps(_public(intent)) if as_json else _line(intent))
    if not listed and not as_json:
        click.echo("none")


@intents.command()
@click.argument("intent_id")
def show(intent_id: str) -> None:
    """One intent with what the caller asked for and was told: personal data."""
    intent = _found(open_journal(), intent_id)
    private = {"said": intent.said, "payload": intent.payload}
    click.echo(json.dumps(_public(intent) | private, indent=2, ensure_ascii=False))


def _found(journal: Journal, intent_id: str) -> Intent:
    intent = journal.get_many([intent_id]).get(intent_id)
    if intent is None:
        raise click.ClickException(f"no intent {intent_id}")
    return intent


# -- settling what parked --------------------------------------------------------------------------


def _which(command: Callable[..., None]) -> Callable[..., None]:
    """The ways to name parked intents: ids, a filter, or all of them."""
    for option in (
        click.option("--yes", is_flag=True, help="do it; without, only say what would be done"),
        click.option("--all", "all_", is_flag=True, help="every parked intent"),
        click.option("--call", "call_id", help="parked intents of this call"),
        click.option("--reason", help="parked intents whose reason begins so"),
        click.option(
            "--kind", type=click.Choice([str(item) for item in Kind]), help="of this kind"
        ),
        click.argument("intent_ids", nargs=-1),
    ):
        command = option(command)
    return command


def _chosen(
    journal: Journal,
    intent_ids: tuple[str, ...],
    kind: str | None,
    reason: str | None,
    call_id: str | None,
    all_: bool,
) -> list[Intent]:
    if not (intent_ids or kind or reason or call_id or all_):
        raise click.UsageError("name intents, a filter, or --all")
    if intent_ids:
        found = [_found(journal, id_) for id_ in intent_ids]
    else:
        found = journal.parked(MAX_BY_FILTER)
    return [
        row
        for row in found
        if row.state is State.PARKED
        and (not kind or row.kind == kind)
        and (not reason or row.reason.startswith(reason))
        and (not call_id or row.call_id == call_id)
    ]


@intents.command()
@_which
def replay(yes: bool, **which: Any) -> None:
    """Deliver parked intents again; each is looked for first, so nothing is written twice."""
    journal = open_journal()
    chosen = _chosen(journal, **which)
    if _agreed(chosen, "replay", yes):
        count, due_kinds = journal.replay([item.id for item in chosen])
        Notifier(celery_app(load_settings())).notify(due_kinds)
        click.echo(f"replayed {count}")


@intents.command()
@_which
def discard(yes: bool, **which: Any) -> None:
    """Give parked intents up: the promise is settled elsewhere, or not to be kept."""
    journal = open_journal()
    chosen = _chosen(journal, **which)
    if _agreed(chosen, "discard", yes):
        click.echo(f"discarded {journal.discard([item.id for item in chosen])}")


@intents.command()
@click.argument("intent_id")
@click.option("--set", "put", multiple=True, metavar="NAME=VALUE", help="give it this value")
@click.option("--unset", "left_out", multiple=True, metavar="NAME",
              help="leave it out: the org keeps what it has")  # fmt: skip
@click.option("--empty", "emptied", multiple=True, metavar="NAME",
              help="erase it in the org (a contact update only)")  # fmt: skip
@click.option("--yes", is_flag=True, help="do it; without, only say what would be done")
def edit(
    intent_id: str,
    put: tuple[str, ...],
    left_out: tuple[str, ...],
    emptied: tuple[str, ...],
    yes: bool,
) -> None:
    """Correct a parked intent and replay it.

    NAME is a part of the draft as `show` names it, or a Salesforce field of a contact update. A
    value is validated as the tool validates it. An edited contact update is yours: it is made over
    what others edited before now.
    """
    if not (put or left_out or emptied):
        raise click.UsageError("say what to correct: --set NAME=VALUE, --unset NAME, --empty NAME")
    settings, journal = load_settings(), open_journal()
    intent = _found(journal, intent_id)
    if intent.state is not State.PARKED:
        raise click.ClickException(f"{intent_id} is {intent.state}, not parked")
    try:
        change = edited(
            intent, put=put, left_out=left_out, emptied=emptied, region=settings.phone_region
        )
    except EditRefusedError as refused:
        raise click.UsageError(str(refused)) from None
    if not yes:
        _show_change(intent, change, settings)
    if _agreed([intent], "edit and replay", yes):
        count, due_kinds = journal.replay([intent_id], change.draft)
        Notifier(celery_app(settings)).notify(due_kinds)
        click.echo(f"replayed {count}")


def _show_change(intent: Intent, change: Edit, settings: Settings) -> None:
    """Old → new → what stands in the org now."""
    stands = standing_of(intent, change, settings)
    for name, (old, new) in change.changed.items():
        of_org = stands.fields.get(name)
        existing = f"   (in the org now: {_shown(of_org, 'empty')})" if of_org is not None else ""
        erased = "erased" if new == "" else _shown(new, "left out")
        click.echo(f"  {name}: {_shown(old, 'left out')} → {erased}{existing}")
    if stands.said:
        click.echo(f"  {stands.said}")


def _shown(text: str | None, without: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text else without


def _agreed(chosen: list[Intent], verb: str, yes: bool) -> bool:
    if yes:
        return bool(chosen)
    for intent in chosen:
        click.echo(_line(intent))
    click.echo(f"would {verb} {len(chosen)}; --yes does it")
    return False


# -- telling ---------------------------------------------------------------------------------------


def _public(intent: Intent) -> dict[str, object]:
    return {
        "id": intent.id,
        "kind": intent.kind,
        "state": intent.state,
        "call_id": intent.call_id,
        "org": intent.org,
        "reference": intent.reference,
        "accepted_at": _time(intent.accepted_at_ms),
        "settled_at": _time(intent.settled_at_ms) if intent.settled_at_ms else None,
        "attempts": intent.attempts,
        "refusals": intent.refusals,
        "reason": intent.reason,
        "detail": intent.detail,
        "receipt": asdict(intent.receipt) if intent.receipt else None,
    }


def _line(intent: Intent) -> str:
    said = [
        intent.id,
        f"{intent.kind:<15}",
        f"{intent.state:<9}",
        _time(intent.settled_at_ms or intent.accepted_at_ms),
        intent.reference or "-",
        intent.call_id or "-",
        intent.reason,
        _shortened(intent.detail),
    ]
    return "  ".join(said).rstrip()


def _shortened(detail: str) -> str:
    """Salesforce's words in one line; `show` has all of them."""
    line = " ".join(detail.split())
    return line if len(line) <= MAX_SHOWN else line[:MAX_SHOWN] + "…"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
