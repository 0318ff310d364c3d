"""Parked writes: their groups, correcting a single write, and actions on a whole group."""

import html
import re
from typing import Any

import pytest
import redis

from demo.stack import ROOT, Org
from shared.domain.drafts import CaseDraft
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.journal.listing import Listing, group_filter
from shared.operators.audit import Audit
from shared.operators.group_actions import MAX_OPEN, STEP
from shared.operators.reasons import is_explained
from tests.console.conftest import Browser
from tests.console.writing import (
    NUMBER,
    REFUSED,
    RULE,
    WORDS,
    accept,
    edited_since,
    parked,
    state_of,
)
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

REASON = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
GROUP = {"kind": "case_create", "reason": REASON, "detail": RULE}


def did(store: redis.Redis) -> list[str]:
    """What the audit has, newest first, without logins."""
    return [entry.what for entry in Audit(store).newest(20) if entry.what != "login"]


def test_parked_writes_are_in_groups_by_kind_reason_and_the_rules_own_message(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    parked(journal, context, org, 3)
    other = {"object": "Case", "when": "Type = 'Billing'", "message": "Another rule."}
    accept(journal)
    org.fault(validation_rules=[other])
    drain(context, Kind.CASE_CREATE)
    org.fault()
    text = reader.get("/console/parked").text
    assert "4 parked" in text
    for words in (f'3 × case_create: <span class="code">{REASON}', RULE, "Another rule."):
        assert words in text
    assert WORDS not in text
    assert "all …" not in text, "a reader gets no buttons"


def test_values_that_a_trigger_quotes_are_hidden_in_groups_too(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    accept(journal)
    said = {"object": "Case", "when": "Type = 'Billing'", "message": f"Not with {WORDS}."}
    org.fault(validation_rules=[said])
    drain(context, Kind.CASE_CREATE)
    org.fault()
    text = reader.get("/console/parked").text
    assert "Not with •••." in text
    assert WORDS not in text


def test_groups_are_counted_beyond_a_step(
    journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    parked(journal, context, org, 5)
    monkeypatch.setattr("shared.journal.listing.STEP", 2)
    (group,) = Listing(store, journal).groups()
    assert (group.count, group.promised) == (5, 5)


@pytest.mark.parametrize(
    ("kind", "reason", "detail"),
    [
        ("", "X", ""),
        ("case_create", "", ""),
        ("case_create", "X*", ""),
        ("case_create", REASON, ""),
    ],
)
def test_parts_that_would_fit_other_groups_as_well_are_no_group(
    kind: str, reason: str, detail: str
) -> None:
    assert group_filter(kind, reason, detail) is None


def test_every_reason_of_the_runbook_is_explained() -> None:
    with (ROOT / "docs/runbook.md").open(encoding="utf-8") as file:
        rows = [line for line in file if line.startswith("| `")]
    codes = {
        code.partition(" ")[0].rstrip(".").removesuffix("_n").removesuffix("_x")
        for row in rows
        for code in re.findall(
            r"`([A-Z][A-Z_]+[A-Z](?: \([a-zA-Z]+\)|_[nx])?)[.]*`", row.split("|")[1]
        )
    }
    assert len(codes) > 20
    assert {
        code for code in codes if not is_explained(code) and not is_explained(f"{code}_")
    } == set()


# -- a single write --------------------------------------------------------------------------------


def test_an_operator_replays_a_write_and_sees_it_delivered(
    operator: Browser, reader: Browser, journal: Journal, context: DeliveryContext, org: Org,
    store: redis.Redis,
) -> None:  # fmt: skip
    (intent_id,) = parked(journal, context, org)
    path = f"/console/writes/{intent_id}"
    assert reader.post(f"{path}/replay").status_code == 403
    assert state_of(journal, intent_id) is State.PARKED
    assert operator.post(f"{path}/replay").location == f"{path}?done=replayed"
    assert "The write was replayed." in operator.get(f"{path}?done=replayed").text
    assert operator.post(f"{path}/replay").status_code == 409, "again changes nothing"
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert did(store) == ["replay"]


def test_an_operator_discards_a_write(
    operator: Browser, reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (intent_id,) = parked(journal, context, org)
    path = f"/console/writes/{intent_id}/discard"
    assert reader.post(path).status_code == 403
    assert operator.post(path).status_code == 302
    assert state_of(journal, intent_id) is State.CANCELLED


@pytest.mark.parametrize("way", ["a write", "a group"])
def test_who_kept_a_promise_by_hand_says_so_in_the_same_words_and_nobody_is_asked_to_call(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis,
    way: str,
) -> None:  # fmt: skip
    (intent_id,) = parked(journal, context, org)
    path = f"/console/writes/{intent_id}"
    if way == "a write":
        assert "Discard it, kept by hand" in operator.get(path).text
        done = operator.post(f"{path}/discard", {"kept_by_hand": "1"}).location
        assert "The write was discarded, kept by hand." in operator.get(done).text
    else:
        plan = operator.post("/console/parked/plan", GROUP | {"verb": "discard"}).text
        assert "Discard 1, kept by hand" in plan
        step(operator, begin(operator, "discard, kept by hand"))
    assert state_of(journal, intent_id) is State.CANCELLED
    assert did(store)[-1].startswith("discard, kept by hand")
    assert (journal.promises.ever().kept_by_hand, journal.promises.waiting()) == (1, 0)


@pytest.mark.parametrize("verb", ["replay", "discard", "edit", "edit/plan", "edit/apply"])
def test_what_is_not_parked_is_left_alone(
    operator: Browser, journal: Journal, verb: str, store: redis.Redis
) -> None:
    intent_id = accept(journal)
    assert operator.post(f"/console/writes/{intent_id}/{verb}").status_code == 409
    assert operator.post(f"/console/writes/{'0' * 32}/{verb}").status_code == 404
    assert state_of(journal, intent_id) is State.DUE
    assert did(store) == []


def contact(org: Org) -> dict[str, Any]:
    return next(
        record for record in org.records("Contact") if record["Phone"] == "(415) 555-0101"
        or record["MobilePhone"] == NUMBER or record["Phone"] == NUMBER
    )  # fmt: skip


def test_a_correction_is_shown_beside_what_the_call_saw_and_what_the_org_has_now(
    operator: Browser, reader: Browser, journal: Journal, context: DeliveryContext, org: Org,
    store: redis.Redis,
) -> None:  # fmt: skip
    now = contact(org)
    intent_id = edited_since(journal, context, now["Id"])
    path = f"/console/writes/{intent_id}/edit"
    assert reader.post(path).status_code == 403
    form = operator.post(path).text
    assert 'value="+14155550777"' in form
    assert "+14155550000" in form, "what the call saw"
    correction = {"set:Phone": "415 555 0778", "how:Phone": "set"}
    plan = operator.post(f"{path}/plan", correction).text
    row = re.search(r'<tr><th scope="row">Phone</th>(.*?)</tr>', plan, re.DOTALL)
    assert row
    cells = re.findall(r">([^<]+)<", row[1])
    assert cells == ["+14155550777", "+14155550778", "+14155550000", html.escape(now["Phone"])]
    assert state_of(journal, intent_id) is State.PARKED, "a plan changes nothing"
    assert operator.post(f"{path}/apply", correction).status_code == 302
    drain(context, Kind.CONTACT_UPDATE)
    assert state_of(journal, intent_id) is State.DELIVERED
    assert contact_by_id(org, now["Id"])["Phone"] == "+14155550778"
    assert did(store) == ["edit", "reveal"]
    assert Audit(store).newest(1)[0].about == "Phone"


def contact_by_id(org: Org, contact_id: str) -> dict[str, Any]:
    return next(record for record in org.records("Contact") if record["Id"] == contact_id)


def test_a_value_that_the_tool_would_refuse_is_refused_and_the_form_keeps_it(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = edited_since(journal, context, contact(org)["Id"])
    path = f"/console/writes/{intent_id}/edit"
    wrong = {"set:Phone": "12", "how:Phone": "set"}
    for step in ("plan", "apply"):
        answer = operator.post(f"{path}/{step}", wrong)
        assert (answer.status_code, 'value="12"' in answer.text) == (400, True)
    same = operator.post(f"{path}/plan", {"set:Phone": "+14155550777", "how:Phone": "set"})
    assert "Nothing differs" in same.text
    assert state_of(journal, intent_id) is State.PARKED


def test_a_field_can_be_left_out_of_a_correction(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (intent_id,) = parked(journal, context, org)
    form = {"set:account_number": "", "how:priority": "unset", "set:description": "in short"}
    assert operator.post(f"/console/writes/{intent_id}/edit/apply", form).status_code == 302
    draft = journal.get_many([intent_id])[intent_id].draft
    assert isinstance(draft, CaseDraft)
    assert draft.description == "in short"


# -- a group ---------------------------------------------------------------------------------------


def begin(browser: Browser, verb: str = "replay") -> str:
    """The path of an action on the group that `parked` makes."""
    answer = browser.post("/console/actions", GROUP | {"verb": verb})
    assert answer.status_code == 302
    return answer.location


def step(browser: Browser, path: str) -> str:
    return browser.post(f"{path}/step", headers={"X-Poll": "1"}).text


def figures(text: str) -> dict[str, int]:
    found = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", text)
    return {name: int(value) for name, value in found}


def test_a_plan_says_how_many_requests_and_seconds_and_changes_nothing(
    operator: Browser, reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    ids = parked(journal, context, org, 60)
    answer = operator.post("/console/parked/plan", GROUP | {"verb": "replay"})
    assert figures(answer.text) == {
        "writes": 60, "API requests, roughly": 4, "seconds, at least": 2,
    }  # fmt: skip
    assert RULE in answer.text
    assert {state_of(journal, id_) for id_ in ids} == {State.PARKED}
    assert reader.post("/console/parked/plan", GROUP | {"verb": "replay"}).status_code == 403
    assert reader.post("/console/actions", GROUP | {"verb": "replay"}).status_code == 403


def test_a_group_is_replayed_step_by_step_until_all_of_it_is_delivered(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    ids = parked(journal, context, org, STEP + 5)
    path = begin(operator)
    assert {state_of(journal, id_) for id_ in ids} == {State.PARKED}, "nothing before a step"
    first = figures(step(operator, path))
    assert (first["on their way"], first["delivered"]) == (STEP, 0)
    drain(context, Kind.CASE_CREATE)
    step(operator, path)
    drain(context, Kind.CASE_CREATE)
    text = step(operator, path)
    assert (figures(text)["delivered"], "Done." in text) == (len(ids), True)
    assert "data-step" not in text
    assert {state_of(journal, id_) for id_ in ids} == {State.DELIVERED}
    assert sum(record["Call_Key__c"] in ids for record in org.records("Case")) == len(ids)
    entry = next(entry for entry in Audit(store).newest(5) if entry.what == "replay group")
    assert (entry.who, entry.count) == ("olga", len(ids))


def test_an_abort_leaves_the_others_parked(
    operator: Browser, reader: Browser, journal: Journal, context: DeliveryContext, org: Org,
    store: redis.Redis,
) -> None:  # fmt: skip
    ids = parked(journal, context, org, STEP + 5)
    path = begin(operator)
    step(operator, path)
    assert reader.post(f"{path}/abort").status_code == 403
    assert reader.post(f"{path}/step").status_code == 403
    operator.post(f"{path}/abort")
    text = step(operator, path)
    assert "Aborted after 50 of 55" in text
    assert sum(state_of(journal, id_) is State.PARKED for id_ in ids) == 5
    assert "abort replay group" in did(store)
    assert "Aborted" in reader.get(path).text


def test_a_replay_stops_by_itself_while_the_cause_is_not_fixed(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    ids = parked(journal, context, org, STEP + 5)
    path = begin(operator)
    step(operator, path)
    org.fault(**REFUSED)
    drain(context, Kind.CASE_CREATE)
    org.fault()
    text = step(operator, path)
    assert "Stopped after 50 of 55" in text
    assert {state_of(journal, id_) for id_ in ids} == {State.PARKED}


def test_no_more_than_some_are_on_their_way_at_a_time(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    parked(journal, context, org, MAX_OPEN + STEP)
    path = begin(operator)
    for _ in range(5):
        text = step(operator, path)
    assert figures(text)["on their way"] == MAX_OPEN


def test_two_pages_of_an_action_take_no_write_twice_and_another_group_is_left_alone(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (other,) = [edited_since(journal, context, contact(org)["Id"])]
    ids = parked(journal, context, org, 10)
    path = begin(operator, "discard")
    for _ in range(3):
        step(operator, path)
    text = operator.get(path).text
    assert (figures(text)["cancelled"], "Done." in text) == (10, True)
    assert {state_of(journal, id_) for id_ in ids} == {State.CANCELLED}
    assert state_of(journal, other) is State.PARKED


def test_an_action_needs_a_group_that_is_parked_now(operator: Browser, journal: Journal) -> None:
    for form in (GROUP | {"verb": "replay"}, GROUP | {"verb": "x"}, {"verb": "replay"}):
        assert operator.post("/console/parked/plan", form).status_code == 409
        assert operator.post("/console/actions", form).status_code == 409
    assert operator.get("/console/actions/nothing").status_code == 404
    assert operator.post("/console/actions/nothing/step").status_code == 404


def test_parked_writes_can_be_settled_although_the_store_is_full(
    operator: Browser, journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    ids = parked(journal, context, org, 3)
    store.config_set("maxmemory", 1)
    try:
        answer = operator.log_in("olga")
        assert answer.status_code == 302
        path = begin(operator, "discard")
        assert "Done." not in step(operator, path)
        text = step(operator, path)
    finally:
        store.config_set("maxmemory", 0)
    assert "Done." in text
    assert {state_of(journal, id_) for id_ in ids} == {State.CANCELLED}
