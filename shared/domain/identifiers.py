"""Identifiers that callers say aloud: however an account number is grouped, it sounds the same."""

import re

_SEPARATOR_WORDS = re.compile(r"\b(?:dash|hyphen|minus|slash|dot|point|space|underscore)\b", re.I)
_NOT_SPOKEN = re.compile(r"[\W_]+", re.UNICODE)


def spoken_form(identifier: str) -> str:
    """ "ACC-12345", "acc 12345" and "A C C dash 1 2 3 4 5" are all "acc12345"."""
    return _NOT_SPOKEN.sub("", _SEPARATOR_WORDS.sub(" ", identifier)).casefold()


def same_identifier(text: str, other: str) -> bool:
    """Compares the spoken forms. False for identifiers without a letter or digit."""
    return bool(spoken_form(text)) and spoken_form(text) == spoken_form(other)
