"""The whole schema, and the part of it that the integration user sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.org.schema import crm, files, people, service, setup
from simulator.org.schema.model import Field, SObject

OBJECTS: dict[str, SObject] = {
    sobject.name.lower(): sobject
    for sobject in (*crm.OBJECTS, *service.OBJECTS, *files.OBJECTS, *people.OBJECTS, *setup.OBJECTS)
}
BY_PREFIX: dict[str, SObject] = {sobject.prefix: sobject for sobject in OBJECTS.values()}
OPERATIONS = ("create", "read", "update", "delete")


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """A child relationship: `name` on the parent gives the `child` records that `field` links."""

    name: str
    child: SObject
    field: Field


def _children() -> dict[str, list[ChildRelationship]]:
    found: dict[str, list[ChildRelationship]] = {name: [] for name in OBJECTS}
    for sobject in OBJECTS.values():
        for field in sobject.fields:
            if field.children:
                for target in field.targets:
                    found[target.lower()].append(ChildRelationship(field.children, sobject, field))
    return found


CHILDREN = _children()


class View:
    """The schema as one user sees it: hidden fields and unreadable objects look missing.

    hidden: lower-case `object.field` names. denied: lower-case `object.operation` names. changed:
    fields that this org sets up differently, by lower-case `object.field`. tooling: the Tooling
    API's schema instead of the data API's.
    """

    def __init__(
        self,
        hidden: Iterable[str] = (),
        denied: Iterable[str] = (),
        changed: Mapping[str, Field] | None = None,
        *,
        tooling: bool = False,
    ) -> None:
        self.hidden = frozenset(name.lower() for name in hidden)
        self.denied = frozenset(name.lower() for name in denied)
        self.changed = dict(changed or {})
        self.tooling = tooling

    def sobject(self, name: str) -> SObject | None:
        """The object of that name in any case; None when unknown or not readable."""
        found = OBJECTS.get(name.lower())
        if found is None or found.tooling != self.tooling or not self.allows(found, "read"):
            return None
        return found

    def allows(self, sobject: SObject, operation: str) -> bool:
        return f"{sobject.name}.{operation}".lower() not in self.denied

    def field(self, sobject: SObject, name: str) -> Field | None:
        """The field of that name in any case; None when unknown or hidden."""
        found = sobject.by_name.get(name.lower())
        if found is None or (self.hidden and not self._shown(sobject, found)):
            return None
        return self.as_set_up(sobject, found)

    def as_set_up(self, sobject: SObject, field: Field) -> Field:
        """The field as this org has it."""
        return self.changed.get(f"{sobject.name}.{field.name}".lower(), field)

    def relationship(self, sobject: SObject, name: str) -> Field | None:
        """The reference field whose relationship upwards has this name."""
        found = sobject.by_relationship.get(name.lower())
        if found is None or (self.hidden and not self._shown(sobject, found)):
            return None
        return found

    def fields(self, sobject: SObject) -> list[Field]:
        return [
            self.as_set_up(sobject, field)
            for field in sobject.fields
            if self._shown(sobject, field)
        ]

    def child(self, sobject: SObject, name: str) -> ChildRelationship | None:
        """The relationship down from the object that has this name in any case."""
        for relationship in CHILDREN.get(sobject.name.lower(), ()):
            if relationship.name.lower() != name.lower():
                continue
            if self.sobject(relationship.child.name) is not None:
                is_shown = self._shown(relationship.child, relationship.field)
                return relationship if is_shown else None
        return None

    def _shown(self, sobject: SObject, field: Field) -> bool:
        return f"{sobject.name}.{field.name}".lower() not in self.hidden
