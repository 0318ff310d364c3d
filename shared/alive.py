"""Which processes are alive: each reports itself in Redis, so that operators see who is missing.

Only diagnostics and the check that beat runs once depend on these reports.
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
"""A process that has not reported for this long counts as gone."""


@dataclass(frozen=True)
class Peer:
    """One process. host: its machine's or container's own name. name: Celery's, or ""."""

    host: str
    pid: int
    name: str = ""

    @classmethod
    def of_this_process(cls, name: str = "") -> Self:
        return cls(socket.gethostname(), os.getpid(), name)

    def is_dead(self) -> bool:
        """True only if the process ran on this machine and does not exist any more."""
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
        """Report that the process is alive now. Removes processes that are gone."""
        with translated():
            at_ms = now_ms(self._store)
            pipe = self._store.pipeline(transaction=False)
            pipe.zadd(self._key(role), {json.dumps(asdict(peer)): at_ms})
            pipe.zremrangebyscore(self._key(role), "-inf", at_ms - int(GONE_AFTER_S * 1000))
            pipe.pexpire(self._key(role), int(GONE_AFTER_S * 1000))
            pipe.execute()

    def sign_off(self, role: Role, peer: Peer) -> None:
        """Remove a process that shuts down, so that it need not time out."""
        with translated():
            self._store.zrem(self._key(role), json.dumps(asdict(peer)))

    def of(self, role: Role) -> list[Peer]:
        """Processes that reported recently and are not known to be dead, oldest report first."""
        with translated():
            since_ms = now_ms(self._store) - int(GONE_AFTER_S * 1000)
            members = self._store.zrange(self._key(role), since_ms, "+inf", byscore=True)
        peers = [_read(member) for member in members]
        return [peer for peer in peers if peer and not peer.is_dead()]

    def _key(self, role: Role) -> str:
        return f"{self._prefix}alive:{role}"


def _read(member: str) -> Peer | None:
    """The peer in a stored record; None if another version wrote it and this one can't read it."""
    try:
        stored = json.loads(member)
        return Peer(str(stored["host"]), int(stored["pid"]), str(stored.get("name", "")))
    except (ValueError, TypeError, KeyError):
        return None
