"""Which processes are alive: each notes itself in Redis, so that a person can see who is missing.

Nothing depends on these notes but what is told to people, and that beat runs once.
"""

import json
import os
import socket
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import redis

from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

Role = Literal["worker", "beat"]

NOTE_EVERY_S = 5.0
GONE_AFTER_S = 20.0
"""A process that has not noted itself for so long is taken for gone."""


@dataclass(frozen=True)
class Peer:
    """One process. host: as its machine or container calls itself. name: Celery's, or ""."""

    host: str
    pid: int
    name: str = ""

    @classmethod
    def of_this_process(cls, name: str = "") -> Self:
        return cls(socket.gethostname(), os.getpid(), name)

    def is_dead(self) -> bool:
        """True only when it was on this machine, and no such process is there any more."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


class Alive:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def note(self, role: Role, peer: Peer) -> None:
        """It is alive now. What is gone is forgotten."""
        with translated():
            at_ms = now_ms(self._store)
            pipe = self._store.pipeline(transaction=False)
            pipe.zadd(self._key(role), {json.dumps(asdict(peer)): at_ms})
            pipe.zremrangebyscore(self._key(role), "-inf", at_ms - int(GONE_AFTER_S * 1000))
            pipe.pexpire(self._key(role), int(GONE_AFTER_S * 1000))
            pipe.execute()

    def sign_off(self, role: Role, peer: Peer) -> None:
        """It ends in order: nobody has to wait until it counts as gone."""
        with translated():
            self._store.zrem(self._key(role), json.dumps(asdict(peer)))

    def of(self, role: Role) -> list[Peer]:
        """Those that noted themselves of late and are not known to be dead, longest quiet first."""
        with translated():
            since_ms = now_ms(self._store) - int(GONE_AFTER_S * 1000)
            members = self._store.zrange(self._key(role), since_ms, "+inf", byscore=True)
        peers = [_read(member) for member in members]
        return [peer for peer in peers if peer and not peer.is_dead()]

    def _key(self, role: Role) -> str:
        return f"{self._prefix}alive:{role}"


def _read(member: str) -> Peer | None:
    """None for what another version wrote and this one can't read."""
    try:
        stored = json.loads(member)
        return Peer(str(stored["host"]), int(stored["pid"]), str(stored.get("name", "")))
    except (ValueError, TypeError, KeyError):
        return None
