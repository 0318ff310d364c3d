"""Reading one record: by id, by external id, its files, with the conditional headers."""

from typing import Any

from simulator.org import ids
from simulator.org.errors import OrgError, entity_deleted, not_found
from simulator.org.message import Answer
from simulator.org.records.preconditions import check_read
from simulator.org.records.writer import Writer
from simulator.org.rest.request import Request
from simulator.org.schema.model import Field, SObject
from simulator.org.soql.compiler import compile_query
from simulator.org.soql.runner import raw_rows, shape
from simulator.org.soql.scope import CUSTOM_FIELD_HINT
from simulator.org.soql.tree import Comparison, Item, Literal, Path, Query


def row(request: Request, name: str, record_id: str) -> Answer:
    """GET /sobjects/X/id[?fields=a,b]."""
    sobject = request.sobject(name)
    normal = ids.normalise(record_id)
    if normal is None or not normal.startswith(sobject.prefix):
        # A row address that can't be a record of this object: 404, as for an unknown id [K].
        raise not_found()
    return _answer(request, sobject, normal)


def by_key(request: Request, name: str, field: str, value: str) -> Answer:
    """GET /sobjects/X/ExternalId__c/value, /sobjects/X/id/VersionData or …/id/Account."""
    sobject = request.sobject(name)
    if request.org.view.field(sobject, field) is None and ids.normalise(field):
        return _inside(request, sobject, str(ids.normalise(field)), value)
    key = request.key_field(sobject, field)
    found = request.org.store.matching(sobject, key, value)
    if not found:
        raise not_found()
    if len(found) > 1:
        return several(request, sobject, found)
    return _answer(request, sobject, found[0])


def several(request: Request, sobject: SObject, record_ids: list[str]) -> Answer:
    """300: the addresses of the records an external id matches."""
    return Answer(
        300, [f"{request.base}/sobjects/{sobject.name}/{record_id}" for record_id in record_ids]
    )


def _inside(request: Request, sobject: SObject, record_id: str, name: str) -> Answer:
    stored = Writer(request.context, request.base).existing(sobject, record_id)
    field = request.org.view.field(sobject, name)
    if field is not None and field.kind == "base64":
        return Answer(200, bytes(stored[field.name]), content_type="application/octet-stream")
    reference = request.org.view.relationship(sobject, name)
    if reference is None or not stored[reference.name]:
        raise not_found()
    target = next(
        found
        for found in map(request.org.view.sobject, reference.targets)
        if found is not None and stored[reference.name].startswith(found.prefix)
    )
    return _answer(request, target, stored[reference.name])


def _answer(request: Request, sobject: SObject, record_id: str) -> Answer:
    fields = request.call.params.get("fields")
    names = [part.strip() for part in fields.split(",")] if fields else None
    record = read(request, sobject, record_id, selected(request, sobject, names))
    if record is None:
        raise not_found()
    stored = request.org.store.row(sobject, record_id)
    if stored is None or stored["IsDeleted"]:
        raise entity_deleted(404)
    headers = check_read(request.call.headers, sobject, stored)
    return Answer(200, record, headers)


def selected(request: Request, sobject: SObject, names: list[str] | None) -> list[Field]:
    """The fields asked for, or all. Raises INVALID_FIELD for one that is unknown."""
    if names is None:
        return request.org.view.fields(sobject)
    found = []
    for name in names:
        field = request.org.view.field(sobject, name)
        if field is None:
            raise OrgError(
                400,
                "INVALID_FIELD",
                f"No such column '{name}' on entity '{sobject.name}'. {CUSTOM_FIELD_HINT}",
            )
        if field not in found:
            found.append(field)
    return found


def read(
    request: Request, sobject: SObject, record_id: str, fields: list[Field]
) -> dict[str, Any] | None:
    """One record as JSON, deleted or not; None when there is none."""
    query = Query(
        "",
        items=[Item(Path((field.name,), 0)) for field in fields],
        source=Path((sobject.name,), 0),
        where=Comparison(Path(("Id",), 0), "=", Literal("string", record_id, 0), 0),
    )
    plan = compile_query(query, request.org.view, request.org.clock.now(), all_rows=True)
    store = request.org.store
    found = shape(store, plan, raw_rows(store, plan), request.base)
    return found[0] if found else None
