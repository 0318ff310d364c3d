"""What the org allows this service: permissions, API versions, clock. For the doctor.

NEEDS must follow what the service reads and writes.
"""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from shared.deadline import Deadline
from shared.salesforce.client import SalesforceClient
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.failures import SalesforceError
from shared.salesforce.phones import PHONES
from shared.salesforce.records import KEY_FIELD, MARKERS, UNIQUE

ANSWER_S = 10.0
REFERENCE_FIELD = "Voice_Reference__c"


@dataclass(frozen=True)
class Need:
    """An object and its fields, by what the service does with them."""

    sobject: str
    create: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


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
    Need("Account", read=("Name", "AccountNumber", "OwnerId")),
    Need(
        "ContentVersion",
        create=("Title", "PathOnClient", "VersionData", "FirstPublishLocationId"),
    ),
)  # fmt: skip


class Inspection:
    """Every method raises SalesforceError and StoreUnavailableError."""

    def __init__(self, salesforce: SalesforceClient) -> None:
        self._salesforce = salesforce

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
        took = []
        for _ in range(count):
            began = time.monotonic()
            self._salesforce.query("SELECT Id FROM Organization LIMIT 1", self._deadline())
            took.append((time.monotonic() - began) * 1000)
        return took

    def lacks(self, need: Need) -> list[str]:
        """What the org does not give the user of a need, each as a clause."""
        described = self._describe(need.sobject)
        if described is None:
            return ["not visible"]
        lacking = []
        if need.create and not described.get("createable"):
            lacking.append("not creatable")
        if need.update and not described.get("updateable"):
            lacking.append("not changeable")
        fields = {str(field["name"]): field for field in described["fields"]}
        for names, right in ((need.create, "createable"), (need.update, "updateable")):
            lacking += [
                f"{name} {'is missing or hidden' if name not in fields else 'is read-only'}"
                for name in names
                if not fields.get(name, {}).get(right)
            ]
        lacking += [f"{name} is missing or hidden" for name in need.read if name not in fields]
        return list(dict.fromkeys(lacking))

    def keys(self) -> list[str]:
        """Problems with this service's own fields, each a clause that names object and field."""
        wrong = []
        for sobject in MARKERS:
            fields = self._fields(sobject)
            key = fields.get(KEY_FIELD)
            if key is None:
                wrong.append(f"{sobject}.{KEY_FIELD} is missing or hidden")
                continue
            if not key.get("externalId"):
                wrong.append(f"{sobject}.{KEY_FIELD} is not an External Id")
            if sobject in UNIQUE and not key.get("unique"):
                wrong.append(f"{sobject}.{KEY_FIELD} is not unique")
            if not key.get("createable"):
                wrong.append(f"{sobject}.{KEY_FIELD} is read-only")
        reference = self._fields("Case").get(REFERENCE_FIELD)
        if reference is None:
            wrong.append(f"Case.{REFERENCE_FIELD} is missing or hidden")
        elif not reference.get("createable"):
            wrong.append(f"Case.{REFERENCE_FIELD} is read-only")
        return wrong

    def _fields(self, sobject: str) -> dict[str, dict[str, Any]]:
        described = self._describe(sobject) or {"fields": []}
        return {str(field["name"]): field for field in described["fields"]}

    def _describe(self, sobject: str) -> dict[str, Any] | None:
        path = f"{self._salesforce.api_path}sobjects/{sobject}/describe"
        try:
            found: dict[str, Any] = self._salesforce.fetch(path, self._deadline()).body
        except SalesforceError as error:
            if error.code == "NOT_FOUND":
                return None
            raise
        return found

    @staticmethod
    def _deadline() -> Deadline:
        return Deadline.after(ANSWER_S)
