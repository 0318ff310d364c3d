"""What a record type allows, and what a queue may own."""

from collections.abc import Iterable

from simulator.org.errors import OrgError
from simulator.org.records.values import not_in_picklist
from simulator.org.schema.model import RecordType, SObject
from simulator.org.store import Row, Store

QUEUE_PREFIX = "00G"


def record_type_of(store: Store, sobject: SObject, record_type_id: object) -> RecordType | None:
    """The record type of that id; None without an id. Raises INVALID_CROSS_REFERENCE_KEY unless it
    is an active one of this object (text from public error reports [F]).
    """
    if record_type_id is None:
        return None
    found = store.execute(
        'SELECT "DeveloperName" FROM "RecordType" WHERE "Id" = ? AND "SobjectType" = ?',
        (record_type_id, sobject.name),
    ).fetchone()
    for kind in store.schema.record_types.get(sobject.name.lower(), ()):
        if found is not None and kind.developer_name == found[0] and kind.active:
            return kind
    raise OrgError(
        400,
        "INVALID_CROSS_REFERENCE_KEY",
        f"Record Type ID: this ID value isn't valid for the user: {record_type_id}",
        ["RecordTypeId"],
    )


def defaults(kind: RecordType | None) -> Row:
    """The default values of a record type's picklists, by lower-case name."""
    chosen = kind.picklists.items() if kind else ()
    return {name: default for name, (_, default) in chosen if default}


def check_record_type(store: Store, sobject: SObject, record: Row, written: Iterable[str]) -> None:
    """Raises unless the record type is valid, and allows the restricted picklist values that were
    written. An unrestricted picklist takes any value [D].
    """
    kind = record_type_of(store, sobject, record.get("RecordTypeId"))
    if kind is None:
        return
    for name in written:
        field = sobject.by_name[name.lower()]
        value = record.get(field.name)
        if not field.restricted or value is None or name.lower() not in kind.picklists:
            continue
        allowed = {known.lower() for known in kind.picklists[name.lower()][0]}
        for part in str(value).split(";"):
            if part.lower() not in allowed:
                raise not_in_picklist(field, part)


def check_queue(store: Store, sobject: SObject, owner: object) -> None:
    """Raises when the owner is a queue that may not own records of the object. The text is from
    public error reports [F]; the status and the field are not confirmed [K].
    """
    if not isinstance(owner, str) or not owner.startswith(QUEUE_PREFIX):
        return
    found = store.execute(
        'SELECT 1 FROM "QueueSobject" WHERE "QueueId" = ? AND "SobjectType" = ?',
        (owner, sobject.name),
    ).fetchone()
    if found is None:
        raise OrgError(
            400, "INVALID_OPERATION", "Queue not associated with this SObject type", ["OwnerId"]
        )
