"""Writing many records in one request, and finding those that an earlier attempt wrote.

Everything here is one HTTP request each: Composite with up to 25 subrequests, of which at most
five may be queries or collections (docs/vendors.md S3).
"""

from collections.abc import Sequence
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
"""Four collections and the query that reads back fill a Composite request."""

MAX_ROWS = composite.MAX_SUBREQUESTS

PROBE_S = 5.0

KEY_FIELD = "Call_Key__c"

MARKERS = {"Case": "SuppliedCompany", "Task": "CallObject", "ContentVersion": "ReasonForChange"}
"""Standard fields, filterable and long enough, that carry the key where no field may be added."""


UNIQUE = frozenset({"Case", "Task"})
"""The objects of which the org itself refuses a second record with a key. Whether a file can have
a unique External Id is not known (docs/vendors.md S12), so it is looked for before a repeat."""


@dataclass(frozen=True)
class Written:
    """One record: its id, or why it was not written."""

    record_id: str | None
    error: SalesforceError | None = None


@dataclass(frozen=True)
class Row:
    """A change of one record by id. unchanged_since: HTTP date; later edits refuse the change."""

    record_id: str
    fields: dict[str, Any]
    unchanged_since: str


class Records:
    """Every method raises SalesforceError when a request as a whole failed.

    What creates records asks still_wanted right before the request is sent, and raises
    WithdrawnError when that says no.

    keyed: the org has our External Id fields, unique on UNIQUE. Without them the key lies in a
    standard field that is searched before a repeat, but that no index keeps unique.
    """

    def __init__(
        self, salesforce: SalesforceClient, *, timeout_s: float, has_key_fields: bool
    ) -> None:
        self._salesforce = salesforce
        self._timeout_s = timeout_s
        self._composite = composite.SharedRequests(salesforce, timeout_s=timeout_s)
        self.has_key_fields = has_key_fields

    def create(
        self,
        sobject: str,
        records: Sequence[tuple[str, dict[str, Any]]],
        read_back: tuple[str, ...],
        still_wanted: composite.StillWanted = composite.always,
    ) -> tuple[list[Written], dict[str, dict[str, Any]]]:
        """Create (key, fields) each and read fields of them back, in one request.

        Created and not upserted: the unique key refuses a second one (DUPLICATE_VALUE), where an
        upsert would re-apply every field and undo what a person edited since.

        Returns what became of each record in order, and the read fields by key (none of them when
        reading back failed: the records are written all the same).
        """
        has_key_fields = [fields | self._key(sobject, key) for key, fields in records]
        statement = self._by_key(sobject, [key for key, _ in records], read_back)
        *created, read = self._composite.send(
            *_collections(sobject, has_key_fields),
            composite.query("read", statement),
            still_wanted=still_wanted,
        )
        written = _collection_results(created, len(records))
        try:
            return written, self._rows_by_key(sobject, self._rows_of(read))
        except SalesforceError as error:
            if error.failure is not FailureClass.TOO_MUCH:
                return written, {}
        try:
            return written, self.by_key(sobject, [key for key, _ in records], read_back)
        except SalesforceError:
            return written, {}

    def insert(
        self,
        sobject: str,
        records: Sequence[dict[str, Any]],
        still_wanted: composite.StillWanted = composite.always,
    ) -> list[Written]:
        """Create records that can carry no key: a second sending would be a second record."""
        answers = self._composite.send(*_collections(sobject, records), still_wanted=still_wanted)
        return _collection_results(answers, len(records))

    def create_each(
        self,
        sobject: str,
        records: Sequence[tuple[str, dict[str, Any]]],
        still_wanted: composite.StillWanted = composite.always,
    ) -> list[Written]:
        """Create up to MAX_ROWS records that a collection can't carry (base64 fields)."""
        answers = self._composite.send(
            *(
                {
                    "method": "POST",
                    "url": f"sobjects/{sobject}",
                    "referenceId": f"r{nth}",
                    "body": fields | self._key(sobject, key),
                }
                for nth, (key, fields) in enumerate(records)
            ),
            still_wanted=still_wanted,
        )
        return [_row_result(answer, answer["body"]) for answer in answers]

    def change(self, sobject: str, rows: Sequence[Row]) -> list[Written]:
        """Change records by id unless they were edited; MAX_ROWS in a request.

        If-Unmodified-Since exists per row, not in a collection (REST guide, "Headers"). A later
        request that fails as a whole is told as the error of each of its rows.
        """
        written: list[Written] = []
        for start in range(0, len(rows), MAX_ROWS):
            some = rows[start : start + MAX_ROWS]
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
                        for nth, row in enumerate(some)
                    )
                )
            except SalesforceError as error:
                written += [Written(None, error) for _ in some]
            else:
                written += [
                    _row_result(answer, {"id": row.record_id})
                    for answer, row in zip(answers, some, strict=True)
                ]
        return written

    def by_key(
        self, sobject: str, keys: Sequence[str], fields: tuple[str, ...]
    ) -> dict[str, dict[str, Any]]:
        """The records that exist already, by key. At most MAX_AT_ONCE keys.

        In one request, or in halves as often as Salesforce finds the query too complicated.
        """
        (answer,) = self._composite.send(
            composite.query("read", self._by_key(sobject, keys, fields))
        )
        try:
            return self._rows_by_key(sobject, self._rows_of(answer))
        except SalesforceError as error:
            if error.failure is not FailureClass.TOO_MUCH or len(keys) == 1:
                raise
        middle = len(keys) // 2
        return self.by_key(sobject, keys[:middle], fields) | self.by_key(
            sobject, keys[middle:], fields
        )

    def query(self, *statements: str) -> list[list[dict[str, Any]]]:
        """The records of up to five statements, in one request; long statements are welcome."""
        answers = self._composite.send(
            *(composite.query(f"q{nth}", statement) for nth, statement in enumerate(statements))
        )
        return [self._rows_of(answer) for answer in answers]

    def _rows_of(self, answer: composite.Answer) -> list[dict[str, Any]]:
        """Further pages take as long as a request may."""
        next_page = self._salesforce.next_page(Deadline.after(self._timeout_s))
        return composite.rows_of(answer, next_page)

    def probe(self) -> None:
        """One light request. Raises SalesforceError while the org is not to be had."""
        deadline = Deadline.after(PROBE_S)
        self._salesforce.query("SELECT Id FROM Organization LIMIT 1", deadline)

    def _by_key(self, sobject: str, keys: Sequence[str], fields: tuple[str, ...]) -> str:
        field = self._key_field(sobject)
        return soql(
            f"SELECT {columns((*fields, field))} FROM {columns((sobject,))} "
            f"WHERE {columns((field,))} IN {{keys}}",
            keys=[value for key in keys for value in self._key(sobject, key).values()],
        )

    def _rows_by_key(self, sobject: str, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        field = self._key_field(sobject)
        return {str(row[field]).lower().removeprefix(_MARK): row for row in rows}

    def _key(self, sobject: str, key: str) -> dict[str, str]:
        return {self._key_field(sobject): key if self.has_key_fields else f"{_MARK}{key}"}

    def _key_field(self, sobject: str) -> str:
        return KEY_FIELD if self.has_key_fields else MARKERS[sobject]


_MARK = "voice:"
"""Before a key that lies in a standard field, so that a person sees what it is."""


def _collections(sobject: str, records: Sequence[dict[str, Any]]) -> list[composite.Subrequest]:
    return [
        {
            "method": "POST",
            "url": "composite/sobjects",
            "referenceId": f"create{start}",
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
    """A collection that failed as a whole is told as the error of each of its records."""
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
    """An item names its code `statusCode` where a whole answer names it `errorCode`."""
    error = (item.get("errors") or [{}])[0]
    return classify(
        400,
        str(error.get("statusCode") or "UNKNOWN"),
        str(error.get("message") or ""),
        tuple(str(name) for name in error.get("fields") or ()),
    )
