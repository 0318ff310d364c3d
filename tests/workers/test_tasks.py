"""Tasks: call-backs, the record of a call, and the file of a long transcript."""

import base64
from dataclasses import replace
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.calls.end_of_call import FINGERPRINT
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
    open_case,
    record,
    stored,
    wait_no_more,
)
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain
from workers.delivery.tasks import log_calls


def test_a_task_whose_answer_was_lost_keeps_what_a_person_did_with_it(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    draft = CallbackDraft(caller_number="", phone="+14155550199")
    intent_id = accept(journal, Kind.CALLBACK, draft)
    context.org_setup.get()
    org.fault(lose_answer=1.0, resources=["composite"])
    assert drain(context, Kind.CALLBACK).counts == {"again": 1}
    org.fault()
    org.edit("Task", record(org, "Task", intent_id)["Id"], Status="Completed", Subject="Called")
    wait_no_more(store)
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 1}
    task = record(org, "Task", intent_id)
    assert (task["Status"], task["Subject"]) == ("Completed", "Called")


def test_a_call_back_is_an_open_task_for_the_caller(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = CallbackDraft(caller_number=KNOWN, phone="+14155550199", when="at 5", reason="bill")
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, draft))
    assert (task["Status"], task["WhoId"]) == ("Not Started", contact(org)["Id"])
    for part in ("+14155550199", "at 5", "bill", "Reference: "):
        assert part in task["Description"]


def test_a_call_becomes_one_completed_task_on_its_last_case(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    first, last = open_case(context, journal, BILLING), open_case(context, journal, BILLING)
    draft = CallDraft(**CALL)
    task = record(org, "Task", deliver(context, journal, Kind.CALL_LOG, draft))
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
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = CallDraft(**CALL | {"transcript": "word " * 6400, "summary": "s " * 20_000})
    task = record(org, "Task", deliver(context, journal, Kind.CALL_LOG, draft))
    assert len(task["Description"]) <= 32_000


@pytest.mark.parametrize("unique", [False, True])
def test_a_transcript_file_is_on_its_task_once_though_its_answer_was_lost(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis, unique: bool
) -> None:
    """Whether or not the org keeps the key of files unique."""
    keys = {"unique": {"ContentVersion.Call_Key__c": unique}}
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    words = "Caller: ü\n" * 5000
    file_id = accept(
        journal,
        Kind.TRANSCRIPT_FILE,
        TranscriptDraft(call_id="call-1", call_log_intent=log, transcript=words),
    )
    org.fault(lose_answer=1.0, **keys)
    assert drain(context, Kind.TRANSCRIPT_FILE).counts == {"again": 1}
    org.fault(**keys)
    wait_no_more(store)
    assert (
        drain(context, Kind.TRANSCRIPT_FILE).counts == {}
    )  # it rests, since only reading can tell
    wait_no_more(store, file_id, kind=Kind.TRANSCRIPT_FILE)
    assert drain(context, Kind.TRANSCRIPT_FILE).counts == {"delivered": 1}
    version = record(org, "ContentVersion", file_id)
    task = record(org, "Task", log)
    assert version["FirstPublishLocationId"] == task["Id"]
    links = [
        link for link in org.records("ContentDocumentLink") if link["LinkedEntityId"] == task["Id"]
    ]
    assert len(links) == 1
    assert base64.b64decode(version["VersionData"]).decode() == words


def test_a_call_whose_case_was_deleted_is_logged_without_it(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """It was theirs when the summary went there, a moment ago."""
    opened = open_case(context, journal, BILLING)
    summary = CommentDraft(caller_number=KNOWN, case_intent=opened, text="Call summary: x")
    deliver(context, journal, Kind.CASE_COMMENT, summary)
    org.delete("Case", record(org, "Case", opened)["Id"])
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))
    assert drain(context, Kind.CALL_LOG).counts == {"again": 1}
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Task", log)["WhatId"] is None


def test_a_restricted_picklist_that_lacks_a_value_is_left_out(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL | {"direction": "Sideways"}))
    assert drain(context, Kind.CALL_LOG).counts == {"again": 1}
    assert stored(journal, log).omit_fields == ("CallType",)
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Task", log)["CallType"] is None


def test_a_strangers_call_is_not_linked_to_the_case_they_named(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    comment = accept(
        journal,
        Kind.CASE_COMMENT,
        CommentDraft(caller_number=UNKNOWN, case_number="00001001", text="x"),
        tool="addCaseComment",
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
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1, "cancelled": 1}
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Task", log)["WhatId"] is None
    assert stored(journal, summary).state is State.CANCELLED


@pytest.mark.parametrize("summarised", [False, True])
def test_a_case_that_staff_gave_to_another_contact_gets_nothing_of_its_call(
    context: DeliveryContext, journal: Journal, org: Org, summarised: bool
) -> None:
    opened = open_case(context, journal, BILLING)
    case_id = record(org, "Case", opened)["Id"]
    org.edit("Case", case_id, ContactId=contact(org, "Peter Novak")["Id"])
    comments = len(org.records("CaseComment"))
    if summarised:
        summary = CommentDraft(caller_number=KNOWN, case_intent=opened, text="Call summary: x")
        note = accept(journal, Kind.CASE_COMMENT, summary)
        assert drain(context, Kind.CASE_COMMENT).counts == {"cancelled": 1}
        assert stored(journal, note).reason == "NOT_THEIR_CASE"
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    assert record(org, "Task", log)["WhatId"] is None
    assert len(org.records("CaseComment")) == comments


def test_a_call_is_not_linked_to_a_case_that_staff_gave_away_after_its_comment(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    named: dict[str, Any] = {"caller_number": KNOWN, "case_number": "00001001"}
    comment = deliver(context, journal, Kind.CASE_COMMENT, CommentDraft(**named, text="x"))
    (case_,) = (record for record in org.records("Case") if record["CaseNumber"] == "00001001")
    org.edit("Case", case_["Id"], ContactId=contact(org, "Peter Novak")["Id"])
    draft = CallDraft(**CALL | {"case_number": "00001001", "only_after": comment})
    log = deliver(context, journal, Kind.CALL_LOG, draft)
    assert record(org, "Task", log)["WhatId"] is None


@pytest.mark.parametrize("crlf", [False, True])
def test_many_line_breaks_leave_capacity_for_how_salesforce_stores_them(
    context: DeliveryContext, journal: Journal, org: Org, crlf: bool
) -> None:
    org.fault(crlf_text=crlf)
    draft = CallDraft(**CALL | {"transcript": "AI: Yes?\n" * 3_300, "summary": "Two\nlines."})
    task = record(org, "Task", deliver(context, journal, Kind.CALL_LOG, draft))
    assert len(task["Description"]) <= 32_000
    opened = replace(BILLING, description="One.\n" * 6_000, account_number="ACC-1")
    case = record(org, "Case", deliver(context, journal, Kind.CASE_CREATE, opened))
    assert case["Description"].endswith("Account number given by the caller, not verified: ACC-1")


def test_a_transcript_file_waits_for_its_task(
    context: DeliveryContext, journal: Journal, store: redis.Redis
) -> None:
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))
    draft = TranscriptDraft(call_id="call-1", call_log_intent=log, transcript="words")
    waiting = accept(journal, Kind.TRANSCRIPT_FILE, draft)
    assert drain(context, Kind.TRANSCRIPT_FILE).counts == {"again": 1}
    drain(context, Kind.CALL_LOG)
    wait_no_more(store, waiting, kind=Kind.TRANSCRIPT_FILE)
    assert drain(context, Kind.TRANSCRIPT_FILE).counts == {"delivered": 1}


# -- a case that is there only after its call was logged -------------------------------------------

RULE = {"validation_rules": [{"object": "Case", "when": "Type = 'Billing'", "message": "No."}]}


def close(journal: Journal, **others: Any) -> str:
    """The call's end, as its report has it."""
    return accept(
        journal,
        Kind.CALL_LOG,
        CallDraft(**CALL | others),
        reference="",
        fingerprint=FINGERPRINT,
        after_call=True,
    )


def test_a_call_and_what_it_asked_for_are_linked_when_the_case_is_there_after_all(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    callback = accept(
        journal, Kind.CALLBACK, CallbackDraft(caller_number=KNOWN, phone="+14155550199")
    )
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    comment = CommentDraft(caller_number=KNOWN, case_intent=opened, text="Call summary: x")
    summary = accept(journal, Kind.CASE_COMMENT, comment, after=(opened,))
    log = close(journal)
    org.fault(**RULE)
    for kind in (Kind.CALLBACK, Kind.CASE_CREATE, Kind.CASE_COMMENT, Kind.CALL_LOG):
        drain(context, kind)
    assert stored(journal, opened).state is State.PARKED
    assert stored(journal, summary).reason == "CASE_PARKED"
    assert record(org, "Task", log)["WhatId"] is None
    org.fault()
    journal.replay([opened])
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 1}
    case_id = record(org, "Case", opened)["Id"]
    assert record(org, "Task", log)["WhatId"] == case_id
    assert record(org, "Task", callback)["WhatId"] == case_id
    # The summary followed its case, though nobody replayed it.
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert org.records("CaseComment")[-1]["ParentId"] == case_id
    assert not journal.parked(10)


def test_a_link_that_a_person_made_stays(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    log = close(journal)
    org.fault(**RULE)
    drain(context, Kind.CASE_CREATE)
    drain(context, Kind.CALL_LOG)
    org.fault()
    theirs = org.records("Case")[0]["Id"]
    org.edit("Task", record(org, "Task", log)["Id"], WhatId=theirs)
    journal.replay([opened])
    drain(context, Kind.CASE_CREATE)
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 1}
    assert record(org, "Task", log)["WhatId"] == theirs


def test_a_backlog_of_replayed_cases_is_linked_whatever_comes_first(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    pairs = []
    for nth in range(60):
        call_id = f"call-{nth}"
        opened = accept(journal, Kind.CASE_CREATE, BILLING, call_id)
        log = accept(
            journal, Kind.CALL_LOG, CallDraft(**CALL | {"call_id": call_id}), call_id,
            reference="", fingerprint=FINGERPRINT, after_call=True,
        )  # fmt: skip
        pairs.append((opened, log))
    org.fault(**RULE)
    drain(context, Kind.CASE_CREATE)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 60}
    org.fault()
    journal.replay([opened for opened, _ in pairs])
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 60}
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 60}
    case_ids = {record["Call_Key__c"]: record["Id"] for record in org.records("Case")}
    what_ids = {record["Call_Key__c"]: record["WhatId"] for record in org.records("Task")}
    assert [what_ids[log] for _, log in pairs] == [case_ids[opened] for opened, _ in pairs]


def test_a_log_at_work_when_its_case_is_delivered_is_linked_after_it(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    log = close(journal)
    org.fault(**RULE)
    drain(context, Kind.CASE_CREATE)
    org.fault()
    at_work = journal.lease(Kind.CALL_LOG, limit=1, max_bytes=100_000)
    (outcome,) = log_calls(context, list(at_work.intents))  # it saw a case that is parked
    journal.replay([opened])
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert drain(context, Kind.TASK_LINK).counts == {}  # it waits for the log
    assert journal.settle(at_work, [outcome]).due_kinds == (Kind.TASK_LINK,)
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 1}
    assert record(org, "Task", log)["WhatId"] == record(org, "Case", opened)["Id"]


def test_a_call_is_linked_to_the_case_it_commented_on_when_the_comment_is_there_after_all(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    named: dict[str, Any] = {"caller_number": KNOWN, "case_number": "00001001"}
    comment = accept(journal, Kind.CASE_COMMENT, CommentDraft(**named, text="x"))
    log = close(journal, case_number="00001001", only_after=comment)
    draft = CommentDraft(**named, only_after=comment, text="Call summary: x")
    summary = accept(journal, Kind.CASE_COMMENT, draft, after=(comment,))
    rule = {"object": "CaseComment", "when": "CommentBody LIKE 'x%'", "message": "No."}
    org.fault(validation_rules=[rule])
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 2}
    assert stored(journal, summary).reason == "COMMENT_PARKED"
    drain(context, Kind.CALL_LOG)
    org.fault()
    journal.replay([comment])
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 2}
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 1}
    (case_,) = (record for record in org.records("Case") if record["CaseNumber"] == "00001001")
    assert record(org, "Task", log)["WhatId"] == case_["Id"]


def test_a_case_in_time_needs_no_link(context: DeliveryContext, journal: Journal, org: Org) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    log = close(journal)
    for kind in (Kind.CASE_CREATE, Kind.CALL_LOG, Kind.TASK_LINK):
        drain(context, kind)
    assert record(org, "Task", log)["WhatId"] == record(org, "Case", opened)["Id"]
    assert {intent.kind for intent in journal.of_call("call-1")} == {
        Kind.CASE_CREATE,
        Kind.CALL_LOG,
    }


def test_a_transcript_follows_its_task_out_of_the_parked_list(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    log = accept(journal, Kind.CALL_LOG, CallDraft(**CALL))
    draft = TranscriptDraft(call_id="call-1", call_log_intent=log, transcript="words")
    waiting = accept(journal, Kind.TRANSCRIPT_FILE, draft, after=(log,))
    rule = {"object": "Task", "when": "Status = 'Completed'", "message": "No."}
    org.fault(validation_rules=[rule])
    assert drain(context, Kind.CALL_LOG).counts == {"parked": 1}
    assert drain(context, Kind.TRANSCRIPT_FILE).counts == {"parked": 1}
    assert stored(journal, waiting).reason == "TASK_PARKED"
    org.fault()
    journal.replay([log])
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert drain(context, Kind.TRANSCRIPT_FILE).counts == {"delivered": 1}


@pytest.mark.parametrize("by", ["caller", "person"])
def test_what_parked_with_a_case_is_settled_when_that_is_given_up(
    context: DeliveryContext, journal: Journal, org: Org, by: str
) -> None:
    opened = accept(journal, Kind.CASE_CREATE, BILLING)
    comment = CommentDraft(caller_number=KNOWN, case_intent=opened, text="Call summary: x")
    summary = accept(journal, Kind.CASE_COMMENT, comment, after=(opened,))
    org.fault(**RULE)
    drain(context, Kind.CASE_CREATE)
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1}
    if by == "caller":
        journal.cancel(opened, "caller")
    else:
        journal.discard([opened])
    assert drain(context, Kind.CASE_COMMENT).counts == {"cancelled": 1}
    assert stored(journal, summary).state is State.CANCELLED
