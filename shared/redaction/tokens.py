"""Cuts a text into words and numbers."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from shared.redaction.kinds import Kind

_LABELS = "|".join(re.escape(kind.label) for kind in Kind)
_TOKEN = re.compile(rf"({_LABELS})|[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")

LABEL = ""
"""The word of a token that is a label: something was removed there before."""


class Token(NamedTuple):
    """word: in its normal form. before: what stands between it and the previous token.

    part: the utterance that it belongs to.
    """

    word: str
    start: int
    end: int
    before: str
    part: int


def tokens(text: str, starts: Sequence[int] = (0,)) -> list[Token]:
    """starts: where each utterance begins in the text."""
    found = []
    end = part = 0
    has_parts = len(starts) > 1
    for match in _TOKEN.finditer(text):
        label, word = match[1], match[0]
        start, after = match.span()
        if has_parts:
            part = bisect_right(starts, start) - 1
        normal = LABEL if label else word.lower() if word.isascii() else normal_form(word)
        found.append(Token(normal, start, after, text[end:start], part))
        end = after
    return found


def normal_form(word: str) -> str:
    """Without case and accents, and with ASCII digits."""
    if word.isascii():
        return word.lower()
    characters = []
    for character in unicodedata.normalize("NFKD", word.casefold()):
        if not unicodedata.combining(character):
            value = unicodedata.decimal(character, None)
            characters.append(character if value is None else str(value))
    return "".join(characters) or word
