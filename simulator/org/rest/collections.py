"""sObject Collections: up to 200 records in one request, each with its own result.

The answer is HTTP 200 even when records fail. With allOrNone one failure undoes all.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from simulator.org import ids
from simulator.org.errors import OrgError
from simulator.org.message import Answer
from simulator.org.records.writer import SeveralMatchesError, Writer, Written
from simulator.org.rest import retrieve
from simulator.org.rest.request import Request
from simulator.org.schema.model import SObject
from simulator.org.shapes import a_flag, a_list, an_object, strings

MAX_RECORDS = 200
MAX_CHUNKS = 10
ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using AllOrNone "
    "header"
)

Work = Callable[[], Written]


class _UndoError(Exception):
    """Aborts the transaction of an allOrNone request."""


def create(request: Request) -> Answer:
    """POST /composite/sobjects {"allOrNone", "records"}; each record names its type."""
    records, all_or_none = _read_body(request)
    typed = [(_typed(request, record), record) for record in records]
    _check_chunks([sobject for sobject, _ in typed])
    writer = Writer(request.context, request.base)
    works = [partial(writer.create, sobject, record) for sobject, record in typed]
    return _answer(request, works, all_or_none)


def update(request: Request) -> Answer:
    """PATCH /composite/sobjects: each record carries its id."""
    records, all_or_none = _read_body(request)
    typed = [(_typed(request, record), record) for record in records]
    _check_chunks([sobject for sobject, _ in typed])
    writer = Writer(request.context, request.base)

    def work(sobject: SObject, record: dict[str, Any]) -> Written:
        rest = {key: value for key, value in record.items() if key.lower() != "id"}
        given = next((value for key, value in record.items() if key.lower() == "id"), None)
        if not given:
            raise unwritten(request, "MISSING_ARGUMENT", "Id not specified in an update call")
        return writer.update(sobject, str(given), rest)

    works = [partial(work, sobject, record) for sobject, record in typed]
    return _answer(request, works, all_or_none)


def upsert(request: Request, name: str, key: str) -> Answer:
    """PATCH /composite/sobjects/X/ExternalId__c: each record carries its key."""
    sobject = request.sobject(name)
    field = request.key_field(sobject, key)
    records, all_or_none = _read_body(request)
    writer = Writer(request.context, request.base)
    seen: set[str] = set()

    def work(record: dict[str, Any]) -> Written:
        rest = {name: value for name, value in record.items() if name.lower() != field.name.lower()}
        value = next(
            (value for name, value in record.items() if name.lower() == field.name.lower()), None
        )
        if value in (None, ""):
            raise unwritten(request, "MISSING_ARGUMENT", f"{field.name} not specified")
        folded = str(value).casefold()
        if folded in seen:
            # The same key twice in one request; the code is not confirmed on a real org [K].
            raise unwritten(request, "DUPLICATE_VALUE", f"Duplicate external id specified: {value}")
        seen.add(folded)
        return writer.upsert(sobject, field, value, rest)

    works = [partial(work, record) for record in records]
    return _answer(request, works, all_or_none, tells_created=True)


def delete(request: Request) -> Answer:
    """DELETE /composite/sobjects?ids=a,b&allOrNone=false."""
    given = [part for part in request.call.params.get("ids", "").split(",") if part]
    _check_count(given)
    all_or_none = request.call.params.get("allOrNone", "false").lower() == "true"
    writer = Writer(request.context, request.base)

    def work(record_id: str) -> Written:
        normal = ids.normalise(record_id)
        sobject = request.org.schema.by_prefix.get(normal[:3]) if normal else None
        if sobject is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}", [])
        return writer.delete(sobject, record_id)

    works = [partial(work, record_id) for record_id in given]
    return _answer(request, works, all_or_none)


def retrieve_by_address(request: Request, name: str) -> Answer:
    """GET /composite/sobjects/X?ids=a,b&fields=c,d."""
    params = request.call.params
    return _retrieve(
        request, name, params.get("ids", "").split(","), params.get("fields", "").split(",")
    )


def retrieve_by_body(request: Request, name: str) -> Answer:
    """POST /composite/sobjects/X {"ids": […], "fields": […]}."""
    given = an_object(request.call.json(), "the body", ("ids", "fields"))
    record_ids = strings(given.get("ids"), "ids")
    return _retrieve(request, name, record_ids, strings(given.get("fields", []), "fields"))


def _retrieve(request: Request, name: str, record_ids: list[str], names: list[str]) -> Answer:
    sobject = request.sobject(name)
    fields = retrieve.selected(request, sobject, [name for name in names if name])
    if len(record_ids) > 2000:
        raise OrgError(
            400,
            "EXCEEDED_ID_LIMIT",
            "record limit reached. cannot submit more than 2000 records into this call",
        )
    found: list[Any] = []
    for record_id in record_ids:
        normal = ids.normalise(record_id)
        if normal is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}")
        stored = request.org.store.row(sobject, normal)
        gone = stored is None or stored["IsDeleted"]
        found.append(None if gone else retrieve.read(request, sobject, normal, fields))
    return Answer(200, found)


def _read_body(request: Request) -> tuple[list[dict[str, Any]], bool]:
    given = an_object(request.call.json(), "the body", ("records", "allOrNone"))
    records = a_list(given.get("records"), "records")
    _check_count(records)
    typed = [an_object(record, "a record") for record in records]
    return typed, a_flag(given.get("allOrNone"), "allOrNone")


def _check_count(records: list[Any]) -> None:
    if len(records) > MAX_RECORDS:
        raise OrgError(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call",
        )


def _typed(request: Request, record: dict[str, Any]) -> SObject:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise OrgError(400, "INVALID_FIELD", "attributes with a type are required in each record")
    found = request.org.view.sobject(name)
    if found is None:
        raise OrgError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


def _check_chunks(sobjects: list[SObject]) -> None:
    """A chunk is a run of records of one type; more than ten are refused (code and text [K])."""
    chunks = sum(1 for at, item in enumerate(sobjects) if at == 0 or item is not sobjects[at - 1])
    if chunks > MAX_CHUNKS:
        raise OrgError(
            400,
            "LIMIT_EXCEEDED",
            f"Cannot have more than {MAX_CHUNKS} chunks in a single operation. Please rearrange "
            "the data to reduce chunking.",
        )


def _answer(
    request: Request, works: Sequence[Work], all_or_none: bool, tells_created: bool = False
) -> Answer:
    all_or_none = all_or_none or request.context.all_or_none
    stats = request.org.stats
    before = stats.effects()
    results: list[dict[str, Any]] = []
    try:
        with request.org.store.transaction():
            for work in works:
                results.append(_result(work, tells_created))
            if all_or_none and not all(result["success"] for result in results):
                raise _UndoError
    except _UndoError:
        stats.take_back(before)
        rolled_back = OrgError(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK, [])
        results = [
            {"success": False, "errors": [rolled_back.item()]} if result["success"] else result
            for result in results
        ]
    return Answer(200, results)


def unwritten(request: Request, code: str, message: str) -> OrgError:
    """The refusal of a record that the writer never sees, so it is counted here."""
    request.org.stats.rejected += 1
    return OrgError(400, code, message, [])


def _result(work: Work, tells_created: bool) -> dict[str, Any]:
    try:
        written = work()
    except SeveralMatchesError as found:
        problem = OrgError(
            300,
            "DUPLICATE_EXTERNAL_ID",
            f"More than one record found for external id field: {', '.join(found.record_ids)}",
            [],
        )
        return {"success": False, "errors": [problem.item()]}
    except OrgError as problem:
        return {"success": False, "errors": [problem.item()]}
    result: dict[str, Any] = {"id": written.record_id, "success": True, "errors": []}
    if tells_created:
        result["created"] = bool(written.created)
    return result
