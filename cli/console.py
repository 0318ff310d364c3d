"""`python -m cli console user`: who may log in to the console."""

import sys
from pathlib import Path

import click

from cli.store import Commands
from shared.operators.users import NO_PASSWORD, Role, User, UserRefusedError, Users, hash_of
from shared.settings import load_settings

YES = click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)


@click.group(cls=Commands, help=__doc__)
def console() -> None:
    """The group of console commands."""


@console.group()
def user() -> None:
    """Add, list and remove users in the file of CONSOLE_USERS."""


def _users() -> Users:
    path = load_settings().console.users
    if path is None:
        raise click.ClickException("Set CONSOLE_USERS to the path of a file; it may be missing")
    return Users(Path(path))


@user.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    default=str(Role.READER),
    show_default=True,
    help="A reader changes nothing and sees no personal data.",
)
@click.option(
    "--no-password", is_flag=True, help="The user comes through the proxy of CONSOLE_USER_HEADER."
)
@YES
def add(name: str, role: str, no_password: bool, yes: bool) -> None:
    """Add a user, or give NAME another role and password, which ends their sessions.

    Asks for the password, or reads it from standard input.
    """
    users = _users()
    if not yes:
        verb = "replace" if users.named(name) else "add"
        click.echo(f"would {verb} {name} as {role}; add --yes to do it")
        return
    try:
        hash_ = NO_PASSWORD if no_password else hash_of(_password())
        is_new = users.put(User(name, Role(role), hash_))
    except UserRefusedError as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"{'added' if is_new else 'replaced'} {name} as {role}")


def _password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


@user.command("list")
def list_() -> None:
    """List the users with their roles."""
    for found in _users().all().values():
        by = "by the proxy" if found.hash == NO_PASSWORD else "by password"
        click.echo(f"{found.name}  {found.role}  {by}")


@user.command()
@click.argument("name")
@YES
def remove(name: str, yes: bool) -> None:
    """Remove a user. Their sessions end at once."""
    users = _users()
    if users.named(name) is None:
        raise click.ClickException(f"no user {name}")
    if not yes:
        click.echo(f"would remove {name}; add --yes to do it")
        return
    try:
        users.remove(name)
    except UserRefusedError as refused:
        raise click.ClickException(str(refused)) from None
    click.echo(f"removed {name}")
