"""Reads JSON that others wrote, so that whatever it holds can be written again."""

import json
import re
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str) -> Any:
    """Raises ValueError for what is no JSON, or is nested deeper than Python can read.

    An unpaired surrogate is valid in JSON and can't be written anywhere: it becomes "?".
    """
    try:
        value = json.loads(text)
        if _SURROGATE.search(text):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def is_deeper(value: Any, depth: int) -> bool:
    """Whether more arrays and objects than that are inside one another. Does not recurse."""
    holders = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not holders:
            return False
        parts = (
            part
            for holder in holders
            for part in (holder.values() if isinstance(holder, dict) else holder)
        )
        holders = [part for part in parts if isinstance(part, dict | list)]
    return bool(holders)
