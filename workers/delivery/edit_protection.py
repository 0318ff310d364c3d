"""Edit protection: a late change is written only over values that no person has changed since the
caller asked (optimistic concurrency).

A caller's last request counts, in whichever call it was made and in whichever order the requests
are delivered. A field that a person has changed since is a conflict and parks the request. A field
that has the new value already is done, so a second attempt after a lost answer writes nothing
twice.

The store's clock orders the requests of a caller. It may jump, so what is compared with the times
of a record is by Vapi's clock and by Salesforce's own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.intent import Delivered, Intent, Outcome, Parked
from shared.domain.text import comparable
from shared.journal.record_writes import RecordWrite, RecordWrites, digest
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.records import Row
from shared.salesforce.soql import at, columns, soql
from workers.delivery.context import DeliveryContext
from workers.delivery.links import not_yet, unchanged_since

READ_ALWAYS = ("Id", "LastModifiedDate")

UNDER_WAY_S = 60
"""A write recorded up to this long before a request may be committed after it."""

Query = Callable[..., list[list[dict[str, Any]]]]
"""Records.query: the rows of each statement."""


class Reader:
    """Reads records of one object. fields: those that requests change or need. lacking: fields that
    turned out to be missing in the org, which are read no more; error: how it said so."""

    def __init__(self, query: Query, sobject: str, fields: Iterable[str]) -> None:
        self.sobject = sobject
        self.fields = set(fields)
        self.lacking: frozenset[str] = frozenset()
        self.error: SalesforceError | None = None
        self._query = query

    def rows(self, condition: str, **values: Any) -> list[dict[str, Any]]:
        """condition: of a WHERE, with placeholders as `soql` takes them."""
        while True:
            names = (*READ_ALWAYS, *sorted(self.fields - self.lacking - set(READ_ALWAYS)))
            select = f"SELECT {columns(names)} FROM {columns((self.sobject,))} WHERE {condition}"
            try:
                (rows,) = self._query(soql(select, **values))
            except SalesforceError as error:
                found = self.lacking.union(error.fields).intersection(self.fields)
                if error.failure is not FailureClass.MISSING_FIELD or found == self.lacking:
                    raise
                self.lacking, self.error = found, error
            else:
                return rows


@dataclass(frozen=True, kw_only=True)
class Change:
    """One request, the record as it is now, and this service's recent writes to it.

    values: field → what it becomes. seen: field → the values that it may have without anybody
    else's edit; None when the record was not read at acceptance. asked_at, unseen_until: ISO 8601.
    The first orders the requests. Nobody can have seen a record before it was created, so what
    happened until then is no edit.
    """

    intent: Intent
    asked_at: str
    values: Mapping[str, Any]
    seen: Mapping[str, Sequence[Any]] | None
    row: dict[str, Any]
    writes: list[RecordWrite]
    unseen_until: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields still to be written: without those that have the value already, and those that
        a later request changed."""
        asked = asked_place(self.asked_at, self.intent.id)
        later = [it for it in self.writes if asked_place(it.asked_at, it.intent_id) > asked]
        return {
            name: value
            for name, value in self.values.items()
            if comparable(at(self.row, name)) != comparable(value)
            and self._now(name) not in {entry.fields.get(name) for entry in later}
        }

    @property
    def edited(self) -> list[str]:
        """The fields to be written that somebody else changed since the caller asked."""
        if self.seen is None and not self._modified_since():
            return []
        base = self._base()
        return [name for name in self.fields if self._now(name) not in self._known(name, base)]

    def as_write(self, names: Iterable[str]) -> RecordWrite:
        """names: the fields whose values before the write are noted as well."""
        return RecordWrite(
            intent_id=self.intent.id,
            asked_at=self.asked_at,
            before=self.row["LastModifiedDate"],
            was={name: self._now(name) for name in names},
            fields={name: self._digest(name, value) for name, value in self.fields.items()},
        )

    @property
    def _since(self) -> datetime:
        if not self.unseen_until:
            return self._requested
        return max(self._requested, datetime.fromisoformat(self.unseen_until))

    @property
    def _requested(self) -> datetime:
        """By the time of the message; by the store's clock when the message had none."""
        if requested_ms := self.intent.requested_at_ms:
            return datetime.fromtimestamp(requested_ms / 1000, UTC)
        return datetime.fromisoformat(self.asked_at)

    def _base(self) -> RecordWrite | None:
        """For a request that was accepted without a look at the record: our first write since, if
        the record was not changed in between. The agent would have seen the values which that write
        found."""
        if self.seen is not None:
            return None
        since = self._requested - timedelta(seconds=UNDER_WAY_S)
        found = (
            entry
            for entry in self.writes
            if datetime.fromisoformat(entry.noted_at) >= since
            and datetime.fromisoformat(entry.before) <= self._since
        )
        return next(found, None)

    def _modified_since(self) -> bool:
        return datetime.fromisoformat(self.row["LastModifiedDate"]) > self._since

    def _known(self, name: str, base: RecordWrite | None) -> set[str]:
        """Digests of the values that are no other person's edit: as seen at acceptance, or ours."""
        seen = (self.seen or {}).get(name, [])
        ours = {entry.fields[name] for entry in self.writes if name in entry.fields}
        found = {base.was[name]} if base and name in base.was else set()
        return {self._digest(name, entry) for entry in seen} | ours | found

    def _now(self, name: str) -> str:
        return self._digest(name, at(self.row, name))

    def _digest(self, name: str, value: Any) -> str:
        return digest(self.row["Id"], name, comparable(value))


def asked_place(at_: str, intent_id: str) -> tuple[datetime, str]:
    """A request's place among those of all calls."""
    return datetime.fromisoformat(at_), intent_id


def nothing_more(_change: Change) -> None:
    """Default: only the log notes what is about to be written."""


def write_changes(
    context: DeliveryContext,
    reader: Reader,
    changes: Iterable[Change],
    log: RecordWrites,
    note: Callable[[Change], None] = nothing_more,
) -> list[Outcome]:
    """Writes what may be written, the earliest request first: the caller's last word is then
    written last. Of one record, one change at a time.

    note: called for each change that is about to be written.
    """
    outcomes: list[Outcome] = []
    writing: dict[str, tuple[Change, Row]] = {}
    noted = sorted(reader.fields - reader.lacking - set(READ_ALWAYS))
    for change in sorted(changes, key=lambda it: asked_place(it.asked_at, it.intent.id)):
        intent, record_id = change.intent, change.row["Id"]
        if record_id in writing:
            # The second has to see what the first did.
            outcomes.append(not_yet(intent, "AFTER_ANOTHER", 100))
        elif edited := change.edited:
            outcomes.append(Parked(intent.id, f"EDITED_SINCE ({', '.join(edited)})"))
        elif not change.fields:
            outcomes.append(Delivered(intent.id, record_id))
        else:
            row = Row(record_id, change.fields, unchanged_since(change.row))
            writing[record_id] = (change, row)
    if not writing:
        return outcomes
    writes = {id_: change.as_write(noted) for id_, (change, _) in writing.items()}
    log.note(writes, context.records.now_ms())
    for change, _ in writing.values():
        note(change)
    written = context.records.change(reader.sobject, [row for _, row in writing.values()])
    return outcomes + [
        context.written(change.intent, item, record_id=row.record_id)
        for (change, row), item in zip(writing.values(), written, strict=True)
    ]
