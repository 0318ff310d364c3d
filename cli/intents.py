"""`python -m cli intents`: list intents, show one, and settle those that parked."""

import json
from collections.abc import Callable
from typing import Any

import click

from cli.intent_lines import as_line, as_object, printed
from cli.pages import REVEAL, footer, of_call, page_of
from cli.pauses import KindName
from cli.store import Commands, open_actions, open_journal, open_store
from shared.agent.agents import agents_of
from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.journal.journal import Journal
from shared.journal.listing import OPEN, Filter, Listing
from shared.operators.edits import Edit, EditRefusedError, edited
from shared.operators.org_state import org_state_of
from shared.settings import Settings, load_settings

MAX_BY_FILTER = 10_000


@click.group(cls=Commands, help=__doc__)
def intents() -> None:
    """The group of intents commands."""


# -- list and show ---------------------------------------------------------------------------------


@intents.command("list")
@click.option(
    "--state",
    type=click.Choice([OPEN, *map(str, State)]),
    help="Only this state; open stands for held, due and leased.",
)
@click.option("--kind", type=KindName(), help="Only this kind.")
@click.option("--tool", default="", help="Only what this tool of the agent asked for.")
@click.option("--reason", default="", help="Only this reason; ABC* for those that begin with ABC.")
@click.option("--call", "call_id", default="", help="Only intents of this call.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True,
              help="How many to print.")  # fmt: skip
@click.option("--from", "begins", default="", metavar="PLACE", help="Where the last page ended.")
@REVEAL
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_(
    state: str | None,
    kind: str | None,
    tool: str,
    reason: str,
    call_id: str,
    limit: int,
    begins: str,
    reveal: bool,
    as_json: bool,
) -> None:
    """List intents, the newest first, or with --state parked the last parked.

    Filters first, then prints --limit of them, and says how many there are and how to go on. Does
    not show what callers said; values that Salesforce's messages quote are masked.
    """
    journal, store = open_journal(), open_store()
    wanted = Filter(state or "", kind or "", tool, reason)
    if call_id:
        shown = of_call(journal, call_id, wanted, limit)
    else:
        shown = page_of(Listing(store, journal), wanted, limit, begins)
    if reveal:
        open_actions().note("reveal", about="list", ids=[intent.id for intent in shown.intents])
    for intent in shown.intents:
        click.echo(printed(intent, as_json=as_json, reveal=reveal))
    for line in footer(shown, as_json=as_json):
        click.echo(line)


@intents.command()
@click.argument("intent_id")
@REVEAL
def show(intent_id: str, reveal: bool) -> None:
    """Show an intent. With --reveal, also what the caller asked for and what the agent said."""
    intent = _found(open_journal(), intent_id)
    shown = as_object(intent, reveal=reveal)
    if reveal:
        open_actions().note("reveal", about=intent.kind, ids=[intent.id])
        shown |= {"said": intent.said, "payload": intent.payload}
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


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
@click.option(
    "--kept-by-hand", is_flag=True, help="You did what they promise, so nobody has to call."
)
@_selection
def discard(kept_by_hand: bool, yes: bool, **selection: Any) -> None:
    """Give parked intents up, because they are settled elsewhere or must not be written.

    Without --kept-by-hand, a colleague is asked to call those who were promised something.
    """
    journal = open_journal()
    chosen = _chosen(journal, **selection)
    if _confirmed(chosen, "discard", yes):
        ids = [intent.id for intent in chosen]
        count = open_actions().discard(ids, is_kept_by_hand=kept_by_hand)
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
        click.echo(as_line(intent))
    click.echo(f"would {verb} {len(chosen)}; add --yes to do it")
    return False
