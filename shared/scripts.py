"""Loads the Lua scripts that Redis runs. Each script is one atomic step: all of it, or nothing.

A script is `<package>/scripts/<name>.lua`. The package's `_common.lua`, if there is one, goes in
front of it, and so do the files that a line `-- include: _this, other/_that` names, the second of
the package `other`. A first line `#!lua flags=allow-oom` lets a script run although the server's
memory is full; it belongs on every script that frees memory in the end.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import NoScriptError

_SHARED = Path(__file__).parent
_INCLUDE = re.compile(r"^-- include: (.+)$", re.MULTILINE)


def load(store: redis.Redis, package: str, name: str) -> Any:
    """The script, ready to be called with `keys` and `args`. package: such as "journal"."""
    return store.register_script(source(package, name))


def run_in_pipeline(
    store: Any,
    script: Any,
    args: list[Any],
    then: Callable[[Any], None],
    keys: list[str] | None = None,
) -> list[Any]:
    """Run a script and, right after it in the same round trip, the commands that `then` adds.

    Returns the replies in this order. An error of a command is its reply; that of the script is
    raised. All of it goes over one connection, so to one server.
    """
    replies = _piped(store, script, args, then, keys or [])
    if isinstance(replies[0], NoScriptError):
        store.script_load(script.script)
        replies = _piped(store, script, args, then, keys or [])
    if isinstance(replies[0], Exception):
        raise replies[0]
    return replies


def _piped(
    store: Any, script: Any, args: list[Any], then: Callable[[Any], None], keys: list[str]
) -> list[Any]:
    pipe = store.pipeline(transaction=False)
    pipe.evalsha(script.sha, len(keys), *keys, *args)
    then(pipe)
    replies: list[Any] = pipe.execute(raise_on_error=False)
    return replies


@cache
def source(package: str, name: str) -> str:
    """The text that Redis gets. The flags stay in its first line, where Redis looks for them."""
    text = _path(package, name).read_text(encoding="utf-8")
    paths = [path] if (path := _path(package, "_common")).exists() else []
    if include := _INCLUDE.search(text):
        parts = [part.rpartition("/") for part in include[1].split(", ")]
        paths += [_path(other or package, part) for other, _, part in parts]
    if not paths:
        return text
    flags, body = text.split("\n", 1) if text.startswith("#!") else ("", text)
    return "\n".join([flags, *(path.read_text(encoding="utf-8") for path in paths), body])


def _path(package: str, name: str) -> Path:
    return _SHARED / package / "scripts" / f"{name}.lua"
