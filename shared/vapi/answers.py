"""Builds everything that Vapi reads of a tool call's answer.

Rules of docs/vendors.md V7: always HTTP 200, the exact id, `name`, one line, never empty, either
`result` or `error`.
"""

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.domain.text import one_line
from shared.vapi.messages import ToolCall

MAX_CHARACTERS = 300
MAX_LAST_SENTENCE = 120

_QUOTED = re.compile(r'"([^"]*)"')
_QUOTED_LENGTHS = (60, 40, 20)
_LAST_SENTENCE = re.compile(r"(?<=[.!?] )[^.!?\"]+[.!?]$")


@dataclass(frozen=True)
class Answer:
    """What the agent gets to read.

    lasting: a redelivery gets the same answer again. An error because a service was unavailable is
    not lasting: the next delivery tries anew. spoken: Vapi says it to the caller word for word, and
    the model adds nothing (docs/vendors.md V28).
    """

    text: str
    is_error: bool = False
    lasting: bool = True
    spoken: bool = False


def result(text: str, *, spoken: bool = False) -> Answer:
    return Answer(text, spoken=spoken)


def refusal(text: str) -> Answer:
    """The call can't be done as asked. The same call again gets the same answer."""
    return Answer(text, is_error=True)


def trouble(text: str) -> Answer:
    """A service was unavailable. The same call may work the next time."""
    return Answer(text, is_error=True, lasting=False)


def as_entry(call: ToolCall, answer: Answer) -> str:
    """The JSON text of one entry of `results`. Stored and sent again as exactly these bytes."""
    text = for_the_ear(answer.text)
    entry: dict[str, Any] = {
        "toolCallId": call.id,
        "name": call.name,
        "error" if answer.is_error else "result": text,
    }
    if answer.spoken and not answer.is_error:
        entry["message"] = {"type": "request-complete", "content": text}
    return json.dumps(entry, ensure_ascii=False)


def as_body(entries: list[str]) -> str:
    return '{"results": [' + ", ".join(entries) + "]}"


def as_function_body(entry: str) -> str:
    """The answer to a legacy `function-call`, which has no `error`: both become `result`."""
    fields = json.loads(entry)
    return json.dumps({"result": fields.get("result") or fields.get("error")}, ensure_ascii=False)


def for_the_ear(text: str) -> str:
    """One line of at most 300 characters. What is quoted is shortened first; then the beginning is
    cut at a word, because the last sentence may say the reference."""
    line = one_line(text) or "…"
    for length in _QUOTED_LENGTHS:
        if len(line) > MAX_CHARACTERS:
            line = _QUOTED.sub(partial(_shorter, length=length), line)
    if len(line) <= MAX_CHARACTERS:
        return line
    last = _LAST_SENTENCE.search(line)
    tail = f" {last[0]}" if last and len(last[0]) <= MAX_LAST_SENTENCE else ""
    head = _cut(line[: len(line) - len(tail)], MAX_CHARACTERS - len(tail) - 1)
    return head + ('"' if head.count('"') % 2 else "") + tail


def _shorter(quoted: re.Match[str], length: int) -> str:
    return f'"{_cut(quoted[1], length)}"'


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
