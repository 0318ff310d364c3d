"""Check an agent folder, explain its tools, start one of your own."""

import os
import shutil
import sys
from pathlib import Path

import click

from cli.agent.call_files import calls_in
from cli.agent.comparison import compared_with_source
from cli.agent.explanation import explained
from cli.agent.schema import SCHEMA_FILE, schema_text
from cli.agent.sfdx_source import source_for
from cli.agent.sfdx_write import OtherContentsError, write_source
from cli.agent.spoken_names import missing_names
from cli.org.source import NoLocalOrgError, UnreadableSourceError, source_of
from cli.store import Commands
from shared.agent.errors import AgentError
from shared.agent.folder import Agent, load_agent
from shared.agent.languages import AGENT_FOLDER, PROJECT
from shared.agent.tools import Tool

DIR = click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
OF_DIR = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="The agent folder. Default: the first of AGENT_DIR, else agent.",
)


@click.group(cls=Commands, help=__doc__)
def agent() -> None:
    """The group of agent commands."""


@agent.command()
@DIR
def check(folder: Path | None) -> None:
    """Check the files of an agent folder, without Salesforce.

    DIR: default is the first of AGENT_DIR, else agent. If it has a folder `salesforce` with SFDX
    source, objects, fields, values, record types and lookups are compared with it; the calls in its
    folder `calls` are checked, too. Prints the tools, or every mistake with its file, its line and
    what would be right. Exit codes: 0 without a mistake, 1 with one.
    """
    shown = folder or Path(_setting())
    try:
        found = _load(folder)
        compared = compared_with_source(found, calls_in(found.folder), shown)
    except AgentError as refused:
        for mistake in refused.mistakes:
            click.echo(mistake.said_in(shown))
        sys.exit(1)
    except UnreadableSourceError as wrong:
        click.echo(str(wrong))
        sys.exit(1)
    click.echo(f"OK: {shown} has {len(found.tools)} tools{compared}")
    for line in _table(found):
        click.echo(f"  {line}")
    for note in missing_names(found):
        click.echo(f"Note: {note}")


@agent.command()
@DIR
def schema(folder: Path | None) -> None:
    """Write the JSON schema of a tool's file into an agent folder, for editors.

    DIR: default is the first of AGENT_DIR, else agent.
    """
    target = folder or PROJECT / _setting()
    if not target.is_dir():
        raise click.ClickException(f"{target} must be a folder")
    (target / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
    click.echo(f"{target / SCHEMA_FILE} written")


@agent.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Copy the default agent folder to FOLDER, for you to edit."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.ClickException(f"{folder} exists already; name a new folder, or an empty one")
    shutil.copytree(AGENT_FOLDER, folder, dirs_exist_ok=True)
    click.echo(
        f"{folder} is a copy of the default agent folder. Next:\n"
        f"  1. Edit the files in {folder}/tools. Each file is a tool; delete those that you don't "
        "need.\n"
        "     An editor with Taplo or Even Better TOML completes and underlines as you type.\n"
        f"  2. Check them:               python -m cli agent check {folder}\n"
        f"  3. See what a tool does:     python -m cli agent explain TOOL --dir {folder}\n"
        f"  4. Set AGENT_DIR={folder.resolve()} in .env, and load it.\n"
        "  5. Compare with your org:    python -m cli doctor\n"
        "  6. Show it to Vapi:          python -m cli provision plan"
    )


@agent.command()
@click.argument("tool")
@OF_DIR
def explain(tool: str, folder: Path | None) -> None:
    """Say in plain English what TOOL reads and writes, and what it costs."""
    path = (folder or Path(_setting())) / "tools" / f"{tool}.toml"
    found = _load(folder)
    click.echo(explained(_tool_of(found, tool), path, found.policy, found.identify.rules))


@agent.command()
@click.argument("tool")
@OF_DIR
@click.option(
    "--write",
    is_flag=True,
    help="Write the files into the folder `salesforce` of the agent folder.",
)
def source(tool: str, folder: Path | None, write: bool) -> None:
    """Print the Salesforce source (SFDX) that TOOL needs and its folder does not have yet.

    It has the object, those of its fields whose types the tool's file implies, among them the key
    and the reference, and a permission set for the service's user. With --write they become files.
    A file with other contents is never overwritten.
    """
    found = _tool(folder, tool)
    home = folder or PROJECT / _setting()
    try:
        needed = source_for(found, source_of(home))
        written = write_source(home, needed) if write else None
    except (UnreadableSourceError, NoLocalOrgError, OtherContentsError) as refused:
        raise click.ClickException(str(refused)) from None
    for name, text in needed.files.items() if written is None else ():
        click.echo(f"--- {name}\n{text}")
    for path in written or ():
        click.echo(f"{path} written")
    if not needed.files:
        click.echo(f"{tool} needs nothing besides the package in salesforce/.")
    elif written == []:
        click.echo("Every file is there already.")
    for note in needed.notes:
        click.echo(f"Note: {note}", err=True)


def _setting() -> str:
    """The first folder of AGENT_DIR, read by itself: these commands need no other setting."""
    return (os.environ.get("AGENT_DIR") or "agent").split(":")[0]


def _load(folder: Path | None) -> Agent:
    """A folder that is typed is relative to the working folder, as a shell completes it; one of the
    setting is relative to the project. Raises AgentError."""
    return load_agent(str(folder.resolve()) if folder else _setting())


def _tool(folder: Path | None, name: str) -> Tool:
    return _tool_of(_load(folder), name)


def _tool_of(found: Agent, name: str) -> Tool:
    if name not in found.tools:
        names = ", ".join(found.tools)
        raise click.ClickException(f"{found.folder} has no tool {name}; it has {names}")
    return found.tools[name]


def _table(found: Agent) -> list[str]:
    rows = [
        (name, tool.verb, getattr(tool.file, "object", "")) for name, tool in found.tools.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
