"""Redis: the connection, the one error its trouble becomes, and whether it may keep promises."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import UnixDomainSocketConnection, parse_url
from redis.retry import Retry

SOCKET_TIMEOUT_S = 0.8
"""A tool call has to hear within a second that nothing could be saved."""


class StoreUnavailableError(Exception):
    """Redis did not answer in time. What was to be written may or may not have been."""


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
        connection = super().get_connection(*args, **options)
        connection.generation = self._generation
        return connection

    def release(self, connection: Any) -> None:
        if connection.failed:
            connection.failed = False
            self._generation += 1
            self.disconnect(inuse_connections=False)
        elif connection.generation != self._generation:
            connection.disconnect()
        super().release(connection)


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
    options = parse_url(url)
    connection_class = options.pop("connection_class", redis.Connection)
    pool = _Pool(
        max_connections=max_connections,
        timeout=socket_timeout_s,  # type: ignore[arg-type]  # any number will do
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
    """Inside it, trouble with the connection or the server becomes StoreUnavailableError."""
    try:
        yield
    except redis.RedisError as trouble:
        raise StoreUnavailableError(type(trouble).__name__) from trouble


def unfit(store: redis.Redis, *, accept_everysec: bool) -> list[str]:
    """Why this server may not keep promises, as a list of sentences; empty when it may.

    Raises StoreUnavailableError. A hosted Redis that hides CONFIG can't be checked, and says so.
    """
    try:
        with translated():
            policy = store.config_get("maxmemory-policy").get("maxmemory-policy", "")
            settings = store.config_get("append*")
    except StoreUnavailableError as trouble:
        if isinstance(trouble.__cause__, redis.ResponseError):
            return ["store: CONFIG GET is refused, so its persistence can't be checked"]
        raise
    problems = []
    if policy != "noeviction":
        problems.append(f"store: evicts keys (maxmemory-policy {policy})")
    if settings.get("appendonly") != "yes":
        problems.append("store: does not persist (appendonly no)")
    elif settings.get("appendfsync") != "always" and not (
        accept_everysec and settings.get("appendfsync") == "everysec"
    ):
        problems.append(
            f"store: does not sync every write (appendfsync {settings.get('appendfsync')}); "
            "REDIS_ACCEPT_EVERYSEC=true accepts that a power cut loses its last second"
        )
    return problems
