"""Writes many records in one request, and finds those that an earlier attempt wrote.

Each method sends one HTTP request: Composite with up to 25 subrequests, of which at most five may
be queries or collections (docs/vendors.md S3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.deadline import Deadline
from shared.salesforce import composite
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError, away, classify
from shared.salesforce.soql import columns, soql

MAX_RECORDS = 200
"""The limit of one sObject Collections request."""

MAX_AT_ONCE = 4 * MAX_RECORDS
"""Four collections, and the query that reads them back, fill a Composite request."""

MAX_ROWS = composite.MAX_SUBREQUESTS

PROBE_S = 5.0

NO_HEADERS: Mapping[str, str] = {}
UNASSIGNED: Mapping[str, str] = {"Sforce-Auto-Assign": "FALSE"}
"""The org's assignment rules must not give the new cases an owner."""

KEY_FIELD = "Call_Key__c"

MARKERS = {"Case": "SuppliedCompany", "Task": "CallObject", "ContentVersion": "ReasonForChange"}
"""Standard fields, filterable and long enough, that hold the key in orgs without our key fields."""


UNIQUE = frozenset({"Case", "Task"})
"""The objects on which the org itself refuses a second record with the same key. Whether a file can
have a unique External Id is unknown (docs/vendors.md S12), so a repeat looks for the file first."""


@dataclass(frozen=True)
class Written:
    """The result for one record: its id, or why it was not written."""

    record_id: str | None
    error: SalesforceError | None = None


@dataclass(frozen=True)
class Row:
    """A change of one record by id. unchanged_since: HTTP date; a later edit refuses the change."""

    record_id: str
    fields: dict[str, Any]
    unchanged_since: str


class Records:
    """Every method raises SalesforceError when the whole request failed.

    Methods that create records call still_wanted right before they send, and raise WithdrawnError
    when it says no.

    has_key_fields: the org has our External Id fields (unique on UNIQUE): the idempotency key of a
    record. Without them the key lies in a standard field, which is searched before a repeat but
    which no index keeps unique.
    """

    def __init__(
        self, salesforce: SalesforceClient, *, timeout_s: float, has_key_fields: bool
    ) -> None:
        self._salesforce = salesforce
        self._timeout_s = timeout_s
        self._composite = composite.SharedRequests(salesforce, timeout_s=timeout_s)
        self.has_key_fields = has_key_fields

    def now_ms(self) -> int | None:
        """Salesforce's own time, see `SalesforceClient.now_ms`."""
        return self._salesforce.now_ms()

    def create(
        self,
        sobject: str,
        records: Sequence[tuple[str, dict[str, Any]]],
        read_back: tuple[str, ...],
        still_wanted: composite.StillWanted = composite.always,
        key_field: str = KEY_FIELD,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> tuple[list[Written], dict[str, dict[str, Any]]]:
        """Create a record for each (key, fields) and read fields of it back, in one request.

        headers: of the creation, such as UNASSIGNED.

        Creates rather than upserts: the unique key refuses a second record (DUPLICATE_VALUE), while
        an upsert would write every field again and undo what a person edited since.

        Returns the result for each record in order, and the fields read, by key. They are {} when
        reading back failed; the records are written all the same.
        """
        field = self._key_field(sobject, key_field)
        with_keys = [fields | {field: self._key(field, key)} for key, fields in records]
        keys = [key for key, _ in records]
        statement = self._by_key(sobject, keys, read_back, field)
        *created, read = self._composite.send(
            *_collections(sobject, with_keys, headers),
            composite.query("read", statement),
            still_wanted=still_wanted,
        )
        written = _collection_results(created, len(records))
        try:
            return written, self._rows_by_key(field, self._rows_of(read))
        except SalesforceError as error:
            if error.failure is not FailureClass.TOO_MUCH:
                return written, {}
        try:
            return written, self.by_key(sobject, keys, read_back, key_field)
        except SalesforceError:
            return written, {}

    def insert(
        self,
        sobject: str,
        records: Sequence[dict[str, Any]],
        still_wanted: composite.StillWanted = composite.always,
    ) -> list[Written]:
        """Create records that can hold no key: sending twice creates two records."""
        answers = self._composite.send(*_collections(sobject, records), still_wanted=still_wanted)
        return _collection_results(answers, len(records))

    def create_each(
        self,
        sobject: str,
        records: Sequence[tuple[str, dict[str, Any]]],
        still_wanted: composite.StillWanted = composite.always,
    ) -> list[Written]:
        """Create up to MAX_ROWS records that a collection can't carry (base64 fields)."""
        field = self._key_field(sobject)
        answers = self._composite.send(
            *(
                {
                    "method": "POST",
                    "url": f"sobjects/{sobject}",
                    "referenceId": f"r{nth}",
                    "body": fields | {field: self._key(field, key)},
                }
                for nth, (key, fields) in enumerate(records)
            ),
            still_wanted=still_wanted,
        )
        return [_row_result(answer, answer["body"]) for answer in answers]

    def change(self, sobject: str, rows: Sequence[Row]) -> list[Written]:
        """Change records by id unless they were edited since; MAX_ROWS in a request.

        Optimistic concurrency: If-Unmodified-Since exists per row, not in a collection (REST guide,
        "Headers"). When a whole request fails, each of its rows gets the error.
        """
        written: list[Written] = []
        for start in range(0, len(rows), MAX_ROWS):
            chunk = rows[start : start + MAX_ROWS]
            try:
                answers = self._composite.send(
                    *(
                        {
                            "method": "PATCH",
                            "url": f"sobjects/{sobject}/{row.record_id}",
                            "referenceId": f"r{nth}",
                            "httpHeaders": {
                                "If-Unmodified-Since": row.unchanged_since,
                                "Sforce-Auto-Assign": "FALSE",  # a change must not re-route
                                "Sforce-Duplicate-Rule-Header": "allowSave=true",
                            },
                            "body": row.fields,
                        }
                        for nth, row in enumerate(chunk)
                    )
                )
            except SalesforceError as error:
                written += [Written(None, error) for _ in chunk]
            else:
                written += [
                    _row_result(answer, {"id": row.record_id})
                    for answer, row in zip(answers, chunk, strict=True)
                ]
        return written

    def by_key(
        self,
        sobject: str,
        keys: Sequence[str],
        fields: tuple[str, ...],
        key_field: str = KEY_FIELD,
    ) -> dict[str, dict[str, Any]]:
        """The records that exist already, by key. At most MAX_AT_ONCE keys.

        One request; further ones in halves when Salesforce finds the query too complicated.
        """
        field = self._key_field(sobject, key_field)
        (answer,) = self._composite.send(
            composite.query("read", self._by_key(sobject, keys, fields, field))
        )
        try:
            return self._rows_by_key(field, self._rows_of(answer))
        except SalesforceError as error:
            if error.failure is not FailureClass.TOO_MUCH or len(keys) == 1:
                raise
        middle = len(keys) // 2
        return self.by_key(sobject, keys[:middle], fields, key_field) | self.by_key(
            sobject, keys[middle:], fields, key_field
        )

    def query(self, *statements: str, deleted_too: bool = False) -> list[list[dict[str, Any]]]:
        """The records of up to five statements, in one request. Statements may be long.

        deleted_too: deleted and merged records as well.
        """
        answers = self._composite.send(
            *(
                composite.query(f"q{nth}", statement, deleted_too=deleted_too)
                for nth, statement in enumerate(statements)
            )
        )
        return [self._rows_of(answer) for answer in answers]

    def _rows_of(self, answer: composite.Answer) -> list[dict[str, Any]]:
        """Reads further pages within the time of one request."""
        next_page = self._salesforce.next_page(Deadline.after(self._timeout_s))
        return composite.rows_of(answer, next_page)

    def probe(self) -> None:
        """One light request. Raises SalesforceError while the org can't be reached."""
        deadline = Deadline.after(PROBE_S)
        self._salesforce.query("SELECT Id FROM Organization LIMIT 1", deadline)

    def _by_key(
        self, sobject: str, keys: Sequence[str], fields: tuple[str, ...], key_field: str
    ) -> str:
        return soql(
            f"SELECT {columns((*fields, key_field))} FROM {columns((sobject,))} "
            f"WHERE {columns((key_field,))} IN {{keys}}",
            keys=[self._key(key_field, key) for key in keys],
        )

    def _rows_by_key(self, field: str, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {str(row[field]).lower().removeprefix(_MARK): row for row in rows}

    def _key(self, field: str, key: str) -> str:
        return f"{_MARK}{key}" if field in MARKERS.values() else key

    def _key_field(self, sobject: str, key_field: str = KEY_FIELD) -> str:
        """In an org without our package, the objects that it belongs to hold the key elsewhere."""
        lies_elsewhere = not self.has_key_fields and key_field == KEY_FIELD
        return MARKERS.get(sobject, key_field) if lies_elsewhere else key_field


_MARK = "voice:"
"""In front of a key in a standard field, so that a person sees what it is."""


def _collections(
    sobject: str, records: Sequence[dict[str, Any]], headers: Mapping[str, str] = NO_HEADERS
) -> list[composite.Subrequest]:
    return [
        {
            "method": "POST",
            "url": "composite/sobjects",
            "referenceId": f"create{start}",
            **({"httpHeaders": dict(headers)} if headers else {}),
            "body": {
                "allOrNone": False,
                "records": [
                    {"attributes": {"type": sobject}} | record
                    for record in records[start : start + MAX_RECORDS]
                ],
            },
        }
        for start in range(0, len(records), MAX_RECORDS)
    ]


def _collection_results(answers: Sequence[composite.Answer], expected: int) -> list[Written]:
    """When a whole collection fails, each of its records gets the error."""
    written: list[Written] = []
    for answer in answers:
        size = min(MAX_RECORDS, expected - len(written))
        if answer["httpStatusCode"] < 300:
            written += _items(answer["body"], size)
        elif len(answers) == 1:
            raise composite.subrequest_error(answer, whole=True)
        else:
            error = composite.subrequest_error(answer, whole=True)
            written += [Written(None, error) for _ in range(size)]
    return written


def _row_result(answer: dict[str, Any], body: dict[str, Any]) -> Written:
    if answer["httpStatusCode"] >= 300:
        return Written(None, composite.subrequest_error(answer, whole=False))
    return Written(str(body["id"]))


def _items(body: list[dict[str, Any]], expected: int) -> list[Written]:
    if not isinstance(body, list) or len(body) != expected:
        raise away("UNEXPECTED_BODY", ambiguous=True)
    return [
        Written(item["id"]) if item["success"] else Written(None, _item_error(item))
        for item in body
    ]


def _item_error(item: dict[str, Any]) -> SalesforceError:
    """The failure of one item, whose code is `statusCode`; a whole answer's is `errorCode`."""
    error = (item.get("errors") or [{}])[0]
    return classify(
        400,
        str(error.get("statusCode") or "UNKNOWN"),
        str(error.get("message") or ""),
        tuple(str(name) for name in error.get("fields") or ()),
    )
