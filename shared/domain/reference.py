"""The reference: the short code an agent says aloud before a CaseNumber exists."""

import re
import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No I, O, 0, 1: they are mistaken for one another when heard or read."""

_RECORDED = re.compile(r"[^A-Z0-9]")


def new_reference() -> str:
    """Three and three characters with a space ("K7M 2QX"); unique only once the journal took it."""
    letters = [secrets.choice(ALPHABET) for _ in range(6)]
    return "".join(letters[:3]) + " " + "".join(letters[3:])


def as_reference(answers: str) -> str | None:
    """A reference as it is kept, from one as it was heard ("k7m-2qx"); None if it can't be one."""
    letters = _RECORDED.sub("", answers.upper())
    if len(letters) != 6 or any(letter not in ALPHABET for letter in letters):
        return None
    return f"{letters[:3]} {letters[3:]}"
