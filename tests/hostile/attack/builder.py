"""Makes the dialogues of a family. Everything random comes from the seed and the family's name."""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from tests.hostile.attack.attempt import Dialogue, Play
from tests.hostile.attack.persons import (
    Company,
    Person,
    new_case,
    new_company,
    new_person,
)
from tests.hostile.attack.words import Words

T = TypeVar("T")

KINDS = ("Billing", "Technical", "Account")


class Builder:
    """dialogues: what was added so far, in order."""

    def __init__(self, family: str, seed: int, words: Words) -> None:
        self.family, self.words = family, words
        self.rng = Random(f"{seed}/{family}")
        self.dialogues: list[Dialogue] = []

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """Different values as far as there are enough, in random order."""
        found: list[T] = []
        while len(found) < count:
            found += self.rng.sample(values, min(len(values), count - len(found)))
        return found

    def stranger(self, role: str = "a stranger") -> Person:
        return new_person(self.words, role)

    def company(self) -> Company:
        return new_company(self.words)

    def customer(
        self,
        role: str = "the victim",
        company: Company | None = None,
        *,
        cases: int = 1,
        number: str = "",
        **others: Any,
    ) -> Person:
        """others: further fields of the contact, which replace the usual ones."""
        person = new_person(self.words, role, company or self.company())
        person.number = number or person.number
        person.cases = [new_case(self.words, self.rng.choice(KINDS)) for _ in range(cases)]
        person.others = others
        return person

    def add(self, title: str, play: Play, *persons: Person, control: bool = False) -> None:
        key = f"{self.family}/{len(self.dialogues) + 1:02}"
        self.dialogues.append(Dialogue(key, title, play, list(persons), control))
