"""A call of Vapi's list as a scenario for `simulator vapi play`, without the caller's own words.

Only the words of the service's own sentences and phrases stay, because they decide what it
understands. Every other word becomes `WORD`, and so do numbers that are said. Every digit becomes
another one.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from shared.agent.folder import Agent
from shared.agent.languages import PROJECT
from shared.agent.tool_files import ArgumentFile, ArgumentType
from shared.agent.tools import Tool, all_arguments
from shared.redaction import clean
from shared.redaction.tokens import normal_form
from shared.redaction.vocabulary import vocabulary
from shared.vapi.call_records import CallRecord
from shared.vapi.report import end_of_call
from shared.vapi.values import as_number, as_object, as_text

CALLER = "+14155550101"
"""Instead of the caller's number: a customer of the local org."""

WORD = "something"
EMAIL = "person@example.com"
MIN_PAUSE_S, MAX_PAUSE_S = 0.3, 10.0

_FILES = ("shared/calls/phrases/*.toml", "agent/sentences/*.ftl")
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d")
_ALSO_IN_PHRASES = frozenset({"one", "oh"})
"""Numbers of "one more" and "oh, wait". They stay unless another number is beside them."""
_WITHOUT_MEANING = frozenset({ArgumentType.INTEGER, ArgumentType.NUMBER, ArgumentType.BOOLEAN})


def scenario_of(record: CallRecord, agent: Agent) -> str:
    """The text of the scenario file. Tool calls of other tools than the agent's are left out."""
    report = end_of_call(record.report)
    lines = ["# Exported from a call. Words and numbers of the caller's are replaced."]
    lines.append('title = "An exported call"')
    if as_text(as_object(record.body.get("customer")).get("number")):
        lines.append(f"caller = {_text(CALLER)}")
    reason = report.ended_reason if re.fullmatch(r"[\w.-]{1,100}", report.ended_reason) else ""
    lines.append(f"reason = {_text(reason or 'customer-ended-call')}")
    lines.append(f"summary = {_text(replaced(report.summary))}")
    for step in _steps(record, agent):
        lines += ["", "[[step]]", *(f"{name} = {value}" for name, value in step.items())]
    return "\n".join(lines) + "\n"


def _steps(record: CallRecord, agent: Agent) -> Iterator[dict[str, str]]:
    made = iter(record.tool_calls())
    before_s = 0.0
    for row in record.messages:
        at_s = as_number(row.get("secondsFromStart")) or before_s
        steps = []
        role = as_text(row.get("role"))
        said = as_text(row.get("message")) or as_text(row.get("content"))
        if role == "user" and said.strip():
            steps = [{"caller": _text(replaced(said))}]
        elif role in ("bot", "assistant") and said.strip():
            steps = [{"agent": _text(replaced(said))}]
        elif role == "tool_calls":
            for _ in row.get("toolCalls") or ():
                call = next(made, None)
                if call and (tool := agent.tools.get(call.call.name)):
                    steps.append(_tool_step(tool, call.call.arguments or {}))
        if steps:
            pause_s = min(MAX_PAUSE_S, round(at_s - before_s, 1))
            if pause_s >= MIN_PAUSE_S:
                yield {"pause_s": f"{pause_s:.1f}"}
            before_s = max(before_s, at_s)
            yield from steps


def _tool_step(tool: Tool, arguments: dict[str, Any]) -> dict[str, str]:
    known = all_arguments(tool.file)
    given = {
        name: _argument(known[name], value) for name, value in arguments.items() if name in known
    }
    step = {"look" if tool.is_lookup else "write": _text(tool.name)}
    return step | ({"arguments": _table(given)} if given else {})


def _argument(file: ArgumentFile, value: Any) -> Any:
    if file.type is ArgumentType.CHOICE and value in list(file.choices or ()):
        return value
    match file.type:
        case ArgumentType.REFERENCE:
            return "{reference}"
        case ArgumentType.PHONE:
            return CALLER
        case ArgumentType.EMAIL:
            return EMAIL
    if file.type in _WITHOUT_MEANING and isinstance(value, int | float):
        return value if isinstance(value, bool) else 1
    return replaced(str(value))


def replaced(text: str) -> str:
    """The text with the caller's own words and digits replaced, on one line."""
    cleaned = clean(text)
    words = [found.group().lower() for found in _TOKEN.finditer(cleaned)]
    numbers = [_is_number(word) for word in words]
    beside = zip([False, *numbers], [*numbers[1:], False], strict=False)
    instead = iter(
        [_instead(word, is_beside_number=any(two)) for word, two in zip(words, beside, strict=True)]
    )
    return " ".join(_TOKEN.sub(lambda _: next(instead), cleaned).split())


def _instead(word: str, *, is_beside_number: bool) -> str:
    if word.isdigit():
        return "7"
    if _is_number(word) and (is_beside_number or word not in _ALSO_IN_PHRASES):
        return WORD
    return word if word in _vocabulary() else WORD


def _is_number(word: str) -> bool:
    return word.isdigit() or normal_form(word) in vocabulary().number_words


@cache
def _vocabulary() -> frozenset[str]:
    """Of the project's own files alone: a team's may name a person."""
    texts = [
        line
        for pattern in _FILES
        for file in sorted(PROJECT.glob(pattern))
        for line in file.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#")
    ]
    return frozenset(found.group().lower() for line in texts for found in _TOKEN.finditer(line))


def _table(values: dict[str, Any]) -> str:
    return "{ " + ", ".join(f"{name} = {_text(value)}" for name, value in values.items()) + " }"


def _text(value: Any) -> str:
    """A TOML value: JSON's strings, numbers and booleans are TOML's."""
    return json.dumps(value, ensure_ascii=False)
