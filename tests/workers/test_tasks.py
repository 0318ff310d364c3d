"""Tasks: call-backs, the record of a call, and the file of a long transcript."""

import base64
from dataclasses import replace

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import (
    CallbackDraft,
    CallDraft,
    CommentDraft,
    TranscriptDraft,
)
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from tests.calling import KNOWN, UNKNOWN
from tests.workers.delivering import (
    BILLING,
    CALL,
    accept,
    contact,
    deliver,
    kept,
    open_case,
    record,
    wait_no_more,
)
from workers.delivery.desk import Desk
from workers.delivery.engine import drain


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


def test_a_call_back_is_an_open_task_for_the_caller(desk: Desk, journal: Journal, org: Org) -> None:
    draft = CallbackDraft(caller_number=KNOWN, phone="+14155550199", when="at 5", reason="bill")
    task = record(org, "Task", deliver(desk, journal, Kind.CALLBACK, draft))
    assert (task["Status"], task["WhoId"]) == ("Not Started", contact(org)["Id"])
    for part in ("+14155550199", "at 5", "bill", "Reference: "):
        assert part in task["Description"]


def test_a_call_becomes_one_completed_task_on_its_last_case(
    desk: Desk, journal: Journal, org: Org
) -> None:
    first, last = open_case(desk, journal, BILLING), open_case(desk, journal, BILLING)
    draft = CallDraft(**CALL)
    task = record(org, "Task", deliver(desk, journal, Kind.CALL_LOG, draft))
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
    task = record(org, "Task", deliver(desk, journal, Kind.CALL_LOG, draft))
    assert len(task["Description"]) <= 32_000


@pytest.mark.parametrize("unique", [False, True])
def test_a_transcript_file_is_on_its_task_once_though_its_answer_was_lost(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis, unique: bool
) -> None:
    """Whether or not the org keeps the key of files unique."""
    keys = {"unique": {"ContentVersion.Call_Key__c": unique}}
    log = deliver(desk, journal, Kind.CALL_LOG, CallDraft(**CALL))
    words = "Caller: ü\n" * 5000
    file_id = accept(
        journal,
        Kind.TRANSCRIPT_FILE,
        TranscriptDraft(call_id="call-1", call_log_intent=log, transcript=words),
    )
    org.fault(lose_answer=1.0, **keys)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {"again": 1}
    org.fault(**keys)
    wait_no_more(store)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {}  # it rests, since only reading can tell
    wait_no_more(store, file_id, kind=Kind.TRANSCRIPT_FILE)
    assert drain(desk, Kind.TRANSCRIPT_FILE).counts == {"delivered": 1}
    version = record(org, "ContentVersion", file_id)
    task = record(org, "Task", log)
    assert version["FirstPublishLocationId"] == task["Id"]
    links = [
        one for one in org.records("ContentDocumentLink") if one["LinkedEntityId"] == task["Id"]
    ]
    assert len(links) == 1
    assert base64.b64decode(version["VersionData"]).decode() == words


def test_a_call_whose_case_was_deleted_is_logged_without_it(
    desk: Desk, journal: Journal, org: Org, store: redis.Redis
) -> None:
    opened = open_case(desk, journal, BILLING)
    org.delete("Case", record(org, "Case", opened)["Id"])
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))
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


@pytest.mark.parametrize("crlf", [False, True])
def test_many_line_breaks_leave_room_for_how_salesforce_stores_them(
    desk: Desk, journal: Journal, org: Org, crlf: bool
) -> None:
    org.fault(crlf_text=crlf)
    draft = CallDraft(**CALL | {"transcript": "AI: Yes?\n" * 3_300, "summary": "Two\nlines."})
    task = record(org, "Task", deliver(desk, journal, Kind.CALL_LOG, draft))
    assert len(task["Description"]) <= 32_000
    opened = replace(BILLING, description="One.\n" * 6_000, account_number="ACC-1")
    case = record(org, "Case", deliver(desk, journal, Kind.CASE_CREATE, opened))
    assert case["Description"].endswith("Account number given by the caller: ACC-1")


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
