"""Fitting words into Salesforce's fields: REST never truncates, it refuses (STRING_TOO_LONG)."""

from collections.abc import Callable

from shared.domain.text import html_bytes, html_bytes_of, stored_characters, stored_length
from shared.vapi.values import one_line

LONGEST_WORD = 40
ELLIPSIS = "…"


def fit(text: str, max_characters: int) -> str:
    """At most so many characters, cut at a word when one ends nearby."""
    if stored_length(text) <= max_characters:
        return text
    cut = _head(text, max_characters - stored_length(ELLIPSIS), stored_characters)
    head, _, tail = cut.rpartition(" ")
    return (head if head and len(tail) < LONGEST_WORD else cut) + ELLIPSIS


def fit_line(text: str, max_characters: int) -> str:
    return fit(one_line(text), max_characters)


def fit_comment(text: str, max_bytes: int) -> str:
    """At most so many bytes as a comment's limit counts them."""
    if html_bytes(text) <= max_bytes:
        return text
    return _head(text, max_bytes - html_bytes(ELLIPSIS), html_bytes_of) + ELLIPSIS


def _head(text: str, limit: int, size_of: Callable[[str], int]) -> str:
    """As many characters from the start as fit."""
    size = 0
    for at, character in enumerate(text):
        size += size_of(character)
        if size > limit:
            return text[:at]
    return text
