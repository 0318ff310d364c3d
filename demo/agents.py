"""What demo and drill do with an agent folder: the calls they play, and the objects they count."""

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.agent.call_files import calls_in
from cli.agent.comparison import compared_with_source
from cli.org.source import UnreadableSourceError
from demo.history.steps import LOOKUP, STATUS, WRITE
from demo.stack import ROOT
from shared.agent.folder import load_agent
from shared.agent.sentences import SHIPPED
from shared.settings import SettingsError
from simulator.vapi.scenario import ScenarioError, read_scenario

STANDARD = ROOT / "agent"


def calls_of(agent: Path) -> list[Path]:
    """The scenarios that are played against an agent folder. Exits when there is none."""
    if agent == STANDARD:
        return sorted((ROOT / "demo" / "scenarios").glob("*.toml"))
    scenarios = calls_in(agent)
    if not scenarios:
        sys.exit(f"demo: {agent} has no call to play; docs/adding-a-tool.md shows one")
    return scenarios


def objects_of(agent: Path) -> list[str]:
    """The objects of the team's own that the tools of a folder create or change records of."""
    tools = load_agent(str(agent)).tools.values()
    created = {tool.mapping.object for tool in tools if tool.mapping}
    return sorted((created | {tool.change.object for tool in tools if tool.change}) - {"Case"})


@dataclass(frozen=True)
class Request:
    """A tool call of a drill's script. sort: see demo/history/steps.py."""

    tool: str
    sort: str
    arguments: dict[str, Any]
    times: int = 1

    def filled(self, nth: int, text: str) -> dict[str, Any]:
        """The arguments in the nth call. text: stands for "{text}"."""
        values = {
            name: value[nth % len(value)] if isinstance(value, list) else value
            for name, value in self.arguments.items()
        }
        return {name: value.replace("{text}", text) for name, value in values.items()}


@dataclass(frozen=True)
class Script:
    """What the calls of a drill ask for. caller: their number, "" for one each."""

    caller: str
    lookups: list[Request]
    writes: list[Request]

    def writes_of(self, nth: int) -> list[Request]:
        """The writes of the nth call: the first of the script, and one of the others in turn."""
        first, *others = self.writes
        return [first, others[nth % len(others)]]


def script_of(agent: Path) -> Script:
    """The script in `drill.toml` of an agent folder; demo/drill.toml explains it."""
    path = (ROOT / "demo" if agent == STANDARD else agent) / "drill.toml"
    given = tomllib.loads(path.read_text())
    lookups = [
        Request(
            lookup["tool"],
            STATUS if lookup.get("shows") == "newest" else LOOKUP,
            lookup.get("arguments", {}),
        )
        for lookup in given["lookup"]
    ]
    writes = [
        Request(wanted["tool"], WRITE, wanted["arguments"], wanted.get("times", 1))
        for wanted in given["write"]
    ]
    return Script(given.get("caller", ""), lookups, writes)


def check(agent: Path, scenarios: list[Path]) -> None:
    """Exits with what is wrong with the folder, its source or the calls, before anything starts."""
    try:
        for path in scenarios:
            read_scenario(path)
        found = load_agent(str(agent), os.environ.get("DEFAULT_LANGUAGE", SHIPPED))
        compared_with_source(found, scenarios, agent)
    except (SettingsError, ScenarioError, UnreadableSourceError) as wrong:
        sys.exit(f"demo: {wrong}")
