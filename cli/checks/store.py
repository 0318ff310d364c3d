"""Redis: does it answer, is it new enough, does it persist, and is its clock right?"""

from typing import Any

from cli.chain import Link, Problem
from cli.checks.context import CheckContext, clock
from cli.store import redis_address
from shared.store import StoreUnavailableError, fitness, now_ms, translated

OLDEST_VERSION = 7


def _answers(check_context: CheckContext) -> str:
    address = redis_address(check_context.settings.store.url)
    try:
        with translated():
            check_context.store.ping()
            server: dict[str, Any] = check_context.store.info("server")
    except StoreUnavailableError as trouble:
        raise Problem(
            f"Redis at {address} does not answer ({trouble})",
            "Check REDIS_URL, and check that the server runs and that this machine can reach it.",
        ) from None
    version = str(server.get("valkey_version") or server.get("redis_version"))
    if int(version.partition(".")[0]) < OLDEST_VERSION:
        raise Problem(
            f"Redis at {address} has version {version}, which is too old",
            f"Install version {OLDEST_VERSION} or later.",
        )
    return f"version {version} at {address}"


def _persists(check_context: CheckContext) -> str:
    settings = check_context.settings.store
    found = fitness(
        check_context.store,
        accept_everysec=settings.accept_everysec,
        vouched=settings.vouched,
        confirm_replicas=settings.confirm_replicas,
    )
    if wrong := (*found.problems, *found.warnings):
        raise Problem(
            "; ".join(item.removeprefix("store: ") for item in wrong),
            'Give it more memory: "Alarm: the store" in docs/runbook.md.'
            if all("of its memory" in item for item in wrong)
            else "Set maxmemory-policy noeviction, appendonly yes and appendfsync always on the "
            "server, and give it memory to spare (docs/runbook.md).",
        )
    if settings.vouched:
        return "evicts nothing, and REDIS_VOUCHED says that it persists"
    return "evicts nothing and syncs every write to disk"


def _clock(check_context: CheckContext) -> str:
    with translated():
        return clock(now_ms(check_context.store) / 1000, "Redis")


LINKS = (
    Link("redis", "", _answers),
    Link("redis persistence", "redis", _persists),
    Link("redis clock", "redis", _clock),
)
