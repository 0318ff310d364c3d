"""The org's refusals in Salesforce's words: one exception type, and functions that make the
common errors.

Codes, statuses and texts come from the REST guide's "Status Codes and Error Responses" and the
object reference unless a comment marks them: [F] seen in public error reports, [K] not confirmed
on a real org.
"""

from collections.abc import Sequence
from typing import Any


class OrgError(Exception):
    """A refusal of one request or one record.

    `status`: the HTTP status of a single request; a collection shows only code, message and
    fields. `extra`: further keys of the error object, such as the duplicateResult of a duplicate
    rule.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Sequence[str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)
        self.extra = extra or {}

    def body(self) -> list[dict[str, Any]]:
        """The array in the answer of a failed REST request."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [{**error, **self.extra}]

    def item(self) -> dict[str, Any]:
        """The entry of `errors` in a collection's result: `statusCode`, not `errorCode`."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields or []}
        return {**error, **self.extra}


class EmptyError(OrgError):
    """A refusal without a body (412 and 304 answers)."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code, "")


def not_found() -> OrgError:
    return OrgError(404, "NOT_FOUND", "The requested resource does not exist")


def method_not_allowed(method: str, allowed: Sequence[str]) -> OrgError:
    names = ",".join(sorted(allowed))
    return OrgError(
        405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {names}"
    )


def invalid_session() -> OrgError:
    return OrgError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def json_parser(text: str) -> OrgError:
    return OrgError(400, "JSON_PARSER_ERROR", text)


def no_such_column(field: str, sobject: str) -> OrgError:
    return OrgError(400, "INVALID_FIELD", f"No such column '{field}' on sobject of type {sobject}")


def not_writeable(fields: Sequence[str]) -> OrgError:
    return OrgError(
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings "
        "of this field and verify that it is read/write for your profile or permission set.",
        fields,
    )


def malformed_id(label: str, field: str, value: object) -> OrgError:
    return OrgError(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [field])


def required_missing(fields: Sequence[str]) -> OrgError:
    return OrgError(
        400,
        "REQUIRED_FIELD_MISSING",
        f"Required fields are missing: [{', '.join(fields)}]",
        fields,
    )


def duplicate_value(field: str, other_id: str) -> OrgError:
    # The id has 18 characters (go-salesforce#133 [F]).
    return OrgError(
        400,
        "DUPLICATE_VALUE",
        f"duplicate value found: {field} duplicates value on record with id: {other_id}",
        [],
    )


def entity_deleted(status: int) -> OrgError:
    return OrgError(status, "ENTITY_IS_DELETED", "entity is deleted", [])


def invalid_reference() -> OrgError:
    return OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])


def cannot(operation: str, label: str) -> OrgError:
    """Nobody, or not this user, may do this to the object.

    operation: "inserted", "updated" or "deleted".

    Text and code for an integration user without the permission: [F].
    """
    return OrgError(
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"entity type cannot be {operation}: {label}",
        [],
    )


def no_access() -> OrgError:
    """The user may not change this record. Status 400 is not confirmed on a real org [K]."""
    return OrgError(
        400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", []
    )


def bad_address_part(field: str) -> OrgError:
    """A state or country outside the org's picklist (text from public error reports [F])."""
    singular, plural = ("country", "countries") if "Country" in field else ("state", "states")
    return OrgError(
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        f"There's a problem with this {singular}, even though it may appear correct. "
        f"Please select a {singular} from the list of valid {plural}.",
        [field],
    )


def locked(other_id: str) -> OrgError:
    # Status 400 is not confirmed on a real org [K].
    return OrgError(
        400,
        "UNABLE_TO_LOCK_ROW",
        f"unable to obtain exclusive access to this record or 1 records: {other_id[:15]}",
        [],
    )


def locked_in_trigger(sobject: str) -> OrgError:
    """A lock inside a trigger; the code is not UNABLE_TO_LOCK_ROW (two public reports [F])."""
    trigger = f"{sobject}Trigger"
    return OrgError(
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        f"{trigger}: execution of AfterInsert\n\ncaused by: System.QueryException: Record "
        "Currently Unavailable: The record you are attempting to edit, or one of its related "
        "records, is currently being modified by another user. Please try again.\n\n"
        f"Trigger.{trigger}: line 7, column 1",
        [],
    )


def too_complicated() -> OrgError:
    # Text from public error reports [F].
    return OrgError(
        400,
        "QUERY_TOO_COMPLICATED",
        "Query is either selecting too many fields or the filter conditions are too complicated.",
    )


def request_limit(kind: str) -> OrgError:
    """`kind` is `TotalRequests` (daily) or `ConcurrentRequests (Concurrent API Requests)`."""
    return OrgError(403, "REQUEST_LIMIT_EXCEEDED", f"{kind} Limit exceeded.")
