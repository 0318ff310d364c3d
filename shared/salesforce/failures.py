"""What a failure of Salesforce means: one class for each, decided from status and errorCode.

Codes and their meaning come from Salesforce's REST API guide, "Status Codes and Error Responses",
and from working clients where the guide is silent (marked so).
"""

import random
import re
from dataclasses import field
from enum import StrEnum
from typing import Any

from shared.errors import ServiceError, error_record


class FailureClass(StrEnum):
    AWAY = "away"
    """Not reached, overloaded or in maintenance: the whole org waits."""
    CONCURRENCY = "concurrency"
    """Too many long requests at once: the whole org waits, for seconds."""
    DAILY_LIMIT = "daily_limit"
    """The daily allowance (rolling 24 hours) is spent: the whole org waits, for 30 s at most."""
    LOGIN_LIMIT = "login_limit"
    """Too many tokens were requested: the whole org waits, for minutes."""
    BUDGET = "budget"
    """Our own API budget denied the request: nothing was sent."""
    SESSION = "session"
    """The token has expired: one new token, one replay."""
    LOGIN_REFUSED = "login_refused"
    """The org does not let the service in: the whole org waits, and an operator has to act."""
    ROW_LOCK = "row_lock"
    """Another transaction holds the record: this record waits, for seconds."""
    RACE = "race"
    """A duplicate key: another writer was faster, or the first attempt was committed after all."""
    EDITED = "edited"
    """The record changed between our read and our write (optimistic concurrency): read again."""
    VALUE = "value"
    """Salesforce refuses a field's value: an optional field can be omitted."""
    CHOICE = "choice"
    """The org does not have this value of a picklist: an optional field can be omitted. Other
    records show whether the value is the caller's or in all that their tool writes."""
    LINK = "link"
    """The linked record is gone or out of reach: a link can be omitted."""
    MISSING_FIELD = "missing_field"
    """The org has no such field, or hides it: an optional one can be omitted."""
    HALTED = "halted"
    """Another part of the request failed, and Salesforce did not run this one."""
    TOO_MUCH = "too_much"
    """The request exceeds what a transaction may cost: fewer records in a request may pass."""
    DENIED = "denied"
    """Refused because of the record or because of what wrote it: other records show which."""
    MISCONFIGURED = "misconfigured"
    """A permission or an object is missing, whatever the record: its tool waits, or its kind where
    no tool wrote it, and an operator has to act."""
    REFUSED = "refused"
    """Salesforce will never accept this record as it is: an operator decides."""
    UNFORESEEN = "unforeseen"
    """A defect of this service: what was written is unknown."""


@error_record
class SalesforceError(ServiceError):
    """A request, or one record of it, failed.

    code: Salesforce's errorCode; if it sent none, our own code (DEADLINE, HTTP_502, ...).
    ambiguous: a write may have been committed despite the error.
    fields: API names, never values.
    retry_after_s: how long the answer, or our own API budget, asks to wait.
    whole: the whole request failed, which says nothing about a single record.
    message: Salesforce's own words, for the operator only. They may quote a record, so neither the
    text nor the repr of the error contains them.
    """

    failure: FailureClass
    code: str
    ambiguous: bool = False
    fields: tuple[str, ...] = ()
    retry_after_s: float | None = None
    whole: bool = False
    message: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.code + (f" ({', '.join(self.fields)})" if self.fields else "")


_BY_CODE = {
    "INVALID_SESSION_ID": FailureClass.SESSION,
    "API_DISABLED_FOR_ORG": FailureClass.LOGIN_REFUSED,
    "API_CURRENTLY_DISABLED": FailureClass.LOGIN_REFUSED,
    "SERVER_UNAVAILABLE": FailureClass.AWAY,
    "UNKNOWN_EXCEPTION": FailureClass.AWAY,
    "QUERY_TIMEOUT": FailureClass.AWAY,
    "INVALID_QUERY_LOCATOR": FailureClass.AWAY,  # an org keeps a limited number of open queries
    "TXN_SECURITY_METERING_ERROR": FailureClass.AWAY,  # field report: airbyte retries it
    "UNABLE_TO_LOCK_ROW": FailureClass.ROW_LOCK,
    "DUPLICATE_VALUE": FailureClass.RACE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": FailureClass.CHOICE,
    "FIELD_INTEGRITY_EXCEPTION": FailureClass.VALUE,
    "NUMBER_OUTSIDE_VALID_RANGE": FailureClass.VALUE,
    "INVALID_CROSS_REFERENCE_KEY": FailureClass.LINK,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": FailureClass.LINK,
    "ENTITY_IS_DELETED": FailureClass.LINK,
    "MALFORMED_ID": FailureClass.LINK,
    "INACTIVE_OWNER_OR_USER": FailureClass.LINK,
    "OPERATION_WITH_INACTIVE_USER_EXCEPTION": FailureClass.LINK,
    "INVALID_FIELD": FailureClass.MISSING_FIELD,
    "INVALID_FIELD_FOR_INSERT_UPDATE": FailureClass.MISSING_FIELD,
    "PROCESSING_HALTED": FailureClass.HALTED,
    "QUERY_TOO_COMPLICATED": FailureClass.TOO_MUCH,
    "LIMIT_EXCEEDED": FailureClass.TOO_MUCH,
    "INSUFFICIENT_ACCESS": FailureClass.DENIED,
    "INSUFFICIENT_ACCESS_OR_READONLY": FailureClass.DENIED,
    "NOT_FOUND": FailureClass.DENIED,
    "JSON_PARSER_ERROR": FailureClass.DENIED,
    "INVALID_TYPE": FailureClass.MISCONFIGURED,
    "STORAGE_LIMIT_EXCEEDED": FailureClass.MISCONFIGURED,
    "METHOD_NOT_ALLOWED": FailureClass.MISCONFIGURED,
    "MALFORMED_QUERY": FailureClass.MISCONFIGURED,
}

_AUTOMATION = {
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "APEX_ERROR",
    "UNKNOWN_EXCEPTION",
}
"""A trigger or a flow of the org failed: only the text says how (docs/vendors.md S14)."""

_LOCKED = re.compile(r"UNABLE_TO_LOCK_ROW|Record Currently Unavailable", re.IGNORECASE)
_TOO_MUCH = re.compile(r"System\.LimitException|CPU (time )?limit exceeded", re.IGNORECASE)
_NO_RIGHT = re.compile(r"entity type cannot be")
_NAMED = re.compile(r"No such column '(\w+)'|Unable to create/update fields?: ([\w, ]+)")

_AWAY_STATUSES = {406, 408, 420, 429, 500, 502, 503, 504}
"""406 with an empty body is not documented but real (restforce#883)."""


def classify(
    status: int,
    code: str,
    message: str = "",
    fields: tuple[str, ...] = (),
    *,
    whole: bool = False,
    retry_after_s: float | None = None,
) -> SalesforceError:
    """The failure of an HTTP answer, or of one item of a collection (whose statusCode is a code).

    A 5xx is ambiguous: Salesforce may have committed. So is 503, since an edge answers it as well.
    """
    failure = _class_of(status, code, message)
    if failure is FailureClass.MISSING_FIELD and not fields:
        fields = _named_in(message)
    return SalesforceError(
        failure,
        code or f"HTTP_{status}",
        ambiguous=status >= 500,
        fields=fields,
        retry_after_s=retry_after_s,
        whole=whole,
        message=message,
    )


def read_failure(
    status: int, body: Any, *, whole: bool, retry_after_s: float | None = None
) -> SalesforceError:
    """The failure of an answer or a subrequest. body: its JSON, normally a list of errors; an edge
    in front of Salesforce answers something else."""
    errors = body if isinstance(body, list) else []
    first = errors[0] if errors and isinstance(errors[0], dict) else {}
    return classify(
        status,
        str(first.get("errorCode") or ""),
        str(first.get("message") or ""),
        tuple(str(name) for name in first.get("fields") or ()),
        whole=whole,
        retry_after_s=retry_after_s,
    )


def _class_of(status: int, code: str, message: str) -> FailureClass:
    if code == "REQUEST_LIMIT_EXCEEDED":
        # One code, two failures: only the message tells them apart (docs/vendors.md S4).
        daily = "TotalRequests" in message
        return FailureClass.DAILY_LIMIT if daily else FailureClass.CONCURRENCY
    if code in _AUTOMATION:
        if _LOCKED.search(message):
            return FailureClass.ROW_LOCK
        if _TOO_MUCH.search(message):
            return FailureClass.TOO_MUCH
        if _NO_RIGHT.search(message):
            return FailureClass.MISCONFIGURED
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status == 412:
        return FailureClass.EDITED
    if status in _AWAY_STATUSES:
        return FailureClass.AWAY
    if status == 401:
        return FailureClass.SESSION
    return FailureClass.REFUSED


def _named_in(message: str) -> tuple[str, ...]:
    """The fields that a message names, for an answer that lists none."""
    found = _NAMED.search(message)
    if not found:
        return ()
    return tuple(name.strip() for name in (found[1] or found[2]).split(",") if name.strip())


def away(code: str, *, ambiguous: bool) -> SalesforceError:
    """A failed connection, or a Salesforce that can't answer."""
    return SalesforceError(FailureClass.AWAY, code, ambiguous=ambiguous, whole=True)


_WAITS_S = {
    FailureClass.AWAY: (1.0, 8.0),
    FailureClass.SESSION: (1.0, 15.0),
    FailureClass.CONCURRENCY: (2.0, 30.0),
    FailureClass.DAILY_LIMIT: (10.0, 30.0),  # not longer than ApiBudget believes it
    FailureClass.LOGIN_LIMIT: (20.0, 300.0),
    FailureClass.LOGIN_REFUSED: (15.0, 60.0),
    FailureClass.BUDGET: (0.5, 1.0),
    FailureClass.ROW_LOCK: (1.0, 30.0),
    FailureClass.RACE: (0.5, 10.0),
    FailureClass.EDITED: (0.2, 5.0),
    FailureClass.HALTED: (0.2, 5.0),
    FailureClass.VALUE: (0.1, 0.1),
    FailureClass.CHOICE: (2.0, 30.0),
    FailureClass.LINK: (0.1, 0.1),
    FailureClass.MISSING_FIELD: (0.1, 0.1),
    FailureClass.TOO_MUCH: (2.0, 30.0),
    FailureClass.DENIED: (2.0, 30.0),
    FailureClass.MISCONFIGURED: (15.0, 60.0),
    FailureClass.REFUSED: (2.0, 30.0),
    FailureClass.UNFORESEEN: (2.0, 30.0),
}


def delay_ms(error: SalesforceError, failures_in_a_row: int) -> int:
    """How long to wait after the n-th failure in a row (0 is the first): back-off with jitter.

    Between a fifth of the ceiling and all of it, so that jitter never means "at once".
    """
    waited_s = longest_delay_s(error.failure, failures_in_a_row) * random.uniform(0.2, 1.0)
    return int(1000 * max(waited_s, error.retry_after_s or 0.0))


def longest_delay_s(failure: FailureClass, failures_in_a_row: int) -> float:
    """The ceiling of the n-th delay in a row, in seconds."""
    first_s, max_s = _WAITS_S[failure]
    return min(max_s, first_s * 2.0 ** min(failures_in_a_row, 16))
