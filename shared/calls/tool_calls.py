"""The tool calls of a call, with arguments and answers, for the time line that operators see.

Answers are not stored a second time: they are read from where a redelivery finds them
(shared/journal/answers.py).
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
    """at_ms: when it arrived (epoch ms). tool: "" if no tool has that name. arguments: as JSON, cut
    at MAX_ARGUMENTS. answer_key: the key of its stored answer."""

    at_ms: int
    tool: str
    arguments: str
    answer_key: str


@dataclass(frozen=True)
class Answered:
    """answer: what the agent got; "" if none is stored, because the tool call is still in progress,
    could not be answered, or its answer has expired."""

    call: ToolCallNote
    answer: str


class ToolCalls:
    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def queue(self, pipe: Any, call_id: str, made: Sequence[ToolCallNote]) -> int:
        """Queue the commands that store them on a pipeline. Returns how many commands."""
        if not (call_id and made):
            return 0
        key = self._key(call_id)
        pipe.rpush(key, *(json.dumps(vars(each), ensure_ascii=False) for each in made))
        pipe.ltrim(key, -MAX_TOOL_CALLS, -1)
        pipe.expire(key, LIFE_S)
        return 3

    def of_call(self, call_id: str) -> list[Answered]:
        """The stored tool calls of a call in the order of arrival, without redeliveries. Raises
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
    """The arguments as JSON of at most MAX_ARGUMENTS characters."""
    return json.dumps(arguments, ensure_ascii=False, default=str)[:MAX_ARGUMENTS]


def _said(answer: str) -> str:
    """What the agent reads of a stored answer; "" if there is none yet."""
    try:
        fields = json.loads(answer)
    except ValueError:
        return ""  # the marker of a tool call that is in progress
    if not isinstance(fields, dict):
        return ""
    return str(fields.get("result") or fields.get("error") or "")
