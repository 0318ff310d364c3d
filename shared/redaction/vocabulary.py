"""The words of `words/*.toml`, of all languages together: a caller may mix them."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.redaction.tokens import Token, normal_form

_FILES = Path(__file__).parent / "words"
_CUES = ("not_cues", "account", "card", "security_code", "social", "pin", "password")
_WITHIN_A_PHRASE = frozenset({"", "-", ".", "'", "’", "/"})


class Phrases:
    """Phrases of one or more words, each with a name. "*wort" is any word that ends so."""

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        """phrases: (name, phrase)."""
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._endings: dict[str, str] = {}
        for name, phrase in phrases:
            words = tuple(map(normal_form, phrase.removeprefix("*").split()))
            if phrase.startswith("*"):
                self._endings[words[0]] = name
            else:
                self._by_first.setdefault(words[0], []).append((words, name))
        for longer in self._by_first.values():
            longer.sort(key=lambda entry: len(entry[0]), reverse=True)
        self._all_endings = tuple(self._endings)

    def beginnings(self, tokens: Sequence[Token]) -> list[int]:
        """The tokens at which a phrase may begin."""
        return [
            at
            for at, token in enumerate(tokens)
            if token.word in self._by_first or token.word.endswith(self._all_endings)
        ]

    def at(self, tokens: Sequence[Token], at: int) -> tuple[str, int]:
        """The name of the longest phrase that begins at this token, and the token after it.

        ("", at) if none does.
        """
        word = tokens[at].word
        for words, name in self._by_first.get(word, ()):
            end = at + len(words)
            if tuple(token.word for token in tokens[at:end]) == words and all(
                token.before.strip() in _WITHIN_A_PHRASE for token in tokens[at + 1 : end]
            ):
                return name, end
        if word.endswith(self._all_endings):
            return next(n for ending, n in self._endings.items() if word.endswith(ending)), at + 1
        return "", at


@dataclass(frozen=True)
class Vocabulary:
    """digits: words for 0 to 9. numbers: for 10 and more that nothing is added to.

    tens: to which a digit is added, with the word that stands between ("" for none).
    number_words: all words with which a number may begin. words: the other lists, by name.
    """

    digits: Mapping[str, int]
    numbers: Mapping[str, int]
    tens: Mapping[str, tuple[int, str]]
    hundreds: Mapping[str, int]
    repeats: Mapping[str, int]
    plurals: Mapping[str, int]
    words: Mapping[str, frozenset[str]]
    number_words: frozenset[str]
    cues: Phrases
    places: Phrases


@cache
def vocabulary() -> Vocabulary:
    files = [
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(_FILES.glob("*.toml"))
    ]
    numbers = _numbers(files, "numbers")
    tens = {}
    for file in files:
        for word, value in file["tens"].items():
            numbers |= {normal_form(word): value} | _compounds(word, value, file)
            if "tens_join" in file:
                tens[normal_form(word)] = (value, file["tens_join"])
    words = _lists(files)
    tables = {name: _numbers(files, name) for name in ("digits", "hundreds", "repeats", "plurals")}
    beginnings: tuple[Iterable[str], ...] = (numbers, tens, words["thousand"], *tables.values())
    return Vocabulary(
        **tables,
        numbers=numbers,
        tens=tens,
        words=words,
        number_words=frozenset(word for table in beginnings for word in table),
        cues=_phrases(files, _CUES),
        places=_phrases(files, ("places",)),
    )


def _phrases(files: list[dict[str, Any]], names: tuple[str, ...]) -> Phrases:
    return Phrases(
        (name, phrase) for name in names for file in files for phrase in file["cues"].get(name, ())
    )


def _numbers(files: list[dict[str, Any]], name: str) -> dict[str, int]:
    return {normal_form(word): n for file in files for word, n in file.get(name, {}).items()}


def _compounds(word: str, value: int, file: dict[str, Any]) -> dict[str, int]:
    """Numbers such as "einundvierzig"."""
    joined = file.get("compound_join", "") + word
    digits = file.get("compound_digits", {})
    return {normal_form(digit + joined): value + digits[digit] for digit in digits}


def _lists(files: list[dict[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for file in files:
        for table in (
            file,
            file["around"],
            {"in_doubt": file["cues"].get("password_in_doubt", [])},
        ):
            for name, words in table.items():
                if isinstance(words, list):
                    found.setdefault(name, set()).update(map(normal_form, words))
    return {name: frozenset(words) for name, words in found.items()}
