"""What an org has: its objects and fields, as a describe of Salesforce's API shows them.

A folder is compared with it. The describe comes from the org itself (`inspection.py`), or from the
folder's own source (`source.py`).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

ANY = "anyType"
"""Salesforce's name for a value of any type. Here it marks a field about which nothing is known."""

FROM_SOURCE = "fromSource"
"""Marks a field whose values must be those that its source lists, even if it accepts others."""


@dataclass(frozen=True)
class Need:
    """An object, and the fields of it that the service creates, updates and reads."""

    sobject: str
    create: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """The wording of what is missing, and of its remedy.

    no_object: "{name}" stands for the object. no_field, read_only: what follows the field's name.
    own_field: the remedy for the fields of the key and of the reference.
    """

    no_object: str
    add_object: str
    no_field: str
    add_field: str
    read_only: str
    let_edit: str
    own_field: str


class SObject:
    """An object as it is described to the service's user. Names ignore case."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.name = str(described["name"])
        self.createable = bool(described.get("createable"))
        self.updateable = bool(described.get("updateable"))
        self.fields: dict[str, dict[str, Any]] = {
            str(field["name"]).casefold(): field for field in described["fields"]
        }

    @property
    def names(self) -> list[str]:
        return [str(field["name"]) for field in self.fields.values()]

    def field(self, name: str) -> dict[str, Any]:
        """{} for a field that is missing or that the user can't see."""
        return self.fields.get(name.casefold(), {})

    def lookup(self, relationship: str) -> dict[str, Any]:
        """The field of a relationship, such as Contact__r; {} when there is none."""
        wanted = relationship.casefold()
        return next(
            (
                field
                for field in self.fields.values()
                if str(field.get("relationshipName") or "").casefold() == wanted
            ),
            {},
        )


class Objects(ABC):
    """The objects of one org."""

    words: Words

    @abstractmethod
    def describe(self, sobject: str) -> SObject | None:
        """The object as the service's user sees it; None if the user does not see it."""

    @abstractmethod
    def describe_all(self, sobjects: Iterable[str]) -> None:
        """Read the objects that were not read yet, in as few requests as possible."""

    @property
    def names(self) -> list[str]:
        """The names of objects that a misspelt name may mean."""
        return []

    def lacks(self, need: Need) -> list[str]:
        """What the service's user lacks of a need, each as a clause."""
        described = self.describe(need.sobject)
        if described is None:
            return ["not visible"]
        lacking = []
        if need.create and not described.createable:
            lacking.append("not creatable")
        if need.update and not described.updateable:
            lacking.append("not changeable")
        for names, right in ((need.create, "createable"), (need.update, "updateable")):
            lacking += [
                f"{name} {'is missing or hidden' if not described.field(name) else 'is read-only'}"
                for name in names
                if not described.field(name).get(right)
            ]
        missing = [name for name in need.read if not described.field(name)]
        lacking += [f"{name} is missing or hidden" for name in missing]
        return list(dict.fromkeys(lacking))

    def no_object(self, name: str) -> tuple[str, str]:
        """What is wrong with the name of an object, and what would be right."""
        problem = self.words.no_object.format(name=name)
        return problem, meant(
            name, self.names
        ) or f"correct its API name, or {self.words.add_object}"

    def no_field(self, sobject: SObject, name: str) -> tuple[str, str]:
        """The same for the name of a field."""
        problem = f"{sobject.name} has no field {name}{self.words.no_field}"
        return problem, meant(
            name, sobject.names
        ) or f"correct its API name, or {self.words.add_field}"


def meant(name: str, names: Iterable[str]) -> str:
    """The remedy for a misspelt name; "" when no other is like it."""
    spelled = {known.casefold(): known for known in names}
    near = get_close_matches(name.casefold(), spelled, n=1, cutoff=0.8)
    return f"write {spelled[near[0]]}" if near else ""
