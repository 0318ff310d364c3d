"""Salesforce's messages without the values that they quote, for readers without personal data."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.intent import Intent
from shared.journal.listing import OF_ONE_RULE

MASK = "•••"
MIN_LENGTH = 3
"""Shorter values stay: words like "no" alone say nothing about a person."""

CHOICES = frozenset({"issue_type", "priority", "status"})
"""Values from a list of the team's own. A rule's message may use the same words."""

_EMAIL = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){6,}")


def masked(detail: str, draft: Mapping[str, Any]) -> str:
    """The text without the draft's values, email addresses and long numbers."""
    found = {value for value in _texts(draft) if len(value) >= MIN_LENGTH}
    for value in sorted(found, key=len, reverse=True):
        detail = re.sub(re.escape(value), MASK, detail, flags=re.IGNORECASE)
    return _NUMBER.sub(MASK, _EMAIL.sub(MASK, detail))


def masked_detail(intent: Intent) -> str:
    """What Salesforce said of a write, without what it quotes. A rule's message quotes nothing."""
    return masked(intent.detail, {} if intent.reason in OF_ONE_RULE else intent.payload)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in CHOICES:
                yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
