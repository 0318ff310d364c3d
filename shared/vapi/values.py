"""Readers of single payload values. Each returns an empty value for a value of another type, and
raises nothing."""

import time
from datetime import UTC, datetime
from typing import Any

EARLIEST_MS = 946_684_800_000
"""2000-01-01. An earlier time, or one later than tomorrow, can't be the time of a call."""

DAY_MS = 24 * 3600 * 1000


def as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def as_epoch_ms(value: Any) -> int | None:
    """Vapi writes times as epoch ms, or in older captures as ISO 8601 (docs/vendors.md V1)."""
    number = as_number(value)
    if number is not None:
        return int(number)
    try:
        at = datetime.fromisoformat(as_text(value))
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def first_moment(*values: Any) -> int | None:
    """The first of the values that can be a time of a call; epoch ms."""
    latest_ms = int(time.time() * 1000) + DAY_MS
    for value in values:
        at_ms = as_epoch_ms(value)
        if at_ms is not None and EARLIEST_MS <= at_ms <= latest_ms:
            return at_ms
    return None


def as_iso(at_ms: int | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond."""
    if at_ms is None:
        return None
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None
