"""`python -m cli intents`: list intents, show one, and settle those that parked."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from cli.pauses import KindName
from cli.store import Commands, open_actions, open_journal
from cli.times import iso
from shared.agent.agents import agents_of
from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.journal.journal import Journal
from shared.operators.edits import Edit, EditRefusedError, edited
from shared.operators.org_state import org_state_of
from shared.settings import Settings, load_settings

MAX_BY_FILTER = 10_000
MAX_SHOWN = 200


@click.group(cls=Commands, help=__doc__)
def intents() -> None:
    """The group of intents commands."""


# -- list and show ---------------------------------------------------------------------------------


@intents.command("list")
@click.option(
    "--state", type=click.Choice([str(state) for state in State]), help="Only this state."
)
@click.option("--kind", type=KindName(), help="Only this kind.")
@click.option("--call", "call_id", help="Only intents of this call.")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    help="How many of the newest or longest parked to search.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_(
    state: str | None, kind: str | None, call_id: str | None, limit: int, as_json: bool
) -> None:
    """List the newest intents, or with --state parked the longest parked.

    The list does not show what callers said. Salesforce's error messages may quote a value.
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
    """Show an intent with what the caller asked for and what the agent said: personal data."""
    intent = _found(open_journal(), intent_id)
    open_actions().note("reveal", about=intent.kind, ids=[intent.id])
    private = {"said": intent.said, "payload": intent.payload}
    click.echo(json.dumps(_public(intent) | private, indent=2, ensure_ascii=False))


def _found(journal: Journal, intent_id: str) -> Intent:
    intent = journal.get_many([intent_id]).get(intent_id)
    if intent is None:
        raise click.ClickException(f"no intent {intent_id}")
    return intent


# -- settle parked intents -------------------------------------------------------------------------


def _selection(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that select parked intents: ids, a filter, or --all."""
    for option in (
        click.option(
            "--yes",
            is_flag=True,
            help="Do it. Without --yes the command only shows what it would do.",
        ),
        click.option("--all", "all_", is_flag=True, help="Every parked intent."),
        click.option("--call", "call_id", help="Parked intents of this call."),
        click.option("--reason", help="Parked intents whose reason begins with this text."),
        click.option(
            "--kind",
            type=KindName(),
            help="Parked intents of this kind.",
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
        raise click.UsageError("name intents by id, use a filter, or use --all")
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
@_selection
def replay(yes: bool, **selection: Any) -> None:
    """Deliver parked intents again.

    The worker first looks for each record in the org, so nothing is written twice.
    """
    journal = open_journal()
    chosen = _chosen(journal, **selection)
    if _confirmed(chosen, "replay", yes):
        count = open_actions().replay([intent.id for intent in chosen])
        click.echo(f"replayed {count}")


@intents.command()
@_selection
def discard(yes: bool, **selection: Any) -> None:
    """Give parked intents up, because they are settled elsewhere or must not be written."""
    journal = open_journal()
    chosen = _chosen(journal, **selection)
    if _confirmed(chosen, "discard", yes):
        count = open_actions().discard([intent.id for intent in chosen])
        click.echo(f"discarded {count}")


@intents.command()
@click.argument("intent_id")
@click.option("--set", "put", multiple=True, metavar="NAME=VALUE", help="Set NAME to VALUE.")
@click.option("--unset", "left_out", multiple=True, metavar="NAME",
              help="Leave NAME out. The org keeps what it has.")  # fmt: skip
@click.option("--empty", "emptied", multiple=True, metavar="NAME",
              help="Erase NAME in the org (contact updates only).")  # fmt: skip
@click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)
def edit(
    intent_id: str,
    put: tuple[str, ...],
    left_out: tuple[str, ...],
    emptied: tuple[str, ...],
    yes: bool,
) -> None:
    """Correct a parked intent and replay it.

    NAME is a name in the payload that `show` prints, or a Salesforce field of a contact update. The
    tool that accepted the request validates each value. An edited contact update overwrites what
    others changed in the contact before now.
    """
    if not (put or left_out or emptied):
        raise click.UsageError("name a correction: --set NAME=VALUE, --unset NAME or --empty NAME")
    settings, journal = load_settings(), open_journal()
    intent = _found(journal, intent_id)
    if intent.state is not State.PARKED:
        raise click.ClickException(f"{intent_id} is {intent.state}, not parked")
    try:
        change = edited(
            intent,
            put=put,
            left_out=left_out,
            emptied=emptied,
            agent=agents_of(settings).named(intent.agent),
            region=settings.calls.phone_region,
        )
    except EditRefusedError as refused:
        raise click.UsageError(str(refused)) from None
    if not yes:
        _show_change(intent, change, settings)
    if _confirmed([intent], "edit and replay", yes):
        count = open_actions().edit(intent_id, change.draft, change.changed)
        click.echo(f"replayed {count}")


def _show_change(intent: Intent, change: Edit, settings: Settings) -> None:
    """Prints old → new, and what the org has now."""
    org_state = org_state_of(intent, change, settings)
    for name, (old, new) in change.changed.items():
        in_org = org_state.fields.get(name)
        now = f"   (in the org now: {_shown(in_org, 'empty')})" if in_org is not None else ""
        after = "erased" if new == "" else _shown(new, "left out")
        click.echo(f"  {name}: {_shown(old, 'left out')} → {after}{now}")
    if org_state.sentence:
        click.echo(f"  {org_state.sentence}")


def _shown(text: str | None, without: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text else without


def _confirmed(chosen: list[Intent], verb: str, yes: bool) -> bool:
    if yes:
        return bool(chosen)
    for intent in chosen:
        click.echo(_line(intent))
    click.echo(f"would {verb} {len(chosen)}; add --yes to do it")
    return False


# -- output ----------------------------------------------------------------------------------------


def _public(intent: Intent) -> dict[str, object]:
    return {
        "id": intent.id,
        "kind": intent.kind,
        "state": intent.state,
        "call_id": intent.call_id,
        "org": intent.org,
        "reference": intent.reference,
        "accepted_at": iso(intent.accepted_at_ms),
        "settled_at": iso(intent.settled_at_ms) if intent.settled_at_ms else None,
        "attempts": intent.attempts,
        "refusals": intent.refusals,
        "reason": intent.reason,
        "detail": intent.detail,
        "receipt": asdict(intent.receipt) if intent.receipt else None,
    }


def _line(intent: Intent) -> str:
    columns = [
        intent.id,
        f"{intent.kind:<15}",
        f"{intent.state:<9}",
        iso(intent.settled_at_ms or intent.accepted_at_ms),
        intent.reference or "-",
        intent.call_id or "-",
        intent.reason,
        _shortened(intent.detail),
    ]
    return "  ".join(columns).rstrip()


def _shortened(detail: str) -> str:
    """Salesforce's message on one line; `show` prints all of it."""
    line = " ".join(detail.split())
    return line if len(line) <= MAX_SHOWN else line[:MAX_SHOWN] + "…"
