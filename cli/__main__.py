"""Commands for operators of vapi-salesforce."""

import click

from cli.agent.commands import agent
from cli.alarms import alarms
from cli.calls import calls
from cli.console import console
from cli.doctor import doctor
from cli.drain import drain
from cli.find import find
from cli.intents import intents
from cli.pauses import pause, resume
from cli.person.commands import person
from cli.policy import policy
from cli.promises import promises
from cli.provision import provision
from cli.reconcile import reconcile
from cli.store import Commands
from shared import logs


@click.group(cls=Commands, help=__doc__)
def cli() -> None:
    """The root of all commands."""


for command in (
    agent,
    alarms,
    calls,
    console,
    doctor,
    drain,
    find,
    intents,
    pause,
    person,
    policy,
    promises,
    provision,
    reconcile,
    resume,
):
    cli.add_command(command)


if __name__ == "__main__":
    logs.configure()
    cli(prog_name="python -m cli")
