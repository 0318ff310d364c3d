"""Which alarms there are, and which messages about them are still to be sent. All of it in Redis.

Any number of processes may use it: one at a time looks for alarms, and no message is taken twice.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import redis

from shared.operators.alarms.causes import Cause
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import allowed_when_full, translated

ROUND_MS = 10_000
GAP_MS = 30_000
CLEAR_MS = 120_000
"""A cause that was not found for this long is over. One that comes and goes is one alarm."""

LEASE_MS = 60_000
"""Longer than an attempt to send takes. A sender that dies leaves its message to another one."""

MAX_ALARMS = 100


@dataclass(frozen=True)
class AlarmMessage:
    """over_ms: 0 while the alarm is on. attempts: with the one that is to be made now."""

    cause: str
    channel: str
    state: Literal["on", "over"]
    since_ms: int
    over_ms: int
    text: str
    attempts: int


@dataclass(frozen=True)
class Round:
    """began, ended: ids of causes."""

    began: tuple[str, ...]
    ended: tuple[str, ...]


class AlarmBoard:
    """Every method raises StoreUnavailableError, and works on a store without free memory."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._round = load(store, "operators", "alarms_round")
        self._take = load(store, "operators", "alarms_take")
        self._sent = load(store, "operators", "alarms_sent")

    def begin_round(self) -> bool:
        """True for one process in ROUND_MS: that one looks for alarms."""
        key = f"{self._prefix}alarms:round"
        with translated():
            return bool(allowed_when_full(self._store, "SET", key, 1, "NX", "PX", ROUND_MS))

    def note(self, causes: Iterable[Cause], channels: Sequence[str]) -> Round:
        """Note the causes that there are now. channels: those that get messages from now on."""
        want = {
            "causes": [
                {"id": cause.id, "text": cause.text, "after_ms": cause.after_ms} for cause in causes
            ],
            "channels": list(channels),
            "gap_ms": GAP_MS,
            "clear_ms": CLEAR_MS,
            "max": MAX_ALARMS,
        }
        with translated():
            began, ended = self._round(args=[self._prefix, json.dumps(want)])
        return Round(tuple(began), tuple(ended))

    def take(self) -> AlarmMessage | None:
        """A message that is to be sent now; nobody else gets it for LEASE_MS. None when there is
        none."""
        with translated():
            reply = self._take(args=[self._prefix, LEASE_MS])
        if not reply:
            return None
        found = json.loads(reply)
        return AlarmMessage(
            cause=found["cause"],
            channel=found["channel"],
            state=found["state"],
            since_ms=int(found["since"]),
            over_ms=int(found.get("over", 0)),
            text=found["text"],
            attempts=int(found["attempts"]),
        )

    def done(self, message: AlarmMessage) -> None:
        """The message is sent, or given up."""
        self._note_sent(message, "")

    def try_again(self, message: AlarmMessage, delay_ms: int) -> None:
        self._note_sent(message, str(delay_ms))

    def _note_sent(self, message: AlarmMessage, delay: str) -> None:
        with translated():
            self._sent(
                args=[
                    self._prefix,
                    message.cause,
                    message.channel,
                    message.state,
                    message.since_ms,
                    delay,
                ]
            )

    def on(self) -> dict[str, str]:
        """The alarms that are on: cause → text."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}alarms")
        read = {cause: json.loads(text) for cause, text in stored.items()}
        return {cause: alarm["text"] for cause, alarm in read.items() if alarm["state"] == "on"}
