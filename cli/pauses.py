"""`python -m cli pause|resume WHAT`: stop a tool, or a kind of write, and start it again."""

import click

from cli.store import open_actions, open_journal
from shared.agent.agents import agents_of
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import load_settings


class KindName(click.Choice[str]):
    """A kind of the code's, or `create.` and the name of an object of the team's."""

    def __init__(self) -> None:
        super().__init__([str(kind) for kind in Kind])

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value if Kind(value).sobject else super().convert(value, param, ctx)


YES = click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)

WHAT = click.argument("what", metavar="TOOL|KIND")


def _named(what: str, journal: Journal) -> str:
    """A kind, or a tool with its agent folder, such as "agent/requestReturn".

    A tool's folder may be left out where one folder alone has such a tool. A tool that no folder
    has any more is known as long as it is paused or waits. Raises BadParameter.
    """
    if what in list(Kind) or Kind(what).sobject:
        return what
    tools = agents_of(load_settings()).tool_sources
    matching = [tool for tool in tools if what in (tool, tool.partition("/")[2])]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise click.BadParameter(f"several folders have it; write {' or '.join(matching)}")
    if "/" in what and what in {*journal.paused(), *journal.waits()}:
        return what
    known = ", ".join([*tools, *Kind])
    raise click.BadParameter(f"{what} is neither a tool nor a kind of write; there are {known}")


@click.command()
@WHAT
@YES
def pause(what: str, yes: bool) -> None:
    """Stop a tool, or a kind of write, until you resume it.

    The service still accepts writes, delivers them later, and tells callers that it takes longer.
    Of a paused lookup it says that it can't be done for the time being.
    """
    journal = open_journal()
    name = _named(what, journal)
    if not yes:
        click.echo(f"would pause {_with_count(journal, name)}; add --yes to do it")
    elif open_actions().pause(name):
        click.echo(f"{name} is paused{_count(journal, name)}")
    else:
        click.echo(f"{name} was paused already")


@click.command()
@WHAT
@YES
def resume(what: str, yes: bool) -> None:
    """End the pause of a tool or a kind, or its wait after a failure.

    A kind is delivered at once, and what a tool's calls asked for within 15 seconds.
    """
    journal = open_journal()
    name = _named(what, journal)
    if not yes:
        click.echo(f"would resume {_with_count(journal, name)}; add --yes to do it")
    elif open_actions().resume(name):
        click.echo(f"{name} is resumed{_count(journal, name)}")
    else:
        click.echo(f"{name} was neither paused nor waiting")


def _with_count(journal: Journal, name: str) -> str:
    return f"{name}{_count(journal, name)}"


def _count(journal: Journal, name: str) -> str:
    """How many writes of a kind are open. Those of a tool are not counted apart."""
    return "" if "/" in name else f" ({journal.counts().get(f'open_{name}', 0)} open)"
