"""The agent folder: its files, and whether its tools fit the org."""

from collections.abc import Iterable
from pathlib import Path

from cli.chain import Link, NotSetUp, Problem, Problems
from cli.checks.context import CheckContext
from cli.org.tool_fit import misfits
from shared.agent.errors import AgentError, Mistake
from shared.agent.folder import load_agent


def _folders(check_context: CheckContext) -> list[Path]:
    return [Path(name) for name in check_context.settings.agent_dir.split(":")]


def _files(check_context: CheckContext) -> str:
    mistakes: list[Problem] = []
    tools = 0
    for folder in _folders(check_context):
        try:
            tools += len(load_agent(folder).tools)
        except AgentError as refused:
            mistakes += _as_problems(folder, refused.mistakes)
    if mistakes:
        raise Problems(mistakes)
    return f"{tools} tools in {check_context.settings.agent_dir}"


def _fits(check_context: CheckContext) -> str:
    settings = check_context.settings
    try:
        agents = [load_agent(folder) for folder in _folders(check_context)]
    except AgentError:
        raise NotSetUp("not checked because of agent folder") from None
    found: list[Problem] = []
    for agent in agents:
        wrong = misfits(agent, check_context.org, has_key_fields=settings.salesforce_key_fields)
        found += _as_problems(agent.folder, wrong)
    if found:
        raise Problems(found)
    return f"{sum(len(agent.tools) for agent in agents)} tools fit the org"


def _as_problems(folder: Path, mistakes: Iterable[Mistake]) -> list[Problem]:
    return [
        Problem(f"{mistake.place_in(folder)}: {mistake.problem}", _sentence(mistake.remedy))
        for mistake in mistakes
    ]


def _sentence(remedy: str) -> str:
    return f"{remedy[:1].upper()}{remedy[1:]}."


FOLDER = Link("agent folder", "", _files)

FIT = Link("agent tools", "salesforce version", _fits)
