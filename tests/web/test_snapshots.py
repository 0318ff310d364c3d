"""Snapshots: asked for once, shown at once with our own writes, and used when nothing newer is."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.processes import wait_until
from demo.stack import Org, Store
from shared.domain.drafts import ContactDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.salesforce.api_budget import Use
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.namespace import keys_of
from shared.settings import Settings
from tests.api_use import open_breaker, spend_window
from tests.calling import KNOWN, SHARED, UNKNOWN, ask, message, post, say, tool_message
from tests.conftest import change_settings, make_settings
from tests.store_time import breaker_stays_open, snapshot_was_taken
from web.app import create_app
from web.pool import REQUEST_THREADS
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

AWAY: dict[str, Any] = {"status": 503, "error_code": "SERVER_UNAVAILABLE"}
CASE = {"issueType": "billing", "description": "Billed twice"}


def asked(org: Org) -> int:
    """Requests but for tokens."""
    stats = org.stats()
    return int(stats["requests"] - stats["by_resource"].get("token", 0))


def has_snapshot(store: redis.Redis, keys: str, number: str) -> bool:
    return bool(store.exists(f"{keys}snapshot:{number}"))


# -- asked for once --------------------------------------------------------------------------------


def test_a_caller_is_asked_for_once_in_a_call(client: FlaskClient, org: Org) -> None:
    before = asked(org)
    assert "Jane Miller" in say(client, "lookupCustomer")
    assert "two open cases" in say(client, "retrieveCustomerCase")
    assert "Case 00001002" in say(client, "getCaseStatus")
    assert "Case 00001001" in say(client, "getCaseStatus", {"caseNumber": "1001"})
    assert asked(org) - before == 1


def test_another_call_asks_anew(client: FlaskClient, org: Org) -> None:
    say(client, "lookupCustomer", call_id="a")
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], LastName="Doe")
    assert "Jane Doe" in say(client, "lookupCustomer", call_id="b")


@pytest.mark.parametrize("kind", ["status-update", "assistant-request", "speech-update"])
def test_the_first_sign_of_a_call_starts_the_snapshot(
    client: FlaskClient, org: Org, store: redis.Redis, kind: str, keys: str
) -> None:
    before = asked(org)
    for _ in range(3):
        post(client, message(kind, status="in-progress"))
    wait_until(lambda: has_snapshot(store, keys, KNOWN), for_s=10, what="snapshot")
    org.fault(refuse=1)
    assert "Jane Miller" in say(client, "lookupCustomer")
    assert asked(org) - before == 1


def test_those_who_ask_at_the_same_time_share_one_request(
    settings: Settings, org: Org, store: redis.Redis
) -> None:
    apps = [create_app(settings) for _ in range(2)]
    ask(
        apps[0].test_client(), "lookupCustomer", number=UNKNOWN, call_id="another"
    )  # there is a token now
    org.fault(latency_ms=300)
    before = asked(org)

    def look(nth: int) -> str:
        # The same call, as two processes may get its events.
        return say(apps[nth % 2].test_client(), "lookupCustomer", id=f"call_{nth}")

    with ThreadPoolExecutor(10) as pool:
        said = set(pool.map(look, range(10)))
    assert len(said) == 1
    assert asked(org) - before == 1
    for app in apps:
        app.extensions["service"].close()


def test_those_who_wait_for_the_window_share_a_request_and_get_only_their_own_answer(
    store: redis.Redis, store_server: Store, org: Org
) -> None:
    window = {"salesforce_window_requests": 100, "salesforce_window_seconds": 20}
    settings = make_settings(store_server.url, org.url, **window)
    apps = [create_app(settings) for _ in range(2)]
    ask(apps[0].test_client(), "lookupCustomer", number=UNKNOWN, call_id="another")
    contacts = {f"+1628555{nth:04d}": f"Sharer{nth}" for nth in range(8)}
    org.create("Contact", [{"LastName": name, "Phone": to} for to, name in contacts.items()])
    spend_window(store, keys_of(settings.salesforce), Use.LOOKUP, 75)
    before = asked(org)

    def look(nth: int) -> str:
        number = list(contacts)[nth]
        return say(apps[nth % 2].test_client(), "lookupCustomer", number=number, call_id=f"c{nth}")

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(look, range(8)))
    for text, name in zip(said, contacts.values(), strict=True):
        assert text == f'The caller is "{name}". They have no open cases.'
    assert asked(org) - before <= 3  # one, when all of them came within the time it was held
    for app in apps:
        app.extensions["service"].close()


def test_a_late_answer_serves_the_next_one_who_asks(
    settings: Settings, org: Org, store: redis.Redis, keys: str
) -> None:
    app = create_app(change_settings(settings, lookup_deadline_ms=300))
    client = app.test_client()
    ask(client, "lookupCustomer", number=UNKNOWN, call_id="another")
    org.fault(latency_ms=700)
    assert "can't look" in ask(client, "lookupCustomer", id="call_1")["error"]
    wait_until(lambda: has_snapshot(store, keys, KNOWN), for_s=10, what="snapshot")
    org.fault(**AWAY)
    assert "Jane Miller" in say(client, "lookupCustomer", id="call_2")
    app.extensions["service"].close()


def test_only_listed_fields_are_kept_and_not_for_ever(
    client: FlaskClient, store: redis.Redis, keys: str
) -> None:
    say(client, "lookupCustomer")
    key = f"{keys}snapshot:{KNOWN}"
    (stored,) = json.loads(str(store.get(key)))["customers"]
    assert set(stored) == {
        "contact_id", "name", "account_id", "account_name", "account_number", "values", "cases",
        "language", "owner_name", "owner_phone", "phones", "acts_for", "new_until_ms", "traits",
    }  # fmt: skip
    assert set(stored["values"]) == set(CHANGEABLE)
    assert 0 < store.ttl(key) <= 24 * 3600


# -- when Salesforce can't be asked ----------------------------------------------------------------


def test_what_was_last_known_is_said_with_its_age(
    client: FlaskClient, org: Org, store: redis.Redis, keys: str
) -> None:
    say(client, "lookupCustomer", call_id="a")
    snapshot_was_taken(store, keys, KNOWN, 3 * 3_600_000)
    org.fault(**AWAY)
    said = say(client, "lookupCustomer", call_id="b")
    assert said.startswith("As of three hours ago, and I can't see anything newer: The caller")
    assert "three hours ago" in say(client, "retrieveCustomerCase", call_id="b")
    assert "three hours ago" in say(client, "getCaseStatus", {"caseNumber": "1001"}, call_id="b")


def test_an_open_breaker_costs_no_request_and_no_wait(
    app: Flask, client: FlaskClient, org: Org, store: redis.Redis, keys: str
) -> None:
    say(client, "lookupCustomer", call_id="a")
    service: Service = app.extensions["service"]
    open_breaker(service.api_budget)
    breaker_stays_open(store, keys)
    before = asked(org)
    assert "As of one minute ago" in say(client, "lookupCustomer", call_id="b")
    assert "can't look" in ask(client, "lookupCustomer", number=SHARED, call_id="c")["error"]
    assert "result" in ask(client, "createSalesforceCase", CASE, number=SHARED, call_id="c")
    assert asked(org) == before


def test_a_spent_day_refuses_lookups_and_snapshots_answer(client: FlaskClient, org: Org) -> None:
    say(client, "lookupCustomer", call_id="a")
    org.fault(daily_left=0)
    for call_id in ("b", "c"):  # Salesforce says so; then it is known
        said = ask(client, "lookupCustomer", number=SHARED, call_id=call_id)["error"]
        assert said == "I can't look that up right now. Please go on without it."
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="d")


def test_requests_that_hang_take_no_thread_from_those_who_need_none(
    client: FlaskClient, app: Flask, org: Org
) -> None:
    """Every thread for requests is taken: a snapshot is told, a write accepted."""
    say(client, "lookupCustomer")
    service: Service = app.extensions["service"]
    go_on = threading.Event()
    for _ in range(REQUEST_THREADS):
        service.requests.start(go_on.wait)
    assert "Jane Miller" in say(client, "lookupCustomer", id="call_2")
    assert "can't look" in ask(client, "lookupCustomer", number=SHARED, call_id="x")["error"]
    assert "result" in ask(client, "createSalesforceCase", CASE, number=SHARED, call_id="x")
    go_on.set()


# -- our own writes --------------------------------------------------------------------------------


def test_a_case_shows_from_its_acceptance_on(
    client: FlaskClient, org: Org, context: DeliveryContext, store: redis.Redis
) -> None:
    said = say(client, "createSalesforceCase", CASE, call_id="a")
    reference = said[-8:-1]
    opening = say(client, "retrieveCustomerCase", call_id="a")
    assert f'reference {reference}, "Billing: Billed twice", is being opened' in opening
    assert "three open cases" in say(client, "lookupCustomer", call_id="a")
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    (made,) = (
        record for record in org.records("Case") if record["Voice_Reference__c"] == reference
    )
    shown = say(client, "retrieveCustomerCase", {"issueType": "billing"}, call_id="a")
    assert made["CaseNumber"] in shown
    # The next call asks the org, which knows it itself.
    assert "three open cases" in say(client, "lookupCustomer", call_id="b")


def test_a_case_of_an_earlier_call_shows_during_an_outage(client: FlaskClient, org: Org) -> None:
    say(client, "lookupCustomer", call_id="a")
    org.fault(**AWAY)
    say(client, "createSalesforceCase", CASE, call_id="a")
    said = say(client, "retrieveCustomerCase", {"issueType": "billing"}, call_id="b")
    assert "is being opened" in said


def test_a_case_of_one_outage_shows_in_the_next(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    """Only the worker found out whose it is, and no snapshot has been taken since."""
    say(client, "lookupCustomer", call_id="a")
    org.fault(**AWAY)
    say(client, "createSalesforceCase", CASE, call_id="b")
    org.fault()
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    org.fault(**AWAY)
    said = say(client, "getCaseStatus", call_id="c")
    assert '"Billing: Billed twice"' in said
    assert "minute" in said


def test_a_reference_of_an_earlier_call_tells_no_number_while_the_org_is_away(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    """The number may have changed hands since then; within its own call it can't have."""
    made = say(client, "createSalesforceCase", CASE, call_id="a")
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    org.fault(**AWAY)
    wanted = {"reference": made[-8:-1]}
    assert "opened with number" in say(client, "getCaseStatus", wanted, call_id="a")
    later = ask(client, "getCaseStatus", wanted, call_id="b")
    assert "number" not in str(later)


def test_a_caller_first_seen_in_an_outage_learns_of_their_case_once_it_is_open(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    """Nobody knew the caller when the case was accepted. The case has a contact by now."""
    org.fault(**AWAY)
    made = say(client, "createSalesforceCase", CASE, call_id="a")
    wanted = {"reference": made[-8:-1]}
    assert "being opened" in say(client, "getCaseStatus", wanted, id="early", call_id="a")
    org.fault()
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert 'is "New"' in say(client, "getCaseStatus", wanted, id="late", call_id="a")
    added = say(client, "addCaseComment", {"comment": "x"}, call_id="a")
    assert "is being added" in added


def test_whoever_has_the_number_now_learns_nothing_of_the_one_before(
    client: FlaskClient, org: Org
) -> None:
    ask(client, "lookupCustomer", call_id="a")
    said = say(client, "createSalesforceCase", CASE, call_id="a")
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], Phone="+14155550777", MobilePhone="+14155550777")
    org.create("Contact", [{"LastName": "Bob", "Phone": KNOWN}])
    assert "no open case" in say(client, "retrieveCustomerCase", call_id="b")
    wanted = {"reference": said[-8:-1]}
    assert "I can't find a case" in say(client, "getCaseStatus", wanted, call_id="b")


def test_a_case_that_was_taken_back_is_gone_from_what_is_said(
    client: FlaskClient, context: DeliveryContext
) -> None:
    say(client, "createSalesforceCase", CASE, call_id="a")
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert "three open cases" in say(client, "lookupCustomer", call_id="a")
    say(client, "cancelCase", call_id="a")
    assert "two open cases" in say(client, "lookupCustomer", id="again", call_id="a")


def test_a_change_in_the_next_call_knows_of_the_one_before_it(
    client: FlaskClient, journal: Journal
) -> None:
    """Both are the caller's own: the second must not park because the first was made."""
    say(client, "lookupCustomer", call_id="a")
    say(client, "updateContact", {"mailingCity": "Oakland"}, call_id="a")
    say(client, "lookupCustomer", call_id="b")
    say(client, "updateContact", {"mailingCity": "Berkeley"}, call_id="b")
    second = journal.newest(1)[0].draft
    assert isinstance(second, ContactDraft)
    assert second.seen
    assert "Oakland" in second.seen["MailingCity"]


def test_an_old_snapshot_names_nobody_for_good(
    client: FlaskClient, org: Org, journal: Journal
) -> None:
    """Who it is may have changed since: the worker goes by the number."""
    say(client, "lookupCustomer", call_id="a")
    org.fault(**AWAY)
    say(client, "updateContact", {"mailingCity": "Oakland"}, call_id="b")
    draft = journal.newest(1)[0].draft
    assert isinstance(draft, ContactDraft)
    assert (draft.contact_id, draft.seen) == (None, None)


def test_a_message_with_two_lookups_asks_once(client: FlaskClient, org: Org) -> None:
    say(client, "lookupCustomer", number=UNKNOWN, call_id="warm")
    before = asked(org)
    body = tool_message(("call_1", "lookupCustomer", {}), ("call_2", "retrieveCustomerCase", {}))
    results = post(client, body).get_json()["results"]
    assert ["result" in result for result in results] == [True, True]
    assert asked(org) - before == 1
