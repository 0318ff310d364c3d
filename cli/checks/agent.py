"""The agent folder: its files, and whether its tools and its callers' fields fit the org."""

from collections.abc import Iterable
from pathlib import Path

from cli.chain import AGENT_FOLDER, Link, Problem, Problems
from cli.checks.context import CheckContext
from cli.org.caller_fit import caller_misfits
from cli.org.tool_fit import misfits
from shared.agent.agents import agents_of
from shared.agent.disclosure import is_recorded, undisclosed
from shared.agent.errors import AgentError, Mistake


def _files(check_context: CheckContext) -> str:
    """All folders that AGENT_DIR names, whichever is compared with the org."""
    folders = check_context.agent_dirs
    try:
        agents = check_context.all_agents()
    except AgentError as refused:
        folder = folders[0] if len(folders) == 1 else ""
        raise Problems(_as_problems(folder, refused.mistakes)) from None
    found = [
        f"{len(agent.tools)} tools in {folder}"
        for agent, folder in zip(agents.all, folders, strict=True)
    ]
    return ", ".join(found)


def _fits(check_context: CheckContext) -> str:
    settings = check_context.settings
    agent = agents_of(settings).first
    wrong = [
        *misfits(agent, check_context.org, has_key_fields=settings.salesforce.key_fields),
        *caller_misfits(agent, check_context.org),
    ]
    if wrong:
        raise Problems(_as_problems(settings.calls.agent_dir, wrong))
    return f"{len(agent.tools)} tools fit the org"


def _disclosed(check_context: CheckContext) -> str:
    agent = agents_of(check_context.settings).first
    left_out = [
        Problem(f'The {name} does not say "{words}"', "Add the words, or change what they are.")
        for name, words in undisclosed(agent)
    ]
    if left_out:
        raise Problems(left_out)
    recorded = "and that the call is recorded" if is_recorded(agent) else "(calls are not recorded)"
    return f"every greeting says that an AI talks {recorded}"


def _as_problems(agent_dir: str, mistakes: Iterable[Mistake]) -> list[Problem]:
    return [
        Problem(
            f"{mistake.place_in(Path(agent_dir))}: {mistake.problem}", _sentence(mistake.remedy)
        )
        for mistake in mistakes
    ]


def _sentence(remedy: str) -> str:
    return f"{remedy[:1].upper()}{remedy[1:]}."


FOLDER = Link(AGENT_FOLDER, "", _files)

DISCLOSURE = Link("disclosure", AGENT_FOLDER, _disclosed)

FIT = Link("agent tools", "salesforce version", _fits)
