"""Times as operators read them."""

from datetime import UTC, datetime


def iso(at_ms: int) -> str:
    """Epoch ms as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
