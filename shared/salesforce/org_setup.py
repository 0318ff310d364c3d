"""What the org has set up, as far as records depend on it: statuses, owners, record types, fields.

It is read once an hour, in one request (and one more for each object whose fields are asked for),
and shared through Redis. What the org once answered stays in use while it can't be reached.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import redis

from shared.deadline import Deadline
from shared.domain.reading import UnreadableError, read_record
from shared.logs import log
from shared.salesforce import composite
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.namespace import keys_of
from shared.salesforce.soql import soql
from shared.settings import SalesforceSettings
from shared.store import now_ms, translated

PERMIT_S = 5.0
ASK_S = 10.0
"""How long to wait for a permit and for the answers. A delivery waits meanwhile."""
FRESH_MS = 3600 * 1000
TTL_S = 7 * 24 * 3600
AGAIN_S = 60
"""After a failure, an answer that is no longer fresh is used for so long before the org is asked
again."""

NOT_SHOWN = frozenset(
    {
        FailureClass.MISCONFIGURED, FailureClass.MISSING_FIELD, FailureClass.DENIED,
        FailureClass.REFUSED,
    }
)  # fmt: skip
"""The org does not have what was asked for, or does not show it to the user."""


@dataclass(frozen=True)
class Wanted:
    """What the mapping needs to know. queues, record_types: developer names; the latter of Case.

    fields: "Object.Field" names.
    """

    users: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    record_types: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @classmethod
    def all_of(cls, parts: "Iterable[Wanted]") -> "Wanted":
        """What any of them needs to know."""
        every = list(parts)
        return cls(
            *(
                tuple(sorted({name for part in every for name in getattr(part, each.name)}))
                for each in fields(cls)
            )
        )

    @property
    def digest(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


@dataclass(frozen=True)
class StatusValue:
    name: str
    closed: bool
    default: bool = False


@dataclass(frozen=True)
class FieldSetup:
    """A field as describe shows it. length: characters, 0 where the type has no length."""

    type: str
    length: int = 0
    createable: bool = True
    updateable: bool = True


@dataclass(frozen=True)
class Setup:
    """The org's answer.

    statuses: of "Case" and "Task", in their order. users: id of each active user, by username in
    lower case. queues, record_types: id by developer name in lower case. fields: by "Object.Field".
    Each omits what the org lacks or hides. hidden: the parts that it did not answer at all.
    """

    statuses: dict[str, list[StatusValue]] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    record_types: dict[str, str] = field(default_factory=dict)
    fields: dict[str, FieldSetup] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)

    def status(self, sobject: str, configured: str, usual: str, *, closed: bool) -> str:
        """The configured status where the org has it, else the usual one, else the org's own.

        A closed case needs a closed status; a Task may have any that is configured.
        """
        listed = self.statuses.get(sobject) or []
        if not listed:
            return configured or usual
        fitting = [value for value in listed if value.closed == closed]
        for name in (configured, usual):
            among = listed if name == configured and sobject == "Task" else fitting
            if any(value.name == name for value in among):
                return name
        defaults = [value.name for value in fitting if value.default]
        return (defaults or [value.name for value in fitting] or [usual])[0]


class OrgSetup:
    """Safe to share between threads."""

    def __init__(
        self,
        settings: SalesforceSettings,
        store: redis.Redis,
        salesforce: SalesforceClient,
        wanted: Wanted,
    ) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._salesforce = salesforce
        self._wanted = wanted
        self._key = f"{keys_of(settings)}org-setup:{wanted.digest}"
        self._ask_again_at = 0.0
        self._lock = threading.Lock()

    def get(self) -> Setup:
        """Raises SalesforceError while the org has never answered, and StoreUnavailableError."""
        age_ms, known = self._stored()
        if known and age_ms < FRESH_MS:
            return known
        with self._lock:  # one thread asks; the others then find its answer
            age_ms, known = self._stored()
            if known and (age_ms < FRESH_MS or time.monotonic() < self._ask_again_at):
                return known
            try:
                setup = self.read()
            except SalesforceError:
                self._ask_again_at = time.monotonic() + AGAIN_S
                if known:
                    return known
                raise
            with translated():
                stored = json.dumps({"at_ms": now_ms(self._store), "setup": asdict(setup)})
                self._store.set(self._key, stored, ex=TTL_S)
            if lacking := self.lacking(setup):
                log.warning("mapping_unknown", reason=", ".join(lacking))
            return setup

    def _stored(self) -> tuple[int, Setup | None]:
        """How old the stored answer is (ms), and the answer; None when there is none."""
        with translated():
            text = self._store.get(self._key)
            at_ms = now_ms(self._store)
        try:
            stored = json.loads(text or "null")
            return at_ms - int(stored["at_ms"]), read_record(Setup, stored["setup"])
        except (ValueError, TypeError, KeyError, UnreadableError):
            return 0, None

    def lacking(self, setup: Setup) -> list[str]:
        """What the mapping names and the org lacks or hides."""
        parts = (
            ("user", self._wanted.users, setup.users),
            ("queue", self._wanted.queues, setup.queues),
            ("record type", self._wanted.record_types, setup.record_types),
        )
        lacking = [
            f"{what} {name}" for what, names, found in parts for name in names
            if name.lower() not in found
        ]  # fmt: skip
        return lacking + [
            f"field {name}" for name in self._wanted.fields if name not in setup.fields
        ]

    def read(self) -> Setup:
        """Asks the org. Raises SalesforceError when it does not answer at all."""
        permit = self._salesforce.permit(Deadline.after(PERMIT_S), lasts_s=ASK_S)
        deadline = Deadline.after(ASK_S)
        asked = self._statements()
        answers = composite.post(
            self._salesforce,
            [composite.query(part, statement) for part, statement in asked.items()],
            deadline,
            permit,
        )
        next_page = self._salesforce.next_page(deadline)
        rows: dict[str, list[dict[str, Any]]] = {}
        hidden = []
        for part, answer in zip(asked, answers, strict=True):
            try:
                rows[part] = composite.rows_of(answer, next_page)
            except SalesforceError as error:
                if error.failure not in NOT_SHOWN:
                    raise
                hidden.append(part)
        described: dict[str, FieldSetup] = {}
        for sobject in sorted({name.partition(".")[0] for name in self._wanted.fields}):
            described |= self._fields(sobject, deadline)
        return Setup(
            statuses={
                sobject: [
                    StatusValue(str(row["ApiName"]), bool(row["IsClosed"]), bool(row["IsDefault"]))
                    for row in rows[f"{sobject}Status"]
                ]
                for sobject in ("Case", "Task")
                if rows.get(f"{sobject}Status")
            },
            users=_ids(rows.get("User", []), lambda row: row["Username"]),
            queues=_ids(rows.get("Queue", []), lambda row: row["DeveloperName"]),
            record_types=_ids(rows.get("RecordType", []), lambda row: row["DeveloperName"]),
            fields={name: described[name] for name in self._wanted.fields if name in described},
            hidden=hidden,
        )

    def _statements(self) -> dict[str, str]:
        """At most five, which one Composite takes."""
        wanted = self._wanted
        statements = {
            f"{sobject}Status": (
                f"SELECT ApiName, IsClosed, IsDefault FROM {sobject}Status ORDER BY SortOrder"
            )
            for sobject in ("Case", "Task")
        }
        if wanted.users:
            statements["User"] = soql(
                "SELECT Id, Username FROM User WHERE IsActive = true AND Username IN {names}",
                names=list(wanted.users),
            )
        if wanted.queues:
            statements["Queue"] = soql(
                "SELECT Id, DeveloperName FROM Group "
                "WHERE Type = 'Queue' AND DeveloperName IN {names}",
                names=list(wanted.queues),
            )
        if wanted.record_types:
            statements["RecordType"] = soql(
                "SELECT Id, DeveloperName FROM RecordType "
                "WHERE SobjectType = 'Case' AND IsActive = true AND DeveloperName IN {names}",
                names=list(wanted.record_types),
            )
        return statements

    def _fields(self, sobject: str, deadline: Deadline) -> dict[str, FieldSetup]:
        path = f"{self._salesforce.api_path}sobjects/{sobject}/describe"
        try:
            body = self._salesforce.fetch(path, deadline).body
        except SalesforceError as error:
            if error.failure not in NOT_SHOWN:
                raise
            return {}
        return {
            f"{sobject}.{item['name']}": FieldSetup(
                type=str(item.get("type") or ""),
                length=int(item.get("length") or 0),
                createable=bool(item.get("createable")),
                updateable=bool(item.get("updateable")),
            )
            for item in body["fields"]
        }


def _ids(rows: list[dict[str, Any]], name_of: Callable[[dict[str, Any]], Any]) -> dict[str, str]:
    return {str(name_of(row)).lower(): str(row["Id"]) for row in rows}
