"""`python -m cli policy explain`: why callers were allowed or refused something."""

import json
from dataclasses import asdict
from datetime import datetime

import click

from cli.store import Commands, open_store
from shared.calls.decisions import Decision, Decisions
from shared.vapi.messages import safe_id


@click.group(cls=Commands, help=__doc__)
def policy() -> None:
    """The group of policy commands."""


@policy.command()
@click.option("--call", "call_id", required=True, metavar="ID", help="Vapi's id of the call.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def explain(call_id: str, as_json: bool) -> None:
    """Show each decision of a call: what was asked for, the evidence, the tier and the rule.

    Decisions are kept for a day. Exit code 1 when nothing was decided in the call.
    """
    decisions = Decisions(open_store()).of_call(safe_id(call_id))
    if not decisions:
        raise click.ClickException(f"no decision of a call {call_id} is stored")
    for decision in decisions:
        click.echo(json.dumps(asdict(decision)) if as_json else _line(decision))


def _line(decision: Decision) -> str:
    at = datetime.fromtimestamp(decision.at_ms / 1000).astimezone()
    outcome = "allowed" if decision.allowed else "refused"
    named = f"{decision.tool}: " if decision.tool else ""
    return (
        f"{at:%H:%M:%S} {named}{decision.about} {outcome}: "
        f"{decision.evidence}, so the caller is {decision.tier}; it needs {decision.needs}"
    )
