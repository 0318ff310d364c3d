"""`python -m cli alarms`: which alarms are on, and whether their messages reach anybody."""

import socket
import time

import click

from cli.store import open_store
from shared.operators.alarms.board import AlarmBoard, AlarmMessage
from shared.operators.alarms.causes import sort_of
from shared.operators.alarms.channels import NotSentError, channels_of
from shared.operators.alarms.wording import Wording
from shared.settings import load_settings


@click.group()
def alarms() -> None:
    """Which alarms are on, and whether their messages reach anybody."""


@alarms.command("list")
def list_() -> None:
    """The alarms that are on, and the section of docs/runbook.md for each."""
    on = AlarmBoard(open_store()).on()
    for cause, text in sorted(on.items()):
        sort = sort_of(cause)
        click.echo(f"{cause}\n  {text}\n  docs/runbook.md, {sort.section if sort else 'unknown'}")
    if not on:
        click.echo("no alarm is on")


@alarms.command("test")
@click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)
def test(yes: bool) -> None:
    """Send a message to everybody who gets alarms. Exits with 1 when it does not arrive."""
    channels = channels_of(load_settings().alarms)
    if not channels:
        raise click.ClickException("nobody gets alarms: set ALARM_WEBHOOK_URL or ALARM_SMTP_URL")
    if not yes:
        click.echo(f"would send a message by {' and by '.join(channels)}; add --yes to do it")
        return
    at_ms = int(time.time() * 1000)
    message = AlarmMessage("test", "", "on", at_ms, 0, "This is a test: nothing is wrong.", 1)
    failed = []
    for name, channel in channels.items():
        try:
            channel.send(Wording(message, socket.gethostname()))
        except NotSentError as trouble:
            failed.append(f"{name}: {trouble}")
        else:
            click.echo(f"sent by {name}")
    if failed:
        raise click.ClickException(f"not sent by {', '.join(failed)}")
