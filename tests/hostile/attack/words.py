"""Canaries: opaque words and numbers that occur nowhere else.

Whoever finds one in a text knows whose data the text shows.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from random import Random
from urllib.parse import unquote

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
_WORD = re.compile(rf"(?=(qx(?:[{CONSONANTS}][{VOWELS}]){{4}}))")
_NUMBER = re.compile(r"(?<!\d)(?:1\W{0,3})?628\W{0,3}(\d{3})\W{0,3}(\d{4})(?!\d)", re.ASCII)
_DIGITS = re.compile(r"(?<![0-9A-Za-z])\d(?:[ .,\-]{0,2}\d){7,18}(?![0-9A-Za-z])", re.ASCII)
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT_WORD = re.compile(rf"\b(?:{'|'.join(DIGIT_WORDS)})\b", re.IGNORECASE)


class Words:
    """Makes each word and each number once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._made: set[str] = set()

    def word(self) -> str:
        """Such as "qxbolanori"."""
        choice = self._rng.choice
        return self._new(
            lambda: "qx" + "".join(choice(CONSONANTS) + choice(VOWELS) for _ in range(4))
        )

    def name(self) -> str:
        return self.word().capitalize()

    def number(self) -> str:
        """E.164, in +1 628. It may belong to somebody: never dial it."""
        draw = self._rng.randrange
        return self._new(lambda: f"+1628{draw(220, 990)}{draw(10_000):04}")

    def pin(self) -> str:
        """Eight digits: long enough that no other number in a store equals it by chance."""
        return self._new(lambda: str(self._rng.randrange(70_000_000, 99_000_000)))

    def card(self) -> str:
        """Sixteen digits with a right check digit, in the range of a well-known test card."""
        return self._new(lambda: with_check_digit(f"411111{self._rng.randrange(10**9):09}"))

    def _new(self, make: Callable[[], str]) -> str:
        text = make()
        while text in self._made:
            text = make()
        self._made.add(text)
        return text


def with_check_digit(digits: str) -> str:
    """The digits and the one that makes their Luhn sum a multiple of ten."""
    doubled = [int(digit) * 2 for digit in digits[::-2]]
    single = [int(digit) for digit in digits[-2::-2]]
    total = sum(value - 9 if value > 9 else value for value in doubled) + sum(single)
    return f"{digits}{-total % 10}"


def plain(text: str) -> str:
    """The text without escapes of HTML and URLs, and with full-width letters as usual ones."""
    return unicodedata.normalize("NFKC", html.unescape(unquote(text)))


def words_in(text: str) -> set[str]:
    """The opaque words in a text: also spelled, in capitals, or with markup between letters."""
    shown = plain(text).casefold()
    found = set(_WORD.findall(re.sub(r"[^a-z]", "", shown)))
    if "<" in shown:
        found |= set(_WORD.findall(re.sub(r"<[^<>]*>|[^a-z]", "", shown)))
    return found


def numbers_in(text: str) -> set[str]:
    """The phone numbers in a text that Words could have made, as E.164, in whatever spelling."""
    return {f"+1628{first}{last}" for first, last in _NUMBER.findall(plain(text))}


def secrets_in(text: str) -> set[str]:
    """The runs of 8 to 19 digits in a text, also those that are spoken as words."""
    found = set(_DIGITS.findall(text))
    found |= set(_DIGITS.findall(_DIGIT_WORD.sub(_as_digit, text)))
    return {re.sub(r"\D", "", run) for run in found}


def _as_digit(word: re.Match[str]) -> str:
    return str(DIGIT_WORDS.index(word[0].lower()))
