"""The case that a call was about, for the call's Tasks: the last one that it opened, else the one
that it commented on. Never a case that is not the caller's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.drafts import CommentDraft
from shared.domain.identity import may_discuss
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from workers.delivery.context import DeliveryContext
from workers.delivery.links import NOT_THEIR_CASE, cases_by_number, select_cases


@dataclass(frozen=True)
class CallView:
    """One intent's call. intents: all of the call, in the order of acceptance.

    contact_id: the caller's contact. commented: the number of the case that the call commented on,
    "" when it commented on none, or when the comment was not delivered.
    """

    intents: Sequence[Intent]
    contact_id: str | None
    commented: str = ""

    @property
    def opened(self) -> list[Intent]:
        """The call's cases that are in the org, in the order they were accepted."""
        return [item for item in self.intents if item.kind is Kind.CASE_CREATE and item.receipt]


def last_comment(intents: Sequence[Intent]) -> tuple[Intent, str] | None:
    """The call's last comment on a case that it did not open, and the case's number as said."""
    for intent in reversed(intents):
        comment = intent.draft_as(CommentDraft) if intent.tool else None
        if comment and comment.case_number:
            return intent, comment.case_number
    return None


def of_one_caller(intents: Sequence[Intent], calls: Mapping[str, CallView]) -> dict[str, CallView]:
    """A call that showed two numbers is about no case: its Tasks hold the words of both callers."""
    return {intent.id: calls[intent.id] for intent in intents if not intent.has_two_numbers}


def cases_of_calls(context: DeliveryContext, calls: Mapping[str, CallView]) -> dict[str, str]:
    """The case's record id, by intent id. Omits calls without a case of the caller's."""
    cases = _opened_and_theirs(context, calls)
    numbers = {id_: call.commented for id_, call in calls.items() if not call.opened}
    found = cases_by_number(context, {number for number in numbers.values() if number})
    for intent_id, number in numbers.items():
        rows = found.get(number, [])
        # Several cases may be meant by a number as it was said.
        if len(rows) == 1 and may_discuss(
            {calls[intent_id].contact_id}, rows[0]["ContactId"], requested=True
        ):
            cases[intent_id] = str(rows[0]["Id"])
    return cases


def _opened_and_theirs(context: DeliveryContext, calls: Mapping[str, CallView]) -> dict[str, str]:
    """By intent id, the record id of the case that its call opened last, unless staff have given it
    to another contact since.

    The call's summary went to the same case a moment ago, as a rule: whether that was theirs is
    not asked again.
    """
    theirs: dict[str, str] = {}
    in_doubt: dict[str, str] = {}
    for intent_id, call in calls.items():
        cases = call.opened
        if not cases or not (receipt := cases[-1].receipt):
            continue
        notes = [
            intent
            for intent in call.intents
            if not intent.tool
            and (comment := intent.draft_as(CommentDraft))
            and comment.case_intent == cases[-1].id
        ]
        note = notes[-1] if notes else None
        if note and note.state is State.DELIVERED:
            theirs[intent_id] = receipt.record_id
        elif not note or note.reason != NOT_THEIR_CASE:
            in_doubt[intent_id] = receipt.record_id
    if in_doubt:
        (rows,) = context.records.query(select_cases(in_doubt.values()))
        contacts = {row["Id"]: row["ContactId"] for row in rows}
        theirs |= {
            intent_id: case_id
            for intent_id, case_id in in_doubt.items()
            if case_id in contacts
            and may_discuss({calls[intent_id].contact_id}, contacts[case_id], requested=True)
        }
    return theirs
