"""Finds IBANs by country, length and check digits (ISO 13616), written or spelled aloud."""

import re
from collections.abc import Iterator

from shared.redaction.document import Document, Span
from shared.redaction.kinds import Kind

_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FI FK FO GL NL SD", "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK", "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL", "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST", "26": "IS TR", "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HN HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU YE",
        "31": "MT SC", "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""Characters of an IBAN by country, from the registry of SWIFT (release 99)."""

_DIGITS = """AE AT BA BE CZ DE DK EE EG ES FI FO GL HR HU IL IS LT LY ME MR NO PL PT RS SD SE SI SK TL
TN VA XK"""
_ONLY_DIGITS = frozenset(_DIGITS.split())
"""Countries whose IBANs have no letters after the first two."""

_MAX_TOKENS = 80
_BETWEEN = re.compile(r"[\s.,;:/–—‐‑…-]*")
_WRITTEN = re.compile(r"[a-z0-9]+")
_FILLERS = ("hesitations", "links", "positions")


def ibans(document: Document) -> Iterator[Span]:
    at = 0
    while at < len(document.tokens):
        last = _last_token(document, at)
        if last is None:
            at += 1
        else:
            yield document.span(at, last, Kind.BANK_ACCOUNT)
            at = last + 1


def _last_token(document: Document, first: int) -> int | None:
    """The last token of the IBAN that begins at a token."""
    country = document.word(first)[:2]
    if len(country) == 1:
        country += document.word(first + 1)[:1]
    length = _LENGTHS.get(country.upper())
    if length is None:
        return None
    found = ""
    at = first
    while at < min(first + _MAX_TOKENS, len(document.tokens)):
        if at > first and not _BETWEEN.fullmatch(document.tokens[at].before):
            return None
        digits = document.numbers.digits_at(at) if len(found) >= 2 else None
        if digits:
            found += digits.text
        elif len(found) < 2 or not _is_filler(document, at, country):
            found += document.word(at)
        if not _may_begin(found, length, country):
            return None
        at = digits.end if digits else at + 1
        if len(found) == length:
            return at - 1 if _has_check_digits(found) else None
    return None


def _is_filler(document: Document, at: int, country: str) -> bool:
    if country.upper() in _ONLY_DIGITS:
        return any(document.is_in(name, at) for name in _FILLERS)
    return document.is_in("hesitations", at) and len(document.word(at)) > 1


def _may_begin(found: str, length: int, country: str) -> bool:
    """Whether an IBAN may begin so."""
    if len(found) > length or not _WRITTEN.fullmatch(found):
        return False
    digits = found[2:] if country.upper() in _ONLY_DIGITS else found[2:4]
    return not digits or digits.isdecimal()


def _has_check_digits(iban: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
