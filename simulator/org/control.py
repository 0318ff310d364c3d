"""`/_org`: controls beside Salesforce's API. They need no token, and no fault or count applies.

PUT/GET /_org/faults · GET /_org/stats · DELETE /_org[?case_number_format=CS-{00000}] ·
GET/POST /_org/records/<object> · GET/PATCH /_org/records/<object>/<id> ·
DELETE /_org/records/<object>/<id>[?into=<id>]. Writes here stand for a person's work in the UI:
LastModifiedById is the support agent; validation rules apply, duplicate rules, assignment rules and
row locks do not.
"""

import base64
from typing import Any

from simulator.org.errors import OrgError
from simulator.org.faults import FaultError, read_faults
from simulator.org.message import Answer, Call
from simulator.org.records.autonumber import check_format
from simulator.org.records.writer import Writer
from simulator.org.schema.catalog import View
from simulator.org.schema.model import Field, SObject
from simulator.org.seed import SUPPORT_AGENT
from simulator.org.soql.scope import Scope
from simulator.org.world import Context, Org


def answer(org: Org, call: Call) -> Answer:
    """Answer a request under /_org. A refusal is `{"error": text}` with the keys or the code."""
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
            org.apply(read_faults(call.json(), org.schema))
        shown = {key: value for key, value in org.faults.given.items() if key != "expire_tokens"}
        return Answer(200, shown)
    if (method, path) == ("GET", ["stats"]):
        return Answer(200, org.stats.snapshot())
    if path[:1] == ["records"] and 2 <= len(path) <= 3:
        sobject = org.schema.objects.get(path[1].lower())
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
            row = writer.existing(sobject, record_id)
            return Answer(200, _shown(org, sobject, row["Id"])[0])
        case "PATCH", [record_id]:
            written = writer.update(sobject, record_id, call.json())
            return Answer(200, _shown(org, sobject, written.record_id)[0])
        case "DELETE", [record_id]:
            if into := call.params.get("into", ""):
                writer.merge(sobject, record_id, into)
            else:
                writer.delete(sobject, record_id)
            return Answer(204)
    return Answer(405, {"error": f"/_org/records does not support {call.method} here"})


def _shown(org: Org, sobject: SObject, record_id: str | None = None) -> list[dict[str, Any]]:
    """All records that are not deleted, or one record, with all fields; file bodies in base64."""
    scope = Scope.over(View(org.schema), "", sobject)
    fields = [field for field in sobject.fields if field.stored or field.mirror]
    columns = ", ".join(scope.field_sql(scope.root, field) for field in fields)
    by_id = "" if record_id is None else f'AND {scope.root.alias}."Id" = ?'
    rows = org.store.execute(
        f'SELECT {columns} FROM {scope.from_sql} WHERE {scope.root.alias}."IsDeleted" = 0 {by_id} '
        f"ORDER BY {scope.root.alias}.rowid",
        () if record_id is None else (record_id,),
    )
    return [
        {field.name: _value(field, value) for field, value in zip(fields, row, strict=True)}
        for row in rows
    ]


def _value(field: Field, value: Any) -> Any:
    if field.kind == "boolean" and value is not None:
        return bool(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
