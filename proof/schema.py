"""What shared/journal/SCHEMA.md says of a key."""

import re
from functools import cache, lru_cache
from pathlib import Path

SCHEMA = Path(__file__).parent.parent / "shared" / "journal" / "SCHEMA.md"
TYPES = {"hash": "h", "sorted set": "z", "set": "s", "list": "l", "string": "k"}
WITH_COLONS = ("{conversation}", "{dedup key}")


@lru_cache(maxsize=4096)
def listed(key: str) -> tuple[str, bool] | None:
    """The type of a key, as store.lua names it, and whether it expires. None if it is unlisted."""
    fitting = [line for line in _lines() if line[0].fullmatch(key)]
    # Of several patterns, the most precise: the longest text before a placeholder.
    best = max(fitting, key=lambda line: line[1], default=None)
    return best and (best[2], best[3])


@cache
def _lines() -> list[tuple[re.Pattern[str], int, str, bool]]:
    found = re.findall(
        r"^\* `(vs:[^`]+)` \(([a-z ]+), (never expires|expires [^)]+)\)",
        SCHEMA.read_text(),
        re.MULTILINE,
    )
    return [
        (
            _regex(pattern),
            len(pattern.split("{")[0]),
            TYPES.get(type_, type_),
            says[:7] == "expires",
        )
        for pattern, type_, says in found
    ]


def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^{}]*\})", pattern)
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part in WITH_COLONS else "[^:]*"
