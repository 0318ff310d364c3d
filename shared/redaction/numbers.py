"""Reads digits at a place in a text: "4111", "four", "double four", "forty-one", "four ones"."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.redaction.tokens import Token
from shared.redaction.vocabulary import Vocabulary

_MAX_COUNT = 9
_HYPHENS = frozenset("-‐‑–")


class Digits(NamedTuple):
    """text: the digits. end: the index of the token after them. written: not spoken."""

    text: str
    end: int
    written: bool


class _Number(NamedTuple):
    value: int
    end: int


class NumberReader:
    def __init__(self, tokens: Sequence[Token], words: Vocabulary) -> None:
        self._tokens = tokens
        self._words = words
        self.may_begin = [
            token.word in words.number_words or token.word.isdecimal() for token in tokens
        ]
        """For each token, whether digits may begin there. Most texts have few such tokens."""

    def digits_at(self, at: int) -> Digits | None:
        """None if no digits begin at this token."""
        if at >= len(self._tokens) or not self.may_begin[at]:
            return None
        word = self._word(at)
        if word.isdecimal():
            many = self._several_of(at, int(word)) if len(word) == 1 else None
            return many or Digits(word, at + 1, written=True)
        if word in self._words.repeats:
            return self._repeated(at + 1, self._words.repeats[word])
        if many := self._several_of(at, self._words.digits.get(word, 0)):
            return many
        number = self._number(at)
        return None if number is None else Digits(str(number.value), number.end, written=False)

    def single_at(self, at: int) -> str:
        """The digit, if the token is a single one, written or spoken; else ""."""
        word = self._word(at)
        if len(word) == 1 and word.isdecimal():
            return word
        return str(self._words.digits[word]) if word in self._words.digits else ""

    def _word(self, at: int) -> str:
        return self._tokens[at].word if at < len(self._tokens) else ""

    def _is_close(self, at: int) -> bool:
        """Whether the token follows the previous one without a pause."""
        before = self._tokens[at].before
        return before in _HYPHENS or (not before.strip() and "\n" not in before)

    def _several_of(self, at: int, count: int) -> Digits | None:
        """ "four ones", "vier mal die fünf"."""
        if not 2 <= count <= _MAX_COUNT:
            return None
        word = self._word(at + 1)
        if word in self._words.plurals:
            return Digits(str(self._words.plurals[word]) * count, at + 2, written=False)
        return self._repeated(at + 2, count) if word in self._words.words["times"] else None

    def _repeated(self, at: int, count: int) -> Digits | None:
        if self._word(at) in self._words.words["articles"]:
            at += 1
        digit = self.single_at(at)
        return Digits(digit * count, at + 1, written=False) if digit else None

    def _number(self, at: int) -> _Number | None:
        if self._word(at) in self._words.words["thousand"]:
            return self._with_more(1000, at + 1, self._below_thousand)
        number = self._below_thousand(at)
        if number and number.value and self._follows("thousand", number.end):
            return self._with_more(number.value * 1000, number.end + 1, self._below_thousand)
        return number

    def _below_thousand(self, at: int) -> _Number | None:
        hundreds = self._words.hundreds.get(self._word(at))
        if hundreds is not None:
            return self._with_more(hundreds, at + 1, self._below_hundred)
        number = self._below_hundred(at)
        if number and number.value and self._follows("hundred", number.end):
            return self._with_more(number.value * 100, number.end + 1, self._below_hundred)
        return number

    def _below_hundred(self, at: int) -> _Number | None:
        word = self._word(at)
        if word in self._words.digits:
            return _Number(self._words.digits[word], at + 1)
        if word in self._words.tens:
            value, join = self._words.tens[word]
            digit = at + 1
            if join and self._word(digit) == join and self._is_close(digit):
                digit += 1
            if not join or digit == at + 2:
                added = self._words.digits.get(self._word(digit))
                if added and self._is_close(digit):
                    return _Number(value + added, digit + 1)
        value = self._words.numbers.get(word, -1)
        return None if value < 0 else _Number(value, at + 1)

    def _with_more(self, value: int, at: int, read: Callable[[int], _Number | None]) -> _Number:
        """Adds what follows "hundred" or "thousand", unless more digits follow that."""
        joined = at + 1 if self._follows("number_and", at) else at
        more = read(joined) if joined < len(self._tokens) and self._is_close(joined) else None
        if more is None or not more.value:
            return _Number(value, at)
        if joined == at and more.end == at + 1 and self.single_at(at) and self.single_at(at + 1):
            return _Number(value, at)
        return _Number(value + more.value, more.end)

    def _follows(self, name: str, at: int) -> bool:
        return self._word(at) in self._words.words[name] and self._is_close(at)
