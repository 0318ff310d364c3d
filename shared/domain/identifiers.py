"""Identifiers that callers say aloud: however an account number is grouped, it sounds the same."""

import re

_SEPARATOR_WORDS = re.compile(r"\b(?:dash|hyphen|minus|slash|dot|point|space|underscore)\b", re.I)
_DASH_WORDS = re.compile(r"\s*\b(?:dash|hyphen|minus)\b\s*", re.I)
_SPELLED = re.compile(r"\b\w \w\b")
_BETWEEN_SINGLES = re.compile(r"(?<=\b\w) (?=\w\b)")
_NOT_SPOKEN = re.compile(r"[\W_]+", re.UNICODE)


def spoken_form(identifier: str) -> str:
    """ "ACC-12345", "acc 12345" and "A C C dash 1 2 3 4 5" are all "acc12345"."""
    return _NOT_SPOKEN.sub("", _SEPARATOR_WORDS.sub(" ", identifier)).casefold()


def same_identifier(text: str, other: str) -> bool:
    """Compares the spoken forms. False for identifiers without a letter or digit."""
    return bool(spoken_form(text)) and spoken_form(text) == spoken_form(other)


def written_form(identifier: str) -> str:
    """As a person writes what was said letter by letter: "a b dash 1 2" is "AB-12". What was not
    spelled stays as it is."""
    text = _DASH_WORDS.sub("-", " ".join(identifier.split()))
    if not _SPELLED.search(text):
        return text
    return _BETWEEN_SINGLES.sub("", text).upper()
