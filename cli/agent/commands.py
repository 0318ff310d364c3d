"""`python -m cli agent`: check an agent folder, explain its tools, start one of your own."""

import shutil
from pathlib import Path

import click

from cli.agent.explanation import explained
from cli.agent.schema import SCHEMA_FILE, schema_text
from cli.agent.sfdx_source import permissions_of, source_of
from cli.store import Commands
from shared.agent.errors import AgentError
from shared.agent.folder import DEFAULT_FOLDER, Agent, load_agent
from shared.agent.tools import Tool

FOLDERS = "AGENT_DIR"

OF_SETTING = click.option(
    "--dir",
    "folder",
    envvar=FOLDERS,
    default="agent",
    show_default=True,
    help="The agent folder. Default: the setting AGENT_DIR.",
)


@click.group(cls=Commands, help=__doc__)
def agent() -> None:
    """The group of agent commands."""


@agent.command()
@click.argument("folder", envvar=FOLDERS, default="agent")
def check(folder: str) -> None:
    """Check the files of an agent folder, without Salesforce.

    FOLDER: default is the setting AGENT_DIR. Prints the tools, or every mistake with its file, its
    line and what would be right. Exit codes: 0 without a mistake, 1 with one.
    """
    mistakes = []
    for path in map(Path, folder.split(":")):
        try:
            found = load_agent(path)
        except AgentError as refused:
            mistakes += [mistake.said_in(path) for mistake in refused.mistakes]
            continue
        click.echo(f"OK: {path} has {len(found.tools)} tools")
        for line in _table(found):
            click.echo(f"  {line}")
    if mistakes:
        for line in mistakes:
            click.echo(line)
        raise SystemExit(1)


@agent.command()
@click.argument("folder", envvar=FOLDERS, default="agent")
def schema(folder: str) -> None:
    """Write the JSON schema of a tool's file into an agent folder, for editors."""
    for path in map(Path, folder.split(":")):
        if not path.is_dir():
            raise click.ClickException(f"{path} must be a folder")
        file = path / SCHEMA_FILE
        file.write_text(schema_text(), encoding="utf-8")
        click.echo(f"{file} written")


@agent.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Copy the default agent folder to FOLDER, for you to edit."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.ClickException(f"{folder} exists already; name a new folder, or an empty one")
    shutil.copytree(DEFAULT_FOLDER, folder, dirs_exist_ok=True)
    click.echo(
        f"{folder} is a copy of the default agent folder. Next:\n"
        f"  1. Edit the files in {folder}/tools. Each file is a tool; delete those that you don't "
        "need.\n"
        "     An editor with Taplo or Even Better TOML completes and underlines as you type.\n"
        f"  2. Check them:               python -m cli agent check {folder}\n"
        f"  3. See what a tool does:     python -m cli agent explain TOOL --dir {folder}\n"
        f"  4. Set AGENT_DIR={folder} in .env, and load it.\n"
        "  5. Compare with your org:    python -m cli doctor\n"
        "  6. Show it to Vapi:          python -m cli provision plan"
    )


@agent.command()
@click.argument("tool")
@OF_SETTING
def explain(tool: str, folder: str) -> None:
    """Say in plain English what TOOL reads and writes, and what it costs."""
    path, found = _tool(folder, tool)
    click.echo(explained(found, path / "tools" / f"{tool}.toml"))


@agent.command()
@click.argument("tool")
@OF_SETTING
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the fields into this folder, such as salesforce/force-app/main/default.",
)
def source(tool: str, folder: str, out: Path | None) -> None:
    """Print the Salesforce source (SFDX) that the object of TOOL needs.

    It has a field for the idempotency key, a field for the reference if the tool names one, and the
    lines for the permission set. With --out the fields are written as files.
    """
    _, found = _tool(folder, tool)
    files = source_of(found)
    for name, text in files.items():
        if out is None:
            click.echo(f"--- {name}\n{text}")
            continue
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")
        click.echo(f"{out / name} written")
    if not files:
        click.echo(f"{tool} needs no field besides those in salesforce/.")
    click.echo("--- lines for the permission set of the service's user")
    click.echo(permissions_of(found))


def _tool(folders: str, name: str) -> tuple[Path, Tool]:
    """The tool, and the folder that has it."""
    known: set[str] = set()
    for path in map(Path, folders.split(":")):
        tools = load_agent(path).tools
        if name in tools:
            return path, tools[name]
        known |= tools.keys()
    raise click.ClickException(f"{folders} has no tool {name}; it has {', '.join(sorted(known))}")


def _table(found: Agent) -> list[str]:
    rows = [
        (name, tool.verb, getattr(tool.file, "object", "")) for name, tool in found.tools.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
