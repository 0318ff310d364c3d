"""What Salesforce does when an object is written: derived fields, related records, fixed rules."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulator.org.clock import read_datetime
from simulator.org.errors import OrgError, duplicate_value, required_missing
from simulator.org.records import autonumber
from simulator.org.schema import crm, files, service
from simulator.org.schema.model import Field, SObject
from simulator.org.store import FIRST_CASE_NUMBER, Row, Store

# Called with the whole record as it will be stored, before it is.
Deriver = Callable[[Store, Row, Row | None, str], None]


def _field_of(store: Store, sobject: str, column: str, record_id: object) -> Any:
    found = store.execute(
        f'SELECT "{column}" FROM "{sobject}" WHERE "Id" = ?', (record_id,)
    ).fetchone()
    return None if found is None else found[0]


def _is_closed(store: Store, statuses: str, record: Row) -> bool:
    """By the object that lists the org's statuses; one that it does not know is open."""
    found = store.execute(
        f'SELECT "IsClosed" FROM "{statuses}" WHERE "ApiName" = ?', (record.get("Status"),)
    ).fetchone()
    return found is not None and bool(found[0])


def stored_default(field: Field) -> object:
    """What a record has in a field that nobody gave a value."""
    return int(field.default) if isinstance(field.default, bool) else field.default


def derive_numbers(store: Store, sobject: SObject, record: Row, now: str) -> None:
    """Auto-number fields, and the name of a custom object: the record's id without one.

    The 15 characters of that id are not confirmed [K].
    """
    for field in sobject.fields:
        if field.display_format and record.get(field.name) is None:
            number = store.next_number(f"{sobject.name}.{field.name}", field.first_number)
            day = read_datetime(now) or datetime.now(UTC)
            record[field.name] = autonumber.written(field.display_format, number, day)
    if sobject.custom and record.get("Name") is None:
        record["Name"] = record["Id"][:15]


def derive_person(store: Store, record: Row, before: Row | None, now: str) -> None:
    """Contact and Lead: Name is first and last name."""
    record["Name"] = " ".join(filter(None, (record.get("FirstName"), record.get("LastName"))))


def derive_case(store: Store, record: Row, before: Row | None, now: str) -> None:
    """CaseNumber, IsClosed, ClosedDate, and AccountId: the contact's account unless it is given."""
    if before is None:
        number = store.next_number("CaseNumber", FIRST_CASE_NUMBER)
        day = read_datetime(now) or datetime.now(UTC)
        record["CaseNumber"] = autonumber.written(store.case_number_format, number, day)
        if record.get("AccountId") is None and record.get("ContactId"):
            record["AccountId"] = _field_of(store, "Contact", "AccountId", record["ContactId"])
    closed = _is_closed(store, "CaseStatus", record)
    if closed and not (before and before["IsClosed"]):
        record["ClosedDate"] = now
    elif not closed:
        record["ClosedDate"] = None
    record["IsClosed"] = int(closed)


def derive_task(store: Store, record: Row, before: Row | None, now: str) -> None:
    """IsClosed, CompletedDateTime, IsHighPriority, AccountId.

    AccountId is the What when that is an account, else the contact's account: a case's own account
    does not count (Object Reference, Task).
    """
    who, what = record.get("WhoId"), record.get("WhatId")
    if who and who.startswith("00Q") and what:
        # Code and text are not confirmed on a real org [K]; the rule is.
        raise OrgError(
            400,
            "FIELD_INTEGRITY_EXCEPTION",
            "Related To must be empty for a lead: WhatId",
            ["WhatId"],
        )
    account = what if what and what.startswith("001") else None
    if account is None and who and who.startswith("003"):
        account = _field_of(store, "Contact", "AccountId", who)
    record["AccountId"] = account
    closed = _is_closed(store, "TaskStatus", record)
    if closed and not (before and before["IsClosed"]):
        record["CompletedDateTime"] = now
    elif not closed:
        record["CompletedDateTime"] = None
    record["IsClosed"] = int(closed)
    record["IsHighPriority"] = int(record.get("Priority") == "High")


def note_history(store: Store, before: Row, record: Row, tracked: frozenset[str]) -> None:
    """A row of ContactHistory for each change of a tracked field. tracked: "contact.phone"."""
    history = crm.CONTACT_HISTORY
    for name, value in record.items():
        if f"contact.{name.lower()}" in tracked and value != before.get(name):
            change = {
                "Id": store.next_id(history),
                "IsDeleted": 0,
                "ContactId": record["Id"],
                "Field": name,
                "OldValue": before.get(name),
                "NewValue": value,
                "CreatedDate": record["LastModifiedDate"],
                "CreatedById": record["LastModifiedById"],
            }
            store.insert(history, change)


def derive_version(store: Store, record: Row, before: Row | None, now: str) -> None:
    """ContentVersion: size, checksum and type from the data; the document it is a version of."""
    if before is not None:
        return
    data = record["VersionData"]
    path = str(record["PathOnClient"])
    extension = path.rpartition(".")[2] if "." in path else ""
    record["ContentSize"] = len(data)
    record["Checksum"] = hashlib.md5(data, usedforsecurity=False).hexdigest()
    record["FileExtension"] = extension or None
    record["FileType"] = {"txt": "TEXT"}.get(extension.lower(), extension.upper() or "UNKNOWN")
    if not record.get("Title"):
        record["Title"] = path.rpartition("/")[2].removesuffix(f".{extension}")
    document = record.get("ContentDocumentId")
    if document is None:
        record["ContentDocumentId"] = _new_document(store, record)
        record["VersionNumber"] = "1"
        return
    if record.get("FirstPublishLocationId"):
        raise OrgError(
            400,
            "INVALID_FIELD",
            "FirstPublishLocationId can only be set on the first version of a document",
            ["FirstPublishLocationId"],
        )
    counted = store.execute(
        'SELECT count(*) FROM "ContentVersion" WHERE "ContentDocumentId" = ?', (document,)
    ).fetchone()
    record["VersionNumber"] = str(counted[0] + 1)
    store.execute(
        'UPDATE "ContentVersion" SET "IsLatest" = 0 WHERE "ContentDocumentId" = ?', (document,)
    )


def _system_values(record: Row) -> Row:
    """The system fields of a record that came to be together with `record`."""
    names = (
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
    )
    return {"IsDeleted": 0, **{name: record[name] for name in names}}


def _new_document(store: Store, version: Row) -> str:
    document = files.CONTENT_DOCUMENT
    document_id = store.next_id(document)
    shared = ("Title", "FileType", "FileExtension", "ContentSize", "OwnerId")
    store.insert(
        document,
        {
            "Id": document_id,
            **{name: version.get(name) for name in shared},
            "LatestPublishedVersionId": version["Id"],
            **_system_values(version),
        },
    )
    return document_id


def after_version(store: Store, record: Row, created: bool) -> None:
    """A new file is linked to its owner and its first place; a new version becomes the latest."""
    if not created:
        return
    document = record["ContentDocumentId"]
    if record["VersionNumber"] != "1":
        store.execute(
            'UPDATE "ContentDocument" SET "LatestPublishedVersionId" = ?, "Title" = ?, '
            '"ContentSize" = ? WHERE "Id" = ?',
            (record["Id"], record["Title"], record["ContentSize"], document),
        )
        return
    _link(store, record, document, record["OwnerId"], "I")
    place = record.get("FirstPublishLocationId")
    if place and place != record["OwnerId"]:
        _link(store, record, document, place, "V")


def _link(store: Store, version: Row, document: str, entity: str, share_type: str) -> None:
    link = files.CONTENT_DOCUMENT_LINK
    store.insert(
        link,
        {
            "Id": store.next_id(link),
            "ContentDocumentId": document,
            "LinkedEntityId": entity,
            "ShareType": share_type,
            "Visibility": "AllUsers",
            **_system_values(version),
        },
    )


def derive_link(store: Store, record: Row, before: Row | None, now: str) -> None:
    """A document is linked to an entity once."""
    if before is not None:
        return
    found = store.execute(
        'SELECT "Id" FROM "ContentDocumentLink" WHERE "ContentDocumentId" = ? '
        'AND "LinkedEntityId" = ? AND "IsDeleted" = 0',
        (record["ContentDocumentId"], record["LinkedEntityId"]),
    ).fetchone()
    if found is not None:
        raise duplicate_value("ContentDocumentId, LinkedEntityId", found[0])


def derive_relation(store: Store, record: Row, before: Row | None, now: str) -> None:
    """AccountContactRelation: a contact is related to an account once, and directly if the account
    is its own. The wording of the refusal is not confirmed [K]."""
    own = _field_of(store, "Contact", "AccountId", record["ContactId"])
    record["IsDirect"] = int(own == record["AccountId"])
    if before is not None:
        return
    found = store.execute(
        'SELECT "Id" FROM "AccountContactRelation" WHERE "ContactId" = ? AND "AccountId" = ? '
        'AND "IsDeleted" = 0',
        (record["ContactId"], record["AccountId"]),
    ).fetchone()
    if found is not None:
        raise duplicate_value("ContactId, AccountId", found[0])


def add_comment(store: Store, record: Row, text: str) -> None:
    """Case.Comments: the write-only field that becomes a CaseComment of the same transaction."""
    comment = service.CASE_COMMENT
    store.insert(
        comment,
        {
            "Id": store.next_id(comment),
            "ParentId": record["Id"],
            "IsPublished": 0,
            "CommentBody": text,
            **_system_values(record),
            "CreatedDate": record["LastModifiedDate"],
            "CreatedById": record["LastModifiedById"],
        },
    )


def check_required(sobject: SObject, record: Row) -> None:
    missing = [
        field.name
        for field in sobject.fields
        if field.stored
        and not field.nillable
        and (field.create or field.update)
        and field.kind not in ("boolean", "id")
        and record.get(field.name) is None
    ]
    if missing:
        raise required_missing(missing)


DERIVE: dict[str, Deriver] = {
    "Contact": derive_person,
    "Lead": derive_person,
    "AccountContactRelation": derive_relation,
    "Case": derive_case,
    "Task": derive_task,
    "ContentVersion": derive_version,
    "ContentDocumentLink": derive_link,
}
AFTER: dict[str, Callable[[Store, Row, bool], None]] = {"ContentVersion": after_version}
