"""The audit: who did what, and when. A stream that is only appended to, and bounded.

An entry is written before its action. If it can't be written, the action does not happen. It has
ids, names of operators and counts, and nothing that a caller said.
"""

import getpass
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import allowed_when_full, translated

MAX_ENTRIES = 20_000
"""The oldest entries are dropped first; the server may store a few more."""

MAX_IDS = 20
"""Ids of an entry. `count` says how many there were."""


@dataclass(frozen=True)
class Entry:
    """id: of the stream. at_ms: epoch ms. who: a user of the console, or `cli:` and a user of the
    machine. what: the action. about: a kind, a group or what else it was about. ids: the first
    intents of it. count: how many there were."""

    id: str
    at_ms: int
    who: str
    what: str
    about: str = ""
    ids: tuple[str, ...] = ()
    count: int = 0


class Audit:
    """Works although the store's memory is used up. Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def note(self, who: str, what: str, *, about: str = "", ids: Sequence[str] = ()) -> None:
        named = json.dumps(list(ids[:MAX_IDS]))
        with translated():
            allowed_when_full(
                self._store, "XADD", f"{self._prefix}audit", "MAXLEN", "~", MAX_ENTRIES, "*",
                "who", who, "what", what, "about", about, "ids", named, "count", len(ids),
            )  # fmt: skip

    def newest(self, limit: int, before: str = "") -> list[Entry]:
        """Newest first. before: the id of an entry; only older ones."""
        with translated():
            key = f"{self._prefix}audit"
            rows = self._store.xrevrange(key, f"({before}" if before else "+", "-", limit)
        return [_entry(id_, fields) for id_, fields in rows]

    def all(self) -> Iterator[Entry]:
        """Newest first, in pages."""
        before = ""
        for _ in range(2 * MAX_ENTRIES // 1000):
            page = self.newest(1000, before)
            yield from page
            if len(page) < 1000:
                return
            before = page[-1].id


def command_line_user() -> str:
    """Who runs a command, as the audit names them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "cli"


def _entry(id_: str, fields: dict[str, str]) -> Entry:
    try:
        ids = tuple(map(str, json.loads(fields.get("ids", "[]"))))
        count = int(fields.get("count", 0))
    except (ValueError, TypeError):
        ids, count = (), 0
    return Entry(
        id=id_,
        at_ms=int(id_.partition("-")[0]),
        who=fields.get("who", ""),
        what=fields.get("what", ""),
        about=fields.get("about", ""),
        ids=ids,
        count=count,
    )
