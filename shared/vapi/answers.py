"""Builds everything that Vapi reads of a tool call's answer.

Rules of docs/vendors.md V7: always HTTP 200, the exact id, `name`, one line, never empty, either
`result` or `error`.
"""

import json
from dataclasses import dataclass
from typing import Any

from shared.domain.text import one_line
from shared.vapi.messages import ToolCall

MAX_CHARACTERS = 300


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
    """One line of at most 300 characters, cut at a word."""
    line = one_line(text) or "…"
    if len(line) <= MAX_CHARACTERS:
        return line
    return line[: MAX_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
