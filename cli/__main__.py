"""`python -m cli`: what an operator does at 3 a.m."""

import sys

import click

from cli.intents import intents
from shared.settings import SettingsError


@click.group(help=__doc__)
def cli() -> None:
    """The root of all commands."""


cli.add_command(intents)


if __name__ == "__main__":
    try:
        cli(prog_name="python -m cli")
    except SettingsError as refused:
        sys.exit(str(refused))
