"""Writing one record: create, update, upsert, delete."""

from simulator.org.errors import not_found
from simulator.org.message import Answer
from simulator.org.records.writer import SeveralMatchesError, Writer, Written
from simulator.org.rest.request import Request
from simulator.org.rest.retrieve import several
from simulator.org.schema.model import SObject

# Before this version an upsert answered 204 to an update and left `created` out.
UPSERT_BODY_VERSION = 46


def writer(request: Request) -> Writer:
    return Writer(request.context, request.base)


def _created(request: Request, sobject: SObject, written: Written, shows_created: bool) -> Answer:
    body = {"id": written.record_id, "success": True, "errors": []}
    if shows_created:
        body["created"] = True
    location = f"{request.base}/sobjects/{sobject.name}/{written.record_id}"
    return Answer(201, body, {"Location": location})


def create(request: Request, name: str) -> Answer:
    """POST /sobjects/X: 201 with the id and nothing else of the record."""
    sobject = request.sobject(name)
    written = writer(request).create(sobject, request.call.json())
    return _created(request, sobject, written, shows_created=False)


def create_once(request: Request, name: str, key: str) -> Answer:
    """POST /sobjects/X/Id: an insert through the upsert resource (v37 and later)."""
    if key.lower() != "id":
        raise not_found()
    sobject = request.sobject(name)
    written = writer(request).create(sobject, request.call.json())
    return _created(request, sobject, written, shows_created=request.version >= UPSERT_BODY_VERSION)


def update(request: Request, name: str, record_id: str) -> Answer:
    """PATCH /sobjects/X/id: 204."""
    writer(request).update(request.sobject(name), record_id, request.call.json())
    return Answer(204)


def upsert(request: Request, name: str, key: str, value: str) -> Answer:
    """PATCH /sobjects/X/ExternalId__c/value: 201 created, 200 updated, 300 several match."""
    sobject = request.sobject(name)
    field = request.key_field(sobject, key)
    update_only = request.call.params.get("updateOnly", "").lower() == "true"
    try:
        written = writer(request).upsert(sobject, field, value, request.call.json(), update_only)
    except SeveralMatchesError as found:
        return several(request, sobject, found.record_ids)
    if written.created:
        return _created(
            request, sobject, written, shows_created=request.version >= UPSERT_BODY_VERSION
        )
    if request.version < UPSERT_BODY_VERSION:
        return Answer(204)
    return Answer(200, {"id": written.record_id, "success": True, "errors": [], "created": False})


def delete(request: Request, name: str, record_id: str) -> Answer:
    """DELETE /sobjects/X/id: 204; the record goes to the recycle bin."""
    writer(request).delete(request.sobject(name), record_id)
    return Answer(204)


def delete_by_key(request: Request, name: str, key: str, value: str) -> Answer:
    sobject = request.sobject(name)
    field = request.key_field(sobject, key)
    found = request.org.store.matching(sobject, field, value)
    if len(found) > 1:
        return several(request, sobject, found)
    if not found:
        raise not_found()
    writer(request).delete(sobject, found[0])
    return Answer(204)
