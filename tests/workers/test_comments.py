"""Comments: on the right case, for whom it concerns, once."""

from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import CallDraft, CommentDraft, Draft, TranscriptDraft
from shared.domain.kinds import Kind, State
from shared.domain.text import html_bytes
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN
from tests.store_time import lease_runs_out, waits_end
from tests.workers.delivering import (
    BILLING,
    CALL,
    accept,
    contact,
    deliver,
    open_case,
    record,
    stored,
    wait_no_more,
)
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


def test_a_comment_follows_its_case_and_ends_with_its_reference(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    opened = open_case(context, journal, BILLING)
    comment = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(caller_number=KNOWN, case_intent=opened, text="ü" * 4000),
    )
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    (written,) = org.records("CaseComment")[-1:]
    body = written["CommentBody"]
    assert written["ParentId"] == record(org, "Case", opened)["Id"]
    assert body.endswith(f"(reference {stored(journal, comment).reference})")
    assert 3_900 < len(body.encode()) <= 4_000


@pytest.mark.parametrize("sign", ["&", "<", ">", '"', "'", "\n", "é", "😀"])
@pytest.mark.parametrize("crlf", [False, True])
def test_a_comment_is_cut_as_salesforce_counts(
    context: DeliveryContext, journal: Journal, org: Org, sign: str, crlf: bool
) -> None:
    """Counted as HTML, and with room for two characters a line break; its reference stays."""
    opened = open_case(context, journal, BILLING)
    org.fault(crlf_text=crlf)
    draft = CommentDraft(caller_number=KNOWN, case_intent=opened, text="a" + sign * 3_999)
    comment = accept(journal, Kind.CASE_COMMENT, draft)
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    body = org.records("CaseComment")[-1]["CommentBody"]
    assert body.endswith(f"(reference {stored(journal, comment).reference})")
    assert html_bytes(body) > 3_950


def lose_the_answer_of_the_write(
    context: DeliveryContext, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the comment itself, not of the look at its case before it."""
    insert = context.records.insert

    def losing(*args: Any, **options: Any) -> Any:
        org.fault(lose_answer=1.0)
        return insert(*args, **options)

    monkeypatch.setattr(context.records, "insert", losing)


def test_a_comment_whose_answer_was_lost_is_there_once(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = open_case(context, journal, BILLING)
    before = len(org.records("CaseComment"))
    comment = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(caller_number=KNOWN, case_intent=opened, text="hello"),
    )
    lose_the_answer_of_the_write(context, org, monkeypatch)
    assert drain(context, Kind.CASE_COMMENT).counts == {"again": 1}
    monkeypatch.undo()
    org.fault()
    wait_no_more(store)
    assert drain(context, Kind.CASE_COMMENT).counts == {}  # it rests until Salesforce has finished
    wait_no_more(store, comment, kind=Kind.CASE_COMMENT)
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert len(org.records("CaseComment")) == before + 1
    assert stored(journal, comment).receipt


def test_a_comment_is_found_behind_the_first_page_of_those_of_its_case(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = open_case(context, journal, BILLING)
    case_id = record(org, "Case", opened)["Id"]
    comment = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(caller_number=KNOWN, case_intent=opened, text="hello"),
    )
    org.create("CaseComment", [{"ParentId": case_id, "CommentBody": f"{n}"} for n in range(5)])
    lose_the_answer_of_the_write(context, org, monkeypatch)
    assert drain(context, Kind.CASE_COMMENT).counts == {"again": 1}
    monkeypatch.undo()
    before = len(org.records("CaseComment"))
    org.fault(max_page_rows=2)
    wait_no_more(store, comment, kind=Kind.CASE_COMMENT)
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert len(org.records("CaseComment")) == before


@pytest.mark.parametrize(
    ("number", "outcome"), [(KNOWN, "delivered"), (UNKNOWN, "parked"), (SHARED, "parked")]
)
def test_a_named_case_is_commented_for_its_contact_alone(
    context: DeliveryContext, journal: Journal, number: str, outcome: str
) -> None:
    draft = CommentDraft(caller_number=number, case_number="00001001", text="x")
    intent_id = accept(journal, Kind.CASE_COMMENT, draft, tool="addCaseComment")
    assert drain(context, Kind.CASE_COMMENT).counts == {outcome: 1}
    if outcome == "parked":
        assert stored(journal, intent_id).reason == "CASE_OF_SOMEBODY_ELSE"


def test_a_comment_on_a_case_that_parked_parks_and_on_one_taken_back_is_cancelled(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    org.fault(deny=["Case.create"])
    gone = accept(journal, Kind.CASE_CREATE, BILLING, hold_ms=60_000)
    comment = accept(
        journal, Kind.CASE_COMMENT, CommentDraft(case_intent=gone, text="x"), after=(gone,)
    )
    journal.cancel(gone, "caller")
    assert drain(context, Kind.CASE_COMMENT).counts == {"cancelled": 1}
    assert stored(journal, comment).state is State.CANCELLED
    accept(journal, Kind.CASE_COMMENT, CommentDraft(case_intent="nobody", text="x"))
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1}


def test_a_comment_on_a_case_that_was_deleted_parks(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    opened = open_case(context, journal, BILLING)
    org.delete("Case", record(org, "Case", opened)["Id"])
    accept(
        journal, Kind.CASE_COMMENT, CommentDraft(caller_number=KNOWN, case_intent=opened, text="x")
    )
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1}


def test_a_comment_on_a_case_that_parked_parks(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    comment = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(caller_number=KNOWN, case_intent=opened, text="x"),
        after=(opened,),
    )
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    assert drain(context, Kind.CASE_CREATE).counts == {"parked": 1}
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1}
    assert stored(journal, comment).reason == "CASE_PARKED"


@pytest.mark.parametrize("at", ["permit", "tokens.current"])
@pytest.mark.parametrize("kind", [Kind.CASE_COMMENT, Kind.TRANSCRIPT_FILE])
def test_a_worker_frozen_right_before_sending_sends_nothing_twice(
    context: DeliveryContext,
    settings: Settings,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    kind: Kind,
) -> None:
    """It had its lease, then waited for leave or a token for so long that another one delivered."""
    if kind is Kind.CASE_COMMENT:
        sobject, write = "CaseComment", 2  # the first request asks whose case it is
        draft: Draft = CommentDraft(
            contact_id=contact(org, "Jane Miller")["Id"],
            case_intent=open_case(context, journal, BILLING),
            text="once",
        )
    else:
        sobject, write = "ContentVersion", 1
        log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
        draft = TranscriptDraft(call_id="call-1", call_log_intent=log, transcript="once")
    before = len(org.records(sobject))
    late = accept(journal, kind, draft)
    other = DeliveryContext.from_settings(settings, store)
    client = context.records._salesforce
    owner, name = (client, "permit") if at == "permit" else (client.tokens, "current")
    go_on = getattr(owner, name)
    asked: list[str] = []

    def freeze(*args: Any, **kwargs: Any) -> Any:
        asked.append(at)
        if len(asked) == write:
            waits_end(store)
            lease_runs_out(store, kind, late)
            assert drain(other, kind).counts == {"delivered": 1}
        return go_on(*args, **kwargs)

    monkeypatch.setattr(owner, name, freeze)
    sent = org.stats()["by_resource"].get("composite", 0)
    assert drain(context, kind).counts == {}
    assert len(asked) >= write
    assert len(org.records(sobject)) == before + 1
    assert stored(journal, late).state is State.DELIVERED
    # The other one also looks whether it is there already; this one only reads.
    assert org.stats()["by_resource"]["composite"] == sent + (write + 1) + (write - 1)


def test_what_a_worker_still_has_of_a_batch_that_it_gives_up_is_due_at_once(
    context: DeliveryContext,
    settings: Settings,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found by the explorer of the scripts (docs/proofs.md)."""
    target = {
        "contact_id": contact(org, "Jane Miller")["Id"],
        "case_intent": open_case(context, journal, BILLING),
    }
    lost = accept(journal, Kind.CASE_COMMENT, CommentDraft(**target, text="lost"))
    left = accept(journal, Kind.CASE_COMMENT, CommentDraft(**target, text="left"))
    other = DeliveryContext.from_settings(settings, store)
    holds, asked = DeliveryContext.holds_lease, list[bool]()

    def freeze(self: DeliveryContext) -> bool:
        if not asked:
            asked.append(False)
            lease_runs_out(store, Kind.CASE_COMMENT, lost)
            assert drain(other, Kind.CASE_COMMENT).counts == {"delivered": 1}
        return holds(self)

    monkeypatch.setattr(DeliveryContext, "holds_lease", freeze)
    drain(context, Kind.CASE_COMMENT)
    states = {id_: stored(journal, id_).state for id_ in (lost, left)}
    assert states == dict.fromkeys((lost, left), State.DELIVERED)
    assert not stored(journal, left).in_doubt
    texts = [row["CommentBody"] for row in org.records("CaseComment")]
    assert sorted(text.split("\n")[0] for text in texts if text.startswith(("lost", "left"))) == [
        "left",
        "lost",
    ]
