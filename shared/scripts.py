"""Loads the Lua scripts that Redis runs. Each script is one atomic step: all of it, or nothing.

A script is `<package>/scripts/<name>.lua`. The package's `_common.lua`, if there is one, goes in
front of it, and so does what a line `-- include: _this, _that` names. A first line
`#!lua flags=allow-oom` lets a script run although the server's memory is full; it belongs on every
script that frees memory in the end.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import redis

_SHARED = Path(__file__).parent
_INCLUDE = re.compile(r"^-- include: (.+)$", re.MULTILINE)


def load(store: redis.Redis, package: str, name: str) -> Any:
    """The script, ready to be called with `keys` and `args`. package: such as "journal"."""
    return store.register_script(source(package, name))


@cache
def source(package: str, name: str) -> str:
    """The text that Redis gets. The flags stay in its first line, where Redis looks for them."""
    folder = _SHARED / package / "scripts"
    text = (folder / f"{name}.lua").read_text(encoding="utf-8")
    parts = ["_common"] if (folder / "_common.lua").exists() else []
    if include := _INCLUDE.search(text):
        parts += include[1].split(", ")
    if not parts:
        return text
    flags, body = text.split("\n", 1) if text.startswith("#!") else ("", text)
    included = [(folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts]
    return "\n".join([flags, *included, body])
