"""`python -m cli intents`: what was promised, and what became of it."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import load_settings
from shared.store import StoreUnavailableError, connect


@click.group(help="The journal: list intents, or show one.")
def intents() -> None:
    """The group of journal commands."""


def _journal() -> Journal:
    return Journal(connect(load_settings().redis_url, socket_timeout_s=10.0))


@intents.command("list")
@click.option("--state", type=click.Choice([str(one) for one in State]), help="only this state")
@click.option("--kind", type=click.Choice([str(one) for one in Kind]), help="only this kind")
@click.option("--call", "call_id", help="only this call's")
@click.option("--most", default=100, show_default=True, help="how many of the newest to look at")
@click.option("--json", "as_json", is_flag=True, help="a JSON object a line")
def list_(
    state: str | None, kind: str | None, call_id: str | None, most: int, as_json: bool
) -> None:
    """The newest intents, without what callers said."""
    try:
        found = _journal().of_call(call_id) if call_id else _journal().newest(most)
    except StoreUnavailableError as trouble:
        raise click.ClickException(f"the store does not answer ({trouble})") from trouble
    for intent in found:
        if (state and intent.state != state) or (kind and intent.kind != kind):
            continue
        click.echo(json.dumps(_public(intent)) if as_json else _line(intent))


@intents.command()
@click.argument("intent_id")
def show(intent_id: str) -> None:
    """One intent with what the caller asked for: personal data."""
    try:
        intent = _journal().get(intent_id)
    except StoreUnavailableError as trouble:
        raise click.ClickException(f"the store does not answer ({trouble})") from trouble
    if intent is None:
        raise click.ClickException(f"no intent {intent_id}")
    click.echo(json.dumps(_public(intent) | {"payload": intent.payload}, indent=2))


def _public(intent: Intent) -> dict[str, object]:
    return {
        "id": intent.id,
        "kind": intent.kind,
        "state": intent.state,
        "call_id": intent.call_id,
        "reference": intent.reference,
        "accepted_at": _time(intent.accepted_at_ms),
        "attempts": intent.attempts,
        "reason": intent.reason,
        "receipt": asdict(intent.receipt) if intent.receipt else None,
    }


def _line(intent: Intent) -> str:
    told = [
        intent.id,
        f"{intent.kind:<15}",
        f"{intent.state:<9}",
        _time(intent.accepted_at_ms),
        intent.reference or "-",
        intent.call_id or "-",
        intent.reason,
    ]
    return "  ".join(told).rstrip()


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
