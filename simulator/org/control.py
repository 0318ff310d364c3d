"""`/_org`: the controls that are not Salesforce. Never counted, never faulted, no token needed.

PUT/GET /_org/faults · GET /_org/stats · DELETE /_org[?case_number_format=CS-{00000}] ·
GET/POST /_org/records/<object> · GET/PATCH/DELETE /_org/records/<object>/<id>. Writes here are a
person's work in the UI: LastModifiedById is the support agent, duplicate and assignment rules and
row locks do not apply, validation rules do.
"""

import base64
from typing import Any

from simulator.org.errors import OrgError
from simulator.org.faults import FaultError, read_faults
from simulator.org.message import Answer, Call
from simulator.org.records.autonumber import check_format
from simulator.org.records.writer import Writer
from simulator.org.schema.catalog import OBJECTS, View
from simulator.org.schema.model import Field, SObject
from simulator.org.seed import SUPPORT_AGENT
from simulator.org.soql.scope import Scope
from simulator.org.world import Context, Org


def answer(org: Org, call: Call) -> Answer:
    """Answer a request under /_org. Refusals are `{"error": text}` with what is at fault."""
    try:
        return _answer(org, call)
    except FaultError as problem:
        return Answer(400, {"error": str(problem), "keys": problem.keys})
    except OrgError as refusal:
        return Answer(refusal.status, {"error": refusal.message, "errorCode": refusal.code})


def _answer(org: Org, call: Call) -> Answer:
    method, path = call.method, call.segments[1:]
    if (method, path) == ("DELETE", []):
        org.reset(_case_number_format(call))
        return Answer(200, {"reset": True})
    if path == ["faults"] and method in ("PUT", "GET"):
        if method == "PUT":
            org.apply(read_faults(call.json()))
        shown = {key: value for key, value in org.faults.given.items() if key != "expire_tokens"}
        return Answer(200, shown)
    if (method, path) == ("GET", ["stats"]):
        return Answer(200, org.stats.snapshot())
    if path[:1] == ["records"] and 2 <= len(path) <= 3:
        sobject = OBJECTS.get(path[1].lower())
        if sobject is not None:
            return _records(org, call, sobject, path[2:])
    return Answer(404, {"error": f"no such control: {method} {call.path}"})


def _case_number_format(call: Call) -> str:
    given = call.params.get("case_number_format", "")
    try:
        return check_format(given) if given else ""
    except ValueError as problem:
        raise FaultError({"case_number_format": str(problem)}) from None


def _records(org: Org, call: Call, sobject: SObject, rest: list[str]) -> Answer:
    writer = Writer(Context(org, SUPPORT_AGENT, internal=True), "/services/data/v68.0")
    match call.method, rest:
        case "GET", []:
            return Answer(200, _shown(org, sobject))
        case "POST", []:
            written = writer.create(sobject, call.json())
            return Answer(201, _shown(org, sobject, written.record_id)[0])
        case "GET", [record_id]:
            existing = writer.existing(sobject, record_id)
            return Answer(200, _shown(org, sobject, existing["Id"])[0])
        case "PATCH", [record_id]:
            written = writer.update(sobject, record_id, call.json())
            return Answer(200, _shown(org, sobject, written.record_id)[0])
        case "DELETE", [record_id]:
            writer.delete(sobject, record_id)
            return Answer(204)
    return Answer(405, {"error": f"{call.method} is not a control here"})


def _shown(org: Org, sobject: SObject, record_id: str | None = None) -> list[dict[str, Any]]:
    """All records that are not deleted, or one, with all their fields; file bodies in base64."""
    scope = Scope.over(View(), "", sobject)
    fields = [item for item in sobject.fields if item.stored or item.mirror]
    columns = ", ".join(scope.field_sql(scope.root, item) for item in fields)
    one = "" if record_id is None else f'AND {scope.root.alias}."Id" = ?'
    rows = org.store.execute(
        f'SELECT {columns} FROM {scope.from_sql} WHERE {scope.root.alias}."IsDeleted" = 0 {one} '
        f"ORDER BY {scope.root.alias}.rowid",
        () if record_id is None else (record_id,),
    )
    return [
        {item.name: _value(item, value) for item, value in zip(fields, row, strict=True)}
        for row in rows
    ]


def _value(item: Field, value: Any) -> Any:
    if item.kind == "boolean" and value is not None:
        return bool(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
