"""From folders in SFDX source format to the schema of an org.

The standard schema stays as it is: what the source adds to Case, Contact and the others goes into
copies. A field of the source replaces a field of the same name that the local org has built in.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from simulator.org.schema.catalog import STANDARD, Schema
from simulator.org.schema.model import Field, Queue, RecordType, SObject
from simulator.org.source import document
from simulator.org.source.data import TreeRecord, read_data
from simulator.org.source.document import SourceError
from simulator.org.source.fields import (
    NotEmulatedError,
    Surroundings,
    read_field,
    read_value_set,
)
from simulator.org.source.folder import Files, find_files
from simulator.org.source.objects import (
    key_prefix,
    read_object,
    read_queue,
    read_record_type,
    record_type_field,
)
from simulator.org.source.values import (
    STANDARD_FIELDS,
    ValueSet,
    read_standard_set,
    read_values,
)

# Any record may have files. Only an object with activities may have tasks.
FILE_FIELDS = ("ContentDocumentLink.LinkedEntityId", "ContentVersion.FirstPublishLocationId")
ACTIVITY_FIELD = "Task.WhatId"
# Custom fields of activities are declared on Activity, and Task has them.
SHOWN_ON = {"Activity": ("Task",)}
CUSTOM_SUFFIX = "__c"
CUSTOM_SETTING = "left out, because custom settings are not emulated"


class SourceMistakesError(Exception):
    """All mistakes of the source, in the order of its files."""

    def __init__(self, mistakes: list[SourceError]) -> None:
        super().__init__("\n".join(map(str, mistakes)))


@dataclass(frozen=True, slots=True)
class Source:
    """What was learned. records: to create after the seed. notes: what works differently here, or
    is left out."""

    schema: Schema = STANDARD
    records: tuple[TreeRecord, ...] = ()
    notes: tuple[str, ...] = ()


def learn(folders: Iterable[Path]) -> Source:
    """The schema of the standard objects and of everything in the folders. Raises
    SourceMistakesError.
    """
    try:
        files = find_files(folders)
    except SourceError as problem:
        raise SourceMistakesError([problem]) from problem
    return _Learner(files).learn()


@dataclass(slots=True)
class _Learner:
    """custom: the roots of custom objects. absent: those that are left out or have a mistake."""

    files: Files
    mistakes: list[SourceError] = field(default_factory=list)
    notes: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    sets: dict[str, ValueSet] = field(default_factory=dict)
    objects: dict[str, SObject] = field(default_factory=lambda: dict(STANDARD.objects))
    custom: dict[str, document.Element] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def learn(self) -> Source:
        self.read_roots()
        self.read_sets()
        fields = self.read_fields()
        self.add_standard_fields(fields)
        self.add_objects(fields)
        record_types = self.read_record_types()
        queues = self.read_queues()
        self.check_relationships()
        records: list[TreeRecord] = []
        for folder in self.files.data:
            with self.collecting(folder):
                records += read_data(folder)
        if self.mistakes:
            raise SourceMistakesError(self.mistakes)
        schema = Schema(self.objects.values(), record_types, queues)
        return Source(schema, tuple(records), tuple(map(_note, self.notes.items())))

    @contextmanager
    def collecting(self, path: Path) -> Iterator[None]:
        """Collects a mistake or an omission inside the block, and goes on."""
        try:
            yield
        except SourceError as mistake:
            self.mistakes.append(mistake)
        except NotEmulatedError as omission:
            self.note(path, str(omission))

    def note(self, path: Path, text: str) -> None:
        self.notes[text].append(path)

    def read_roots(self) -> None:
        """The custom objects by name, in the order of their key prefixes."""
        for name in sorted(self.files.objects):
            path = self.files.objects[name]
            with self.collecting(path):
                if not name.endswith(CUSTOM_SUFFIX):
                    continue
                root = document.read(path, "CustomObject")
                if root.child("customSettingsType") is not None:
                    raise NotEmulatedError(CUSTOM_SETTING)
                self.custom[name] = root
            if name.endswith(CUSTOM_SUFFIX) and name not in self.custom:
                self.absent.add(name)

    def read_sets(self) -> None:
        for name, listed in STANDARD_FIELDS.items():
            known = STANDARD.field(listed[0])
            assert known is not None, name
            default = known.default if isinstance(known.default, str) else None
            self.sets[name] = ValueSet(known.values, known.values, default, known.closed)
        for name, path in self.files.global_values.items():
            with self.collecting(path):
                self.sets[name] = read_values(document.read(path, "GlobalValueSet"), "customValue")
        for name, path in self.files.standard_values.items():
            with self.collecting(path):
                found = read_standard_set(document.read(path, "StandardValueSet"), name)
                self.sets[name] = found
                if name not in STANDARD_FIELDS:
                    raise NotEmulatedError(
                        "left out, because the local org has no field with its values"
                    )
                for full_name in STANDARD_FIELDS[name]:
                    self.change(full_name, found)

    def change(self, full_name: str, values: ValueSet) -> None:
        """Give a standard field these values."""
        sobject, _, name = full_name.partition(".")
        known = self.objects[sobject.lower()].by_name[name.lower()]
        changed = replace(
            known,
            values=values.values,
            labels=values.labels,
            default=values.default,
            closed=values.closed,
        )
        self.objects[sobject.lower()] = _with(self.objects[sobject.lower()], [changed])

    def target(self, name: str) -> str:
        """The spelling of an object that a field refers to."""
        for known in (*self.custom, *(sobject.name for sobject in STANDARD.objects.values())):
            if known.lower() == name.lower():
                return known
        self.refuse_unknown(name)
        raise KeyError(name)

    def refuse_unknown(self, name: str) -> None:
        """Raises NotEmulatedError unless an object of that name has to be in the source."""
        if name in self.absent:
            raise NotEmulatedError(CUSTOM_SETTING)
        if not name.endswith(CUSTOM_SUFFIX):
            raise NotEmulatedError(f"left out, because the local org has no object {name}")
        if name.count("__") > 1:
            raise NotEmulatedError(f"left out, because {name} belongs to a package")

    def read_fields(self) -> dict[str, list[Field]]:
        """The custom fields of every object, by its lower-case name."""
        found: dict[str, list[Field]] = defaultdict(list)
        for (object_name, name), path in self.files.fields.items():
            with self.collecting(path):
                root = document.read(path, "CustomField")
                owners = SHOWN_ON.get(object_name, (object_name,))
                for owner in owners:
                    self.check_owner(owner, path)
                if not name.endswith(CUSTOM_SUFFIX):
                    self.read_standard_field(root, owners, name)
                    continue
                around = Surroundings(self.sets, self.target, partial(self.note, path))
                read = read_field(root, name, around)
                for owner in owners:
                    found[owner.lower()] += read
        return found

    def check_owner(self, name: str, path: Path) -> None:
        """Raises unless the object is one that can have the field of this file."""
        if name in self.custom or name.lower() in STANDARD.objects:
            return
        self.refuse_unknown(name)
        raise SourceError(path, f"{name} has no {name}.object-meta.xml in the source")

    def read_standard_field(self, root: document.Element, owners: Iterable[str], name: str) -> None:
        """What the source says about a field of Salesforce's own: here, its picklist values."""
        if root.child("valueSet") is None:
            return
        values, _ = read_value_set(root, self.sets)
        for owner in owners:
            sobject = self.objects.get(owner.lower())
            if sobject is not None and name.lower() in sobject.by_name:
                self.change(f"{owner}.{name}", values)

    def add_standard_fields(self, fields: dict[str, list[Field]]) -> None:
        for name, sobject in list(self.objects.items()):
            if fields.get(name):
                self.objects[name] = _with(sobject, fields[name])

    def add_objects(self, fields: dict[str, list[Field]]) -> None:
        for position, (name, root) in enumerate(self.custom.items()):
            with self.collecting(root.path):
                own = fields.get(name.lower(), [])
                self.objects[name.lower()] = read_object(root, name, key_prefix(position), own)
                for full_name in FILE_FIELDS:
                    self.let_point_at(full_name, name)
                if root.flag("enableActivities"):
                    self.let_point_at(ACTIVITY_FIELD, name)

    def let_point_at(self, full_name: str, target: str) -> None:
        sobject, _, name = full_name.lower().partition(".")
        known = self.objects[sobject].by_name[name]
        changed = replace(known, targets=(*known.targets, target))
        self.objects[sobject] = _with(self.objects[sobject], [changed])

    def read_record_types(self) -> dict[str, tuple[RecordType, ...]]:
        found: dict[str, tuple[RecordType, ...]] = defaultdict(tuple)
        for (object_name, name), path in self.files.record_types.items():
            with self.collecting(path):
                root = document.read(path, "RecordType")
                self.check_owner(object_name, path)
                sobject = self.objects.get(object_name.lower())
                if sobject is None:
                    continue
                found[object_name.lower()] += (read_record_type(root, sobject, name),)
        for name in found:
            self.objects[name] = _with(self.objects[name], [record_type_field()])
        return found

    def read_queues(self) -> tuple[Queue, ...]:
        queues = []
        for developer_name, path in self.files.queues.items():
            with self.collecting(path):
                queue, given = read_queue(document.read(path, "Queue"), developer_name)
                owned = []
                for name in given:
                    with self.collecting(path):
                        owned.append(self.owned(name, path))
                queues.append(replace(queue, owns=tuple(owned)))
        return tuple(queues)

    def owned(self, name: str, path: Path) -> str:
        """The spelling of an object whose records a queue may own."""
        try:
            spelled = self.target(name)
        except KeyError:
            raise SourceError(path, f"<sobjectType> {name} is not in the source") from None
        sobject = self.objects.get(spelled.lower())
        owner = sobject.by_name.get("ownerid") if sobject else None
        if sobject is not None and (owner is None or "Group" not in owner.targets):
            raise SourceError(path, f"a queue can't own records of {spelled}")
        return spelled

    def check_relationships(self) -> None:
        """Two lookups need different names for their relationships down from the same object."""
        seen: dict[tuple[str, str], str] = {}
        for sobject in self.objects.values():
            for item in sobject.fields:
                for target in item.targets if item.children else ():
                    key = (target, item.children.lower())
                    path = self.path_of(sobject.name, item.name)
                    if key in seen and path is not None:
                        name = item.children.removesuffix("__r")
                        self.mistakes.append(
                            SourceError(path, f"<relationshipName> {name} is taken by {seen[key]}")
                        )
                    seen.setdefault(key, f"{sobject.name}.{item.name}")

    def path_of(self, sobject: str, name: str) -> Path | None:
        """The file of a field; None for one that is built in."""
        folders = (sobject, *(folder for folder, owners in SHOWN_ON.items() if sobject in owners))
        paths = (self.files.fields.get((folder, name)) for folder in folders)
        return next(filter(None, paths), None)


def _note(given: tuple[str, list[Path]]) -> str:
    """A note with the first of the files that it is about."""
    text, paths = given
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{text}: {document.shown(paths[0])}{more}"


def _with(sobject: SObject, fields: Iterable[Field]) -> SObject:
    """A copy of the object, with fields added or replaced."""
    given = {item.name.lower(): item for item in fields}
    present = [given.pop(item.name.lower(), item) for item in sobject.fields]
    return replace(sobject, fields=(*present, *given.values()))
