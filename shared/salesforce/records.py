"""Writing many records in one request, and finding those that an earlier attempt wrote.

Everything here is one HTTP request each: Composite with up to 25 subrequests, of which at most
five may be queries or collections (facts/salesforce.md 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.salesforce.client import Deadline, SalesforceClient
from shared.salesforce.failures import SalesforceError, away, classify
from shared.salesforce.soql import columns, soql

MOST_RECORDS = 200
"""The limit of one sObject Collections request."""

MOST_ROWS = 25
"""The limit of subrequests in one Composite request."""

KEY_FIELD = "Call_Key__c"

MARKERS = {"Case": "SuppliedCompany", "Task": "CallObject", "ContentVersion": "ReasonForChange"}
"""Standard fields, filterable and long enough, that carry the key where no field may be added."""


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

    keyed: the org has our External Id fields. Without them the key lies in a standard field that
    is searched before a repeat, but that no index keeps unique.
    """

    def __init__(self, salesforce: SalesforceClient, *, timeout_s: float, keyed: bool) -> None:
        self._salesforce = salesforce
        self._timeout_s = timeout_s
        self.keyed = keyed

    def create(
        self,
        sobject: str,
        records: Sequence[tuple[str, dict[str, Any]]],
        read_back: tuple[str, ...],
    ) -> tuple[list[Written], dict[str, dict[str, Any]]]:
        """Create (key, fields) each and read fields of them back, in one request.

        Created and not upserted: the unique key refuses a second one (DUPLICATE_VALUE), where an
        upsert would re-apply every field and undo what a person edited since.

        Returns what became of each record in order, and the read fields by key (none of them when
        reading back failed: the records are written all the same).
        """
        create, read = self._composite(
            {
                "method": "POST",
                "url": "composite/sobjects",
                "referenceId": "create",
                "body": _collection(
                    sobject, [fields | self._key(sobject, key) for key, fields in records]
                ),
            },
            self._query("read", self._by_key(sobject, [key for key, _ in records], read_back)),
        )
        written = _collection_result(create, len(records))
        rows = self._rows_by_key(sobject, read) if read["httpStatusCode"] == 200 else {}
        return written, rows

    def insert(self, sobject: str, records: Sequence[dict[str, Any]]) -> list[Written]:
        """Create records that can carry no key."""
        return _items(
            self._salesforce.post(
                "composite/sobjects", _collection(sobject, records), self._deadline()
            ),
            len(records),
        )

    def create_each(
        self, sobject: str, records: Sequence[tuple[str, dict[str, Any]]]
    ) -> list[Written]:
        """Create up to MOST_ROWS records that a collection can't carry (base64 fields)."""
        answers = self._composite(
            *(
                {
                    "method": "POST",
                    "url": f"sobjects/{sobject}",
                    "referenceId": f"r{nth}",
                    "body": fields | self._key(sobject, key),
                }
                for nth, (key, fields) in enumerate(records)
            )
        )
        return [_row_result(answer, answer["body"]) for answer in answers]

    def change(self, sobject: str, rows: Sequence[Row]) -> list[Written]:
        """Change records by id unless they were edited; MOST_ROWS in a request.

        If-Unmodified-Since exists per row, not in a collection (REST guide, "Headers"). A later
        request that fails as a whole is told as the error of each of its rows.
        """
        written: list[Written] = []
        for start in range(0, len(rows), MOST_ROWS):
            some = rows[start : start + MOST_ROWS]
            try:
                answers = self._composite(
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
        """The records that exist already, by key. At most MOST_RECORDS keys."""
        (answer,) = self._composite(self._query("read", self._by_key(sobject, keys, fields)))
        if answer["httpStatusCode"] != 200:
            raise _subrequest_error(answer, whole=True)
        return self._rows_by_key(sobject, answer)

    def query(self, *statements: str) -> list[list[dict[str, Any]]]:
        """The records of up to five statements, in one request; long statements are welcome."""
        answers = self._composite(
            *(self._query(f"q{nth}", statement) for nth, statement in enumerate(statements))
        )
        for answer in answers:
            if answer["httpStatusCode"] != 200:
                raise _subrequest_error(answer, whole=True)
        return [list(answer["body"]["records"]) for answer in answers]

    def _composite(self, *subrequests: dict[str, Any]) -> list[dict[str, Any]]:
        """Runs subrequests in their order: collating would free Salesforce to change it."""
        base = self._salesforce.api_path
        answer = self._salesforce.post(
            "composite",
            {
                "allOrNone": False,
                "collateSubrequests": False,
                "compositeRequest": [one | {"url": base + one["url"]} for one in subrequests],
            },
            self._deadline(),
        )
        answers = answer.get("compositeResponse") if isinstance(answer, dict) else None
        if not isinstance(answers, list) or len(answers) != len(subrequests):
            raise away("UNEXPECTED_BODY", ambiguous=True)
        return answers

    @staticmethod
    def _query(reference_id: str, statement: str) -> dict[str, Any]:
        url = f"query?q={quote(statement, safe='')}"
        return {"method": "GET", "url": url, "referenceId": reference_id}

    def _by_key(self, sobject: str, keys: Sequence[str], fields: tuple[str, ...]) -> str:
        field = self._key_field(sobject)
        return soql(
            f"SELECT {columns((*fields, field))} FROM {columns((sobject,))} "
            f"WHERE {columns((field,))} IN {{keys}}",
            keys=[value for key in keys for value in self._key(sobject, key).values()],
        )

    def _rows_by_key(self, sobject: str, answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
        field = self._key_field(sobject)
        return {
            str(row[field]).lower().removeprefix(_MARK): row for row in answer["body"]["records"]
        }

    def _key(self, sobject: str, key: str) -> dict[str, str]:
        return {self._key_field(sobject): key if self.keyed else f"{_MARK}{key}"}

    def _key_field(self, sobject: str) -> str:
        return KEY_FIELD if self.keyed else MARKERS[sobject]

    def _deadline(self) -> Deadline:
        return Deadline.after(self._timeout_s)


_MARK = "voice:"
"""Before a key that lies in a standard field, so that a person sees what it is."""


def _collection(sobject: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "allOrNone": False,
        "records": [{"attributes": {"type": sobject}} | record for record in records],
    }


def _collection_result(answer: dict[str, Any], expected: int) -> list[Written]:
    if answer["httpStatusCode"] >= 300:
        raise _subrequest_error(answer, whole=True)
    return _items(answer["body"], expected)


def _row_result(answer: dict[str, Any], body: dict[str, Any]) -> Written:
    if answer["httpStatusCode"] >= 300:
        return Written(None, _subrequest_error(answer, whole=False))
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


def _subrequest_error(answer: dict[str, Any], *, whole: bool) -> SalesforceError:
    body = answer.get("body")
    told = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    error = classify(
        int(answer["httpStatusCode"]),
        str(told.get("errorCode") or ""),
        str(told.get("message") or ""),
        tuple(str(name) for name in told.get("fields") or ()),
    )
    error.whole = whole
    return error
