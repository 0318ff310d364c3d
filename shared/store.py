"""Redis: the connection, the error for its failures, and whether the server is safe to use."""

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
from shared.errors import ServiceError

SOCKET_TIMEOUT_S = 0.8
"""A tool call must learn within a second that nothing could be saved."""


class StoreUnavailableError(ServiceError):
    """Redis did not answer in time. The write may have happened or not."""


class StoreFullError(StoreUnavailableError):
    """The store's memory is nearly full, so nothing new is accepted. Nothing was written."""


MAX_CONNECTIONS = 50


class NotPrimaryError(redis.ConnectionError):
    """The server takes no writes, or no longer: a failover. The connection is closed."""


NOT_PRIMARY = frozenset({"READONLY", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED"})
"""Answers of a server that was demoted, or that lost the others. It refused the command before
doing anything, so the command may be sent again."""


class FollowsPrimary:
    """A connection that leaves a server which is no longer the primary.

    After a failover the old connections stay open, and the server refuses every write on them. Such
    a reply therefore closes the connection and counts as a lost one: the retry connects anew, and
    resolves the address anew.

    failed: the connection was lost, or timed out. generation: its pool's, when it was handed out.
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
    """Bounded. When one connection fails, all others are closed too, busy ones after their use: a
    connection that only reads would go on reading from a demoted server."""

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
    """Reconnects once after a connection that was closed while idle, or that leads to a demoted
    server.

    redis-py 8 retries ten times by default: accepting would wait for the server instead of failing
    quickly. A time-out is not retried.
    """
    return Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))


def connect(
    url: str,
    *,
    socket_timeout_s: float = SOCKET_TIMEOUT_S,
    max_connections: int = MAX_CONNECTIONS,
) -> redis.Redis:
    """A client that fails quickly and follows the primary.

    max_connections: for this client. When all are busy, a caller waits up to socket_timeout_s.
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


ALLOWED_WHEN_FULL = "#!lua flags=allow-oom\nreturn redis.call(unpack(ARGV))"


def allowed_when_full(store: Any, *command: str | int) -> Any:
    """One command that the server accepts although its memory is full."""
    return store.eval(ALLOWED_WHEN_FULL, 0, *command)


def now_ms(store: Any) -> int:
    """The server's clock, which every script uses; epoch ms."""
    seconds, microseconds = store.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def pairs(flat: Any) -> dict[str, str]:
    """A hash in a script's reply: a dict with RESP3, a flat list with RESP2."""
    if isinstance(flat, dict):
        return flat
    return dict(zip(flat[::2], flat[1::2], strict=True))


@contextmanager
def translated() -> Iterator[None]:
    """Inside it, a failed connection or server becomes StoreUnavailableError.

    A key of another type is not such a failure: it becomes UnreadableError.
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
"""From this share of its memory on, nothing new is accepted. The rest is for delivery and
retention, which free memory."""

NEARLY_FULL = 0.7


@dataclass(frozen=True)
class Memory:
    """used and limit in bytes; limit is 0 without one, and when the server does not show it."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit else 0.0


@dataclass(frozen=True)
class Fitness:
    """What a server reports about itself, as sentences.

    problems: why the service must not accept write requests on it. warnings: for the operator.
    connections: open now, of all clients; connections_limit: 0 when the server does not show it.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    memory: Memory
    connections: int
    connections_limit: int


def memory_of(info: dict[str, Any]) -> Memory:
    """From INFO. Omits memory that the server does not count against its limit."""
    not_counted = int(info.get("mem_not_counted_for_evict", 0))
    used = int(info.get("used_memory", 0)) - not_counted
    return Memory(max(0, used), int(info.get("maxmemory", 0)))


def fitness(
    store: redis.Redis, *, accept_everysec: bool, vouched: bool = False, confirm_replicas: int = 0
) -> Fitness:
    """Whether this server is safe to accept write requests on. Raises StoreUnavailableError.

    vouched: an operator says that the server persists, whatever it shows. Hosted servers hide
    CONFIG; INFO shows some of it. confirm_replicas: how many replicas have to confirm a write.
    """
    info = _info(store)
    memory = memory_of(info)
    problems = [*_not_primary(store, info), *_evicts(info), *_full(memory)]
    warnings = [f"store: {memory.share:.0%} of its memory is used"] if (
        NEARLY_FULL <= memory.share < FULL
    ) else []  # fmt: skip
    if (replicas := int(info.get("connected_slaves", confirm_replicas))) < confirm_replicas:
        warnings.append(
            f"store: has {replicas} replicas, and REDIS_CONFIRM_REPLICAS={confirm_replicas}, "
            "so no write is confirmed"
        )
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
    """{} from a server that hides INFO. Raises StoreUnavailableError."""
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
    store.connection_pool.disconnect(
        inuse_connections=False
    )  # its address may have a new server now
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
    """(why the server does not persist enough, why that is unknown), each as sentences."""
    vouch = "set REDIS_VOUCHED=true if you have made sure that it does"
    if info.get("aof_enabled") == 0:
        return [f"store: does not persist (appendonly no); {vouch} all the same"], []
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
        return [], [f"store: does not show whether it syncs every write; {vouch}"]
    return [
        f"store: does not sync every write (appendfsync {synced}); "
        "set REDIS_ACCEPT_EVERYSEC=true to accept that a power cut loses its last second"
    ], []


class MemoryGauge:
    """How full the server's memory is.

    Asks at most once a second, and from one thread at a time (single flight).
    """

    def __init__(self, store: redis.Redis) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._memory = Memory(0, 0)

    def is_full(self) -> bool:
        """Raises StoreUnavailableError. A server that does not show its limit is never full."""
        if time.monotonic() - self._asked_at >= 1 and self._lock.acquire(blocking=False):
            try:
                self._ask()
            finally:
                self._lock.release()
        return self._memory.share >= FULL

    def _ask(self) -> None:
        self._memory = memory_of(_info(self._store, "memory"))
        self._asked_at = time.monotonic()
