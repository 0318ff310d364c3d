"""Reads JSON that others wrote, so that whatever it holds can be written again."""

import json
import re
from typing import Any

import msgspec

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_decode = msgspec.json.Decoder(float_hook=float).decode
"""With Python's own reader of fractions: msgspec's takes 25 µs for each 1e308."""


def read_json(text: str | bytes) -> Any:
    """text: bytes are UTF-8. Raises ValueError for what is no JSON, or is nested deeper than Python
    can read.

    An unpaired surrogate is valid in JSON and can't be written anywhere: it becomes "?".
    """
    try:
        return _decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # Python's own decoder takes a little more, such as NaN. It is several times slower, and
        # would take bytes for UTF-16 as well.
        return read_slowly(text if isinstance(text, str) else text.decode("utf-8-sig"))


def read_slowly(text: str) -> Any:
    """As `read_json`, with Python's own decoder."""
    try:
        value = json.loads(text)
        if _SURROGATE.search(text):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def as_json(value: Any) -> bytes:
    """What `read_json` has read, or a part of it, as JSON."""
    try:
        return msgspec.json.encode(value)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return json.dumps(value).encode()  # an integer of more than 64 bits


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
