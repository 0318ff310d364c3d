"""Comments on cases. A CaseComment can carry no key, so its last line has the reference.

It is sent once, by who holds its lease at the moment of sending. When an earlier attempt may have
arrived, it rests until Salesforce must have finished, and then the comments of its case are read
and the reference is looked for. A comment that Salesforce commits after that appears twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from shared.domain.drafts import CommentDraft
from shared.domain.intent import Delivered, Intent, Outcome, TryAgain
from shared.domain.text import MAX_COMMENT_BYTES, fit_comment, html_bytes, marked
from shared.salesforce.client import WithdrawnError
from shared.salesforce.failures import SalesforceError
from shared.salesforce.soql import soql
from workers.delivery.context import DeliveryContext
from workers.delivery.links import find_cases
from workers.delivery.task_links import with_links

CLOCKS_DIFFER_MS = 24 * 3600 * 1000
"""A comment of ours is no older than its intent, by clocks that may differ by so much."""

REST_MS = 15_000
"""Salesforce waits up to 10 s for a row lock. A comment may be committed that long after its answer
was lost."""


def add_comments(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    found = find_cases(context, intents)
    outcomes = [entry for entry in found.values() if not isinstance(entry, str)]
    targets = {entry: case_id for entry in intents if isinstance(case_id := found[entry.id], str)}
    existing = _find_existing(context, targets)
    outcomes += [Delivered(intent.id, record_id) for intent, record_id in existing.items()]
    missing = [intent for intent in targets if intent not in existing]
    return with_links(
        context,
        intents,
        outcomes + _sent(context, targets, missing),
        {key.id: case_id for key, case_id in targets.items()},
    )


def _sent(
    context: DeliveryContext, targets: dict[Intent, str], missing: list[Intent]
) -> list[Outcome]:
    if not missing:
        return []
    records = [_record(context, intent, targets[intent]) for intent in missing]
    try:
        written = context.records.insert("CaseComment", records, still_wanted=context.holds_lease)
    except WithdrawnError:
        return context.withdrawn(missing)
    except SalesforceError as error:
        return [_rested(context, entry, error) for entry in missing]
    return [
        context.written(entry, item, record_id=targets[entry])
        for entry, item in zip(missing, written, strict=True)
    ]


def _rested(context: DeliveryContext, intent: Intent, error: SalesforceError) -> Outcome:
    outcome = context.failed(intent, error, may_exist=error.ambiguous)
    if isinstance(outcome, TryAgain) and outcome.in_doubt:
        return replace(outcome, rest_ms=max(REST_MS, outcome.rest_ms))
    return outcome


def _record(context: DeliveryContext, intent: Intent, case_id: str) -> dict[str, Any]:
    text = cast(CommentDraft, intent.draft).text
    if intent.tool:  # the caller's words
        text = marked(text)
    reference = context.sentences.for_staff("record-reference", reference=intent.reference)
    reference_line = f"\n({reference})"
    body = fit_comment(text, MAX_COMMENT_BYTES - html_bytes(reference_line)) + reference_line
    return {"ParentId": case_id, "CommentBody": body}


def _is_of(intent: Intent, body: str) -> bool:
    """The last line is the reference in parentheses. The words around it may be of another language
    than today's."""
    last_line = body.rstrip().rpartition("\n")[2]
    return last_line.startswith("(") and last_line.endswith(")") and intent.reference in last_line


def _find_existing(context: DeliveryContext, targets: dict[Intent, str]) -> dict[Intent, str]:
    in_doubt = {intent: case_id for intent, case_id in targets.items() if intent.in_doubt}
    if not in_doubt:
        return {}
    since_ms = min(intent.accepted_at_ms for intent in in_doubt) - CLOCKS_DIFFER_MS
    (rows,) = context.records.query(
        soql(
            "SELECT Id, ParentId, CommentBody FROM CaseComment "
            "WHERE ParentId IN {ids} AND CreatedDate >= {since}",
            ids=sorted(set(in_doubt.values())),
            since=datetime.fromtimestamp(since_ms // 1000, UTC),
        )
    )
    return {
        intent: row["Id"]
        for intent, case_id in in_doubt.items()
        for row in rows
        if row["ParentId"] == case_id and _is_of(intent, row["CommentBody"] or "")
    }
