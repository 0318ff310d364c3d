"""Scenario files: one call each, as TOML.

    title  = "A new billing case"
    caller = "+14155550101"          # leave it out for a withheld number
    reason = "customer-ended-call"   # endedReason of the report
    summary = "..."                  # analysis.summary of the report

    [[step]]
    caller = "I was billed twice."   # what the caller says: final transcript
    [[step]]
    agent = "I am sorry to hear that."
    [[step]]
    look = "lookupCustomer"          # a tool call that looks something up
    arguments = { }
    until = "number \\d{8}"          # repeat as a new tool call until the answer matches ...
    for_s = 20                       # ... but give up after this many seconds
    [[step]]
    write = "createSalesforceCase"   # a tool call that changes something
    arguments = { issueType = "billing", description = "Billed twice." }
    [[step]]
    speech = "started"               # the caller starts ("started") or stops ("stopped") speaking
    [[step]]
    partial = "no wa"                # partial transcript of the caller
    [[step]]
    interrupted = true               # Vapi stops the agent because the caller speaks
    [[step]]
    pause_s = 0.5                    # or a range, [0.1, 0.6], from which the seed picks

    aside_ms = [0, 300]              # on any step but a pause: delay the step by a time from this
                                     # range, while later steps go on; a step without aside_ms waits
                                     # for all delayed steps

`{reference}` in an argument stands for the last reference in an answer, `{nth}` for the number of
the repetition, `{nth4}` for that number with four digits (also in `caller`).
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ScenarioError(Exception):
    """A scenario file can't be played. The text names the file and the place."""


@dataclass(frozen=True)
class Step:
    """Exactly one of caller, agent, look, write, speech, partial, interrupted, pause_s is set."""

    caller: str = ""
    agent: str = ""
    look: str = ""
    write: str = ""
    speech: str = ""
    partial: str = ""
    interrupted: bool = False
    pause_s: float | list[float] = 0.0
    aside_ms: list[float] | None = None
    arguments: Any = None
    until: str = ""
    for_s: float = 15.0


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    steps: tuple[Step, ...]
    caller: str = ""
    reason: str = "customer-ended-call"
    summary: str = ""


_ACTIONS = ("caller", "agent", "look", "write", "speech", "partial", "interrupted", "pause_s")


def read_scenario(path: Path) -> Scenario:
    """Raises ScenarioError for a file that can't be read and for every unknown key."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as trouble:
        raise ScenarioError(f"{path}: {trouble}") from trouble
    steps = content.pop("step", [])
    _refuse_unknown(path, "scenario", content, {"title", "caller", "reason", "summary"})
    read = []
    for nth, step in enumerate(steps, 1):
        _refuse_unknown(path, f"step {nth}", step, set(Step.__dataclass_fields__))
        if sum(name in step for name in _ACTIONS) != 1:
            raise ScenarioError(f"{path}: step {nth} needs exactly one of {', '.join(_ACTIONS)}")
        read.append(Step(**step))
    if not read:
        raise ScenarioError(f"{path}: no step")
    return Scenario(
        name=path.stem, title=content.pop("title", path.stem), steps=tuple(read), **content
    )


def _refuse_unknown(path: Path, where: str, given: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(given) - known):
        raise ScenarioError(f"{path}: {where}: unknown {', '.join(unknown)}")
