"""The reference: the short code that an agent says aloud before a CaseNumber exists."""

import re
import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without I, O, 0 and 1, which sound or look like other characters."""

_SEPARATORS = re.compile(r"[^A-Z0-9]")


def new_reference() -> str:
    """Twice three characters ("K7M 2QX"). The journal makes sure that it is unique."""
    letters = [secrets.choice(ALPHABET) for _ in range(6)]
    return "".join(letters[:3]) + " " + "".join(letters[3:])


def as_reference(spoken: str) -> str | None:
    """The stored form of a spoken reference ("k7m-2qx"); None if it can't be a reference."""
    letters = _SEPARATORS.sub("", spoken.upper())
    if len(letters) != 6 or any(letter not in ALPHABET for letter in letters):
        return None
    return f"{letters[:3]} {letters[3:]}"
