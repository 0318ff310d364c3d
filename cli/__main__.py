"""`python -m cli`: what an operator does at 3 a.m."""

import sys

import click

from cli.doctor import doctor
from cli.intents import intents
from cli.kinds import pause, resume
from cli.provision import provision
from cli.store import Commands
from shared.settings import SettingsError


@click.group(cls=Commands, help=__doc__)
def cli() -> None:
    """The root of all commands."""


for command in (doctor, intents, pause, provision, resume):
    cli.add_command(command)


if __name__ == "__main__":
    try:
        cli(prog_name="python -m cli")
    except SettingsError as refused:
        sys.exit(str(refused))
