"""Deliveries against the local org: what is written, once, and what failures become."""

import base64
import threading
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import (
    CallbackDraft,
    CallDraft,
    CaseDraft,
    CloseDraft,
    CommentDraft,
    ContactDraft,
    Draft,
    TranscriptDraft,
)
from shared.domain.intent import Intent, NewIntent, TryAgain, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN
from workers.delivery.cases import open_cases
from workers.delivery.desk import Desk
from workers.delivery.engine import Drained, drain

BILLING = CaseDraft(caller_number=KNOWN, issue_type="billing", description="Billed twice")
CALL: dict[str, Any] = {
    "caller_number": KNOWN, "call_id": "call-1", "direction": "Inbound",
    "started_at": "2026-11-22T10:00:00.000+00:00", "ended_at": "2026-11-22T10:02:00.000+00:00",
    "duration_s": 120, "ended_reason": "customer-ended-call", "summary": "Billed twice.",
    "transcript": "Caller: hello", "transcript_in_file": False,
    "recording_url": "https://api.vapi.ai/call/call-1/mono-recording", "case_intents": [],
}  # fmt: skip


def accept(journal: Journal, kind: Kind, draft: Draft, **others: Any) -> str:
    intent = NewIntent(
        **{
            "id": new_intent_id(),
            "kind": kind,
            "draft": draft,
            "reference": new_reference(),
            **others,
        }
    )
    journal.accept("call-1", [intent])
    return intent.id


def kept(journal: Journal, intent_id: str) -> Intent:
    found = journal.get(intent_id)
    assert found
    return found


def record(org: Org, sobject: str, intent_id: str) -> dict[str, Any]:
    (found,) = (one for one in org.records(sobject) if one["Call_Key__c"] == intent_id)
    return found


def contact(org: Org, name: str = "Jane Miller") -> dict[str, Any]:
    (found,) = (one for one in org.records("Contact") if one["Name"] == name)
    return found


def wait_no_more(store: redis.Redis, *intent_ids: str, kind: Kind = Kind.CASE_CREATE) -> None:
    """The wait is over, whatever it was for."""
    store.delete("vs:waits")
    for intent_id in intent_ids:
        store.zadd(f"vs:due:{kind}", {intent_id: 1}, xx=True)


def test_a_case_is_opened_with_its_caller_key_and_reference(
    desk: Desk, journal: Journal, org: Org
) -> None:
    draft = CaseDraft(
        caller_number=KNOWN, issue_type="billing", description="Billed\ntwice", priority="High"
    )
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    opened, done = record(org, "Case", intent_id), kept(journal, intent_id)
    assert opened["Subject"] == "Billing: Billed twice"
    assert opened["Description"] == "Billed\ntwice"
    assert (opened["Type"], opened["Origin"], opened["Priority"]) == ("Billing", "Phone", "High")
    assert opened["ContactId"] == contact(org)["Id"]
    assert opened["AccountId"] == contact(org)["AccountId"]
    assert opened["Voice_Reference__c"] == done.reference
    assert done.receipt
    assert (done.receipt.record_id, done.receipt.number) == (opened["Id"], opened["CaseNumber"])


@pytest.mark.parametrize(
    ("number", "linked"), [("ACC-12345", True), ("acc-12345", True), ("ACC-77777", False),
                           ("ACC-00000", False)],
)  # fmt: skip
def test_an_account_is_linked_when_exactly_one_has_the_number(
    desk: Desk, journal: Journal, org: Org, number: str, linked: bool
) -> None:
    draft = CaseDraft(
        caller_number=UNKNOWN, issue_type="billing", description="x", account_number=number
    )
    opened = record(org, "Case", _delivered(desk, journal, draft))
    assert bool(opened["AccountId"]) is linked
    assert (number in opened["Description"]) is not linked
    assert opened["ContactId"] is None
    assert opened["SuppliedPhone"] == UNKNOWN


def _delivered(desk: Desk, journal: Journal, draft: CaseDraft) -> str:
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    return intent_id


def test_a_number_that_two_contacts_share_links_neither(
    desk: Desk, journal: Journal, org: Org
) -> None:
    draft = CaseDraft(caller_number=SHARED, issue_type="billing", description="x")
    assert record(org, "Case", _delivered(desk, journal, draft))["ContactId"] is None


def test_two_hundred_cases_are_one_request_and_five_more_start_another(
    desk: Desk, journal: Journal, org: Org
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(205)]
    before = org.stats()
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 205}
    after = org.stats()
    # A token, the contact of the one number, and two batches.
    assert after["requests"] - before["requests"] == 4
    assert after["records"]["created"] - before["records"]["created"] == 205
    assert len({kept(journal, one).receipt for one in ids}) == 205


def test_a_salesforce_that_is_down_costs_one_request_and_all_wait(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(450)]
    drain(desk, Kind.CALLBACK)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", resources=["composite", "query"])
    before = org.stats()["requests"]
    drained = drain(desk, Kind.CASE_CREATE)
    assert drained.counts == {"again": 200}
    assert drained.waits_for.startswith("SERVER_UNAVAILABLE, next attempt ")
    assert drain(desk, Kind.CASE_CREATE).counts == {}
    assert org.stats()["requests"] - before <= 2  # with the token
    assert {kept(journal, one).state for one in ids} == {State.DUE}
    org.fault()
    wait_no_more(store)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 450}
    assert not journal.waits()


@pytest.mark.parametrize("fault", [{"lose_answer": 1.0}, {"hang_after": True}])
def test_a_case_whose_answer_was_lost_is_read_and_not_written_again(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, fault: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(desk.records, "_timeout_s", 0.5)
    desk.people.resolve([KNOWN], [])
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(**fault)
    assert drain(desk, Kind.CASE_CREATE).counts == {"again": 1}
    org.fault()
    assert kept(journal, intent_id).unsure
    opened = record(org, "Case", intent_id)
    org.edit("Case", opened["Id"], Status="Working")
    wait_no_more(store)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert record(org, "Case", intent_id)["Status"] == "Working"
    done = kept(journal, intent_id).receipt
    assert done
    assert (done.record_id, done.number) == (opened["Id"], opened["CaseNumber"])


def test_a_task_whose_answer_was_lost_keeps_what_a_person_did_with_it(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    draft = CallbackDraft(caller_number="", phone="+14155550199")
    intent_id = accept(journal, Kind.CALLBACK, draft)
    org.fault(lose_answer=1.0, resources=["composite"])
    assert drain(desk, Kind.CALLBACK).counts == {"again": 1}
    org.fault()
    org.edit("Task", record(org, "Task", intent_id)["Id"], Status="Completed", Subject="Called")
    wait_no_more(store)
    assert drain(desk, Kind.CALLBACK).counts == {"delivered": 1}
    task = record(org, "Task", intent_id)
    assert (task["Status"], task["Subject"]) == ("Completed", "Called")


def test_doubt_survives_an_attempt_that_could_not_even_read(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    desk.people.resolve([KNOWN], [])
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    for fault in ({"lose_answer": 1.0}, {"status": 403, "error_code": "REQUEST_LIMIT_EXCEEDED"}):
        org.fault(**fault)
        assert drain(desk, Kind.CASE_CREATE).counts == {"again": 1}
        wait_no_more(store)
        assert kept(journal, intent_id).unsure
    org.fault()
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == 0


def test_a_comment_follows_its_case_and_ends_with_its_reference(
    desk: Desk, journal: Journal, org: Org
) -> None:
    opened = _delivered(desk, journal, BILLING)
    comment = accept(journal, Kind.CASE_COMMENT, CommentDraft(case_intent=opened, text="ü" * 4000))
    assert drain(desk, Kind.CASE_COMMENT).counts == {"delivered": 1}
    (written,) = org.records("CaseComment")[-1:]
    body = written["CommentBody"]
    assert written["ParentId"] == record(org, "Case", opened)["Id"]
    assert body.endswith(f"(reference {kept(journal, comment).reference})")
    assert 3_900 < len(body.encode()) <= 4_000


def test_a_comment_whose_answer_was_lost_is_there_once(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    opened = _delivered(desk, journal, BILLING)
    before = len(org.records("CaseComment"))
    comment = accept(journal, Kind.CASE_COMMENT, CommentDraft(case_intent=opened, text="hello"))
    org.fault(lose_answer=1.0)
    assert drain(desk, Kind.CASE_COMMENT).counts == {"again": 1}
    org.fault()
    wait_no_more(store)
    assert drain(desk, Kind.CASE_COMMENT).counts == {}  # it rests until Salesforce has finished
    wait_no_more(store, comment, kind=Kind.CASE_COMMENT)
    assert drain(desk, Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert len(org.records("CaseComment")) == before + 1
    assert kept(journal, comment).receipt


@pytest.mark.parametrize(
    ("number", "outcome"), [(KNOWN, "delivered"), (UNKNOWN, "parked"), (SHARED, "parked")]
)
def test_a_named_case_is_commented_for_its_contact_alone(
    desk: Desk, journal: Journal, number: str, outcome: str
) -> None:
    draft = CommentDraft(caller_number=number, case_number="00001001", text="x")
    intent_id = accept(journal, Kind.CASE_COMMENT, draft)
    assert drain(desk, Kind.CASE_COMMENT).counts == {outcome: 1}
    if outcome == "parked":
        assert kept(journal, intent_id).reason == "CASE_OF_SOMEBODY_ELSE"


def test_a_comment_on_a_case_that_parked_parks_and_on_one_taken_back_is_cancelled(
    desk: Desk, journal: Journal, org: Org
) -> None:
    org.fault(deny=["Case.create"])
    gone = accept(journal, Kind.CASE_CREATE, BILLING, hold_ms=60_000)
    comment = accept(
        journal, Kind.CASE_COMMENT, CommentDraft(case_intent=gone, text="x"), after=(gone,)
    )
    journal.cancel(gone, "caller")
    assert drain(desk, Kind.CASE_COMMENT).counts == {"cancelled": 1}
    assert kept(journal, comment).state is State.CANCELLED
    accept(journal, Kind.CASE_COMMENT, CommentDraft(case_intent="nobody", text="x"))
    assert drain(desk, Kind.CASE_COMMENT).counts == {"parked": 1}


def change(org: Org, **others: Any) -> ContactDraft:
    jane = contact(org)
    return ContactDraft(
        **{
            "caller_number": KNOWN,
            "contact_id": jane["Id"],
            "changes": {"Email": "new@example.com", "MailingCity": "Oakland"},
            "seen": {"Email": [jane["Email"]], "MailingCity": [jane["MailingCity"]]},
            "accepted_at": "2026-11-22T10:00:00.000+00:00",
            **others,
        }
    )


def test_a_contact_is_changed_in_the_fields_given_and_no_others(
    desk: Desk, journal: Journal, org: Org
) -> None:
    accept(journal, Kind.CONTACT_UPDATE, change(org))
    before = contact(org)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = contact(org)
    changed = {name for name in after if after[name] != before[name]}
    stamps = {"LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    assert changed - stamps == {"Email", "MailingCity"}


def test_an_edit_since_acceptance_stays_and_the_change_parks(
    desk: Desk, journal: Journal, org: Org
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert kept(journal, intent_id).reason == "EDITED_SINCE (Email)"
    assert contact(org)["Email"] == "by.hand@example.com"
    assert contact(org)["MailingCity"] == "San Francisco"


def test_an_edit_of_another_field_is_no_conflict(desk: Desk, journal: Journal, org: Org) -> None:
    accept(journal, Kind.CONTACT_UPDATE, change(org))
    org.edit("Contact", contact(org)["Id"], MailingStreet="by hand")
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["MailingStreet"] == "by hand"


@pytest.mark.parametrize(
    ("accepted_at", "outcome"),
    [("2099-01-01T00:00:00.000+00:00", "delivered"), ("2020-01-01T00:00:00.000+00:00", "parked")],
)
def test_a_change_accepted_unseen_is_made_only_when_nobody_edited_since(
    desk: Desk, journal: Journal, org: Org, accepted_at: str, outcome: str
) -> None:
    draft = change(org, contact_id=None, seen=None, accepted_at=accepted_at)
    accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {outcome: 1}


@pytest.mark.parametrize("number", [UNKNOWN, SHARED, ""])
def test_a_change_for_nobody_in_particular_parks(
    desk: Desk, journal: Journal, org: Org, number: str
) -> None:
    intent_id = accept(
        journal, Kind.CONTACT_UPDATE, change(org, caller_number=number, contact_id=None, seen=None)
    )
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert kept(journal, intent_id).reason == "NOT_ONE_CONTACT"


def test_a_change_whose_answer_was_lost_is_not_made_again(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    change_rows = desk.records.change

    def lose_the_answer(sobject: str, rows: Any) -> Any:
        org.fault(lose_answer=1.0)
        return change_rows(sobject, rows)

    monkeypatch.setattr(desk.records, "change", lose_the_answer)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"again": 1}
    monkeypatch.undo()
    org.fault()
    assert contact(org)["Email"] == "new@example.com"  # it was committed
    assert kept(journal, intent_id).unsure
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == 1


def test_two_changes_of_one_contact_are_made_one_after_the_other(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    first = accept(journal, Kind.CONTACT_UPDATE, change(org))
    jane = contact(org)
    second = accept(
        journal,
        Kind.CONTACT_UPDATE,
        change(
            org,
            changes={"MobilePhone": "+14155550177"},
            seen={"MobilePhone": [jane["MobilePhone"]]},
        ),
    )
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1, "again": 1}
    wait_no_more(store, first, second, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = contact(org)
    assert (after["Email"], after["MobilePhone"]) == ("new@example.com", "+14155550177")


def test_a_call_back_is_an_open_task_for_the_caller(desk: Desk, journal: Journal, org: Org) -> None:
    draft = CallbackDraft(caller_number=KNOWN, phone="+14155550199", when="at 5", reason="bill")
    task = record(org, "Task", _drained(desk, journal, Kind.CALLBACK, draft))
    assert (task["Status"], task["WhoId"]) == ("Not Started", contact(org)["Id"])
    for part in ("+14155550199", "at 5", "bill", "Reference: "):
        assert part in task["Description"]


def _drained(desk: Desk, journal: Journal, kind: Kind, draft: Draft) -> str:
    intent_id = accept(journal, kind, draft)
    assert drain(desk, kind).counts == {"delivered": 1}
    return intent_id


def test_a_call_becomes_one_completed_task_on_its_last_case(
    desk: Desk, journal: Journal, org: Org
) -> None:
    first, last = _delivered(desk, journal, BILLING), _delivered(desk, journal, BILLING)
    draft = CallDraft(**CALL | {"case_intents": [first, last]})
    task = record(org, "Task", _drained(desk, journal, Kind.CALL_LOG, draft))
    assert (task["Status"], task["TaskSubtype"], task["CallType"]) == (
        "Completed",
        "Call",
        "Inbound",
    )
    assert (task["CallDurationInSeconds"], task["CallObject"]) == (120, "call-1")
    assert task["CallDisposition"] == "customer-ended-call"
    assert task["ActivityDate"] == "2026-11-22"
    assert task["WhoId"] == contact(org)["Id"]
    assert task["WhatId"] == record(org, "Case", last)["Id"]
    other = record(org, "Case", first)["CaseNumber"]
    for part in ("Billed twice.", "Caller: hello", other, "/call/call-1/mono-recording"):
        assert part in task["Description"]


def test_a_long_transcript_fills_a_task_no_further_than_it_goes(
    desk: Desk, journal: Journal, org: Org
) -> None:
    draft = CallDraft(**CALL | {"transcript": "word " * 6400, "summary": "s " * 20_000})
    task = record(org, "Task", _drained(desk, journal, Kind.CALL_LOG, draft))
    assert len(task["Description"]) <= 32_000


def test_a_transcript_file_is_on_its_task_once_though_its_answer_was_lost(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    log = _drained(desk, journal, Kind.CALL_LOG, CallDraft(**CALL))
    words = "Caller: ü\n" * 5000
    file_id = accept(
        journal,
        Kind.TRANSCRIPT_FILE,
        TranscriptDraft(call_id="call-1", call_log_intent=log, transcript=words),
    )
    org.fault(lose_answer=1.0)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {"again": 1}
    org.fault()
    wait_no_more(store)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {"delivered": 1}
    version = record(org, "ContentVersion", file_id)
    task = record(org, "Task", log)
    assert version["FirstPublishLocationId"] == task["Id"]
    links = [
        one for one in org.records("ContentDocumentLink") if one["LinkedEntityId"] == task["Id"]
    ]
    assert len(links) == 1
    assert base64.b64decode(version["VersionData"]).decode() == words


@pytest.mark.parametrize("edited", [False, True])
def test_a_case_is_closed_unless_a_person_has_taken_it_up(
    desk: Desk, journal: Journal, org: Org, edited: bool
) -> None:
    opened = _delivered(desk, journal, BILLING)
    if edited:
        org.edit("Case", record(org, "Case", opened)["Id"], Status="Working")
    accept(journal, Kind.CASE_CLOSE, CloseDraft(case_intent=opened))
    assert drain(desk, Kind.CASE_CLOSE).counts == {"parked" if edited else "delivered": 1}
    assert record(org, "Case", opened)["IsClosed"] is not edited


def test_a_missing_field_makes_the_kind_wait_and_parks_nothing(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(hide_fields=["Case.Voice_Reference__c"])
    assert drain(desk, Kind.CASE_CREATE).counts == {"again": 1}
    assert set(journal.waits()) == {"case_create"}
    org.fault()
    wait_no_more(store)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert kept(journal, intent_id).attempts == 2


def test_one_record_that_is_refused_for_good_parks_and_the_others_go(
    desk: Desk, journal: Journal, org: Org
) -> None:
    good = accept(journal, Kind.CASE_CREATE, BILLING)
    bad = accept(
        journal,
        Kind.CASE_CREATE,
        CaseDraft(issue_type="billing", description="refuse me"),
    )
    rule = {"object": "Case", "when": "Subject LIKE '%refuse me'", "message": "No."}
    org.fault(validation_rules=[rule])
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1, "parked": 1}
    assert kept(journal, good).state is State.DELIVERED
    parked = kept(journal, bad)
    assert parked.state is State.PARKED
    assert parked.reason


def test_a_token_that_expired_is_replaced_once_and_nothing_fails(
    desk: Desk, journal: Journal, org: Org
) -> None:
    _delivered(desk, journal, BILLING)
    org.fault(expire_tokens=True)
    _delivered(desk, journal, BILLING)
    assert org.stats()["by_resource"]["token"] == 2


def test_what_nobody_foresaw_parks_alone(
    desk: Desk, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(3)]
    bad = accept(journal, Kind.CASE_CREATE, CaseDraft(issue_type="billing", description="boom"))
    create = desk.records.create

    def create_or_fail(sobject: str, records: Any, read_back: Any) -> Any:
        if any(fields["Description"] == "boom" for _, fields in records):
            raise KeyError("compositeResponse")
        return create(sobject, records, read_back)

    monkeypatch.setattr(desk.records, "create", create_or_fail)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 3, "parked": 1}
    assert kept(journal, bad).reason == "UNFORESEEN_KeyError"
    assert {kept(journal, one).state for one in good} == {State.DELIVERED}


def test_a_draft_of_another_version_parks_under_its_schema(
    desk: Desk, journal: Journal, store: redis.Redis
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    store.hset(f"vs:intent:{intent_id}", "schema", 99)
    assert drain(desk, Kind.CASE_CREATE).counts == {"parked": 1}
    assert kept(journal, intent_id).reason == "UNREADABLE_SCHEMA_99"


def test_a_contact_merged_since_is_linked_by_the_callers_number(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """The contact known at acceptance is gone; the one who has the number now takes its place."""
    draft = CaseDraft(
        caller_number=KNOWN,
        contact_id=contact(org, "Peter Novak")["Id"],
        issue_type="billing",
        description="x",
    )
    org.delete("Contact", draft.contact_id or "")
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    assert drain(desk, Kind.CASE_CREATE).counts == {"again": 1}
    wait_no_more(store, intent_id)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert record(org, "Case", intent_id)["ContactId"] == contact(org)["Id"]


def test_a_case_for_a_contact_who_is_gone_is_opened_without_one(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    draft = CaseDraft(
        caller_number=UNKNOWN, contact_id=contact(org)["Id"], issue_type="billing", description="x"
    )
    org.delete("Contact", draft.contact_id or "")
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    drain(desk, Kind.CASE_CREATE)
    wait_no_more(store, intent_id)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert record(org, "Case", intent_id)["ContactId"] is None


def test_a_contact_change_follows_a_merged_contact_by_number(
    desk: Desk, journal: Journal, org: Org
) -> None:
    old = contact(org, "Peter Novak")["Id"]
    org.delete("Contact", old)
    accept(journal, Kind.CONTACT_UPDATE, change(org, contact_id=old))
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert contact(org)["Email"] == "new@example.com"


def test_a_comment_on_a_case_that_was_deleted_parks(desk: Desk, journal: Journal, org: Org) -> None:
    opened = _delivered(desk, journal, BILLING)
    org.delete("Case", record(org, "Case", opened)["Id"])
    accept(journal, Kind.CASE_COMMENT, CommentDraft(case_intent=opened, text="x"))
    assert drain(desk, Kind.CASE_COMMENT).counts == {"parked": 1}


def test_a_call_whose_case_was_deleted_is_logged_without_it(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    opened = _delivered(desk, journal, BILLING)
    org.delete("Case", record(org, "Case", opened)["Id"])
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL | {"case_intents": [opened]}))
    drain(desk, Kind.CALL_LOG)
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(desk, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Task", log)["WhatId"] is None


def test_a_restricted_picklist_that_lacks_a_value_is_left_out(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL | {"direction": "Sideways"}))
    assert drain(desk, Kind.CALL_LOG).counts == {"again": 1}
    assert kept(journal, log).leave_out == ("CallType",)
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(desk, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Task", log)["CallType"] is None


@pytest.mark.parametrize(("rule", "outcome"), [("alert", "delivered"), ("block", "parked")])
def test_a_duplicate_rule_that_only_alerts_is_passed_and_one_that_blocks_parks(
    desk: Desk, journal: Journal, org: Org, rule: str, outcome: str
) -> None:
    other = contact(org, "Peter Novak")
    intent_id = accept(
        journal,
        Kind.CONTACT_UPDATE,
        change(org, changes={"Email": other["Email"]}, seen={"Email": [contact(org)["Email"]]}),
    )
    org.fault(duplicate_rule=rule)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {outcome: 1}
    if outcome == "parked":
        assert kept(journal, intent_id).reason.startswith("DUPLICATES_DETECTED")


def test_a_locked_row_makes_its_record_wait_alone(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    first = change(org, changes={"MailingCity": "Oakland"}, seen={"MailingCity": ["San Francisco"]})
    accept(journal, Kind.CONTACT_UPDATE, first)
    org.fault(lock_rows_s=60)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    draft = change(org, changes={"MobilePhone": "+14155550177"}, seen={"MobilePhone": [None]})
    second = accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"again": 1}
    assert kept(journal, second).reason == "UNABLE_TO_LOCK_ROW"
    assert not journal.waits()
    org.fault()
    wait_no_more(store, second, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}


def test_an_edit_between_reading_and_writing_refuses_the_write_and_is_seen_next_time(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = accept(journal, Kind.CONTACT_UPDATE, change(org))
    change_rows = desk.records.change

    def edited_first(sobject: str, rows: Any) -> Any:
        org.edit("Contact", contact(org)["Id"], Email="by.hand@example.com")
        return change_rows(sobject, rows)

    monkeypatch.setattr(desk.records, "change", edited_first)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"again": 1}
    monkeypatch.undo()
    wait_no_more(store, intent_id, kind=Kind.CONTACT_UPDATE)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert contact(org)["Email"] == "by.hand@example.com"


def test_a_worker_that_writes_after_its_lease_ran_out_undoes_no_edit(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """The slow one had built its request; the quick one delivered and a person edited meanwhile."""
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    slow = journal.lease(Kind.CASE_CREATE, most=1, most_bytes=100_000)
    wait_no_more(store, intent_id)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    org.edit("Case", record(org, "Case", intent_id)["Id"], Status="Working", Priority="High")
    (outcome,) = open_cases(desk, list(slow.intents))
    assert isinstance(outcome, TryAgain)
    assert journal.settle(slow, [outcome]) == (0, ())
    after = record(org, "Case", intent_id)
    assert (after["Status"], after["Priority"]) == ("Working", "High")


def test_a_key_that_is_never_free_parks_in_the_end(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """Another unique field of the org refuses the record: no reading by our key will find it."""
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(status=400, error_code="DUPLICATE_VALUE", resources=["composite"])
    for _ in range(10):
        wait_no_more(store, intent_id)
        drain(desk, Kind.CASE_CREATE)
        if kept(journal, intent_id).state is State.PARKED:
            break
    assert kept(journal, intent_id).state is State.PARKED


@pytest.mark.parametrize("kind", [Kind.CASE_CREATE, Kind.CALLBACK])
def test_without_our_fields_the_key_lies_in_a_standard_one_and_is_found_there(
    settings: Settings, journal: Journal, org: Org, store: redis.Redis, kind: Kind
) -> None:
    unkeyed = Desk.from_settings(
        settings.model_copy(update={"salesforce_key_fields": False}), store
    )
    unkeyed.people.resolve([KNOWN], [])
    draft = BILLING if kind is Kind.CASE_CREATE else CallbackDraft(phone="+14155550199")
    sobject, marker = ("Case", "SuppliedCompany") if draft is BILLING else ("Task", "CallObject")
    org.fault(hide_fields=["Case.Call_Key__c", "Case.Voice_Reference__c", "Task.Call_Key__c"])
    sure = accept(journal, kind, draft)
    assert drain(unkeyed, kind).counts == {"delivered": 1}
    org.fault(lose_answer=1.0, hide_fields=["Case.Call_Key__c", "Case.Voice_Reference__c",
                                            "Task.Call_Key__c"])  # fmt: skip
    doubtful = accept(journal, kind, draft)
    assert drain(unkeyed, kind).counts == {"again": 1}
    org.fault(hide_fields=["Case.Call_Key__c", "Case.Voice_Reference__c", "Task.Call_Key__c"])
    wait_no_more(store)
    assert drain(unkeyed, kind).counts == {}  # it rests, since only reading can tell
    wait_no_more(store, doubtful, kind=kind)
    assert drain(unkeyed, kind).counts == {"delivered": 1}
    marks = [one[marker] for one in org.records(sobject)]
    assert marks.count(f"voice:{sure}") == marks.count(f"voice:{doubtful}") == 1
    if kind is Kind.CASE_CREATE:
        receipt = kept(journal, doubtful).receipt
        assert receipt
        assert receipt.number


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
@pytest.mark.parametrize("kind", [Kind.CASE_CREATE, Kind.CONTACT_UPDATE])
def test_a_request_refused_as_a_whole_makes_the_kind_wait_and_parks_nothing(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, status: int, kind: Kind
) -> None:
    draft = BILLING if kind is Kind.CASE_CREATE else change(org)
    ids = [accept(journal, kind, draft) for _ in range(3 if kind is Kind.CASE_CREATE else 1)]
    org.fault(status=status, body="html", resources=["composite"])
    assert set(drain(desk, kind).counts) == {"again"}
    assert set(journal.waits()) <= {kind, "org"}
    org.fault()
    wait_no_more(store, *ids, kind=kind)
    assert drain(desk, kind).counts == {"delivered": len(ids)}


def test_a_right_that_was_taken_makes_the_kind_wait(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(deny=["Case.create"])
    assert drain(desk, Kind.CASE_CREATE).counts == {"again": 1}
    assert set(journal.waits()) == {"case_create"}


def test_a_strangers_call_is_not_linked_to_the_case_they_named(
    desk: Desk, journal: Journal, org: Org
) -> None:
    comment = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(caller_number=UNKNOWN, case_number="00001001", text="x"),
    )
    log = accept(
        journal,
        Kind.CALL_LOG,
        CallDraft(
            **CALL | {"caller_number": UNKNOWN, "case_number": "00001001", "only_after": comment}
        ),
        after=(comment,),
    )
    summary = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(
            caller_number=UNKNOWN, case_number="00001001", only_after=comment, text="summary"
        ),
        after=(comment,),
    )
    assert drain(desk, Kind.CASE_COMMENT).counts == {"parked": 1, "cancelled": 1}
    assert drain(desk, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Task", log)["WhatId"] is None
    assert kept(journal, summary).state is State.CANCELLED


def test_a_comment_on_a_case_that_parked_parks(desk: Desk, journal: Journal, org: Org) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    comment = accept(
        journal, Kind.CASE_COMMENT, CommentDraft(case_intent=opened, text="x"), after=(opened,)
    )
    org.fault(validation_rules=[{"object": "Case", "when": "Type = 'Billing'", "message": "No."}])
    assert drain(desk, Kind.CASE_CREATE).counts == {"parked": 1}
    assert drain(desk, Kind.CASE_COMMENT).counts == {"parked": 1}
    assert kept(journal, comment).reason == "CASE_PARKED"


def test_a_lease_is_extended_while_its_work_goes_on(
    desk: Desk, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else gets the batch, though the work takes several times as long as a lease."""
    monkeypatch.setattr("shared.journal.journal.LEASE_MS", 400)
    monkeypatch.setattr("workers.delivery.engine.LEASE_MS", 400)
    desk.people.resolve([KNOWN], [])
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(latency_ms=1500, resources=["composite"])
    drained: list[Drained] = []
    worker = threading.Thread(target=lambda: drained.append(drain(desk, Kind.CASE_CREATE)))
    worker.start()
    stolen = 0
    while worker.is_alive():
        if kept(journal, journal.of_call("call-1")[0].id).state is State.LEASED:
            stolen += len(journal.lease(Kind.CASE_CREATE, most=1, most_bytes=100_000).intents)
        worker.join(0.05)
    assert stolen == 0
    assert drained[0].counts == {"delivered": 1}


def test_an_answer_that_nobody_can_read_is_followed_by_reading(
    desk: Desk, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch was written before something unforeseen happened: nothing is written again."""
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(3)]
    create = desk.records.create

    def create_and_fail(sobject: str, records: Any, read_back: Any) -> Any:
        create(sobject, records, read_back)
        raise KeyError("compositeResponse")

    monkeypatch.setattr(desk.records, "create", create_and_fail)
    before = org.stats()["records"]["created"]
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 3}
    assert org.stats()["records"]["created"] - before == 3
    assert all(kept(journal, one).receipt for one in ids)


def test_a_transcript_file_waits_for_its_task(
    desk: Desk, journal: Journal, store: redis.Redis
) -> None:
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))
    draft = TranscriptDraft(call_id="call-1", call_log_intent=log, transcript="words")
    waiting = accept(journal, Kind.TRANSCRIPT_FILE, draft)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {"again": 1}
    drain(desk, Kind.CALL_LOG)
    wait_no_more(store, waiting, kind=Kind.TRANSCRIPT_FILE)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {"delivered": 1}
