"""Records from `data/*.json`, in the format of `sf data export tree` and `sf data import tree`.

{"records": [{"attributes": {"type", "referenceId"}, field: value, …}]}. A value `@referenceId`
stands for the id of an earlier record. Children may be nested under the name of their relationship,
as {"records": […]}. A plan (`*plan.json`) says in which order files are read; without one they are
read by name.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.org.errors import OrgError
from simulator.org.records.writer import Writer
from simulator.org.schema.model import SObject
from simulator.org.seed import SUPPORT_AGENT
from simulator.org.source.document import SourceError
from simulator.org.world import Context, Org


@dataclass(frozen=True, slots=True)
class TreeRecord:
    """A record as its file has it."""

    path: Path
    given: dict[str, Any]

    @property
    def reference(self) -> str:
        return str(_attributes(self.given).get("referenceId") or "")

    def mistake(self, text: str) -> SourceError:
        named = f"record {self.reference}: " if self.reference else ""
        return SourceError(self.path, named + text)


def read_data(folder: Path) -> list[TreeRecord]:
    """The records of a folder, in order. Raises SourceError for a file of another format."""
    records = []
    for path in _ordered(folder):
        listed = _json(path)
        listed = listed.get("records") if isinstance(listed, dict) else None
        if not isinstance(listed, list):
            raise SourceError(path, 'must be {"records": […]}, as `sf data export tree` writes it')
        for given in listed:
            if not isinstance(given, dict) or not _attributes(given).get("type"):
                raise SourceError(path, "every record needs attributes with its type")
            records.append(TreeRecord(path, given))
    return records


def _ordered(folder: Path) -> list[Path]:
    every = sorted(folder.glob("*.json"))
    plans = [path for path in every if path.name.endswith("plan.json")]
    if not plans:
        return every
    listed = _json(plans[0])
    if len(plans) > 1 or not isinstance(listed, list):
        raise SourceError(plans[-1], "there must be one plan, a list of objects with their files")
    names = [name for entry in listed if isinstance(entry, dict) for name in entry.get("files", ())]
    for name in names:
        if not (folder / str(name)).is_file():
            raise SourceError(plans[0], f"names {name}, which is not in this folder")
    return [folder / str(name) for name in names]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise SourceError(path, f"is not JSON: {problem}") from problem


def _attributes(given: dict[str, Any]) -> dict[str, Any]:
    attributes = given.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def plant(org: Org, records: Iterable[TreeRecord]) -> None:
    """Create the records, all or none. Raises SourceError with the org's words."""
    writer = Writer(Context(org, SUPPORT_AGENT, internal=True), "/services/data/v68.0")
    ids: dict[str, str] = {}
    with org.store.transaction():
        for record in records:
            _create(org, writer, record, ids, {})


def _create(
    org: Org, writer: Writer, record: TreeRecord, ids: dict[str, str], link: dict[str, str]
) -> None:
    """Create a record and its nested children. link: the field that leads to its parent."""
    name = str(_attributes(record.given).get("type"))
    sobject = org.schema.objects.get(name.lower())
    if sobject is None:
        raise record.mistake(f"the org has no object {name}")
    if record.reference and record.reference in ids:
        raise record.mistake("another record has the same referenceId")
    nested = {key: value for key, value in record.given.items() if _is_nested(value)}
    plain = {
        key: _resolved(sobject, key, value, record, ids)
        for key, value in record.given.items()
        if key not in nested
    }
    try:
        written = writer.create(sobject, plain | link)
    except OrgError as problem:
        raise record.mistake(f"{problem.code}: {problem.message}") from problem
    if record.reference:
        ids[record.reference] = written.record_id
    for key, value in nested.items():
        relationship = org.view.child(sobject, key)
        if relationship is None:
            raise record.mistake(f"{sobject.name} has no relationship {key} to children")
        for given in value["records"]:
            to_parent = {relationship.field.name: written.record_id}
            _create(org, writer, TreeRecord(record.path, given), ids, to_parent)


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)


def _resolved(
    sobject: SObject, name: str, value: object, record: TreeRecord, ids: dict[str, str]
) -> object:
    field = sobject.by_name.get(name.lower())
    is_reference = field is not None and field.kind == "reference"
    if not is_reference or not isinstance(value, str) or not value.startswith("@"):
        return value
    if value[1:] not in ids:
        raise record.mistake(f"{name} names {value}, which no earlier record is called")
    return ids[value[1:]]
