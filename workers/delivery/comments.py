"""Comments on cases. A CaseComment can carry no key, so its text ends with the reference.

It is sent once, by who holds its lease at the moment of sending. When an earlier attempt may have
arrived, it rests until Salesforce must have finished, and then the comments of its case are read
and the reference is looked for. What remains: a comment that commits after that would be there
twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from shared.domain.drafts import CommentDraft
from shared.domain.intent import Delivered, Intent, Outcome, TryAgain
from shared.domain.text import MAX_COMMENT_BYTES, html_bytes
from shared.salesforce.client import WithdrawnError
from shared.salesforce.failures import SalesforceError
from shared.salesforce.soql import soql
from workers.delivery.desk import Desk
from workers.delivery.links import find_cases
from workers.delivery.task_links import with_links
from workers.delivery.text import fit_comment

CLOCKS_DIFFER_MS = 24 * 3600 * 1000
"""A comment of ours is no older than its intent, by clocks that may differ by so much."""

REST_MS = 15_000
"""Salesforce waits up to 10 s for a row lock: so long a comment may come after its lost answer."""


def add_comments(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    found = find_cases(desk, intents)
    outcomes = [one for one in found.values() if not isinstance(one, str)]
    targets = {one: case_id for one in intents if isinstance(case_id := found[one.id], str)}
    there = _already_there(desk, targets)
    outcomes += [Delivered(intent.id, record_id) for intent, record_id in there.items()]
    missing = [intent for intent in targets if intent not in there]
    return with_links(
        desk,
        intents,
        outcomes + _sent(desk, targets, missing),
        {one.id: case_id for one, case_id in targets.items()},
    )


def _sent(desk: Desk, targets: dict[Intent, str], missing: list[Intent]) -> list[Outcome]:
    if not missing:
        return []
    records = [_record(intent, targets[intent]) for intent in missing]
    try:
        written = desk.records.insert("CaseComment", records, still_wanted=desk.holds_lease)
    except WithdrawnError:
        return []  # somebody else's by now
    except SalesforceError as error:
        return [_rested(desk, one, error) for one in missing]
    return [
        desk.written(one, item, record_id=targets[one])
        for one, item in zip(missing, written, strict=True)
    ]


def _rested(desk: Desk, intent: Intent, error: SalesforceError) -> Outcome:
    outcome = desk.failed(intent, error, may_be_there=error.ambiguous)
    if isinstance(outcome, TryAgain) and outcome.unsure:
        return replace(outcome, rest_ms=max(REST_MS, outcome.rest_ms))
    return outcome


def _record(intent: Intent, case_id: str) -> dict[str, Any]:
    text = cast(CommentDraft, intent.draft).text
    mark = _mark(intent)
    body = fit_comment(text, MAX_COMMENT_BYTES - html_bytes(mark)) + mark
    return {"ParentId": case_id, "CommentBody": body}


def _mark(intent: Intent) -> str:
    return f"\n(reference {intent.reference})"


def _already_there(desk: Desk, targets: dict[Intent, str]) -> dict[Intent, str]:
    unsure = {intent: case_id for intent, case_id in targets.items() if intent.unsure}
    if not unsure:
        return {}
    since_ms = min(intent.accepted_at_ms for intent in unsure) - CLOCKS_DIFFER_MS
    (rows,) = desk.records.query(
        soql(
            "SELECT Id, ParentId, CommentBody FROM CaseComment "
            "WHERE ParentId IN {ids} AND CreatedDate >= {since}",
            ids=sorted(set(unsure.values())),
            since=datetime.fromtimestamp(since_ms // 1000, UTC),
        )
    )
    return {
        intent: row["Id"]
        for intent, case_id in unsure.items()
        for row in rows
        if row["ParentId"] == case_id and (row["CommentBody"] or "").endswith(_mark(intent))
    }
