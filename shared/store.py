"""Redis: the connection, the one error its trouble becomes, and whether it may keep promises."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import UnixDomainSocketConnection, parse_url
from redis.retry import Retry

from shared.domain.reading import UnreadableError

SOCKET_TIMEOUT_S = 0.8
"""A tool call has to hear within a second that nothing could be saved."""


class StoreUnavailableError(Exception):
    """Redis did not answer in time. What was to be written may or may not have been."""


class StoreFullError(StoreUnavailableError):
    """Its memory is nearly spent, so nothing new is accepted. Nothing was written."""


MAX_CONNECTIONS = 50


class NotPrimaryError(redis.ConnectionError):
    """The server does not take writes (any more): a failover. The connection to it is closed."""


NOT_PRIMARY = frozenset({"READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED"})
"""What a server answers that was demoted, or that lost the others. It refused the command before
anything of it was done, so the command may be sent again."""


class FollowsPrimary:
    """A connection that leaves a server which is not the primary any more.

    After a failover the old connections stay open and every write on them is refused, for as long
    as somebody keeps them. So such a reply closes the connection and counts as a lost one: the
    retry connects anew, and the address is resolved anew.

    failed: it was lost, or nothing came in time. generation: of its pool, when it was handed out.
    """

    failed = False
    generation = 0

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except (redis.ConnectionError, redis.TimeoutError):
            self.failed = True
            raise
        except redis.ResponseError as refusal:
            code = refusal.status_code or str(refusal).partition(" ")[0]
            if code not in NOT_PRIMARY:
                raise
            self.failed = True
            self.disconnect()  # type: ignore[attr-defined]
            raise NotPrimaryError(code) from refusal


class PrimaryConnection(FollowsPrimary, redis.Connection):
    """Over TCP."""


class PrimarySSLConnection(FollowsPrimary, redis.SSLConnection):
    """Over TLS."""


class PrimaryUnixConnection(FollowsPrimary, UnixDomainSocketConnection):
    """Over a Unix socket."""


_CONNECTIONS: dict[type, type] = {
    redis.Connection: PrimaryConnection,
    redis.SSLConnection: PrimarySSLConnection,
    UnixDomainSocketConnection: PrimaryUnixConnection,
}


class _Pool(redis.BlockingConnectionPool):
    """Bounded. When one connection fails, all others are closed, those at work after their use: one
    that only reads would go on reading from a server that nobody writes to any more."""

    _generation = 0

    def get_connection(self, *args: Any, **options: Any) -> Any:
        connection = super().get_connection(*args, **options)  # type: ignore[no-untyped-call]
        connection.generation = self._generation
        return connection

    def release(self, connection: Any) -> None:
        if connection.failed:
            connection.failed = False
            self._generation += 1
            self.disconnect(inuse_connections=False)
        elif connection.generation != self._generation:
            connection.disconnect()
        super().release(connection)  # type: ignore[no-untyped-call]


def one_retry() -> Retry:
    """Heals a connection that was closed while idle, or that leads to a demoted server.

    redis-py 8 retries ten times by default: an accept would wait for the server instead of saying
    that it is away. A time-out is not tried again.
    """
    return Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))


def connect(
    url: str,
    *,
    socket_timeout_s: float = SOCKET_TIMEOUT_S,
    max_connections: int = MAX_CONNECTIONS,
) -> redis.Redis:
    """A client that refuses quickly and follows the primary.

    max_connections: of this client. Whoever finds all of them at work waits for socket_timeout_s.
    """
    options = parse_url(url)  # type: ignore[no-untyped-call]
    connection_class = options.pop("connection_class", redis.Connection)
    pool = _Pool(  # type: ignore[no-untyped-call]
        max_connections=max_connections,
        timeout=socket_timeout_s,
        connection_class=_CONNECTIONS[connection_class],
        **{
            "decode_responses": True,
            "socket_timeout": socket_timeout_s,
            "socket_connect_timeout": socket_timeout_s,
            "retry": one_retry(),
            "health_check_interval": 0,
            **options,
        },
    )
    return redis.Redis.from_pool(pool)


_CALL = "return redis.call(unpack(ARGV))"


def script(text: str, *, when_full: bool) -> str:
    """A script for register_script. when_full: it runs although the server's memory is spent, for
    what frees memory in the end."""
    return f"#!lua{' flags=allow-oom' if when_full else ''}\n{text}"


def allowed_when_full(store: Any, *command: str | int) -> Any:
    """One command that the server takes although its memory is spent."""
    return store.eval(script(_CALL, when_full=True), 0, *command)


def now_ms(store: Any) -> int:
    """The server's clock, which every script uses; epoch ms."""
    seconds, microseconds = store.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def pairs(flat: Any) -> dict[str, str]:
    """A hash as a script returns it: a dict from RESP3, a flat list from RESP2."""
    if isinstance(flat, dict):
        return flat
    return dict(zip(flat[::2], flat[1::2], strict=True))


@contextmanager
def translated() -> Iterator[None]:
    """Inside it, trouble with the connection or the server becomes StoreUnavailableError.

    A key that holds something else than it should is no such trouble: UnreadableError.
    """
    try:
        yield
    except redis.ResponseError as refusal:
        if str(refusal).startswith("WRONGTYPE"):
            raise UnreadableError("WRONGTYPE") from refusal
        raise StoreUnavailableError(type(refusal).__name__) from refusal
    except redis.RedisError as trouble:
        raise StoreUnavailableError(type(trouble).__name__) from trouble


FULL = 0.9
"""From this share of its memory on nothing new is accepted: what is left is for delivering and
forgetting, which give memory back."""

NEARLY_FULL = 0.7


@dataclass(frozen=True)
class Memory:
    """used and limit in bytes; limit is 0 when there is none, or none that is told."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit else 0.0


@dataclass(frozen=True)
class Fitness:
    """What a server says of itself, as sentences.

    problems: why no promise may be given on it. warnings: what an operator should look at.
    connections: open now, of all clients; connections_limit: 0 when it is not told.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    memory: Memory
    connections: int
    connections_limit: int


def memory_of(info: dict[str, Any]) -> Memory:
    """From INFO. What the server does not count against its limit is left out, as it does."""
    not_counted = int(info.get("mem_not_counted_for_evict", 0))
    used = int(info.get("used_memory", 0)) - not_counted
    return Memory(max(0, used), int(info.get("maxmemory", 0)))


def fitness(store: redis.Redis, *, accept_everysec: bool, vouched: bool = False) -> Fitness:
    """Whether this server may keep promises. Raises StoreUnavailableError.

    vouched: an operator says that it persists, whatever it tells or hides. Hosted servers hide
    CONFIG; INFO tells some of it.
    """
    info = _info(store)
    memory = memory_of(info)
    problems = [*_not_primary(store, info), *_evicts(info), *_full(memory)]
    warnings = [f"store: {memory.share:.0%} of its memory is used"] if (
        NEARLY_FULL <= memory.share < FULL
    ) else []  # fmt: skip
    if info.get("aof_last_write_status") == "err":
        problems.append("store: can't write to its disk")
    elif not vouched:
        unsafe, unknown = _persistence(store, info, accept_everysec)
        problems += unsafe
        warnings += unknown
    return Fitness(
        problems=tuple(problems),
        warnings=tuple(warnings),
        memory=memory,
        connections=int(info.get("connected_clients", 0)),
        connections_limit=int(info.get("maxclients", 0)),
    )


def _info(store: redis.Redis, *section: str) -> dict[str, Any]:
    """{} from a server that hides even this. Raises StoreUnavailableError."""
    try:
        found: dict[str, Any] = store.info(*section)
    except redis.ResponseError:
        return {}
    except redis.RedisError as trouble:
        raise StoreUnavailableError(type(trouble).__name__) from trouble
    return found


def _not_primary(store: redis.Redis, info: dict[str, Any]) -> list[str]:
    if info.get("role", "master") == "master":
        return []
    store.connection_pool.disconnect(inuse_connections=False)  # its address may lead elsewhere now
    return ["store: is a replica, which takes no writes"]


def _evicts(info: dict[str, Any]) -> list[str]:
    policy = info.get("maxmemory_policy", "noeviction")
    return [] if policy == "noeviction" else [f"store: evicts keys (maxmemory-policy {policy})"]


def _full(memory: Memory) -> list[str]:
    if memory.share < FULL:
        return []
    return [f"store: full ({memory.share:.0%} of its memory is used), so nothing new is accepted"]


def _persistence(
    store: redis.Redis, info: dict[str, Any], accept_everysec: bool
) -> tuple[list[str], list[str]]:
    """(why it does not persist enough, why that can't be known)"""
    vouch = "REDIS_VOUCHED=true says that you made sure"
    if info.get("aof_enabled") == 0:
        return [f"store: does not persist (appendonly no); {vouch} of it otherwise"], []
    try:
        settings: dict[str, str] = store.config_get("appendfsync")  # type: ignore[assignment]
    except redis.ResponseError:
        hidden = "store: hides its settings (CONFIG), so whether it syncs every write is unknown"
        return [], [f"{hidden}; {vouch}"]
    except redis.RedisError as trouble:
        raise StoreUnavailableError(type(trouble).__name__) from trouble
    synced = settings.get("appendfsync")
    if synced == "always" or (accept_everysec and synced == "everysec"):
        return [], []
    if synced is None:
        return [], [f"store: does not tell whether it syncs every write; {vouch}"]
    return [
        f"store: does not sync every write (appendfsync {synced}); "
        "REDIS_ACCEPT_EVERYSEC=true accepts that a power cut loses its last second"
    ], []


class MemoryGauge:
    """How full the server is, as of the last second; asked for by one thread at a time."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._memory = Memory(0, 0)

    def is_full(self) -> bool:
        """Raises StoreUnavailableError. A server that does not tell is never full."""
        if time.monotonic() - self._asked_at >= 1 and self._lock.acquire(blocking=False):
            try:
                self._ask()
            finally:
                self._lock.release()
        return self._memory.share >= FULL

    def _ask(self) -> None:
        self._memory = memory_of(_info(self._store, "memory"))
        self._asked_at = time.monotonic()
