"""Order: an intent waits for the earlier ones of its call about the same record, and no others."""

from typing import Any

import pytest

from shared.domain.drafts import CallbackDraft, CaseDraft, CloseDraft, CommentDraft, ContactDraft
from shared.domain.intent import Delivered, NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal

CASE = CaseDraft(issue_type="billing", description="x")
CHANGE = ContactDraft(changes={"Email": "a@example.com"}, accepted_at="2026-11-22T10:00:00+00:00")


def accepted(journal: Journal, kind: Kind, draft: Any, **others: Any) -> str:
    intent = NewIntent(id=new_intent_id(), kind=kind, draft=draft, tool="t", **others)
    journal.accept("call", [intent])
    return intent.id


def leased(journal: Journal, kind: Kind) -> list[str]:
    lease = journal.lease(kind, limit=200, max_bytes=4_000_000)
    journal.settle(lease, [Delivered(intent.id, "500x") for intent in lease.intents])
    return [intent.id for intent in lease.intents]


@pytest.mark.parametrize(
    ("first", "first_draft", "then", "then_draft"),
    [
        (Kind.CONTACT_UPDATE, CHANGE, Kind.CASE_CREATE, CASE),
        (Kind.CASE_CREATE, CASE, Kind.CALLBACK, CallbackDraft(phone="+14155550101")),
        (Kind.CALLBACK, CallbackDraft(phone="+14155550101"), Kind.CONTACT_UPDATE, CHANGE),
        (
            Kind.CASE_COMMENT,
            CommentDraft(case_number="00001001", text="x"),
            Kind.CASE_CLOSE,
            CloseDraft(case_number="00001002"),
        ),
    ],
)
def test_a_paused_kind_holds_up_nothing_that_is_about_another_record(
    journal: Journal, first: Kind, first_draft: Any, then: Kind, then_draft: Any
) -> None:
    journal.pause(first)
    accepted(journal, first, first_draft)
    later = accepted(journal, then, then_draft)
    assert leased(journal, then) == [later]


@pytest.mark.parametrize("by", ["number", "intent"])
def test_what_is_about_the_same_case_keeps_its_order(journal: Journal, by: str) -> None:
    case_id = accepted(journal, Kind.CASE_CREATE, CASE) if by == "intent" else None
    target: dict[str, Any] = {
        "case_intent": case_id,
        "case_number": None if case_id else "00001001",
    }
    comment = accepted(journal, Kind.CASE_COMMENT, CommentDraft(**target, text="x"))
    end_of_call = accepted(journal, Kind.CASE_CLOSE, CloseDraft(**target))
    assert leased(journal, Kind.CASE_CLOSE) == []
    if case_id:
        assert leased(journal, Kind.CASE_COMMENT) == []
        assert leased(journal, Kind.CASE_CREATE) == [case_id]
    assert leased(journal, Kind.CASE_COMMENT) == [comment]
    assert leased(journal, Kind.CASE_CLOSE) == [end_of_call]


def test_the_call_log_waits_for_all_of_its_call(journal: Journal) -> None:
    accepted(journal, Kind.CONTACT_UPDATE, CHANGE)
    log = accepted(journal, Kind.CALL_LOG, CASE, after_call=True)
    assert leased(journal, Kind.CALL_LOG) == []
    leased(journal, Kind.CONTACT_UPDATE)
    assert leased(journal, Kind.CALL_LOG) == [log]
