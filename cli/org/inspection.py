"""What the org allows this service: permissions, API versions, clock. For the doctor.

NEEDS must follow what the service reads and writes.
"""

import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any

from cli.org.objects import Need, Objects, SObject, Words
from shared.deadline import Deadline
from shared.salesforce.client import SalesforceClient
from shared.salesforce.composite import MAX_SUBREQUESTS, Answer, post, subrequest_error
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.phones import PHONES
from shared.salesforce.records import KEY_FIELD, MARKERS, UNIQUE

ANSWER_S = 10.0
REFERENCE_FIELD = "Voice_Reference__c"


ORG = Words(
    no_object="the org has no object {name}, or the user can't see it",
    add_object="deploy it and let the service's user read it",
    no_field=", or the user can't see it",
    add_field="deploy the field, and grant it in the permission set of the service's user",
    read_only="is read-only for the user",
    let_edit="leave it out, or let the service's user edit it",
    own_field="deploy what `python -m cli agent source` writes for this tool",
)

NEEDS = (
    Need(
        "Case",
        create=(
            "Subject", "Description", "Type", "Origin", "Priority", "ContactId", "SuppliedPhone",
        ),
        update=("Status",),
        read=("CaseNumber", "IsClosed", "Status", "LastModifiedDate"),
    ),
    Need(
        "Task",
        create=(
            "Subject", "Description", "Status", "Priority", "TaskSubtype", "CallType", "CallObject",
            "CallDisposition", "ActivityDate", "CallDurationInSeconds", "WhoId", "WhatId",
            "OwnerId",
        ),
        update=("Subject", "Description", "ActivityDate", "WhoId", "WhatId"),
        read=("LastModifiedDate",),
    ),
    Need("CaseComment", create=("ParentId", "CommentBody")),
    Need("Contact", update=CHANGEABLE, read=("Name", "AccountId", "OwnerId", *PHONES)),
    Need("Account", read=("Name", "AccountNumber", "OwnerId", "Phone")),
    Need(
        "ContentVersion",
        create=("Title", "PathOnClient", "VersionData", "FirstPublishLocationId"),
    ),
)  # fmt: skip


class Inspection(Objects):
    """A real org. Every method raises SalesforceError and StoreUnavailableError."""

    words = ORG

    def __init__(self, salesforce: SalesforceClient) -> None:
        self._salesforce = salesforce
        self._described: dict[str, SObject | None] = {}

    def versions(self) -> list[str]:
        """The API versions that the org serves, such as "66.0"."""
        found = self._salesforce.fetch("/services/data/", self._deadline())
        return [str(version.get("version")) for version in found.body if isinstance(version, dict)]

    def whoami(self) -> tuple[str, str]:
        """The ids of the org and of the user that the service runs as."""
        body = self._salesforce.fetch("/services/oauth2/userinfo", self._deadline()).body
        return str(body.get("organization_id", "")), str(body.get("user_id", ""))

    def clock_ahead_s(self) -> float:
        """How far Salesforce's clock is ahead of ours (its Date header has whole seconds)."""
        date = self._salesforce.fetch("/services/data/", self._deadline()).headers.get("Date", "")
        return parsedate_to_datetime(date).timestamp() - time.time() if date else 0.0

    def round_trips_ms(self, count: int) -> list[float]:
        """The duration of `count` light queries, one after another."""
        durations_ms = []
        for _ in range(count):
            began = time.monotonic()
            self._salesforce.query("SELECT Id FROM Organization LIMIT 1", self._deadline())
            durations_ms.append((time.monotonic() - began) * 1000)
        return durations_ms

    def keys(self) -> list[str]:
        """Problems with this service's own fields, each a clause that names object and field."""
        wrong = []
        for sobject in MARKERS:
            key = self._field(sobject, KEY_FIELD)
            if not key:
                wrong.append(f"{sobject}.{KEY_FIELD} is missing or hidden")
                continue
            if not key.get("externalId"):
                wrong.append(f"{sobject}.{KEY_FIELD} is not an External Id")
            if sobject in UNIQUE and not key.get("unique"):
                wrong.append(f"{sobject}.{KEY_FIELD} is not unique")
            if not key.get("createable"):
                wrong.append(f"{sobject}.{KEY_FIELD} is read-only")
        reference = self._field("Case", REFERENCE_FIELD)
        if not reference:
            wrong.append(f"Case.{REFERENCE_FIELD} is missing or hidden")
        elif not reference.get("createable"):
            wrong.append(f"Case.{REFERENCE_FIELD} is read-only")
        return wrong

    def describe(self, sobject: str) -> SObject | None:
        if sobject not in self._described:
            self.describe_all([sobject, *(need.sobject for need in NEEDS)])
        return self._described[sobject]

    def describe_all(self, sobjects: Iterable[str]) -> None:
        """25 in a request."""
        unread = sorted(set(sobjects) - self._described.keys())
        for first in range(0, len(unread), MAX_SUBREQUESTS):
            names = unread[first : first + MAX_SUBREQUESTS]
            parts = [
                {"method": "GET", "url": f"sobjects/{name}/describe", "referenceId": f"object{nth}"}
                for nth, name in enumerate(names)
            ]
            for name, answer in zip(
                names, post(self._salesforce, parts, self._deadline()), strict=True
            ):
                self._described[name] = _described(answer)

    def _field(self, sobject: str, name: str) -> dict[str, Any]:
        described = self.describe(sobject)
        return described.field(name) if described else {}

    @staticmethod
    def _deadline() -> Deadline:
        return Deadline.after(ANSWER_S)


def _described(answer: Answer) -> SObject | None:
    if answer["httpStatusCode"] == 200:
        return SObject(answer["body"])
    error = subrequest_error(answer, whole=True)
    if error.code == "NOT_FOUND":
        return None
    raise error
