"""What a failure of Salesforce means: one class for each, decided here from status and errorCode.

Codes and their meaning: facts of Salesforce's REST API guide, "Status Codes and Error Responses",
and of working clients where the guide is silent (marked so).
"""

import random
from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    AWAY = "away"
    """Not reached, overloaded or in maintenance: the whole org waits."""
    CONCURRENCY = "concurrency"
    """Too many long requests at once: the whole org waits, for seconds."""
    DAILY_LIMIT = "daily_limit"
    """The allowance of the rolling 24 hours is spent: the whole org waits, for minutes."""
    LOGIN_LIMIT = "login_limit"
    """Too many tokens were asked for: the whole org waits, for minutes."""
    BUDGET = "budget"
    """Our own account of API use says wait: nothing was sent."""
    SESSION = "session"
    """The token is no longer good: one new token, one replay."""
    ROW_LOCK = "row_lock"
    """Somebody else holds the record: this record waits, for seconds."""
    RACE = "race"
    """A duplicate key: another writer was faster, or the first attempt was committed after all."""
    EDITED = "edited"
    """Somebody edited the record between our reading and our writing: read it again."""
    VALUE = "value"
    """A field's value is not taken: an optional field can be left out."""
    MISCONFIGURED = "misconfigured"
    """A field is missing, a right was taken: the whole kind waits and somebody is told."""
    REFUSED = "refused"
    """This record will never be taken as it is: a person decides."""


@dataclass
class SalesforceError(Exception):
    """A request, or one record of it, failed.

    code: Salesforce's errorCode, or a word of ours for what has none (DEADLINE, HTTP_502, ...).
    ambiguous: a write may have been committed all the same.
    fields: API names, never values.
    whole: it is the request that failed, which says nothing of a single record.
    """

    failure: FailureClass
    code: str
    ambiguous: bool = False
    fields: tuple[str, ...] = ()
    retry_after_s: float | None = None
    whole: bool = False

    def __str__(self) -> str:
        return self.code + (f" ({', '.join(self.fields)})" if self.fields else "")


_BY_CODE = {
    "INVALID_SESSION_ID": FailureClass.SESSION,
    "SERVER_UNAVAILABLE": FailureClass.AWAY,
    "UNKNOWN_EXCEPTION": FailureClass.AWAY,
    "QUERY_TIMEOUT": FailureClass.AWAY,
    "INVALID_QUERY_LOCATOR": FailureClass.AWAY,  # an org keeps so many results of a user, no more
    "TXN_SECURITY_METERING_ERROR": FailureClass.AWAY,  # field report: airbyte retries it
    "UNABLE_TO_LOCK_ROW": FailureClass.ROW_LOCK,
    "DUPLICATE_VALUE": FailureClass.RACE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": FailureClass.VALUE,
    "INVALID_CROSS_REFERENCE_KEY": FailureClass.VALUE,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": FailureClass.VALUE,
    "ENTITY_IS_DELETED": FailureClass.VALUE,
    "MALFORMED_ID": FailureClass.VALUE,
    "NUMBER_OUTSIDE_VALID_RANGE": FailureClass.VALUE,
    "STORAGE_LIMIT_EXCEEDED": FailureClass.MISCONFIGURED,
    "API_DISABLED_FOR_ORG": FailureClass.MISCONFIGURED,
    "API_CURRENTLY_DISABLED": FailureClass.MISCONFIGURED,
    "INVALID_FIELD": FailureClass.MISCONFIGURED,
    "INVALID_FIELD_FOR_INSERT_UPDATE": FailureClass.MISCONFIGURED,
    "INVALID_TYPE": FailureClass.MISCONFIGURED,
    "NOT_FOUND": FailureClass.MISCONFIGURED,
    "INSUFFICIENT_ACCESS": FailureClass.MISCONFIGURED,
    "INSUFFICIENT_ACCESS_OR_READONLY": FailureClass.MISCONFIGURED,
    "JSON_PARSER_ERROR": FailureClass.MISCONFIGURED,
    "METHOD_NOT_ALLOWED": FailureClass.MISCONFIGURED,
    "MALFORMED_QUERY": FailureClass.MISCONFIGURED,
}

_AWAY_STATUSES = {406, 408, 420, 429, 500, 502, 503, 504}
"""406 with an empty body is not documented but real (restforce#883)."""


def classify(
    status: int, code: str, message: str = "", fields: tuple[str, ...] = ()
) -> SalesforceError:
    """The failure of an HTTP answer, or of one item of a collection (its statusCode is a code).

    A 5xx may have been committed: it is ambiguous. 503 too, since an edge answers it as well.
    """
    if code == "REQUEST_LIMIT_EXCEEDED":
        # One code, two waits: only the message tells them apart (docs/vendors.md S4).
        daily = "TotalRequests" in message
        return SalesforceError(
            FailureClass.DAILY_LIMIT if daily else FailureClass.CONCURRENCY, code
        )
    if "UNABLE_TO_LOCK_ROW" in message:
        return SalesforceError(FailureClass.ROW_LOCK, code)  # a trigger that met a lock
    if "entity type cannot be" in message:
        # The right to create or change the object is gone; the code alone also means triggers.
        return SalesforceError(FailureClass.MISCONFIGURED, code)
    if code in _BY_CODE:
        return SalesforceError(_BY_CODE[code], code, ambiguous=status >= 500, fields=fields)
    if status == 412:
        return SalesforceError(FailureClass.EDITED, code or "HTTP_412")
    if status in _AWAY_STATUSES:
        return SalesforceError(FailureClass.AWAY, code or f"HTTP_{status}", ambiguous=status >= 500)
    if status == 401:
        return SalesforceError(FailureClass.SESSION, code or "HTTP_401")
    return SalesforceError(FailureClass.REFUSED, code or f"HTTP_{status}", fields=fields)


def away(code: str, *, ambiguous: bool) -> SalesforceError:
    """The failure of a connection."""
    return SalesforceError(FailureClass.AWAY, code, ambiguous=ambiguous, whole=True)


_WAITS_S = {
    FailureClass.AWAY: (1.0, 8.0),
    FailureClass.SESSION: (1.0, 15.0),
    FailureClass.CONCURRENCY: (2.0, 30.0),
    FailureClass.DAILY_LIMIT: (30.0, 300.0),
    FailureClass.LOGIN_LIMIT: (20.0, 300.0),
    FailureClass.BUDGET: (0.5, 1.0),
    FailureClass.ROW_LOCK: (1.0, 30.0),
    FailureClass.RACE: (0.5, 10.0),
    FailureClass.EDITED: (0.2, 5.0),
    FailureClass.VALUE: (0.1, 60.0),
    FailureClass.MISCONFIGURED: (15.0, 60.0),
    FailureClass.REFUSED: (15.0, 60.0),
}


def delay_ms(error: SalesforceError, strikes: int) -> int:
    """How long to wait after the n-th failure in a row (0 is the first): back-off, full jitter.

    A fifth of the ceiling is waited always, so that the jitter never means "at once".
    """
    first_s, most_s = _WAITS_S[error.failure]
    ceiling_s = min(most_s, first_s * 2 ** min(strikes, 16))
    waited_s = ceiling_s * random.uniform(0.2, 1.0)
    return int(1000 * max(waited_s, error.retry_after_s or 0.0))
