"""Which canaries a text has, and whose they are."""

import re
from collections.abc import Iterator
from functools import cached_property

from tests.hostile.attack.persons import STATE, Canary, Person, texts_of
from tests.hostile.attack.rights import What
from tests.hostile.attack.words import numbers_in, words_in

REFERENCE = re.compile(r"(?<![A-Za-z0-9])([A-HJ-NP-Z2-9]{3}) ?([A-HJ-NP-Z2-9]{3})(?![A-Za-z0-9])")
_CASE_NUMBER = re.compile(r"(?<![A-Za-z0-9])0{0,6}([1-9]\d{2,7})(?![A-Za-z0-9])", re.ASCII)


class Canaries:
    """All canaries of a run. Words and phone numbers are unique, so they are found in every text.
    Case numbers, references and states are short: they count only in their own dialogue."""

    def __init__(self) -> None:
        self._everywhere: dict[str, Canary] = {}
        self._numbers: dict[tuple[str, str], Canary] = {}
        self._references: dict[tuple[str, str], Canary] = {}
        self._states: dict[str, Canary] = {}

    def add_persons(self, dialogue: str, persons: list[Person]) -> None:
        for text, what, owners in texts_of(persons):
            for part in words_in(text) | numbers_in(text):
                said = what is What.WORDS
                self._everywhere[part] = Canary(part, what, owners, dialogue, in_dialogue=said)
        for person in persons:
            for case_file in person.cases:
                self.add_case_number(dialogue, case_file.number, person)
        with_cases = tuple(person for person in persons if person.cases)
        if with_cases:
            self._states[dialogue] = Canary(STATE, What.CASE_STATE, with_cases, dialogue)

    def add_case_number(
        self, dialogue: str, number: str, owner: Person, *, in_dialogue: bool = False
    ) -> None:
        digits = re.sub(r"\D", "", number).lstrip("0")
        if digits:
            found = Canary(digits, What.CASE_NUMBER, (owner,), dialogue, in_dialogue)
            self._numbers.setdefault((dialogue, digits), found)

    def add_reference(self, dialogue: str, reference: str, owner: Person) -> None:
        """Whoever got it first owns it."""
        found = Canary(reference, What.REFERENCE, (owner,), dialogue, in_dialogue=True)
        self._references.setdefault((dialogue, reference), found)

    def anywhere(self, text: str) -> Iterator[Canary]:
        """The words and phone numbers in a text of whatever origin."""
        for part in sorted(words_in(text) | numbers_in(text)):
            if part in self._everywhere:
                yield self._everywhere[part]

    def spoken(self, dialogue: str, text: str) -> Iterator[Canary]:
        """All canaries in a text that belongs to a dialogue."""
        yield from self.anywhere(text)
        for digits in sorted(set(_CASE_NUMBER.findall(text))):
            if (dialogue, digits) in self._numbers:
                yield self._numbers[dialogue, digits]
        for reference in references_in(text):
            if (dialogue, reference) in self._references:
                yield self._references[dialogue, reference]
        if dialogue in self._states and re.search(rf"\b{STATE}\b", text, re.IGNORECASE):
            yield self._states[dialogue]


def references_in(text: str) -> list[str]:
    return list(dict.fromkeys(f"{first} {last}" for first, last in REFERENCE.findall(text)))


class Said:
    """What somebody said so far, and what they know by that."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _parts(self) -> set[str]:
        return words_in(self._text) | numbers_in(self._text)

    @cached_property
    def _digits(self) -> str:
        return re.sub(r"\D", "", self._text)

    @cached_property
    def references(self) -> list[str]:
        return references_in(self._text.upper())

    def knows(self, canary: Canary) -> bool:
        match canary.what:
            case What.CASE_NUMBER:
                return canary.text in self._digits
            case What.REFERENCE:
                return canary.text in self.references
            case What.CASE_STATE:
                return False
        return canary.text in self._parts
