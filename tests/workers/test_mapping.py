"""Records look as the team's salesforce.toml says, as far as the org allows it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.agent.agents import Agents, agents_of
from shared.agent.salesforce import CallLogMapping, SalesforceMapping
from shared.calls.calls import Calls, CallState
from shared.calls.end_of_call import EndOfCallWriter
from shared.domain.drafts import CallbackDraft, CallDraft, CloseDraft, CommentDraft, read_draft
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from shared.vapi.report import EndOfCall
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

Mapped = Callable[..., DeliveryContext]

CALLBACK = CallbackDraft(caller_number=KNOWN, phone=KNOWN)
SAM, RITA, ADMIN = (
    "sam.okafor@local.example",
    "rita.lindqvist@local.example",
    "ada.admin@local.example",
)
OTHER_STATUSES = {
    "Case.Status": ["Neu", {"value": "Erledigt", "closed": True}],
    "Task.Status": ["Offen", {"value": "Fertig", "closed": True}],
}


def with_mapping(settings: Settings, mapping: SalesforceMapping) -> Agents:
    return Agents((replace(agents_of(settings).first, salesforce=mapping),))


@pytest.fixture
def mapped(settings: Settings, store: redis.Redis) -> Mapped:
    """A context with a mapping, by the tables of salesforce.toml."""

    def make(**tables: Any) -> DeliveryContext:
        agents = with_mapping(settings, SalesforceMapping.model_validate(tables))
        return DeliveryContext.from_settings(settings, store, agents=agents)

    return make


def user(org: Org, username: str) -> str:
    (found,) = (row for row in org.records("User") if row["Username"] == username)
    return str(found["Id"])


def queue(org: Org, name: str = "Phone_Support") -> str:
    (found,) = (row for row in org.records("Group") if row["DeveloperName"] == name)
    return str(found["Id"])


def integration_user(org: Org) -> str:
    return user(org, "voice.integration@local.example")


# -- statuses --------------------------------------------------------------------------------------


def test_an_org_with_other_statuses_gets_its_own(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    org.fault(picklists=OTHER_STATUSES)
    case_id = open_case(context, journal, BILLING)
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    back = deliver(context, journal, Kind.CALLBACK, CALLBACK)
    deliver(context, journal, Kind.CASE_CLOSE, CloseDraft(caller_number=KNOWN, case_intent=case_id))
    assert record(org, "Task", log)["Status"] == "Fertig"
    assert record(org, "Task", back)["Status"] == "Offen"
    assert record(org, "Case", case_id)["Status"] == "Erledigt"
    assert record(org, "Case", case_id)["IsClosed"]
    org.fault()


def test_a_configured_status_is_used_where_the_org_has_it(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    context = mapped(
        call_log={"status": "In Progress"}, callback={"status": "Deferred"},
        case={"closed_status": "Gone"},
    )  # fmt: skip
    case_id = open_case(context, journal, BILLING)
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    back = deliver(context, journal, Kind.CALLBACK, CALLBACK)
    deliver(context, journal, Kind.CASE_CLOSE, CloseDraft(caller_number=KNOWN, case_intent=case_id))
    assert record(org, "Task", log)["Status"] == "In Progress"
    assert record(org, "Task", back)["Status"] == "Deferred"
    assert record(org, "Case", case_id)["Status"] == "Closed"


def test_the_org_is_asked_once_for_its_setup(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = CallDraft(**CALL | {"contact_id": contact(org)["Id"]})
    deliver(context, journal, Kind.CALL_LOG, draft)
    before = org.stats()["requests"]
    for nth in range(3):
        accept(journal, Kind.CALL_LOG, draft, call_id=f"call-{nth}")
        assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert org.stats()["requests"] - before == 3


def test_the_last_known_setup_outlasts_an_outage(
    context: DeliveryContext, org: Org, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.fault(picklists=OTHER_STATUSES)
    assert context.org_setup.get().statuses["Task"][1].name == "Fertig"
    monkeypatch.setattr("shared.salesforce.org_setup.FRESH_MS", 0)
    org.fault(status=500, error_code="UNKNOWN_EXCEPTION")
    assert context.org_setup.get().statuses["Task"][1].name == "Fertig"
    org.fault()


def test_a_record_waits_for_an_org_that_has_never_answered(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    """Its owner and status would be guesses."""
    back = accept(journal, Kind.CALLBACK, CALLBACK)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE", resources=["composite"])
    assert drain(context, Kind.CALLBACK).counts == {"again": 1}
    org.fault()
    wait_no_more(store, back, kind=Kind.CALLBACK)
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 1}


@pytest.mark.parametrize("hidden", ["CaseStatus.read", "TaskStatus.read"])
def test_statuses_that_the_user_may_not_see_are_the_usual_ones(
    context: DeliveryContext, journal: Journal, org: Org, hidden: str
) -> None:
    org.fault(deny=[hidden])
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    assert record(org, "Task", log)["Status"] == "Completed"
    org.fault()


# -- owners ----------------------------------------------------------------------------------------


def test_a_call_back_is_in_the_list_of_the_contacts_owner(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    org.edit("Contact", contact(org)["Id"], OwnerId=user(org, RITA))
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, CALLBACK))
    assert task["OwnerId"] == user(org, RITA)


def test_an_inactive_owner_is_replaced_by_the_accounts(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    jane = contact(org)
    org.edit("Contact", jane["Id"], OwnerId=user(org, RITA))
    org.edit("Account", jane["AccountId"], OwnerId=user(org, ADMIN))
    org.edit("User", user(org, RITA), IsActive=False)
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, CALLBACK))
    assert task["OwnerId"] == user(org, ADMIN)
    org.edit("User", user(org, ADMIN), IsActive=False)
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, CALLBACK))
    assert task["OwnerId"] == integration_user(org)


@pytest.mark.parametrize(
    ("rule", "owner"),
    [
        ("account_owner", ADMIN),
        (f"user:{RITA.upper()}", RITA),
        ("queue:Phone_Support", ""),
        ("queue:Nobody", "voice.integration@local.example"),
        ("user:nobody@example.com", "voice.integration@local.example"),
        ("", "voice.integration@local.example"),
    ],
)
def test_the_owner_is_as_the_team_says(
    mapped: Mapped, journal: Journal, org: Org, rule: str, owner: str
) -> None:
    org.edit("Account", contact(org)["AccountId"], OwnerId=user(org, ADMIN))
    context = mapped(callback={"owner": rule}, call_log={"owner": rule}, case={"owner": rule})
    wanted = user(org, owner) if owner else queue(org)
    case_id = open_case(context, journal, BILLING)
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    back = deliver(context, journal, Kind.CALLBACK, CALLBACK)
    assert record(org, "Case", case_id)["OwnerId"] == wanted
    assert record(org, "Task", log)["OwnerId"] == wanted
    assert record(org, "Task", back)["OwnerId"] == wanted


def test_the_owners_of_a_batch_take_one_request(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    context.org_setup.get(), context.time_zone.zone()
    contacts = [row["Id"] for row in org.records("Contact")][:10]
    for nth, contact_id in enumerate(contacts):
        draft = CallbackDraft(caller_number="", contact_id=contact_id, phone=UNKNOWN)
        accept(journal, Kind.CALLBACK, draft, call_id=f"call-{nth}")
    before = org.stats()["requests"]
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 10}
    assert org.stats()["requests"] - before == 2


# -- the case of a call-back -----------------------------------------------------------------------


def test_a_call_back_is_linked_to_the_case_of_its_call(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    case_id = open_case(context, journal, BILLING)
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, CALLBACK))
    assert task["WhatId"] == record(org, "Case", case_id)["Id"]


def test_a_call_back_is_linked_to_the_case_that_its_call_commented_on(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    jane = contact(org)
    case = next(row for row in org.records("Case") if row["ContactId"] == jane["Id"])
    comment = CommentDraft(caller_number=KNOWN, case_number=case["CaseNumber"], text="hello")
    accept(journal, Kind.CASE_COMMENT, comment, tool="addCaseComment")
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, CALLBACK))
    assert task["WhatId"] == case["Id"]


def test_a_call_back_is_not_linked_to_a_case_that_became_somebody_elses(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    case_id = open_case(context, journal, BILLING)
    org.edit("Case", record(org, "Case", case_id)["Id"], ContactId=contact(org, "Mei Chen")["Id"])
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, CALLBACK))
    assert task["WhatId"] is None


def test_a_call_back_that_came_first_is_linked_when_its_case_is_open(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    back = deliver(context, journal, Kind.CALLBACK, CALLBACK)
    assert record(org, "Task", back)["WhatId"] is None
    case_id = open_case(context, journal, BILLING)
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 1}
    assert record(org, "Task", back)["WhatId"] == record(org, "Case", case_id)["Id"]


def test_a_call_back_that_came_first_is_linked_when_its_comment_arrives(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    jane = contact(org)
    case = next(row for row in org.records("Case") if row["ContactId"] == jane["Id"])
    back = deliver(context, journal, Kind.CALLBACK, CALLBACK)
    comment = CommentDraft(caller_number=KNOWN, case_number=case["CaseNumber"], text="hello")
    accept(journal, Kind.CASE_COMMENT, comment, tool="addCaseComment")
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert drain(context, Kind.TASK_LINK).counts == {"delivered": 1}
    assert record(org, "Task", back)["WhatId"] == case["Id"]


@pytest.mark.parametrize("held_ms", [0, 60_000])
def test_a_call_back_that_finds_its_case_itself_needs_no_link(
    context: DeliveryContext, journal: Journal, org: Org, held_ms: int
) -> None:
    accept(journal, Kind.CALLBACK, CALLBACK, hold_ms=held_ms)
    open_case(context, journal, BILLING)
    before = org.stats()["records"]["updated"]
    drain(context, Kind.CALLBACK)
    linked = drain(context, Kind.TASK_LINK).counts
    assert linked == ({} if held_ms else {"delivered": 1})
    assert org.stats()["records"]["updated"] == before


# -- new cases -------------------------------------------------------------------------------------


def test_a_case_has_what_the_team_wants_in_it(mapped: Mapped, journal: Journal, org: Org) -> None:
    fields = {"Reason": "Other", "Language": "de", "Missing__c": "x"}
    context = mapped(case={"origin": "Web", "fields": fields, "record_type": "Missing"})
    case = record(org, "Case", open_case(context, journal, BILLING))
    assert (case["Origin"], case["Reason"], case["Language"]) == ("Web", "Other", "de")


@pytest.mark.parametrize(
    ("table", "owner"),
    [
        ({}, "Billing_Team"),
        ({"assignment_rules": False}, ""),
        ({"owner": "queue:Phone_Support"}, "Phone_Support"),
        ({"owner": "queue:Nobody"}, "Billing_Team"),
    ],
)
def test_the_orgs_rules_assign_cases_that_the_team_does_not(
    mapped: Mapped, journal: Journal, org: Org, table: dict[str, Any], owner: str
) -> None:
    org.fault(assignment_rule="Billing_Team")
    case = record(org, "Case", open_case(mapped(case=table), journal, BILLING))
    assert case["OwnerId"] == (queue(org, owner) if owner else integration_user(org))
    org.fault()


def test_a_batch_of_cases_with_and_without_owner_is_delivered(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    org.fault(assignment_rule="Billing_Team")
    org.edit("Contact", contact(org)["Id"], OwnerId=user(org, RITA))
    context = mapped(case={"owner": "contact_owner"})
    known = accept(journal, Kind.CASE_CREATE, BILLING)
    unknown = accept(
        journal, Kind.CASE_CREATE, type(BILLING)(issue_type="billing", description="x")
    )
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 2}
    assert record(org, "Case", known)["OwnerId"] == user(org, RITA)
    assert record(org, "Case", unknown)["OwnerId"] == queue(org, "Billing_Team")
    org.fault()


def test_an_org_without_entitlements_gets_its_cases(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    case_id = open_case(mapped(case={"entitlement": True}), journal, BILLING)
    assert record(org, "Case", case_id)["Subject"]


# -- call logs -------------------------------------------------------------------------------------

REPORT = {
    "structured_outputs": {"Sentiment": "angry", "Booking": {"date": "2026-12-01", "seats": 3}},
    "summary_output": {"Call Summary": None},
    "scorecards": {"Politeness": {"score": 87.0}},
    "success_evaluation": "true", "cost": 0.25, "assistant_version": "v3",
    "recording_consent": {"type": "verbal", "granted_at": "2026-11-22T10:00:00.000+00:00"},
    "transfers": [{"to": "+14155550100", "status": "no-answer", "mode": ""}],
}  # fmt: skip
LOG = CallDraft(**CALL | {"outcome": REPORT})


def test_a_call_log_has_the_fields_of_the_team(mapped: Mapped, journal: Journal, org: Org) -> None:
    fields = {"Type": "Call", "IsReminderSet": True, "Missing__c": 1}
    log = deliver(mapped(call_log={"fields": fields}), journal, Kind.CALL_LOG, LOG)
    task = record(org, "Task", log)
    assert (task["Type"], task["IsReminderSet"], task["Status"]) == ("Call", True, "Completed")


def test_a_constant_that_the_org_refuses_is_left_out(
    mapped: Mapped, journal: Journal, org: Org, store: redis.Redis
) -> None:
    org.fault(picklists={"Task.Type": ["Call", "Email"]})
    context = mapped(call_log={"fields": {"Type": "Voice"}})
    log = accept(journal, Kind.CALL_LOG, LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"again": 1}
    assert stored(journal, log).omit_fields == ("Type",)
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    org.fault()


@pytest.mark.parametrize(
    ("field", "source", "value"),
    [
        ("Type", "structured.Sentiment", "angry"),
        ("Type", "structured.sentiment", "angry"),
        ("Type", "structured.Booking.date", "2026-12-01"),
        ("Type", "structured.Call Summary", "Billed twice."),
        ("Type", "structured.Missing", None),
        ("Type", "structured.Booking.missing", None),
        ("Type", "scorecard.Politeness", "87.0"),
        ("Type", "success", "true"),
        ("IsReminderSet", "success", True),
        ("IsReminderSet", "consent", True),
        ("IsReminderSet", "structured.Sentiment", False),
        ("Type", "cost", "0.25"),
        ("Type", "ended_reason", "customer-ended-call"),
        ("Type", "ended_group", "customer-ended"),
        ("Type", "assistant_version", "v3"),
        ("Type", "consent", "yes"),
        ("Type", "transfer_result", "no-answer"),
        ("Type", "duration_s", "120"),
        ("Type", "summary", "Billed twice."),
    ],
)
def test_what_a_report_found_is_in_the_field_that_the_team_names(
    mapped: Mapped, journal: Journal, org: Org, field: str, source: str, value: Any
) -> None:
    context = mapped(outcome={f"Task.{field}": source, "Task.Missing__c": source})
    log = deliver(context, journal, Kind.CALL_LOG, LOG)
    assert record(org, "Task", log)[field] == value


def test_an_amendment_writes_what_the_report_found(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    context = mapped(outcome={"Task.Type": "structured.Sentiment"})
    early = CallDraft(**CALL | {"is_reported": False, "summary": ""})
    log = deliver(context, journal, Kind.CALL_LOG, early)
    assert record(org, "Task", log)["Type"] is None
    later = CallDraft(**CALL | {"outcome": REPORT, "amends": log})
    deliver(context, journal, Kind.CALL_LOG, later)
    assert record(org, "Task", log)["Type"] == "angry"


def test_an_amendment_leaves_what_a_person_chose(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    context = mapped(outcome={"Task.Type": "structured.Sentiment"})
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL | {"is_reported": False}))
    org.edit("Task", record(org, "Task", log)["Id"], Type="Meeting")
    deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL | {"outcome": REPORT, "amends": log}))
    assert record(org, "Task", log)["Type"] == "Meeting"


@pytest.fixture
def end(store: redis.Redis, journal: Journal, settings: Settings) -> Callable[..., None]:
    """Ends a call with a report, for a team with these keys in [call_log]."""

    def make(**call_log: Any) -> None:
        calls = Calls(store)
        mapping = SalesforceMapping(call_log=CallLogMapping(**call_log))
        writer = EndOfCallWriter(calls, journal, settings, with_mapping(settings, mapping))
        report = EndOfCall(
            summary="Billed twice.", transcript="Caller: hello", recording="x-recording"
        )
        writer.close(CallState(call_id="call-1", number=KNOWN), report)

    return make


@pytest.mark.parametrize(
    ("call_log", "shown"),
    [
        ({}, {"hello", "Billed twice.", "x-recording"}),
        ({"transcript": "none"}, {"Billed twice.", "x-recording"}),
        ({"transcript": "file"}, {"Billed twice.", "x-recording", "in the file"}),
        ({"summary": False}, {"hello", "x-recording"}),
        ({"recording_link": False}, {"hello", "Billed twice."}),
    ],
)
def test_a_call_log_says_what_the_team_wants(
    context: DeliveryContext, journal: Journal, org: Org, end: Callable[..., None],
    call_log: dict[str, Any], shown: set[str],
) -> None:  # fmt: skip
    end(**call_log)
    (log,) = (item for item in journal.of_call("call-1") if item.kind is Kind.CALL_LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    said = record(org, "Task", log.id)["Description"]
    known = ("hello", "Billed twice.", "x-recording", "in the file")
    assert {part for part in known if part in said} == shown
    files = [item for item in journal.of_call("call-1") if item.kind is Kind.TRANSCRIPT_FILE]
    assert len(files) == (call_log.get("transcript") == "file")


def test_a_transcript_that_nobody_wants_is_not_even_in_the_journal(
    journal: Journal, end: Callable[..., None]
) -> None:
    end(transcript="none")
    assert all("hello" not in json.dumps(item.payload) for item in journal.of_call("call-1"))


def test_a_call_log_of_the_version_before_is_read(journal: Journal) -> None:
    older = LOG.as_json()
    del older["shows_summary"]
    assert read_draft(Kind.CALL_LOG, 1, older) == LOG


# -- the case of the call --------------------------------------------------------------------------


def test_the_calls_own_case_gets_what_the_report_found(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    context = mapped(
        outcome={
            "Case.SuppliedName": "structured.Call Summary",
            "Case.Reason": "structured.Sentiment",
            "Case.IsEscalated": "success",
            "Case.Missing__c": "cost",
        }
    )
    case_id = open_case(context, journal, BILLING)
    org.edit("Case", record(org, "Case", case_id)["Id"], Reason="Other")
    long = CallDraft(**CALL | {"outcome": REPORT, "summary": "word " * 100})
    deliver(context, journal, Kind.CALL_LOG, long)
    case = record(org, "Case", case_id)
    assert case["Reason"] == "Other"
    assert case["IsEscalated"] is False  # a person has changed the case since
    assert case["SuppliedName"].startswith("word word")
    assert len(case["SuppliedName"]) <= 80


def test_a_checkbox_of_an_untouched_case_is_set(mapped: Mapped, journal: Journal, org: Org) -> None:
    context = mapped(outcome={"Case.IsEscalated": "success"})
    case_id = open_case(context, journal, BILLING)
    deliver(context, journal, Kind.CALL_LOG, LOG)
    assert record(org, "Case", case_id)["IsEscalated"] is True


def test_a_case_that_refuses_a_field_keeps_nobody_waiting(
    mapped: Mapped, journal: Journal, org: Org, store: redis.Redis
) -> None:
    context = mapped(outcome={"Case.Reason": "structured.Sentiment", "Case.SuppliedName": "cost"})
    case_id = open_case(context, journal, BILLING)
    org.fault(picklists={"Case.Reason": ["Other"]})
    log = accept(journal, Kind.CALL_LOG, LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"again": 1}
    assert stored(journal, log).omit_fields == ("Case.Reason",)
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    case = record(org, "Case", case_id)
    assert (case["Reason"], case["SuppliedName"]) == (None, "0.25")
    org.fault()


def test_a_rule_that_refuses_the_case_does_not_park_the_call_log(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    context = mapped(outcome={"Case.SuppliedName": "summary"})
    case_id = open_case(context, journal, BILLING)
    rule = {"object": "Case", "name": "Frozen", "when": "SuppliedName != null", "message": "no"}
    org.fault(validation_rules=[rule])
    log = deliver(context, journal, Kind.CALL_LOG, LOG)
    assert record(org, "Task", log)["WhatId"] == record(org, "Case", case_id)["Id"]
    assert record(org, "Case", case_id)["SuppliedName"] is None
    org.fault()


def test_a_lost_answer_about_the_case_is_asked_again_and_changes_nothing_twice(
    mapped: Mapped, journal: Journal, org: Org, store: redis.Redis
) -> None:
    context = mapped(outcome={"Case.SuppliedName": "summary"})
    case_id = open_case(context, journal, BILLING)
    log = accept(journal, Kind.CALL_LOG, LOG)
    org.fault(lock_rows_s=0, status=503, error_code="SERVER_UNAVAILABLE", resources=["composite"])
    assert drain(context, Kind.CALL_LOG).counts == {"again": 1}
    org.fault()
    wait_no_more(store, log, kind=Kind.CALL_LOG)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    assert record(org, "Case", case_id)["SuppliedName"] == "Billed twice."


def test_a_call_without_an_own_case_changes_no_case(
    mapped: Mapped, journal: Journal, org: Org
) -> None:
    context = mapped(outcome={"Case.SuppliedName": "summary"})
    before = org.stats()["records"]["updated"]
    deliver(context, journal, Kind.CALL_LOG, LOG)
    assert org.stats()["records"]["updated"] == before


def test_the_cases_of_a_batch_take_two_requests(mapped: Mapped, journal: Journal, org: Org) -> None:
    context = mapped(outcome={"Case.SuppliedName": "summary"})
    for nth in range(5):
        accept(journal, Kind.CASE_CREATE, BILLING, call_id=f"call-{nth}")
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 5}
    context.org_setup.get(), context.time_zone.zone()
    draft = CallDraft(**CALL | {"contact_id": contact(org)["Id"]})
    logs = [accept(journal, Kind.CALL_LOG, draft, call_id=f"call-{nth}") for nth in range(5)]
    before = org.stats()["requests"]
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 5}
    # Whose the cases are, what is in them, their change, the Tasks.
    assert org.stats()["requests"] - before == 4
    assert all(stored(journal, log).state is State.DELIVERED for log in logs)
