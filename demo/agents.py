"""What demo and drill do with an agent folder: the calls they play, and the objects they count."""

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from cli.agent.call_files import calls_in
from cli.agent.comparison import compared_with_source
from cli.org.source import UnreadableSourceError
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


def has_changes(agent: Path) -> bool:
    """Whether a tool of the folder changes records of the team's own."""
    return any(tool.change for tool in load_agent(str(agent)).tools.values())


def writes_of(agent: Path) -> list[dict[str, Any]]:
    """The writes of a drill's call, from `drill.toml`: tool and arguments. "{text}" in an argument
    stands for a text that no other call has. What a change of a record writes begins with
    "changed"."""
    path = (ROOT / "demo" if agent == STANDARD else agent) / "drill.toml"
    writes: list[dict[str, Any]] = tomllib.loads(path.read_text())["write"]
    return writes


def check(agent: Path, scenarios: list[Path]) -> None:
    """Exits with what is wrong with the folder, its source or the calls, before anything starts."""
    try:
        for path in scenarios:
            read_scenario(path)
        found = load_agent(str(agent), os.environ.get("DEFAULT_LANGUAGE", SHIPPED))
        compared_with_source(found, scenarios, agent)
    except (SettingsError, ScenarioError, UnreadableSourceError) as wrong:
        sys.exit(f"demo: {wrong}")
