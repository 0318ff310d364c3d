"""Why a caller was allowed or refused something: the evidence and the rule of each decision.

For operators (`python -m cli policy explain`). Has ids and codes, and nothing that was said.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis

from shared.domain.reading import UnreadableError, read_json
from shared.logs import log
from shared.settings import REDIS_PREFIX
from shared.store import translated

MAX_DECISIONS = 200
"""Per call; the oldest are dropped first. Equal ones count once, so repeats push out nothing."""

LIFE_S = 24 * 3600

_IN_A_MESSAGE = 1000
"""The most decisions of one message, whose order is in fractions of a millisecond."""


@dataclass(frozen=True)
class Decision:
    """at_ms: when (epoch ms), the last time of equal ones. tool: that asked, "" for the greeting.
    about: the verb, or the verb and a field. evidence: what showed who is calling. tier: that
    follows from it. needs: the tier that the policy wants."""

    at_ms: int
    tool: str
    about: str
    evidence: str
    tier: str
    needs: str
    allowed: bool


class Decisions:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def queue(self, pipe: Any, call_id: str, decisions: Sequence[Decision]) -> None:
        """Store them, as commands of a pipeline."""
        key = self._key(call_id)
        made = {
            json.dumps(asdict(replace(decision, at_ms=0))): decision.at_ms + nth / _IN_A_MESSAGE
            for nth, decision in enumerate(decisions[:_IN_A_MESSAGE])
        }
        pipe.zadd(key, made, gt=True)
        pipe.zremrangebyrank(key, 0, -MAX_DECISIONS - 1)
        pipe.expire(key, LIFE_S)

    def of_call(self, call_id: str) -> list[Decision]:
        """In the order in which they were last made."""
        with translated():
            stored = self._store.zrange(self._key(call_id), 0, -1, withscores=True)
        found = []
        for text, at_ms in stored:
            try:
                found.append(replace(read_json(Decision, text), at_ms=int(at_ms)))
            except UnreadableError:
                log.warning("decision_unreadable", call_id=call_id)
        return found

    def _key(self, call_id: str) -> str:
        return f"{self._prefix}call:{call_id}:decisions"
