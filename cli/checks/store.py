"""Redis: reached, new enough, keeps what it is given, and knows the time."""

from typing import Any

from cli.chain import Link, Problem
from cli.checks.context import CheckContext, clock
from shared.store import fitness, now_ms, translated

OLDEST_STORE = 7


def _reached(context: CheckContext) -> str:
    with translated():
        context.store.ping()
        server: dict[str, Any] = context.store.info("server")
    version = str(server.get("valkey_version") or server.get("redis_version"))
    if int(version.partition(".")[0]) < OLDEST_STORE:
        raise Problem(f"version {version}", f"version {OLDEST_STORE} or later is needed")
    return f"version {version}"


def _keeps(context: CheckContext) -> str:
    settings = context.settings
    found = fitness(
        context.store,
        accept_everysec=settings.redis_accept_everysec,
        vouched=settings.redis_vouched,
    )
    if wrong := (*found.problems, *found.warnings):
        raise Problem(
            "; ".join(item.removeprefix("store: ") for item in wrong),
            "maxmemory-policy noeviction, appendonly yes, appendfsync always, and memory to spare "
            "(docs/runbook.md)",
        )
    if settings.redis_vouched:
        return "evicts nothing; REDIS_VOUCHED says that it persists"
    return "evicts nothing, syncs every write"


def _clock(context: CheckContext) -> str:
    with translated():
        return clock(now_ms(context.store) / 1000, "Redis")


LINKS = (
    Link("redis", "", _reached),
    Link("redis keeps what it is given", "redis", _keeps),
    Link("redis clock", "redis", _clock),
)
