"""What a record is linked to: the caller's contact, and the case a comment or a closing is for."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

from shared.domain.drafts import CaseTarget, FromCaller
from shared.domain.intent import Cancelled, Intent, Outcome, Parked, Scope, TryAgain
from shared.domain.kinds import SETTLED, Kind, State
from shared.salesforce.people import only
from workers.delivery.desk import Desk


def find_cases(desk: Desk, intents: Sequence[Intent]) -> dict[str, str | Outcome]:
    """By intent id: the record id of its case, or what becomes of the intent without one.

    A case that this service opened is known by its receipt. One that was named by its number has
    to be the caller's: their contact's, or opened from their number when nobody knew a contact.
    """
    drafts = {intent.id: cast(CaseTarget, intent.draft) for intent in intents}
    earlier = desk.journal.get_many(
        one for draft in drafts.values() for one in (draft.case_intent, draft.only_after) if one
    )
    found: dict[str, str | Outcome] = {}
    named: dict[str, CaseTarget] = {}
    for intent in intents:
        draft = drafts[intent.id]
        if draft.only_after and (outcome := _not_after(intent, earlier.get(draft.only_after))):
            found[intent.id] = outcome
        elif draft.case_intent:
            found[intent.id] = _opened_here(intent, earlier.get(draft.case_intent))
        else:
            named[intent.id] = draft
    return found | _named_cases(desk, named)


NOT_THEIRS = frozenset({"CASE_OF_SOMEBODY_ELSE", "CASE_UNKNOWN"})


def _not_after(intent: Intent, earlier: Intent | None) -> Outcome | None:
    """What becomes of it because the one before it did not come to anything; None when it did."""
    if earlier and earlier.state is State.DELIVERED:
        return None
    comment = earlier is not None and earlier.kind is Kind.CASE_COMMENT
    if earlier and comment and earlier.state is State.PARKED and earlier.reason not in NOT_THEIRS:
        return Parked(intent.id, "COMMENT_PARKED", follows=earlier.id)
    return Cancelled(intent.id, "NOT_THEIR_CASE")


CONTACT_LINKS = frozenset({"ContactId", "WhoId"})


def contact_of(intent: Intent, draft: FromCaller, contacts: dict[str, list[str]]) -> str | None:
    """The caller's contact: as known at acceptance, else the one who has the number now.

    When Salesforce refused the link (the contact was merged or deleted since), the number decides;
    when it names the refused one again, the record goes without.
    """
    by_number = only(contacts.get(draft.caller_number))
    if CONTACT_LINKS & set(intent.leave_out):
        return by_number if by_number != draft.contact_id else None
    return draft.contact_id or by_number


def numbers_to_resolve(drafts: Iterable[tuple[Intent, FromCaller]]) -> list[str]:
    """The caller numbers that contact_of needs."""
    return [
        draft.caller_number
        for intent, draft in drafts
        if not draft.contact_id or CONTACT_LINKS & set(intent.leave_out)
    ]


def unchanged_since(row: dict[str, Any]) -> str:
    """If-Unmodified-Since for a row as it was read: the second after its last change.

    The header knows seconds only. An edit within that very second is not noticed; any later one
    refuses the change.
    """
    modified = datetime.fromisoformat(row["LastModifiedDate"])
    return format_datetime((modified + timedelta(seconds=1)).astimezone(UTC), usegmt=True)


def _opened_here(intent: Intent, parent: Intent | None) -> str | Outcome:
    if parent is None:
        return Parked(intent.id, "CASE_UNKNOWN")
    if parent.receipt:
        return parent.receipt.record_id
    if parent.state is State.CANCELLED and parent.call_id == intent.call_id:
        return Cancelled(intent.id, "CASE_CANCELLED")
    if parent.state in SETTLED:
        return Parked(intent.id, f"CASE_{parent.state.upper()}", follows=parent.id)
    return not_yet(intent, "CASE_NOT_YET")


def not_yet(intent: Intent, reason: str, delay_ms: int = 1_000) -> TryAgain:
    """It waits for another intent, and no longer than that one does."""
    return TryAgain(
        intent.id,
        reason,
        delay_ms,
        Scope.RECORD,
        strikes=0,
        unsure=intent.unsure,
        leave_out=intent.leave_out,
    )


def _named_cases(desk: Desk, drafts: dict[str, CaseTarget]) -> dict[str, str | Outcome]:
    if not drafts:
        return {}
    contacts, _ = desk.people.resolve(
        [draft.caller_number for draft in drafts.values() if not draft.contact_id], []
    )
    by_number = cases_by_number(desk, (draft.case_number or "" for draft in drafts.values()))
    found: dict[str, str | Outcome] = {}
    for intent_id, draft in drafts.items():
        rows = by_number[draft.case_number or ""]
        contact_id = draft.contact_id or only(contacts.get(draft.caller_number))
        if not rows:
            found[intent_id] = Parked(intent_id, "CASE_UNKNOWN")
        elif len(rows) > 1:
            found[intent_id] = Parked(intent_id, "CASE_AMBIGUOUS")
        elif contact_id and rows[0]["ContactId"] == contact_id:
            found[intent_id] = str(rows[0]["Id"])
        else:
            found[intent_id] = Parked(intent_id, "CASE_OF_SOMEBODY_ELSE")
    return found


def cases_by_number(desk: Desk, numbers: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The cases that each number may mean, by the number as it was said."""

    def query(statement: str) -> list[dict[str, Any]]:
        (rows,) = desk.records.query(statement)
        return rows

    return desk.case_numbers.find(numbers, ("Id", "ContactId"), query)
