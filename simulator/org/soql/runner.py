"""Runs a plan and shapes its rows: attributes first, then fields as selected, parents nested."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.org.errors import too_complicated
from simulator.org.schema.model import Field, SObject
from simulator.org.soql.plan import SELECTABLE_PARTS, Branch, Choice, Leaf, Plan
from simulator.org.store import Store

RawRow = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Paging:
    """limit: the longest list of children. store_rows: stores the rows of a longer list and returns
    the name of their cursor."""

    limit: int
    store_rows: Callable[[Plan, Sequence[RawRow]], str]


def count(store: Store, plan: Plan) -> int:
    return int(raw_rows(store, plan)[0][0])


def raw_rows(store: Store, plan: Plan) -> list[RawRow]:
    """All rows of a plan, unshaped. Raises QUERY_TOO_COMPLICATED for what SQLite can't hold."""
    try:
        return store.execute(plan.sql, plan.params).fetchall()
    except sqlite3.OperationalError as problem:
        raise too_complicated() from problem


def shape(
    store: Store, plan: Plan, rows: Sequence[RawRow], base: str, paging: Paging | None = None
) -> list[dict[str, Any]]:
    """JSON records of the raw rows. base is `/services/data/vNN.0`, for the url attributes."""
    if plan.kind == "aggregate":
        return [_aggregate(plan, row) for row in rows]
    assert plan.root is not None
    return [_record(store, plan.root, row, base, paging) for row in rows]


def _aggregate(plan: Plan, row: RawRow) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
    for (name, kind), value in zip(plan.aggregate, row, strict=True):
        record[name] = bool(value) if kind == "boolean" and value is not None else value
    return record


def _record(
    store: Store, branch: Branch, row: RawRow, base: str, paging: Paging | None
) -> dict[str, Any]:
    record_id = str(row[branch.id_index])
    target = branch.sobject.name if branch.type_index is None else str(row[branch.type_index])
    # A parent that may be of several types carries the type "Name" and the url of its own [F].
    record: dict[str, Any] = {
        "attributes": {"type": branch.sobject.name, "url": f"{base}/sobjects/{target}/{record_id}"}
    }
    for name, member in branch.members.items():
        if isinstance(member, Plan):
            record[name] = _children(store, member, record_id, base, paging)
        else:
            record[name] = _member(store, member, row, base, paging, branch.sobject, record_id)
    return record


def _member(
    store: Store,
    member: Leaf | Branch | Choice,
    row: RawRow,
    base: str,
    paging: Paging | None,
    sobject: SObject,
    record_id: str,
) -> Any:
    if isinstance(member, Leaf):
        return leaf_value(member, row, f"{base}/sobjects/{sobject.name}/{record_id}")
    if row[member.id_index] is None:
        return None
    if isinstance(member, Branch):
        return _record(store, member, row, base, paging)
    chosen = member.branches.get(str(row[member.type_index])) or member.otherwise
    return None if chosen is None else _record(store, chosen, row, base, paging)


def _children(
    store: Store, plan: Plan, parent_id: str, base: str, paging: Paging | None
) -> dict[str, Any] | None:
    rows = store.execute(plan.sql, [parent_id, *plan.params]).fetchall()
    if not rows:
        return None
    limit = paging.limit if paging else len(rows)
    body: dict[str, Any] = {"totalSize": len(rows), "done": len(rows) <= limit}
    if paging and not body["done"]:
        body["nextRecordsUrl"] = f"{base}/query/{paging.store_rows(plan, rows)}-{limit}"
    body["records"] = shape(store, plan, rows[:limit], base, paging)
    return body


def leaf_value(leaf: Leaf, row: RawRow, url: str) -> Any:
    if leaf.field.kind == "address":
        return address_value(row[leaf.index : leaf.index + len(SELECTABLE_PARTS)])
    return json_value(leaf.field, row[leaf.index], url)


def json_value(field: Field, value: Any, url: str) -> Any:
    """A stored value as JSON shows it; url is the record's, for the body of a base64 field."""
    if value is None:
        return None
    if field.kind == "boolean":
        return bool(value)
    if field.kind == "base64":
        return f"{url}/{field.name}"
    return value


def address_value(parts: Sequence[Any]) -> dict[str, Any] | None:
    """A compound address from its seven parts; None when all are empty."""
    if all(part is None for part in parts):
        return None
    street, city, state, postal_code, country, latitude, longitude = parts
    return {
        "city": city,
        "country": country,
        "geocodeAccuracy": None,
        "latitude": latitude,
        "longitude": longitude,
        "postalCode": postal_code,
        "state": state,
        "street": street,
    }
