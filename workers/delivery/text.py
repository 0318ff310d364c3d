"""Fitting words into Salesforce's fields: REST never truncates, it refuses (STRING_TOO_LONG)."""

from shared.vapi.values import one_line

LONGEST_WORD = 40


def fit(text: str, most_characters: int) -> str:
    """At most so many characters, cut at a word when one ends nearby."""
    if len(text) <= most_characters:
        return text
    cut = text[: most_characters - 1]
    head, _, tail = cut.rpartition(" ")
    return (head if head and len(tail) < LONGEST_WORD else cut) + "…"


def fit_line(text: str, most_characters: int) -> str:
    return fit(one_line(text), most_characters)


def fit_bytes(text: str, most_bytes: int) -> str:
    """At most so many bytes of UTF-8: CaseComment.CommentBody counts bytes, not characters."""
    raw = text.encode()
    if len(raw) <= most_bytes:
        return text
    return raw[: most_bytes - 3].decode(errors="ignore") + "…"
