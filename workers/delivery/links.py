"""What a record is linked to: the caller's contact, and the case a comment or a closing is for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

from shared.domain.drafts import CaseTarget, FromCaller
from shared.domain.identity import may_discuss
from shared.domain.intent import Cancelled, Intent, Outcome, Parked, Receipt, Scope, TryAgain
from shared.domain.kinds import SETTLED, Kind, State
from shared.salesforce.contact_resolver import only
from shared.salesforce.soql import soql
from workers.delivery.context import DeliveryContext
from workers.delivery.merges import merged_into


def find_cases(context: DeliveryContext, intents: Sequence[Intent]) -> dict[str, str | Outcome]:
    """By intent id: the record id of its case, or what becomes of the intent without one.

    A case that this service opened is known by its receipt, another one by its number. Whose it is,
    the org says: staff may have given it to another contact since it was opened.
    """
    drafts = {intent.id: cast(CaseTarget, intent.draft) for intent in intents}
    earlier = context.journal.get_many(
        item for draft in drafts.values() for item in (draft.case_intent, draft.only_after) if item
    )
    found: dict[str, str | Outcome] = {}
    sought: list[_Sought] = []
    for intent in intents:
        draft = drafts[intent.id]
        if draft.only_after and (outcome := _not_after(intent, earlier.get(draft.only_after))):
            found[intent.id] = outcome
        elif draft.case_intent:
            opened = created_here(intent, earlier.get(draft.case_intent), "CASE")
            if isinstance(opened, Receipt):
                parent = earlier[draft.case_intent]
                sought.append(_Sought(intent, draft, record_id=opened.record_id, parent=parent))
            else:
                found[intent.id] = opened
        else:
            sought.append(_Sought(intent, draft, number=draft.case_number or ""))
    return found | _in_org(context, sought)


@dataclass(frozen=True)
class _Sought:
    """A case to look at in the org: one of ours by its record id, or one by its number."""

    intent: Intent
    draft: CaseTarget
    record_id: str = ""
    number: str = ""
    parent: Intent | None = None

    def was_opened_for(self, contact_ids: set[str]) -> bool:
        """The case is one of ours, opened in the same call or for the same contact.

        False in a call that showed two numbers: the other caller may have opened it.
        """
        if self.parent is None or self.intent.has_two_numbers:
            return False
        draft = self.parent.draft
        owner = draft.contact_id if isinstance(draft, FromCaller) else None
        in_call = bool(self.intent.call_id) and self.parent.call_id == self.intent.call_id
        return in_call or (owner is not None and owner in contact_ids)


def _in_org(context: DeliveryContext, sought: list[_Sought]) -> dict[str, str | Outcome]:
    by_id: dict[str, dict[str, Any]] = {}
    if ids := {search.record_id for search in sought if search.record_id}:
        (rows,) = context.records.query(select_cases(ids))
        by_id = {row["Id"]: row for row in rows}
    by_number = cases_by_number(
        context, {search.number for search in sought if not search.record_id}
    )
    found: dict[str, str | Outcome] = {}
    cases: dict[str, dict[str, Any]] = {}
    for search in sought:
        rows = by_number.get(search.number, [])
        if search.record_id:
            rows = [by_id[search.record_id]] if search.record_id in by_id else []
        if len(rows) == 1:
            cases[search.intent.id] = rows[0]
        else:
            reason = "CASE_GONE" if search.record_id else "CASE_UNKNOWN"
            found[search.intent.id] = Parked(search.intent.id, "CASE_AMBIGUOUS" if rows else reason)
    sought = [search for search in sought if search.intent.id in cases]
    # A case that is not the known contact's is theirs if it belongs to the one that was kept when
    # that contact was merged. Who has the number is asked only where no contact was known.
    elsewhere = [
        search
        for search in sought
        if cases[search.intent.id]["ContactId"] not in (None, search.draft.contact_id)
    ]
    merges = merged_into(context, {search.draft.contact_id for search in elsewhere})
    by_phone = [search for search in elsewhere if not search.draft.contact_id]
    contacts = context.contacts.resolve(
        as_of_acceptance((search.intent, search.draft) for search in by_phone)
    )
    theirs: dict[str, set[str]] = {}
    for search in sought:
        known = {search.draft.contact_id, merges.get(search.draft.contact_id or "")}
        if search in by_phone:
            known.add(only(contacts.get(search.draft.number_to_resolve)))
        theirs[search.intent.id] = {id_ for id_ in known if id_}
    acting = context.contacts.acting(
        {
            id_
            for search in elsewhere
            if search.draft.for_household
            for id_ in theirs[search.intent.id]
        }
    )
    for search in sought:
        intent, case, own = search.intent, cases[search.intent.id], theirs[search.intent.id]
        is_allowed = may_discuss(own, case["ContactId"], requested=search.was_opened_for(own))
        if search.draft.for_household and case["ContactId"]:
            is_allowed = is_allowed or any(case["ContactId"] in acting.get(id_, ()) for id_ in own)
        if is_allowed:
            found[intent.id] = str(case["Id"])
        elif intent.tool:
            found[intent.id] = Parked(intent.id, "CASE_OF_SOMEBODY_ELSE")
        else:  # a note of the service's own: nobody asked for it, and the call's Task has the words
            found[intent.id] = Cancelled(intent.id, NOT_THEIR_CASE)
    return found


def select_cases(case_ids: Iterable[str]) -> str:
    return soql("SELECT Id, ContactId FROM Case WHERE Id IN {ids}", ids=sorted(set(case_ids)))


NOT_THEIR_CASE = "NOT_THEIR_CASE"
"""Why a note of the service's own was cancelled: staff gave its case to somebody else."""

NOT_THEIRS = frozenset({"CASE_OF_SOMEBODY_ELSE", "CASE_UNKNOWN"})


def _not_after(intent: Intent, earlier: Intent | None) -> Outcome | None:
    """The outcome of an intent whose earlier intent was not delivered; None if it was."""
    if earlier and earlier.state is State.DELIVERED:
        return None
    comment = earlier is not None and earlier.kind is Kind.CASE_COMMENT
    if earlier and comment and earlier.state is State.PARKED and earlier.reason not in NOT_THEIRS:
        return Parked(intent.id, "COMMENT_PARKED", follows=earlier.id)
    return Cancelled(intent.id, NOT_THEIR_CASE)


TASK_LINKS = frozenset({"WhoId"})
"""The field that links a Task to its contact."""


def contact_of(
    intent: Intent,
    draft: FromCaller,
    contacts: dict[str, list[str]],
    merges: Mapping[str, str],
    links: frozenset[str] = TASK_LINKS,
) -> str | None:
    """The caller's contact: as known at acceptance, else the one who has the number now,
    unless the org had said already that there is none.

    When Salesforce refused the link (the contact was merged or deleted since), it is the contact
    that the merge kept, or the record goes without. links: the fields of the link. merges: see
    `merged_into`, for the contacts whose link was refused.
    """
    if not draft.contact_id:
        return only(contacts.get(draft.number_to_resolve))
    return merges.get(draft.contact_id) if is_refused(intent, links) else draft.contact_id


def is_refused(intent: Intent, links: frozenset[str] = TASK_LINKS) -> bool:
    """Salesforce refused the link to the contact before."""
    return bool(links & set(intent.omit_fields))


def numbers_to_resolve(
    drafts: Iterable[tuple[Intent, FromCaller]],
) -> dict[str, int]:
    """The caller numbers that contact_of needs, for ContactResolver.resolve."""
    return as_of_acceptance((intent, draft) for intent, draft in drafts if not draft.contact_id)


def as_of_acceptance(drafts: Iterable[tuple[Intent, FromCaller]]) -> dict[str, int]:
    """The numbers to resolve, each with the time of the last acceptance from it (epoch ms)."""
    numbers: dict[str, int] = {}
    for intent, draft in drafts:
        number = draft.number_to_resolve
        numbers[number] = max(numbers.get(number, 0), intent.accepted_at_ms)
    return numbers


def unchanged_since(row: dict[str, Any]) -> str:
    """If-Unmodified-Since for a row as it was read: the second after its last change.

    The header knows seconds only. An edit within that second goes unseen; any later edit
    refuses the change.
    """
    modified = datetime.fromisoformat(row["LastModifiedDate"])
    return format_datetime((modified + timedelta(seconds=1)).astimezone(UTC), usegmt=True)


def created_here(intent: Intent, parent: Intent | None, what: str) -> Receipt | Outcome:
    """The record that the parent created; without one, what becomes of the intent. what: "CASE" or
    "RECORD", for its reason."""
    if parent is None:
        return Parked(intent.id, f"{what}_UNKNOWN")
    if parent.receipt:
        return parent.receipt
    if parent.state is State.CANCELLED and parent.call_id == intent.call_id:
        return Cancelled(intent.id, f"{what}_CANCELLED")
    if parent.state in SETTLED:
        return Parked(intent.id, f"{what}_{parent.state.upper()}", follows=parent.id)
    return not_yet(intent, f"{what}_NOT_YET")


def not_yet(intent: Intent, reason: str, delay_ms: int = 1_000) -> TryAgain:
    """It waits for another intent, and no longer than that one does."""
    return TryAgain(
        intent.id,
        reason,
        delay_ms,
        Scope.RECORD,
        failures_in_a_row=0,
        in_doubt=intent.in_doubt,
        omit_fields=intent.omit_fields,
    )


def cases_by_number(
    context: DeliveryContext, numbers: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """The cases that each number may mean, by the number as it was said."""

    def query(statement: str) -> list[dict[str, Any]]:
        (rows,) = context.records.query(statement)
        return rows

    return context.case_numbers.find(numbers, ("Id", "ContactId"), query)
