"""Runs the shipped scripts on states that Python holds.

A Valkey runs them, so that the Lua and the cjson are the production's. Its data does not take part:
`redis` is a store of Lua tables there (store.lua), which is copied on write. A step costs some 0.1
ms, and nothing has to be put back afterwards.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from demo.stack import Store
from shared.scripts import source

SCRIPTS = (
    "accept", "cancel", "erase", "erase_texts", "extend", "lease", "purge", "release_holds",
    "replay", "settle", "settle_answer", "summary", "sweep",
)  # fmt: skip
"""Those that write. The others only read what these wrote."""

HERE = Path(__file__).parent
TIMEOUT_S = 5.0
BUSY_MS = 1_000

Value = list[Any]
"""A value of the store: its type, its content, and when it expires (ms) if it does."""


@dataclass(frozen=True)
class Call:
    """A script with its arguments, or a single command of Redis."""

    name: str
    args: tuple[str, ...]
    keys: tuple[str, ...] = ()

    def as_json(self) -> list[Any]:
        return [self.name, self.keys, self.args]


@dataclass(frozen=True)
class Ran:
    """What came of some calls, run one after the other.

    written: the keys that they wrote; None for a deleted key. failed: the error of a script, which
    then has no replies.
    """

    replies: list[Any] = field(default_factory=list)
    written: Mapping[str, Value | None] = field(default_factory=dict)
    failed: str = ""


Change = Callable[[str], str]


class EndlessError(Exception):
    """A script does not come to its end."""


class Engine:
    """change: makes another text of a script's, to see what an error in it would do."""

    def __init__(self, client: redis.Redis, change: Change = lambda text: text) -> None:
        self._client: Any = client
        self._sha = self._client.script_load(program(change))

    def run(
        self, now_ms: int, store: Mapping[str, Value], calls: Sequence[Sequence[Call]]
    ) -> list[Ran]:
        """Run each list of calls on the state. They do not see what the others write."""
        state = json.dumps({"now": now_ms, "store": store})
        wanted = json.dumps([[call.as_json() for call in listed] for listed in calls])
        try:
            reply = self._client.evalsha(self._sha, 0, state, wanted)
        except redis.TimeoutError as error:
            self._client.script_kill()
            raise EndlessError from error
        return [_read(outcome) for outcome in json.loads(reply)]


@contextmanager
def valkey() -> Iterator[redis.Redis]:
    with TemporaryDirectory(prefix="proof-") as folder:
        server = Store(Path(folder), config=f"appendonly no\nbusy-reply-threshold {BUSY_MS}")
        server.start()
        try:
            with redis.Redis.from_url(
                server.url, decode_responses=True, socket_timeout=TIMEOUT_S
            ) as client:
                yield client
        finally:
            server.stop()


def program(change: Change) -> str:
    """The store, the shipped scripts, and what runs them, as one Lua program."""
    scripts = [
        f"scripts[{json.dumps(name)}] = function(redis, KEYS, ARGV)\n{change(shipped(name))}\nend"
        for name in SCRIPTS
    ]
    parts = [(HERE / name).read_text() for name in ("sorted_sets.lua", "store.lua", "engine.lua")]
    return "\n".join([*parts[:2], "local scripts = {}", *scripts, parts[2]])


def shipped(name: str) -> str:
    """The text of a script of the journal, without the flags in its first line."""
    return re.sub(r"\A#!lua[^\n]*", "", source("journal", name))


def _read(outcome: dict[str, Any]) -> Ran:
    if failed := outcome.get("failed"):
        return Ran(failed=failed)
    written = {key: value or None for key, value in dict(outcome["written"]).items()}
    return Ran([_plain(reply) for reply in outcome["replies"]], written)


def _plain(reply: Any) -> Any:
    """An empty table is a list: no script returns an empty object."""
    if isinstance(reply, list):
        return [_plain(item) for item in reply]
    return [] if reply == {} else reply
