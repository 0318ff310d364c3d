"""Create, update, upsert and delete of one record, each in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from simulator.org import ids
from simulator.org.errors import (
    OrgError,
    cannot,
    duplicate_value,
    entity_deleted,
    locked,
    locked_in_trigger,
    malformed_id,
    no_access,
    not_found,
)
from simulator.org.records import behaviour, record_types, rules
from simulator.org.records.body import Body, read_body
from simulator.org.records.preconditions import check_write
from simulator.org.records.values import read_value
from simulator.org.schema.model import Field, SObject
from simulator.org.store import Row
from simulator.org.world import Context

# Writing a child locks these parents too (master-detail, and the account above everything [D, Apex
# guide "Locking Considerations"; which lookups lock is K]).
LOCKED_PARENTS = ("AccountId", "ParentId", "LinkedEntityId", "FirstPublishLocationId")
OPERATION_WORDS = {"create": "inserted", "update": "updated", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a write. created: None for an update or a delete."""

    record_id: str
    created: bool | None = None


class SeveralMatchesError(Exception):
    """An external id that matches several records; nothing was written."""

    def __init__(self, record_ids: list[str]) -> None:
        super().__init__("several records match")
        self.record_ids = record_ids


class Writer:
    """Writes records for one request. base: `/services/data/vNN.0`, for urls in error bodies."""

    def __init__(self, context: Context, base: str) -> None:
        self.context = context
        self.org = context.org
        self.store = context.org.store
        self.base = base

    def create(self, sobject: SObject, given: object) -> Written:
        with self._counted("created"), self.store.transaction():
            self._permit(sobject, "create")
            if isinstance(given, dict) and any(key.lower() == "id" for key in given):
                raise OrgError(
                    400,
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    "cannot specify Id in an insert call",
                    ["Id"],
                )
            body = read_body(self.context, sobject, given, creating=True)
            return Written(self._insert(sobject, body), created=True)

    def update(self, sobject: SObject, record_id: str, given: object) -> Written:
        with self._counted("updated"), self.store.transaction():
            self._permit(sobject, "update")
            before = self._writeable(sobject, record_id)
            check_write(self.context.headers, sobject, before)
            if isinstance(given, dict) and any(key.lower() == "id" for key in given):
                raise not_in_body("Id")
            body = read_body(self.context, sobject, given, creating=False)
            self._update(sobject, before, body)
            return Written(str(before["Id"]))

    def upsert(
        self, sobject: SObject, key: Field, value: object, given: object, update_only: bool = False
    ) -> Written:
        """Update the record whose key field has the value, else create it with that value."""
        if key.kind != "id":
            value = read_value(key, value)
        matches = self._matches(sobject, key, value)
        if len(matches) > 1:
            self._count("rejected")
            raise SeveralMatchesError(matches)
        effect = "updated" if matches else "created"
        with self._counted(effect), self.store.transaction():
            if isinstance(given, dict) and any(name.lower() == key.name.lower() for name in given):
                raise not_in_body(key.name)
            if matches:
                self._permit(sobject, "update")
                before = self._writeable(sobject, matches[0])
                check_write(self.context.headers, sobject, before)
                body = read_body(self.context, sobject, given, creating=False)
                self._update(sobject, before, body)
                return Written(matches[0], created=False)
            if update_only:
                # Status and code of an unknown key with updateOnly are not confirmed [K].
                raise not_found()
            self._permit(sobject, "create")
            with_key = given if key.kind == "id" else _with_key(given, key, value)
            body = read_body(self.context, sobject, with_key, creating=True)
            return Written(self._insert(sobject, body), created=True)

    def delete(self, sobject: SObject, record_id: str) -> Written:
        with self.store.transaction():
            self._permit(sobject, "delete")
            before = self._writeable(sobject, record_id)
            self._lock(sobject, before)
            self._remove(sobject, str(before["Id"]))
            return Written(str(before["Id"]))

    def merge(self, sobject: SObject, record_id: str, into: str) -> Written:
        """Deletes the record as a merge does: from then on it names the one that was kept. What a
        merge does to the records of both is not imitated."""
        with self.store.transaction():
            master = str(self.existing(sobject, into)["Id"])
            gone = self.delete(sobject, record_id)
            self.store.update(sobject, gone.record_id, {"MasterRecordId": master})
            return gone

    def _remove(self, sobject: SObject, record_id: str) -> None:
        """The record and its details, whether the user may delete those or not."""
        gone = {"IsDeleted": 1, "SystemModstamp": self.org.clock.stamp()}
        self.store.update(sobject, record_id, gone)
        self.org.index.touch(sobject, record_id)
        for child in self.org.schema.children[sobject.name.lower()]:
            if child.field.detail:
                while details := self.store.matching(child.child, child.field, record_id):
                    for detail in details:
                        self._remove(child.child, detail)

    def existing(self, sobject: SObject, record_id: str) -> Row:
        """The record of that id. Raises MALFORMED_ID, NOT_FOUND or ENTITY_IS_DELETED."""
        normal = ids.normalise(record_id)
        if normal is None or not normal.startswith(sobject.prefix):
            raise malformed_id(f"{sobject.label} ID", "Id", record_id)
        row = self.store.row(sobject, normal)
        if row is None:
            raise not_found()
        if row["IsDeleted"]:
            raise entity_deleted(404)
        return row

    def _writeable(self, sobject: SObject, record_id: str) -> Row:
        """The record, unless it is one that the user may not change."""
        row = self.existing(sobject, record_id)
        if row["Id"] in self.org.faults.deny_records and not self.context.internal:
            raise no_access()
        return row

    def _matches(self, sobject: SObject, key: Field, value: object) -> list[str]:
        if key.kind == "id":
            return [] if value is None else [str(self.existing(sobject, str(value))["Id"])]
        return self.store.matching(sobject, key, value)

    def _insert(self, sobject: SObject, body: Body) -> str:
        now = self.org.clock.stamp()
        user = self.context.user_id
        kind = body.values.get("RecordTypeId")
        own = record_types.defaults(record_types.record_type_of(self.store, sobject, kind))
        record: Row = {
            field.name: own.get(field.name.lower()) or behaviour.stored_default(field)
            for field in (self.org.view.as_set_up(sobject, field) for field in sobject.fields)
            if (field.default is not None or field.name.lower() in own) and field.stored
        }
        record.update(body.values)
        record |= {"IsDeleted": 0, "CreatedDate": now, "CreatedById": user, "SystemModstamp": now}
        record |= {"LastModifiedDate": now, "LastModifiedById": user}
        if "ownerid" in sobject.by_name:
            assigned = rules.assigned_owner(self.context, sobject)
            record["OwnerId"] = assigned or record.get("OwnerId") or user
        behaviour.check_required(sobject, record)
        record_types.check_record_type(self.store, sobject, record, list(body.values))
        record_types.check_queue(self.store, sobject, record.get("OwnerId"))
        record["Id"] = self.store.next_id(sobject)
        self._derive(sobject, record, None, now)
        rules.check_duplicates(self.context, sobject, record, self.base)
        self._check_unique(sobject, record, body)
        self._lock(sobject, record)
        self.store.insert(sobject, record)
        self._after(sobject, record, body, created=True)
        return str(record["Id"])

    def _update(self, sobject: SObject, before: Row, body: Body) -> None:
        now = self.org.clock.stamp()
        record = before | body.values
        record |= {"LastModifiedDate": now, "SystemModstamp": now}
        record["LastModifiedById"] = self.context.user_id
        owner = rules.assigned_owner(self.context, sobject)
        if owner is not None:
            record["OwnerId"] = owner
        behaviour.check_required(sobject, record)
        record_types.check_record_type(self.store, sobject, record, list(body.values))
        if record.get("OwnerId") != before.get("OwnerId"):
            record_types.check_queue(self.store, sobject, record.get("OwnerId"))
        self._derive(sobject, record, before, now)
        if any(body.values.get(name) != before.get(name) for name in body.values):
            rules.check_duplicates(self.context, sobject, record, self.base)
        self._check_unique(sobject, record, body)
        self._lock(sobject, record)
        changes = {name: value for name, value in record.items() if value != before.get(name)}
        self.store.update(sobject, before["Id"], changes)
        if sobject.name == "Contact":
            behaviour.note_history(self.store, before, record, self.org.faults.track_history)
        self._after(sobject, record, body, created=False)

    def _derive(self, sobject: SObject, record: Row, before: Row | None, now: str) -> None:
        behaviour.derive_numbers(self.store, sobject, record, now)
        derive = behaviour.DERIVE.get(sobject.name)
        if derive is not None:
            derive(self.store, record, before, now)

    def _after(self, sobject: SObject, record: Row, body: Body, created: bool) -> None:
        after = behaviour.AFTER.get(sobject.name)
        if after is not None:
            after(self.store, record, created)
        comment = body.write_only.get("Comments")
        if comment:
            behaviour.add_comment(self.store, record, comment)
        rules.check_validation(self.context, sobject, record["Id"])
        self.org.index.touch(sobject, record["Id"])

    def _check_unique(self, sobject: SObject, record: Row, body: Body) -> None:
        for name in body.values:
            field = self.org.view.as_set_up(sobject, sobject.by_name[name.lower()])
            if not field.unique or record[name] is None:
                continue
            for other in self.store.matching(sobject, field, record[name], limit=2):
                if other != record["Id"]:
                    raise duplicate_value(field.name, other)

    def _lock(self, sobject: SObject, record: Row) -> None:
        hold_s = self.org.faults.lock_rows_s
        if not hold_s or self.context.internal:
            return
        masters = [field.name for field in sobject.fields if field.custom and field.detail]
        parents = [record[name] for name in (*LOCKED_PARENTS, *masters) if record.get(name)]
        touched = [record["Id"], *parents]
        holder = self.org.locks.take(touched, hold_s, self.context.request)
        if holder is not None and self.org.faults.lock_in_trigger:
            raise locked_in_trigger(sobject.name)
        if holder is not None:
            raise locked(holder)

    def _permit(self, sobject: SObject, operation: str) -> None:
        allowed = {"create": sobject.create, "update": sobject.update, "delete": sobject.delete}
        if self.context.internal:
            return
        if not allowed[operation] or not self.org.view.allows(sobject, operation):
            raise cannot(OPERATION_WORDS[operation], sobject.label)

    @contextmanager
    def _counted(self, effect: str) -> Iterator[None]:
        """Counts a record effect when the block ends well, a rejection when it is refused."""
        try:
            yield
        except OrgError:
            self._count("rejected")
            raise
        self._count(effect)

    def _count(self, effect: str) -> None:
        if not self.context.internal:
            stats = self.org.stats
            setattr(stats, effect, getattr(stats, effect) + 1)


def not_in_body(name: str) -> OrgError:
    return OrgError(
        400, "INVALID_FIELD", f"The {name} field should not be specified in the sobject data."
    )


def _with_key(given: object, key: Field, value: object) -> object:
    return {key.name: value, **given} if isinstance(given, dict) else given
