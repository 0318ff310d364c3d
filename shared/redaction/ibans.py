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
_COUNTRIES = frozenset(map(str.lower, _LENGTHS))

_ONLY_DIGITS = """AE AT BA BE CZ DE DK EE EG ES FI FO GL HR HU IL IS LT LY ME MR NO PL PT RS SD SE
SI SK TL TN VA XK"""
_FOUR_LETTERS = "BG BH GB GI IE IQ JO KW LC LV MT MU NI NL PK PS QA RO SC SV VG YE"
_FORMS = {
    r"\d*": _ONLY_DIGITS,
    r"[a-z]{0,4}|[a-z]{4}[a-z0-9]*": _FOUR_LETTERS,
    r"[a-z]?|[a-z]\d{0,10}|[a-z]\d{10}[a-z0-9]*": "IT SM",
    r"\d{0,3}|\d{3}[a-z0-9]*": "AD AL CH CY FR GR KZ LB LI LU MC MK OM RU TR UA",
}
"""The beginnings of what may follow the check digits."""
_FORM_OF = {
    country: re.compile(form) for form, countries in _FORMS.items() for country in countries.split()
}
_ANY_FORM = re.compile("[a-z0-9]*")

_MAX_TOKENS = 80
_MAX_FILLERS = 4
"""Words one after the other that are no part of an IBAN."""
_CUE_REACH = 15
_BETWEEN = re.compile(r"[ \t\u00a0.,;:/–—‐‑…-]*")
_FILLERS = ("hesitations", "links", "positions")


def ibans(document: Document) -> Iterator[Span]:
    at = 0
    while at < len(document.tokens):
        last = _last_token(document, at) if _may_begin_iban(document.tokens[at].word) else None
        if last is None:
            at += 1
        else:
            yield document.span(at, last, Kind.BANK_ACCOUNT)
            at = last + 1


def _may_begin_iban(word: str) -> bool:
    """False for plain words, as nearly all are."""
    return len(word) == 1 or (word[:2] in _COUNTRIES and (len(word) == 2 or word[2].isdecimal()))


def _last_token(document: Document, first: int) -> int | None:
    """The last token of the IBAN that begins at a token."""
    country = document.word(first)[:2].upper()
    if len(country) == 1:
        country += document.word(first + 1)[:1].upper()
    length = _LENGTHS.get(country)
    if length is None or not _is_country(document, first):
        return None
    found = ""
    fillers = 0
    at = first
    while at < min(first + _MAX_TOKENS, len(document.tokens)) and fillers <= _MAX_FILLERS:
        if at > first and not _is_close(document, at):
            return None
        digits = document.numbers.digits_at(at) if len(found) >= 2 else None
        if not digits and len(found) >= 2 and _is_filler(document, at, country):
            fillers += 1
        else:
            fillers = 0
            found += digits.text if digits else document.word(at)
        if not _may_begin(found, length, country):
            return None
        at = digits.end if digits else at + 1
        if len(found) == length:
            return at - 1 if _has_check_digits(found) else None
    return None


def _is_country(document: Document, at: int) -> bool:
    """Whether the word may be a country's code. "es", "is" and "de" are common words, too."""
    token = document.tokens[at]
    if len(token.word) != 2 or document.text[token.start : token.end].isupper():
        return True
    return document.follows("account", at, _CUE_REACH)


def _is_close(document: Document, at: int) -> bool:
    token = document.tokens[at]
    is_next_utterance = token.part != document.tokens[at - 1].part
    before = token.before.replace("\n", "") if is_next_utterance else token.before
    return _BETWEEN.fullmatch(before) is not None


def _is_filler(document: Document, at: int, country: str) -> bool:
    """Whether it is a word, and no letters of the IBAN."""
    if _FORM_OF.get(country) is _FORM_OF["DE"]:
        return any(document.is_in(name, at) for name in _FILLERS)
    return document.is_in("hesitations", at) and len(document.word(at)) > 1


def _may_begin(found: str, length: int, country: str) -> bool:
    """Whether an IBAN may begin so."""
    return (
        len(found) <= length
        and (len(found) <= 2 or found[2:4].isdecimal())
        and _FORM_OF.get(country, _ANY_FORM).fullmatch(found[4:]) is not None
    )


def _has_check_digits(iban: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
