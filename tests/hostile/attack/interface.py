"""What an attacked server must offer. A target implements it; nothing else knows how it is run."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from tests.hostile.attack.wire import Reply, Sent

OBJECTS = (
    "Account",
    "Contact",
    "Case",
    "CaseComment",
    "Task",
    "ContentVersion",
    "ContentDocumentLink",
)
"""The kinds of records that the judge compares, by their names in Salesforce."""


class Target(Protocol):
    """A running server, the org behind it, and what its operators see.

    secret: what its webhooks are signed with. It must allow call control on 127.0.0.1.
    """

    secret: str

    def post(self, sent: Sent) -> Reply:
        """Send a request to the webhook."""

    def records(self, sobject: str) -> list[dict[str, Any]]:
        """All records of the org, with all fields."""

    def create(self, sobject: str, rows: list[dict[str, Any]]) -> list[str]:
        """Create any number of records as another client of the org does. Returns their ids."""

    def edit(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Change a record as staff do."""

    def enroll(self, contact_id: str, pin: str) -> bool:
        """Give a contact a PIN. False if the server knows no PINs."""

    def settle(self) -> None:
        """Wait until everything that was accepted is delivered, or needs a person."""

    def logs(self) -> Mapping[str, str]:
        """What each process wrote, by its name."""

    def stored(self) -> Iterator[str]:
        """Everything that was ever written to the server's store, in parts."""

    def pages(self) -> Mapping[str, str]:
        """What operators see of figures and tasks, by the name of the page."""
