"""Redis: the connection, the one error its trouble becomes, and whether it may keep promises."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

SOCKET_TIMEOUT_S = 0.8
"""A tool call has to hear within a second that nothing could be saved."""


class StoreUnavailableError(Exception):
    """Redis did not answer in time. What was to be written may or may not have been."""


def connect(url: str, *, socket_timeout_s: float = SOCKET_TIMEOUT_S) -> redis.Redis:
    """A client that refuses quickly.

    redis-py 8 retries ten times by default: an accept would wait for the server instead of saying
    so. One retry without delay heals a connection that was closed while idle; a time-out is not
    tried again.
    """
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=socket_timeout_s,
        socket_connect_timeout=socket_timeout_s,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        health_check_interval=0,
    )


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
