"""The tool calls of a call, with arguments and answers, for operators who look at its time line.

An answer is not stored a second time: it is the one that a redelivery gets
(shared/journal/answers.py), under the same key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from shared.domain.reading import UnreadableError, read_json
from shared.logs import log
from shared.settings import REDIS_PREFIX
from shared.store import translated

MAX_TOOL_CALLS = 64
"""Per call; the oldest are dropped first."""

MAX_ARGUMENTS = 500
"""Characters of the arguments of a tool call, as JSON."""

LIFE_S = 24 * 3600


@dataclass(frozen=True)
class ToolCallNote:
    """at_ms: when it arrived (epoch ms). tool: "" for a name that is no tool's. arguments: as JSON,
    cut at MAX_ARGUMENTS. answer_key: under which its answer is stored."""

    at_ms: int
    tool: str
    arguments: str
    answer_key: str


@dataclass(frozen=True)
class Answered:
    """answer: what the agent got to read; "" when none is stored: it is being worked out, the
    service could not find it out, or it has expired."""

    call: ToolCallNote
    answer: str


class ToolCalls:
    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def queue(self, pipe: Any, call_id: str, made: Sequence[ToolCallNote]) -> int:
        """Store them, as commands of a pipeline. Returns how many commands."""
        if not (call_id and made):
            return 0
        key = self._key(call_id)
        pipe.rpush(key, *(json.dumps(vars(each), ensure_ascii=False) for each in made))
        pipe.ltrim(key, -MAX_TOOL_CALLS, -1)
        pipe.expire(key, LIFE_S)
        return 3

    def of_call(self, call_id: str) -> list[Answered]:
        """In the order in which they arrived; a redelivery is not listed again. Raises
        StoreUnavailableError."""
        with translated():
            stored = self._store.lrange(self._key(call_id), 0, -1)
        made: dict[str, ToolCallNote] = {}
        for text in stored:
            try:
                call = read_json(ToolCallNote, text)
            except UnreadableError:
                log.warning("tool_call_unreadable", call_id=call_id)
                continue
            made.setdefault(call.answer_key, call)
        if not made:
            return []
        with translated():
            answers = self._store.mget(list(made))
        return [
            Answered(call, _said(answer or ""))
            for call, answer in zip(made.values(), answers, strict=True)
        ]

    def _key(self, call_id: str) -> str:
        return f"{self._prefix}call:{call_id}:tool-calls"


def shown(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False, default=str)[:MAX_ARGUMENTS]


def _said(answer: str) -> str:
    """Of a stored answer, what the agent reads."""
    try:
        fields = json.loads(answer)
    except ValueError:
        return ""  # somebody is working on it
    if not isinstance(fields, dict):
        return ""
    return str(fields.get("result") or fields.get("error") or "")
