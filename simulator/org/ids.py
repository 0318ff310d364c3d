"""Record ids: make them, check them, and convert them to 18 characters.

An id is 15 characters, case-sensitive: a three-character key prefix that names the object, then a
counter in base 62. The 18-character form adds three check characters that say which of the 15 are
capitals, so that an id survives a system that ignores case.
"""

import re

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
# In place of the instance that made the id; any three characters work.
INSTANCE = "Dn0"

_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")


def check_characters(id15: str) -> str:
    """The three characters after a 15-character id: one per five characters, five bits each."""
    suffix = ""
    for start in (0, 5, 10):
        bits = 0
        for offset, char in enumerate(id15[start : start + 5]):
            if "A" <= char <= "Z":
                bits |= 1 << offset
        suffix += CHECK_ALPHABET[bits]
    return suffix


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of the object's `number`-th record (number >= 0)."""
    digits = ""
    for _ in range(9):
        number, rest = divmod(number, 62)
        digits = ALPHANUMERIC[rest] + digits
    id15 = prefix + INSTANCE + digits
    return id15 + check_characters(id15)


def normalise(text: object) -> str | None:
    """The 18-character form of an id given as 15 or 18 characters; None when it is not an id.

    The capitals of an 18-character id are restored from its check characters, as Salesforce does
    for ids whose case was lost [K].
    """
    if not isinstance(text, str) or not _SHAPE.match(text):
        return None
    if len(text) == 15:
        return text + check_characters(text)
    restored = _restore_case(text[:15], text[15:].upper())
    if restored is None:
        return None
    return restored + text[15:].upper()


def _restore_case(id15: str, suffix: str) -> str | None:
    chars = []
    for group, check in enumerate(suffix):
        if check not in CHECK_ALPHABET:
            return None
        bits = CHECK_ALPHABET.index(check)
        for offset, char in enumerate(id15[group * 5 : group * 5 + 5]):
            capital = bool(bits >> offset & 1)
            if capital and not char.isalpha():
                return None
            chars.append(char.upper() if capital else char.lower())
    return "".join(chars)
