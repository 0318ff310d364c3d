"""Writing many records in one request, and finding those that an earlier attempt wrote.

Everything here is one HTTP request each: Composite with up to 25 subrequests, of which at most
five may be queries or collections (facts/salesforce.md 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.salesforce.client import WRITE_TIMEOUT_S, Deadline, SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError, classify
from shared.salesforce.soql import columns, soql

MOST_RECORDS = 200
"""The limit of one sObject Collections request."""

KEY_FIELD = "Call_Key__c"


@dataclass(frozen=True)
class Written:
    """One record of a collection: its id, or why it was not written."""

    record_id: str | None
    error: SalesforceError | None = None


class Records:
    """Every method raises SalesforceError when the request as a whole failed."""

    def __init__(self, salesforce: SalesforceClient) -> None:
        self._salesforce = salesforce

    def upsert(
        self, sobject: str, records: Sequence[dict[str, Any]], read_back: tuple[str, ...]
    ) -> tuple[list[Written], dict[str, dict[str, Any]]]:
        """Upsert keyed records and read fields of them back, in one request.

        Returns what became of each record in order, and the read fields by key (none of them when
        reading back failed: the records are written all the same).
        """
        keys = [record[KEY_FIELD] for record in records]
        upsert, read = self._composite(
            {
                "method": "PATCH",
                "url": f"composite/sobjects/{sobject}/{KEY_FIELD}",
                "referenceId": "upsert",
                "body": _collection(sobject, records),
            },
            self._query("read", self._by_key(sobject, keys, read_back)),
        )
        written = _collection_result(upsert, len(records))
        return written, _rows_by_key(read) if read["httpStatusCode"] == 200 else {}

    def insert(self, sobject: str, records: Sequence[dict[str, Any]]) -> list[Written]:
        return _items(
            self._salesforce.post(
                "composite/sobjects", _collection(sobject, records), self._deadline()
            ),
            len(records),
        )

    def update(self, sobject: str, records: Sequence[dict[str, Any]]) -> list[Written]:
        """Update by `Id`, which each record carries."""
        (answer,) = self._composite(
            {
                "method": "PATCH",
                "url": "composite/sobjects",
                "referenceId": "update",
                "body": _collection(sobject, records),
            }
        )
        return _collection_result(answer, len(records))

    def create_each(self, sobject: str, records: Sequence[dict[str, Any]]) -> list[Written]:
        """Create up to 25 records that a collection can't carry (base64 fields)."""
        answers = self._composite(
            *(
                {
                    "method": "POST",
                    "url": f"sobjects/{sobject}",
                    "referenceId": f"r{nth}",
                    "body": record,
                }
                for nth, record in enumerate(records)
            )
        )
        return [
            Written(answer["body"]["id"])
            if answer["httpStatusCode"] < 300
            else Written(None, _subrequest_error(answer))
            for answer in answers
        ]

    def by_key(
        self, sobject: str, keys: Sequence[str], fields: tuple[str, ...]
    ) -> dict[str, dict[str, Any]]:
        """The records that exist already, by key. At most MOST_RECORDS keys."""
        (answer,) = self._composite(self._query("read", self._by_key(sobject, keys, fields)))
        if answer["httpStatusCode"] != 200:
            raise _subrequest_error(answer)
        return _rows_by_key(answer)

    def query(self, *statements: str) -> list[list[dict[str, Any]]]:
        """The records of up to five statements, in one request; long statements are welcome."""
        answers = self._composite(
            *(self._query(f"q{nth}", statement) for nth, statement in enumerate(statements))
        )
        for answer in answers:
            if answer["httpStatusCode"] != 200:
                raise _subrequest_error(answer)
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
        return list(answer["compositeResponse"])

    @staticmethod
    def _query(reference_id: str, statement: str) -> dict[str, Any]:
        url = f"query?q={quote(statement, safe='')}"
        return {"method": "GET", "url": url, "referenceId": reference_id}

    @staticmethod
    def _by_key(sobject: str, keys: Sequence[str], fields: tuple[str, ...]) -> str:
        names = columns((*fields, KEY_FIELD))
        return soql(
            f"SELECT {names} FROM {columns((sobject,))} WHERE {KEY_FIELD} IN {{keys}}",
            keys=list(keys),
        )

    @staticmethod
    def _deadline() -> Deadline:
        return Deadline.after(WRITE_TIMEOUT_S)


def _collection(sobject: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "allOrNone": False,
        "records": [{"attributes": {"type": sobject}} | record for record in records],
    }


def _collection_result(answer: dict[str, Any], expected: int) -> list[Written]:
    if answer["httpStatusCode"] >= 300:
        raise _subrequest_error(answer)
    return _items(answer["body"], expected)


def _items(body: list[dict[str, Any]], expected: int) -> list[Written]:
    if len(body) != expected:
        raise SalesforceError(FailureClass.AWAY, "RESULTS_MISSING", ambiguous=True)
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


def _subrequest_error(answer: dict[str, Any]) -> SalesforceError:
    body = answer.get("body")
    error = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    return classify(
        int(answer["httpStatusCode"]),
        str(error.get("errorCode") or ""),
        str(error.get("message") or ""),
        tuple(str(name) for name in error.get("fields") or ()),
    )


def _rows_by_key(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(row[KEY_FIELD]).lower(): row for row in answer["body"]["records"]}
