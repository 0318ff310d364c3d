"""What `agent check` compares a folder with: its own source, and its calls."""

from collections.abc import Iterable
from pathlib import Path

from cli.agent.call_files import wrong_calls
from cli.org.caller_fit import caller_misfits
from cli.org.mapping_fit import mapping_misfits
from cli.org.source import SOURCE, NoLocalOrgError, SourceObjects, source_of
from cli.org.tool_fit import misfits
from shared.agent.errors import AgentError, Mistake
from shared.agent.folder import Agent


def compared_with_source(agent: Agent, calls: Iterable[Path], shown: Path) -> str:
    """Compare a folder with its source and its calls. Returns how the line "OK: ..." goes on.

    shown: the folder as it was typed. Raises AgentError for the mistakes of the folder, and
    UnreadableSourceError for a mistake in the source.
    """
    wrong, said = wrong_calls(agent, calls), ""
    try:
        if source := source_of(agent.folder):
            wrong += misfits_with(agent, source)
            said = f", which fit {shown / SOURCE}"
    except NoLocalOrgError as missing:
        said = f"; {shown / SOURCE} was not compared: {missing}"
    if wrong:
        raise AgentError(wrong, shown)
    return said


def misfits_with(agent: Agent, source: SourceObjects) -> list[Mistake]:
    """Where a folder does not fit its own source."""
    return [
        *misfits(agent, source, has_key_fields=True),
        *caller_misfits(agent, source),
        *mapping_misfits(agent, source.setup(agent.salesforce.wanted)),
    ]
