"""Reconciliation: every ended call of Vapi's list is recorded once, whatever reached us of it."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from pydantic import SecretStr

from demo.stack import Org
from shared.calls.reconciled import Reconciled
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED, Kind
from shared.journal.erasure import Erasure
from shared.settings import Settings
from shared.vapi.call_list import CallList, CallListError
from shared.vapi.call_records import CallRecord
from shared.vapi.report import EndOfCall, end_of_call
from tests.calling import OPERATOR, PREMIUM, UNKNOWN, ask, message, post
from tests.conftest import change_settings
from tests.store_time import every_call_is_quiet, everything_is_due
from tests.workers.delivering import contact
from tests.workers.listing import KEY, SAID, Listing, asked, iso, listing_in
from workers import reconciliation
from workers.delivery.engine import drain
from workers.resources import Resources

CASE = {"issueType": "billing", "description": "Billed twice", "onExisting": "new"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listing]:
    with listing_in(tmp_path_factory.mktemp("vapi")) as running:
        yield running


@pytest.fixture
def listing(server: Listing) -> Listing:
    server.empty()
    return server


@pytest.fixture
def settings(settings: Settings, listing: Listing) -> Settings:
    return change_settings(settings, vapi_api_key=SecretStr(KEY), vapi_base_url=listing.url)


@pytest.fixture
def resources(settings: Settings, store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Resources:
    """Of a worker that does not wait between its tries."""
    monkeypatch.setattr("shared.vapi.call_list._back_off_s", lambda nth: 0.0)
    return Resources(settings)


def run(resources: Resources) -> str:
    return reconciliation.reconcile_calls(resources, lambda _: None)


def deliver(resources: Resources, store: redis.Redis) -> None:
    """Until nothing wants work any more."""
    for _ in range(6):
        for kind in Kind:
            drain(resources.context, kind)
        everything_is_due(store)
    assert all(item.state in SETTLED for item in resources.context.journal.newest(1000))


def tasks_of(org: Org, call_id: str) -> list[dict[str, Any]]:
    return [record for record in org.records("Task") if record["CallObject"] == call_id]


def callbacks(org: Org) -> list[dict[str, Any]]:
    return [record for record in org.records("Task") if record["Subject"].startswith("Call back")]


def accepted(resources: Resources) -> list[Intent]:
    return resources.context.journal.newest(1000)


# -- calls that nobody heard of --------------------------------------------------------------------


def test_a_call_that_never_reached_us_is_recorded_once_with_its_words(
    resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    listing.put("call-1")
    assert run(resources).startswith("listed 1, recorded 1,")
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert task["WhoId"] == contact(org)["Id"]
    assert task["CallDisposition"] == "customer-ended-call"
    assert task["CallDurationInSeconds"] == 118
    for part in ("Billed twice for October.", "User: Billed twice."):
        assert part in task["Description"]
    before = len(accepted(resources))
    assert run(resources).startswith("listed 1, recorded 0, completed 0, call-backs 0")
    assert len(accepted(resources)) == before


def test_its_report_changes_nothing_when_it_comes_after_all(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    record = listing.put("call-1")
    run(resources)
    report: dict[str, Any] = {
        "endedReason": "customer-ended-call",
        "analysis": {"summary": "Another one."},
    }
    for _ in range(2):
        late = message("end-of-call-report", "call-1", artifact=record["artifact"], **report)
        post(client, late)
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert "Billed twice for October." in task["Description"]
    assert len(accepted(resources)) == 1


def test_a_call_whose_report_came_is_left_alone(
    client: FlaskClient, resources: Resources, listing: Listing
) -> None:
    listing.put("call-1")
    post(client, message("end-of-call-report", "call-1", endedReason="customer-ended-call"))
    assert run(resources).startswith("listed 1, recorded 0, completed 0, call-backs 0")
    assert len(accepted(resources)) == 1


def test_a_call_that_was_recorded_without_its_report_is_completed_once(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    post(client, message("status-update", "call-1", status="in-progress"))
    every_call_is_quiet(store)
    resources.end_of_call.end_quiet_calls(600_000)
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert task["CallDisposition"] == "no-report"
    listing.put("call-1")
    assert run(resources).startswith("listed 1, recorded 0, completed 1,")
    assert run(resources).startswith("listed 1, recorded 0, completed 0,")
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert task["CallDisposition"] == "customer-ended-call"
    assert "User: Billed twice." in task["Description"]


def test_a_call_that_the_journal_no_longer_has_is_found_in_the_org(
    resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    listing.put("call-1")
    listing.put("call-2")
    run(resources)
    deliver(resources, store)
    # As an earlier version recorded it: with a key of chance.
    org.edit("Task", tasks_of(org, "call-2")[0]["Id"], Call_Key__c="0" * 32)
    store.flushall()
    assert run(resources).startswith("listed 2, recorded 0, completed 0, call-backs 0")
    assert accepted(resources) == []


def test_salesforce_itself_refuses_a_second_record_of_a_call(
    resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    listing.put("call-1")
    run(resources)
    deliver(resources, store)
    store.flushall()
    # Nobody looks into the org first: the key alone has to do.
    resources.end_of_call.close(resources.calls.state("call-1"), _report(listing.put("call-1")))
    deliver(resources, store)
    assert len(tasks_of(org, "call-1")) == 1


def _report(record: dict[str, Any]) -> EndOfCall:
    return end_of_call(CallRecord(record).report)


def test_a_report_that_comes_days_later_records_nothing(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    listing.put("call-1")
    run(resources)
    deliver(resources, store)
    # After two days the call's fingerprints are gone, and its receipt is left.
    store.delete(*store.scan_iter("vs:call:call-1*"))
    (before,) = accepted(resources)
    post(client, message("end-of-call-report", "call-1", endedReason="customer-ended-call"))
    (after,) = accepted(resources)
    assert (after.id, after.state, after.receipt) == (before.id, before.state, before.receipt)
    assert len(tasks_of(org, "call-1")) == 1


def test_an_erased_call_is_not_brought_back(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    post(client, message("end-of-call-report", "call-1", endedReason="customer-ended-call"))
    deliver(resources, store)
    Erasure(store).call("call-1", "")
    org.delete("Task", tasks_of(org, "call-1")[0]["Id"])
    listing.put("call-1", said=asked("t1", "lookupCustomer"))
    assert run(resources).startswith("listed 1, recorded 0, completed 0, call-backs 0")
    assert accepted(resources) == []


def test_calls_of_other_assistants_are_not_ours_and_failed_ones_are(
    settings: Settings, store: redis.Redis, listing: Listing
) -> None:
    resources = Resources(change_settings(settings, vapi_assistant_id="ours"))
    listing.put("call-1", assistantId="theirs")
    listing.put("call-2", squadId="s-1")
    listing.put("call-3", assistantId="ours")
    listing.put("call-4", said=None, endedReason="assistant-request-failed")
    activated = {"assistantActivations": [{"assistantId": "ours"}], "messages": SAID}
    listing.put("call-5", squadId="s-2", artifact=activated)
    run(resources)
    assert {intent.call_id for intent in accepted(resources)} == {"call-3", "call-4", "call-5"}


def test_a_call_without_words_at_vapi_is_recorded_without_them(
    resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    listing.put("call-1", said=None, analysis={})
    run(resources)
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert "Billed" not in task["Description"]


def test_a_pin_that_was_said_to_an_unreachable_tool_is_not_recorded(
    resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    said = [*SAID, {"role": "user", "message": "It is 4 7 1 1 9 3", "time": 4}]
    said += asked("t1", "verifyCaller", json.dumps({"pin": "471193"}))
    artifact = {"messages": said, "transcript": "User: I was billed twice. It is 4 7 1 1 9 3"}
    listing.put("call-1", artifact=artifact)
    run(resources)
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert "billed twice" in task["Description"]
    assert "4 7 1 1" not in task["Description"]


@pytest.mark.parametrize(("named", "is_left"), [("card", True), ("card,social_security", False)])
def test_what_redact_names_is_removed_from_a_call_of_the_list_too(
    settings: Settings, store: redis.Redis, org: Org, listing: Listing, named: str, *,
    is_left: bool,
) -> None:  # fmt: skip
    resources = Resources(change_settings(settings, redact=named))
    artifact = {"messages": SAID, "transcript": "User: I was billed twice. It is 219-09-9999"}
    listing.put("call-1", artifact=artifact)
    run(resources)
    deliver(resources, store)
    (task,) = tasks_of(org, "call-1")
    assert ("219-09-9999" in task["Description"]) is is_left


# -- tool calls that never reached us --------------------------------------------------------------


def test_tool_calls_that_never_reached_us_become_one_call_back_and_never_a_case(
    resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    made = asked("t1", "lookupCustomer", result="No result returned (HTTP 502).")
    made += asked("t2", "createSalesforceCase", json.dumps(CASE), result="Server said no")
    made += asked("t3", "endCall")
    listing.put("call-1", said=[*SAID, *made])
    assert run(resources).startswith("listed 1, recorded 1, completed 0, call-backs 1")
    assert run(resources).startswith("listed 1, recorded 0, completed 0, call-backs 0")
    deliver(resources, store)
    (task,) = callbacks(org)
    assert task["Status"] == "Not Started"
    assert task["WhoId"] == contact(org)["Id"]
    assert "lookupCustomer and createSalesforceCase" in task["Description"]
    assert [record for record in org.records("Case") if record["Call_Key__c"]] == []


def test_a_tool_call_that_failed_in_the_middle_of_a_known_call_is_found(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    post(client, message("end-of-call-report", "call-1", endedReason="customer-ended-call"))
    made = asked("t1", "getCaseStatus", result="Case 1008 is new.")
    made += asked("t2", "createSalesforceCase", json.dumps(CASE), result="No result returned")
    listing.put("call-1", said=[*SAID, *made])
    assert run(resources).startswith("listed 1, recorded 0, completed 0, call-backs 1")
    deliver(resources, store)
    (task,) = callbacks(org)
    assert "createSalesforceCase" in task["Description"]
    assert "getCaseStatus" not in task["Description"]
    assert len(tasks_of(org, "call-1")) == 1
    assert store.zcard("vs:calls") == 0


@pytest.mark.parametrize(
    ("tool", "again", "count"),
    [
        ("lookupCustomer", "{}", 0),
        ("createSalesforceCase", json.dumps(CASE), 0),
        ("createSalesforceCase", json.dumps(CASE | {"description": "Another"}), 1),
    ],
)
def test_a_tool_call_that_was_made_good_in_the_same_call_needs_nobody(
    client: FlaskClient, resources: Resources, listing: Listing,
    tool: str, again: str, count: int,
) -> None:  # fmt: skip
    post(client, message("status-update", "call-1", status="in-progress"))
    first = json.dumps(CASE) if tool == "createSalesforceCase" else "{}"
    made = [*asked("t1", tool, first), *asked("t2", tool, again, result="Done.")]
    listing.put("call-1", said=[*SAID, *made])
    run(resources)
    kinds = [intent.kind for intent in accepted(resources)]
    assert kinds.count(Kind.CALLBACK) == count


def test_an_answer_that_was_lost_on_its_way_to_vapi_needs_nobody(
    client: FlaskClient, resources: Resources, listing: Listing
) -> None:
    ask(client, "createSalesforceCase", CASE, id="t1", call_id="call-1")
    listing.put("call-1", said=[*SAID, *asked("t1", "createSalesforceCase", json.dumps(CASE))])
    run(resources)
    kinds = [intent.kind for intent in accepted(resources)]
    assert sorted(kinds).count(Kind.CALLBACK) == 0
    assert kinds.count(Kind.CALL_LOG) == 1


@pytest.mark.parametrize("is_known", [False, True])
def test_a_number_that_is_no_evidence_links_the_call_back_to_nobody(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing,
    *, is_known: bool,
) -> None:  # fmt: skip
    forged = {"metadata": {"StirVerstat": "TN-Validation-Failed-A"}}
    if is_known:
        report: dict[str, Any] = {"endedReason": "customer-ended-call"}
        call = message("end-of-call-report", "call-1", **report)
        call["message"]["call"].update(forged)
        post(client, call)
    made = asked("t1", "createSalesforceCase", json.dumps(CASE))
    listed: dict[str, Any] = {} if is_known else forged
    listing.put("call-1", said=[*SAID, *made], **listed)
    run(resources)
    deliver(resources, store)
    assert [task["WhoId"] for task in callbacks(org)] == [None]
    assert [task["WhoId"] for task in tasks_of(org, "call-1")] == [None]


def test_nobody_is_called_back_without_a_number_twice_or_where_it_costs_more(
    client: FlaskClient, resources: Resources, listing: Listing
) -> None:
    ask(client, "requestCallback", {"reason": "bill"}, call_id="call-2", number=UNKNOWN)
    made = asked("t1", "createSalesforceCase", json.dumps(CASE))
    listing.put("call-1", number="", said=[*SAID, *made])
    listing.put("call-2", number=UNKNOWN, said=[*SAID, *made])
    listing.put("call-3", number=PREMIUM, said=[*SAID, *made])
    run(resources)
    callers = [item.call_id for item in accepted(resources) if item.kind is Kind.CALLBACK]
    assert callers == ["call-2"]


# -- the list, and how far it was read -------------------------------------------------------------


def test_a_call_that_lasts_or_has_just_ended_is_recorded_later(
    resources: Resources, store: redis.Redis, listing: Listing
) -> None:
    lasts: dict[str, Any] = {"status": "in-progress", "endedReason": None, "endedAt": None}
    record = listing.put("call-1", ended_min_ago=180, **lasts)
    listing.put("call-2", ended_min_ago=1)
    listing.put("call-3")
    run(resources)
    assert {intent.call_id for intent in accepted(resources)} == {"call-3"}
    until_ms = Reconciled(store).read().until_ms
    assert iso(until_ms / 1000) <= record["createdAt"]
    # A long call holds the cursor, so that it is found however late it ends.
    listing.put("call-1", createdAt=record["createdAt"])
    run(resources)
    assert {intent.call_id for intent in accepted(resources)} == {"call-1", "call-3"}


def test_a_call_that_the_list_shows_late_is_found_by_a_later_run(
    resources: Resources, listing: Listing
) -> None:
    listing.put("call-1", ended_min_ago=12)
    listing.fault(lag_s=600)
    assert run(resources).startswith("listed 0")
    listing.fault()
    assert run(resources).startswith("listed 1, recorded 1")


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_more_calls_than_a_page_holds_are_all_read_in_whatever_order(
    settings: Settings, listing: Listing, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vapi.call_list.LIMIT", 5)
    listing.fault(order=order)
    for nth in range(24):
        listing.put(f"call-{nth}", ended_min_ago=20 + nth // 2)
    windows = list(CallList(settings.vapi).windows(*_last_two_hours()))
    read = [record.call_id for window in windows for record in window.records]
    assert sorted(read) == sorted(f"call-{nth}" for nth in range(24))
    assert all(window.end_ms == later.start_ms for window, later in pairwise(windows))


def test_a_full_second_is_said_to_be_too_much_for_the_list(
    settings: Settings, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vapi.call_list.LIMIT", 2)
    monkeypatch.setattr("shared.vapi.call_list.MAX_LIMIT", 3)
    created = listing.put("call-0")["createdAt"]
    for nth in range(3):
        listing.put(f"call-{nth}", createdAt=created)
    with pytest.raises(CallListError, match="more than 3 calls"):
        list(CallList(settings.vapi).windows(*_last_two_hours()))


def _last_two_hours() -> tuple[int, int]:
    now_ms = int(time.time() * 1000)
    return now_ms - 7_200_000, now_ms


def test_a_refused_request_is_sent_again_and_as_late_as_vapi_asks(
    settings: Settings, listing: Listing
) -> None:
    waits: list[float] = []
    listing.put("call-1")
    listing.fault(status=429, times=2, retry_after=7)
    windows = list(CallList(settings.vapi, waits.append).windows(*_last_two_hours()))
    assert [record.call_id for window in windows for record in window.records] == ["call-1"]
    assert waits == [7, 7]


def test_a_run_that_vapi_or_salesforce_stops_goes_on_where_it_was(
    client: FlaskClient, resources: Resources, store: redis.Redis, org: Org, listing: Listing
) -> None:
    reconciled = Reconciled(store)
    listing.put("call-1")
    listing.fault(status=429, times=1000)
    assert run(resources).endswith("stopped: http_429")
    problems = client.get("/health", headers=OPERATOR).get_json()["problems"]
    assert any(text.startswith("reconciliation: stopped by http_429") for text in problems)
    assert (reconciled.read().until_ms, reconciled.read().trouble) == (0, "http_429")
    listing.fault()
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    assert run(resources).endswith("SERVER_UNAVAILABLE")
    assert accepted(resources) == []
    org.fault()
    assert run(resources).startswith("listed 1, recorded 1")
    assert reconciled.read().stopped_by == ""
    assert reconciled.read().ran_ms > 0


def test_a_run_reads_a_part_of_a_long_outage_and_the_next_one_goes_on(
    resources: Resources, store: redis.Redis, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "MAX_WINDOWS", 3)
    Reconciled(store).advance(Reconciled(store).now_ms() - 20 * 3_600_000)
    for hours_ago in (19, 6, 1):
        listing.put(f"call-{hours_ago}", ended_min_ago=hours_ago * 60)
    assert run(resources).endswith("stopped: more_to_read")
    assert {intent.call_id for intent in accepted(resources)} == {"call-19"}
    while "more_to_read" in run(resources):
        pass
    assert len(accepted(resources)) == 3


def test_without_a_key_there_is_no_reconciliation(settings: Settings) -> None:
    resources = Resources(change_settings(settings, vapi_api_key=None))
    assert run(resources) == "off: VAPI_API_KEY is not set"
