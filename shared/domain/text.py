"""How long a text is for Salesforce, and when two texts are equal there.

Salesforce may store a line break as CRLF and count two characters. Its documentation says so about
LEN(); for writes through the API it is unconfirmed (docs/vendors.md S9). The limit of a comment
counts bytes as HTML writes them: a single `&` is five (docs/vendors.md S10).
"""

import re

_BREAK = re.compile(r"\r\n|\r|\n")
_HTML_BYTES = {"&": 5, "<": 4, ">": 4, '"': 6, "'": 5}
"""`&amp;` and so on. Whether `'` becomes `&#39;` is not documented; it counts as if it did."""

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
