"""`python -m cli intents`: what was promised, what became of it, and settling what parked."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from cli.store import Commands, open_journal
from shared.dispatch import Doorbell, celery_app
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import load_settings

MOST_BY_FILTER = 10_000


@click.group(cls=Commands, help=__doc__)
def intents() -> None:
    """The group of journal commands."""


# -- looking ---------------------------------------------------------------------------------------


@intents.command("list")
@click.option("--state", type=click.Choice([str(one) for one in State]), help="only this state")
@click.option("--kind", type=click.Choice([str(one) for one in Kind]), help="only this kind")
@click.option("--call", "call_id", help="only this call's")
@click.option("--most", default=100, show_default=True, help="how many to look at")
@click.option("--json", "as_json", is_flag=True, help="a JSON object a line")
def list_(
    state: str | None, kind: str | None, call_id: str | None, most: int, as_json: bool
) -> None:
    """The newest intents, or the longest parked, without what callers said."""
    journal = open_journal()
    if call_id:
        found = journal.of_call(call_id)
    elif state == State.PARKED:
        found = journal.parked(most)
    else:
        found = journal.newest(most)
    for intent in found:
        if (state and intent.state != state) or (kind and intent.kind != kind):
            continue
        click.echo(json.dumps(_public(intent)) if as_json else _line(intent))


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
        click.option("--kind", type=click.Choice([str(one) for one in Kind]), help="of this kind"),
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
        found = [_found(journal, one) for one in intent_ids]
    else:
        found = journal.parked(MOST_BY_FILTER)
    return [
        one
        for one in found
        if one.state is State.PARKED
        and (not kind or one.kind == kind)
        and (not reason or one.reason.startswith(reason))
        and (not call_id or one.call_id == call_id)
    ]


@intents.command()
@_which
def replay(yes: bool, **which: Any) -> None:
    """Deliver parked intents again; each is looked for first, so nothing is written twice."""
    journal = open_journal()
    chosen = _chosen(journal, **which)
    if _agreed(chosen, "replay", yes):
        count, ring = journal.replay([one.id for one in chosen])
        Doorbell(celery_app(load_settings())).ring(ring)
        click.echo(f"replayed {count}")


@intents.command()
@_which
def discard(yes: bool, **which: Any) -> None:
    """Give parked intents up: the promise is settled elsewhere, or not to be kept."""
    journal = open_journal()
    chosen = _chosen(journal, **which)
    if _agreed(chosen, "discard", yes):
        click.echo(f"discarded {journal.discard([one.id for one in chosen])}")


@intents.command()
@click.argument("intent_id")
@click.option("--set", "changes", multiple=True, required=True, metavar="NAME=VALUE",
              help="a text of the draft, or a Salesforce field of a contact update")  # fmt: skip
@click.option("--yes", is_flag=True, help="do it; without, only say what would be done")
def edit(intent_id: str, changes: tuple[str, ...], yes: bool) -> None:
    """Correct a parked intent and replay it.

    An edited contact update is yours: it is made over what others edited before now.
    """
    journal = open_journal()
    intent = _found(journal, intent_id)
    if intent.state is not State.PARKED:
        raise click.ClickException(f"{intent_id} is {intent.state}, not parked")
    draft = _edited(intent, changes)
    if _agreed([intent], "edit and replay", yes):
        count, ring = journal.replay([intent_id], draft)
        Doorbell(celery_app(load_settings())).ring(ring)
        click.echo(f"replayed {count}")


def _edited(intent: Intent, changes: tuple[str, ...]) -> dict[str, Any]:
    draft = dict(intent.payload)
    texts = draft
    if intent.kind is Kind.CONTACT_UPDATE:
        texts = dict(draft["changes"])
        # Nothing was "seen" by the person who edits now; whatever is changed after now still wins.
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        draft |= {"changes": texts, "seen": None, "accepted_at": now}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name not in texts or not isinstance(texts[name] or "", str):
            known = ", ".join(one for one, old in texts.items() if isinstance(old or "", str))
            raise click.UsageError(f"--set {name}: this draft has {known}")
        texts[name] = value
    return draft


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
        "reference": intent.reference,
        "accepted_at": _time(intent.accepted_at_ms),
        "settled_at": _time(intent.settled_at_ms) if intent.settled_at_ms else None,
        "attempts": intent.attempts,
        "reason": intent.reason,
        "receipt": asdict(intent.receipt) if intent.receipt else None,
    }


def _line(intent: Intent) -> str:
    told = [
        intent.id,
        f"{intent.kind:<15}",
        f"{intent.state:<9}",
        _time(intent.settled_at_ms or intent.accepted_at_ms),
        intent.reference or "-",
        intent.call_id or "-",
        intent.reason,
    ]
    return "  ".join(told).rstrip()


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
