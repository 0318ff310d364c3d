"""Call logs that are completed after they were written: by a report that came late, by what a call
did after it had been closed for want of one.

The Task is read first. A field is written only while it has the value that this service gave it, or
none; a person's edit stays (optimistic concurrency, as for contacts).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from shared.domain.drafts import CallDraft
from shared.domain.intent import Cancelled, Delivered, Intent, Outcome, Parked
from shared.domain.kinds import SETTLED, Kind, State
from shared.domain.reading import UnreadableError
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.records import Row
from shared.salesforce.soql import columns, soql
from workers.delivery.call_text import call_fields
from workers.delivery.context import DeliveryContext
from workers.delivery.links import not_yet, unchanged_since

LINKS = ("WhoId", "WhatId")
"""Filled when they are empty, never changed."""

AMENDED = ("Subject", "Description", "ActivityDate", *LINKS)
OF_CALL_CENTER = ("CallType", "CallDisposition", "CallDurationInSeconds")
"""Fields that an org without CRM Call Center does not have (docs/vendors.md S16)."""

Record = Callable[[Intent], dict[str, Any]]


@dataclass(frozen=True)
class Findings:
    """The fields of `[outcome]` that a Task has, and their values for a draft."""

    fields: tuple[str, ...]
    of: Callable[[CallDraft], dict[str, Any]]


def amend_call_logs(
    context: DeliveryContext,
    intents: Sequence[Intent],
    record: Record,
    of_call: dict[str, list[Intent]],
    *,
    findings: Findings,
    optional: frozenset[str],
) -> list[Outcome]:
    """record: the whole Task as an intent wants it. of_call: all intents of its call, by its id."""
    found = _find_tasks(context, intents)
    outcomes = [entry for entry in found.values() if not isinstance(entry, str)]
    targets = {entry: task_id for entry in intents if isinstance(task_id := found[entry.id], str)}
    rows = _read(context, set(targets.values()), findings.fields)
    writing: dict[str, tuple[Intent, Row, bool]] = {}
    for intent, task_id in targets.items():
        row = rows.get(task_id)
        if row is None:
            outcomes.append(Parked(intent.id, "TASK_GONE"))
            continue
        if task_id in writing:
            # The second has to see what the first did.
            outcomes.append(not_yet(intent, "AFTER_ANOTHER", 100))
            continue
        changes, is_edited = _changes(
            row, record(intent), _ours(context, of_call[intent.id], findings)
        )
        changes = {name: entry for name, entry in changes.items() if name not in intent.omit_fields}
        if changes:
            writing[task_id] = (intent, Row(task_id, changes, unchanged_since(row)), is_edited)
        else:
            outcomes.append(_done(intent, task_id, is_edited))
    if not writing:
        return outcomes
    written = context.records.change("Task", [row for _, row, _ in writing.values()])
    for (intent, change, is_edited), item in zip(writing.values(), written, strict=True):
        outcome = context.written(intent, item, optional=optional)
        is_done = isinstance(outcome, Delivered)
        outcomes.append(_done(intent, change.record_id, is_edited) if is_done else outcome)
    return outcomes


def _done(intent: Intent, task_id: str, is_edited: bool) -> Outcome:
    """A description that a person edited is theirs; what it should have said must not be lost."""
    if is_edited:
        return Parked(intent.id, "EDITED_SINCE (Description)")
    return Delivered(intent.id, task_id)


def _find_tasks(context: DeliveryContext, intents: Sequence[Intent]) -> dict[str, str | Outcome]:
    """By intent id: the record id of its Task, or what becomes of the intent without one."""
    amended = {entry.id: cast(CallDraft, entry.draft).amends for entry in intents}
    logs = context.journal.get_many(amended.values())
    found: dict[str, str | Outcome] = {}
    for intent in intents:
        call_log = logs.get(amended[intent.id])
        if call_log is None:
            found[intent.id] = Parked(intent.id, "TASK_UNKNOWN")
        elif call_log.receipt:
            found[intent.id] = call_log.receipt.record_id
        elif call_log.state is State.CANCELLED:
            found[intent.id] = Cancelled(intent.id, "CALL_LOG_CANCELLED")
        elif call_log.state in SETTLED:
            found[intent.id] = Parked(intent.id, "TASK_PARKED")
        else:
            found[intent.id] = not_yet(intent, "TASK_NOT_YET")
    return found


def _read(
    context: DeliveryContext, task_ids: set[str], findings: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    if not task_ids:
        return {}
    try:
        rows = _query(context, task_ids, (*AMENDED, *OF_CALL_CENTER, *findings))
    except SalesforceError as error:
        if error.failure not in (FailureClass.MISCONFIGURED, FailureClass.MISSING_FIELD):
            raise
        rows = _query(context, task_ids, AMENDED)
    return {row["Id"]: row for row in rows}


def _query(
    context: DeliveryContext, task_ids: set[str], fields: tuple[str, ...]
) -> list[dict[str, Any]]:
    (rows,) = context.records.query(
        soql(
            f"SELECT Id, CreatedDate, LastModifiedDate, {columns(fields)} FROM Task "
            "WHERE Id IN {ids}",
            ids=sorted(task_ids),
        )
    )
    return rows


def _changes(
    row: dict[str, Any], wanted: dict[str, Any], ours: list[dict[str, Any]] | None
) -> tuple[dict[str, Any], bool]:
    """The fields to write, and whether the description is somebody's own by now.

    ours: None when that is not known any more. Then all is ours in a Task that nobody has changed,
    as far as Salesforce's whole seconds show.
    """
    is_untouched = ours is None and row["CreatedDate"] == row["LastModifiedDate"]
    changes: dict[str, Any] = {}
    is_edited = False
    for name, value in wanted.items():
        if name not in row or value in (None, "") or _folded(row[name]) == _folded(value):
            continue
        if row[name] in (None, ""):
            changes[name] = value
        elif name in LINKS:
            continue
        elif is_untouched or _folded(row[name]) in {
            _folded(entry.get(name)) for entry in ours or []
        }:
            changes[name] = value
        elif name == "Description":
            is_edited = True
    return changes, is_edited


def _ours(
    context: DeliveryContext, intents: list[Intent], findings: Findings
) -> list[dict[str, Any]] | None:
    """The fields as this service wrote them each time, in every language that the default one may
    have been then; None when a draft is gone."""
    written = []
    for intent in intents:
        if intent.kind is not Kind.CALL_LOG or not intent.receipt:
            continue
        opened = [
            entry.receipt
            for entry in intents
            if entry.kind is Kind.CASE_CREATE
            and entry.receipt
            and entry.receipt.at_ms <= intent.receipt.at_ms
        ]
        others = [receipt.number for receipt in opened[:-1] if receipt.number]
        try:
            draft = cast(CallDraft, intent.draft)
        except (UnreadableError, TypeError):  # purged, or of another version
            return None
        written += [
            call_fields(context, draft, others, intent.accepted_at_ms, language)
            | findings.of(draft)
            for language in context.sentences.languages
        ]
    return written


def _folded(value: Any) -> Any:
    """Salesforce may keep line ends as CRLF, and drops spaces at the end."""
    return value.replace("\r\n", "\n").rstrip() if isinstance(value, str) else value
