"""Whether the calls in an agent folder, which try its tools, name tools and arguments that exist.

`simulator/vapi/scenario.py` describes the form of such a file.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cli.org.objects import meant
from shared.agent.errors import Mistake
from shared.agent.folder import Agent
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tools import all_arguments

CALLS = "calls"


def calls_in(folder: Path) -> list[Path]:
    """In the order in which they are played."""
    return sorted((folder / CALLS).glob("*.toml"))


def wrong_calls(agent: Agent, paths: Iterable[Path]) -> list[Mistake]:
    """A mistake for each tool and argument in these files that the folder does not have."""
    return [mistake for path in paths for mistake in _wrong_with(agent, path)]


def _wrong_with(agent: Agent, path: Path) -> Iterator[Mistake]:
    inside = path.is_relative_to(agent.folder)
    file = str(path.relative_to(agent.folder)) if inside else path.name
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        steps = tomllib.loads(text).get("step", [])
    except tomllib.TOMLDecodeError as wrong:
        yield not_toml(file, text, wrong)
        return
    lines = lines_of(text)
    for nth, step in enumerate(steps if isinstance(steps, list) else ()):
        for where, problem, remedy in _wrong_with_step(agent, step):
            yield Mistake(file, line_of(lines, ("step", str(nth), *where)), problem, remedy)


def _wrong_with_step(agent: Agent, step: Any) -> Iterator[tuple[tuple[str, ...], str, str]]:
    kind = next((kind for kind in ("look", "write") if kind in step), "")
    if not kind:
        return
    name, given = str(step[kind]), step.get("arguments")
    tool = agent.tools.get(name)
    if tool is None:
        remedy = meant(name, agent.tools) or f"use one of {', '.join(agent.tools)}"
        yield (kind,), f"the folder has no tool {name}", remedy
        return
    known = all_arguments(tool.file)
    for argument in given if isinstance(given, dict) else ():
        if argument not in known:
            remedy = f"use one of {', '.join(known)}" if known else "leave it out"
            problem = f"{name} has no argument {argument}"
            yield ("arguments", argument), problem, meant(argument, known) or remedy
