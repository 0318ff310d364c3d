"""Salesforce's messages without the values that they quote, for readers without personal data."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "•••"
MIN_LENGTH = 3
"""Shorter values stay: words like "no" alone say nothing about a person."""

CHOICES = frozenset({"issue_type", "priority", "status"})
"""Values from a list of the team's own. A rule's message may use the same words."""

OF_THE_TEAM = CHOICES | {"mapping"}
"""Nothing that a caller said: a draft's mapping is how the tool's file fills the record."""

_EMAIL = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){6,}")


def masked(detail: str, draft: Mapping[str, Any]) -> str:
    """The text without the draft's values, email addresses and long numbers."""
    chosen = {str(draft.get(name)).lower() for name in CHOICES}
    found = {
        value for value in _texts(draft) if len(value) >= MIN_LENGTH and value.lower() not in chosen
    }
    for value in sorted(found, key=len, reverse=True):
        detail = re.sub(re.escape(value), MASK, detail, flags=re.IGNORECASE)
    return _NUMBER.sub(MASK, _EMAIL.sub(MASK, detail))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in OF_THE_TEAM:
                yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
