"""`python -m cli calls`: a call as a scenario that the simulated Vapi can play."""

from pathlib import Path

import click

from cli.scenario_export import scenario_of
from cli.store import Commands
from shared.agent.agents import agents_of
from shared.phone import as_e164
from shared.settings import load_settings
from shared.vapi.call_list import CallList, CallListError
from shared.vapi.messages import safe_id


@click.group(cls=Commands, help=__doc__)
def calls() -> None:
    """The group of calls commands."""


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
