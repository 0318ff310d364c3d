"""How long a text is for Salesforce, how it is cut to fit, and when two texts are equal there.

REST never truncates a text that is too long, it refuses it (STRING_TOO_LONG).

Salesforce may store a line break as CRLF and count two characters. Its documentation says so about
LEN(); for writes through the API it is unconfirmed (docs/vendors.md S9). The limit of a comment
counts bytes as HTML writes them: a single `&` is five (docs/vendors.md S10).
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.0+)?Z?")
_BREAK = re.compile(r"\r\n|\r|\n")
_HTML_BYTES = {"&": 5, "<": 4, ">": 4, '"': 6, "'": 5}
"""`&amp;` and so on. Whether `'` becomes `&#39;` is not documented; it counts as if it did."""

LONGEST_WORD = 40
ELLIPSIS = "…"

MAX_COMMENT_BYTES = 4_000
"""The limit of CaseComment.CommentBody, counted like html_bytes."""


def stored_length(text: str) -> int:
    """Characters, with two for each line break."""
    return len(text) + _lone_breaks(text)


def stored_characters(character: str) -> int:
    return 2 if character in "\r\n" else 1


def html_bytes(text: str) -> int:
    """Bytes of UTF-8 as HTML writes the text, with two for each line break."""
    more = sum((size - 1) * text.count(character) for character, size in _HTML_BYTES.items())
    return len(text.encode(errors="surrogatepass")) + more + _lone_breaks(text)


def html_bytes_of(character: str) -> int:
    usual = 2 if character in "\r\n" else len(character.encode(errors="surrogatepass"))
    return _HTML_BYTES.get(character, usual)


def _lone_breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - 2 * text.count("\r\n")


def folded(text: str | None) -> str:
    """The text with LF as its only line end, to compare with what Salesforce returns."""
    return _BREAK.sub("\n", text or "")


def comparable(value: Any) -> str:
    """A field's value as a text that is equal for what Salesforce stores alike: 2 and 2.0, a moment
    with any offset, a time of day with or without fractions, and texts by any line end."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{float(value):.15g}"
    if not isinstance(value, str):
        return ""
    if _MOMENT.fullmatch(value):
        with suppress(ValueError, OverflowError):  # a text that only looks like a moment
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    if time := _TIME.fullmatch(value):
        return time[1]
    return folded(value).rstrip()


def one_line(text: str) -> str:
    return " ".join(text.split())


def marked(text: str) -> str:
    """A caller's words among lines of the service's own: each line after the first begins with
    "> ", so that nobody takes it for one of the service's."""
    return _BREAK.sub("\n> ", text)


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
