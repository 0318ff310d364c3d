"""The whole schema of an org, and the part of it that the integration user sees."""

from collections.abc import Iterable, Mapping

from simulator.org.schema import crm, files, people, service, setup
from simulator.org.schema.model import ChildRelationship, Field, Queue, RecordType, SObject

OPERATIONS = ("create", "read", "update", "delete")


class Schema:
    """The objects of one org, which never change while it runs.

    objects: by lower-case name. by_prefix: by key prefix. children: the relationships down from an
    object, by its lower-case name. record_types: by the lower-case name of their object. queues:
    those beside the seed's.
    """

    def __init__(
        self,
        objects: Iterable[SObject],
        record_types: Mapping[str, tuple[RecordType, ...]] | None = None,
        queues: tuple[Queue, ...] = (),
    ) -> None:
        self.objects = {sobject.name.lower(): sobject for sobject in objects}
        self.by_prefix = {sobject.prefix: sobject for sobject in self.objects.values()}
        self.children: dict[str, list[ChildRelationship]] = {name: [] for name in self.objects}
        self.record_types = dict(record_types or {})
        self.queues = queues
        for sobject in self.objects.values():
            for field in sobject.fields:
                for target in field.targets if field.children else ():
                    relationship = ChildRelationship(field.children, sobject, field)
                    self.children[target.lower()].append(relationship)

    def field(self, name: str) -> Field | None:
        """The field of an `Object.Field` name in any case; None when there is none."""
        sobject, _, item = name.lower().partition(".")
        found = self.objects.get(sobject)
        return found.by_name.get(item) if found else None


STANDARD = Schema((*crm.OBJECTS, *service.OBJECTS, *files.OBJECTS, *people.OBJECTS, *setup.OBJECTS))


class View:
    """The schema as one user sees it: hidden fields and unreadable objects look missing.

    hidden: lower-case `object.field` names. denied: lower-case `object.operation` names. changed:
    fields that this org sets up differently, by lower-case `object.field`. tooling: the Tooling
    API's schema instead of the data API's.
    """

    def __init__(
        self,
        schema: Schema,
        hidden: Iterable[str] = (),
        denied: Iterable[str] = (),
        changed: Mapping[str, Field] | None = None,
        *,
        tooling: bool = False,
    ) -> None:
        self.schema = schema
        self.hidden = frozenset(name.lower() for name in hidden)
        self.denied = frozenset(name.lower() for name in denied)
        self.changed = dict(changed or {})
        self.tooling = tooling

    def sobject(self, name: str) -> SObject | None:
        """The object of that name in any case; None when unknown or not readable."""
        found = self.schema.objects.get(name.lower())
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
        for relationship in self.schema.children.get(sobject.name.lower(), ()):
            if relationship.name.lower() != name.lower():
                continue
            if self.sobject(relationship.child.name) is not None:
                is_shown = self._shown(relationship.child, relationship.field)
                return relationship if is_shown else None
        return None

    def _shown(self, sobject: SObject, field: Field) -> bool:
        return f"{sobject.name}.{field.name}".lower() not in self.hidden
