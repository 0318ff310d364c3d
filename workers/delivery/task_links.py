"""Links tasks to a case that was created after them.

A call is logged when all it asked for is settled, and what parked is settled. When a person has it
delivered after all, the Task is there already: then a link is recorded with that delivery. A
call-back may be written before the case as well. A link waits for tasks that are still at work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from shared.calls.end_of_call import FINGERPRINT
from shared.domain.drafts import CallDraft, TaskLinkDraft
from shared.domain.identity import may_discuss
from shared.domain.intent import Cancelled, Delivered, Intent, NewIntent, Outcome, new_intent_id
from shared.domain.kinds import Kind, State
from shared.salesforce.records import Row
from shared.salesforce.soql import soql
from workers.delivery.case_of_call import last_comment
from workers.delivery.context import DeliveryContext
from workers.delivery.links import NOT_THEIR_CASE, not_yet, select_cases, unchanged_since


def with_links(
    context: DeliveryContext,
    intents: Sequence[Intent],
    outcomes: Sequence[Outcome],
    cases: Mapping[str, str],
) -> list[Outcome]:
    """The same outcomes, but each delivery also carries the task link that it makes possible.

    cases: by intent id, the record id of the case that was opened or commented on.
    """
    delivered = {entry.intent_id for entry in outcomes if isinstance(entry, Delivered)}
    linking = [entry for entry in intents if _is_linked(entry, delivered, cases)]
    of_calls = context.journal.of_calls(entry.call_id for entry in linking)
    tasks = {entry.id: _tasks_to_link(entry, of_calls.get(entry.call_id, [])) for entry in linking}
    return [
        replace(entry, also=_link(tasks[entry.intent_id], cases[entry.intent_id]))
        if isinstance(entry, Delivered) and tasks.get(entry.intent_id)
        else entry
        for entry in outcomes
    ]


def _is_linked(intent: Intent, delivered: set[str], cases: Mapping[str, str]) -> bool:
    """The tasks of a call that showed two numbers hold the words of both callers."""
    return intent.id in delivered and intent.id in cases and not intent.has_two_numbers


def _link(task_intents: list[str], case_id: str) -> tuple[NewIntent, ...]:
    draft = TaskLinkDraft(task_intents=task_intents, case_id=case_id)
    return (
        NewIntent(id=new_intent_id(), kind=Kind.TASK_LINK, after=tuple(task_intents), draft=draft),
    )


def _tasks_to_link(intent: Intent, of_call: Sequence[Intent]) -> list[str]:
    """Of the call's tasks that may have been written without this case: its log, its call-backs.

    Those that are written later find the case themselves.
    """
    logs = [
        entry for entry in of_call if entry.fingerprint == FINGERPRINT and _may_be_written(entry)
    ]
    if intent.kind is Kind.CASE_COMMENT:
        # The log belongs to a case of the call's own, or to another comment's, unless it says so.
        drafts = {entry.id: entry.draft_as(CallDraft) for entry in logs}
        logs = [entry for entry in logs if (d := drafts[entry.id]) and d.only_after == intent.id]
    callbacks = []
    if _is_main(intent, of_call):
        # A call-back that is due may be at work before this delivery is settled.
        callbacks = [
            entry
            for entry in of_call
            if entry.kind is Kind.CALLBACK and (_may_be_written(entry) or entry.state is State.DUE)
        ]
    return [entry.id for entry in (*logs, *callbacks)]


def _may_be_written(entry: Intent) -> bool:
    """The task is in Salesforce, or on its way there."""
    return bool(entry.receipt) or entry.in_doubt or entry.state is State.LEASED


def _is_main(intent: Intent, of_call: Sequence[Intent]) -> bool:
    """The call's call-backs belong to this case: it opened it, or else commented on it last."""
    if intent.kind is Kind.CASE_CREATE:
        return True
    opens = [entry for entry in of_call if entry.kind is Kind.CASE_CREATE]
    last = last_comment(of_call)
    return (
        last is not None
        and last[0].id == intent.id
        and all(entry.state is State.CANCELLED for entry in opens)
    )


def link_tasks(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    """A task that has a case by now keeps it: a person may have chosen it.

    None is linked to a case that staff gave to another contact, or in a call that showed two
    numbers: the Task holds the words of both callers.
    """
    drafts = {entry.id: cast(TaskLinkDraft, entry.draft) for entry in intents}
    tasks = context.journal.get_many(id_ for draft in drafts.values() for id_ in draft.task_intents)
    task_ids = {
        entry.id: [
            receipt.record_id
            for id_ in drafts[entry.id].task_intents
            if id_ in tasks and (receipt := tasks[id_].receipt)
        ]
        for entry in intents
    }
    rows, contacts = _read(
        context,
        {id_ for ids in task_ids.values() for id_ in ids},
        {draft.case_id for draft in drafts.values()},
    )
    outcomes: list[Outcome] = []
    linking: dict[str, tuple[Intent, Row]] = {}
    for intent in intents:
        found = [rows[id_] for id_ in task_ids[intent.id] if id_ in rows]
        owner = contacts.get(drafts[intent.id].case_id)
        is_one_callers = not intent.has_two_numbers
        theirs = [
            row
            for row in found
            if is_one_callers and may_discuss({row["WhoId"]}, owner, requested=True)
        ]
        unlinked = [row for row in theirs if not row["WhatId"]]
        if not theirs:
            outcomes.append(Cancelled(intent.id, NOT_THEIR_CASE if found else "NO_TASK"))
        elif not unlinked:
            outcomes.append(Delivered(intent.id, theirs[0]["Id"]))
        elif any(row["Id"] in linking for row in unlinked):
            outcomes.append(not_yet(intent, "AFTER_ANOTHER", 100))
        else:
            fields = {"WhatId": drafts[intent.id].case_id}
            linking |= {
                entry["Id"]: (intent, Row(entry["Id"], fields, unchanged_since(entry)))
                for entry in unlinked
            }
    if not linking:
        return outcomes
    written = context.records.change("Task", [row for _, row in linking.values()])
    became: dict[str, Outcome] = {}
    for (intent, row), item in zip(linking.values(), written, strict=True):
        outcome = context.written(intent, item, record_id=row.record_id)
        if intent.id not in became or not isinstance(outcome, Delivered):
            became[intent.id] = outcome  # what is not linked is tried again for both
    return outcomes + list(became.values())


def _read(
    context: DeliveryContext, task_ids: set[str], case_ids: set[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, str | None]]:
    """The tasks, and whose each case is, by record id."""
    if not task_ids:
        return {}, {}
    tasks, cases = context.records.query(
        soql(
            "SELECT Id, WhoId, WhatId, LastModifiedDate FROM Task WHERE Id IN {ids}",
            ids=sorted(task_ids),
        ),
        select_cases(case_ids),
    )
    return {row["Id"]: row for row in tasks}, {row["Id"]: row["ContactId"] for row in cases}
