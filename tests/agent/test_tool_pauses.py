"""When the org no longer fits a tool, that tool alone pauses; nothing that was accepted is lost."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import ROOT, Org, Store
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import OPERATOR, ask, say
from tests.conftest import make_settings
from tests.store_time import intents_are_due, next_attempt_is_allowed
from web.app import create_app
from web.metrics import FleetCollector
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain
from workers.delivery.policy import ALONE

ORDERS = ROOT / "examples" / "orders"
RETURNS = Kind.creating("Return_Request__c")
RETURN, REPAIR, STATUS = "agent/requestReturn", "agent/requestRepair", "agent/orderStatus"
LONGER = "It will take longer than usual"
NO_USE = "asking again does not help"
HIDDEN = "INVALID_FIELD (Tracking_Number__c)"

VERIFY_FILE = """\
verb = "verify"
description = "Compare a PIN."
pin = "Voice_PIN__c"
[arguments.pin]
type = "secret"
"""
REPAIR_FILE = """\
verb = "create"
object = "Return_Request__c"
contact = "Contact__c"
reference = "Voice_Reference__c"
description = "Ask for a repair."
[arguments.reason]
type = "choice"
choices = { damaged = "Damaged", "wrong item" = "Wrong item" }
[fields]
Reason__c = "{reason}"
Status__c = "Approved"
"""


@pytest.fixture
def org(orders_org: Org) -> Org:
    return orders_org


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The example, with a second tool that creates records of the same object."""
    folder = Path(shutil.copytree(ORDERS, tmp_path / "agent"))
    (folder / "tools" / "requestRepair.toml").write_text(REPAIR_FILE)
    (folder / "tools" / "verifyCaller.toml").write_text(VERIFY_FILE)
    return folder


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, agent: Path) -> Settings:
    return make_settings(store_server.url, org.url, agent_dir=str(agent))


def send_back(client: FlaskClient, nth: int) -> str:
    given = {"orderNumber": f"O-0000{nth % 3 + 1}", "reason": "damaged", "details": "It leaks."}
    return say(client, "requestReturn", given | {"onExisting": "new"}, call_id=f"return-{nth}")


def repair(client: FlaskClient, nth: int, reason: str = "damaged") -> str:
    return say(client, "requestRepair", {"reason": reason}, call_id=f"repair-{nth}")


def deliver_again(context: DeliveryContext, store: redis.Redis) -> dict[str, int]:
    """When the waits are over."""
    next_attempt_is_allowed(store)
    journal = context.journal
    ids = [intent.id for intent in journal.newest(50) if intent.state in (State.DUE, State.HELD)]
    intents_are_due(store, *ids, kind=RETURNS)
    return dict(drain(context, RETURNS).counts)


def created(org: Org) -> int:
    return len([record for record in org.records("Return_Request__c") if record["Call_Key__c"]])


def states(journal: Journal, tool: str) -> list[str]:
    return [intent.state for intent in journal.newest(50) if intent.source == tool]


def logged(monkeypatch: pytest.MonkeyPatch, module: str) -> list[Any]:
    captured = structlog.testing.LogCapture()
    monkeypatch.setattr(f"{module}.log", structlog.wrap_logger(None, processors=[captured]))
    return captured.entries


# -- writes ----------------------------------------------------------------------------------------


def test_a_tool_whose_field_is_gone_waits_and_others_of_its_object_are_delivered(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = logged(monkeypatch, "workers.delivery.reporting")
    for nth in range(3):
        send_back(client, nth)
        repair(client, nth)
    org.fault(hide_fields=["Return_Request__c.Details__c"])
    assert drain(context, RETURNS).counts == {"delivered": 3, "again": 3}
    assert set(journal.waits()) == {RETURN}
    (alarm,) = (entry for entry in entries if entry["event"] == "tool_paused")
    assert (alarm["log_level"], alarm["tool"]) == ("error", RETURN)
    assert alarm["reason"] == "INVALID_FIELD (Details__c)"
    # Callers hear it, of this tool and of no other; and the other one goes on.
    assert LONGER in send_back(client, 3)
    assert LONGER not in repair(client, 3)
    assert drain(context, RETURNS).counts == {"delivered": 1}
    assert deliver_again(context, store) == {"again": 4}
    org.fault()
    assert deliver_again(context, store) == {"delivered": 4}
    assert created(org) == 8
    assert not journal.waits()
    assert LONGER not in send_back(client, 4)


def test_the_backlog_of_a_tool_that_waits_takes_no_place_in_a_batch(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    for nth in range(12):
        send_back(client, nth)
    org.fault(hide_fields=["Return_Request__c.Details__c"])
    drain(context, RETURNS)
    waiting = [intent.id for intent in journal.newest(50)]
    intents_are_due(store, *waiting, kind=RETURNS)  # older than what comes now
    repair(client, 0)
    lease = journal.lease(RETURNS, limit=3, max_bytes=1_000_000)
    assert [intent.tool for intent in lease.intents] == ["requestRepair"]
    assert states(journal, RETURN) == [State.DUE] * 12
    # After the wait a few of them are tried, and the others wait for what comes of it.
    next_attempt_is_allowed(store)
    intents_are_due(store, *waiting, kind=RETURNS)
    probe = journal.lease(RETURNS, limit=200, max_bytes=1_000_000)
    assert len(probe.intents) == 10


def test_a_right_to_an_object_that_is_missing_stops_each_of_its_tools(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    send_back(client, 0)
    repair(client, 0)
    org.fault(deny=["Return_Request__c.create"])
    drain(context, RETURNS)
    assert set(journal.waits()) == {RETURN, REPAIR}
    org.fault()
    assert deliver_again(context, store) == {"delivered": 2}


def test_a_retired_value_in_all_that_a_tool_writes_stops_the_tool_and_parks_nothing(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    for nth in range(12):
        repair(client, nth)
    send_back(client, 0)
    org.fault(picklists={"Return_Request__c.Status__c": ["New", "Received"]})
    assert drain(context, RETURNS).counts == {"again": 12, "delivered": 1}
    assert set(journal.waits()) == {REPAIR}
    for _ in range(2 * ALONE):
        deliver_again(context, store)
    assert not journal.parked(20)
    org.fault()
    deliver_again(context, store)
    deliver_again(context, store)
    assert states(journal, REPAIR) == [State.DELIVERED] * 12


def test_a_retired_value_of_one_caller_parks_with_salesforces_words_and_stops_no_tool(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    repair(client, 0, reason="wrong item")
    repair(client, 1)
    org.fault(picklists={"Return_Request__c.Reason__c": ["Damaged"]})
    assert drain(context, RETURNS).counts == {"delivered": 1, "again": 1}
    for _ in range(ALONE - 1):
        assert not journal.waits()
        deliver_again(context, store)
    (parked,) = journal.parked(10)
    assert parked.reason == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST (Reason__c)"
    assert "Wrong item" in parked.detail


def test_what_an_older_file_of_the_tool_accepted_parks_while_the_newer_one_goes_on(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    agent: Path,
    store: redis.Redis,
    store_server: Store,
    tmp_path: Path,
) -> None:
    """The field is gone for good, and the team has taken it out of the file."""
    send_back(client, 0)
    org.fault(hide_fields=["Return_Request__c.Details__c"])
    drain(context, RETURNS)
    newer = Path(shutil.copytree(agent, tmp_path / "newer" / "agent"))
    file = newer / "tools" / "requestReturn.toml"
    text = file.read_text().replace('Details__c = "{details}"\n', "")
    file.write_text(text.replace("[arguments.details]\nmax_length = 4000\n", ""))
    app = create_app(make_settings(store_server.url, org.url, agent_dir=str(newer)))
    for nth in range(1, ALONE + 1):
        send_back(app.test_client(), nth)
        deliver_again(context, store)
    app.extensions["service"].close()
    (parked,) = journal.parked(10)
    assert parked.reason == "INVALID_FIELD (Details__c)"
    assert states(journal, RETURN).count(State.DELIVERED) == ALONE


def test_a_tool_that_a_person_paused_accepts_and_delivers_later(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    journal.pause(RETURN)
    assert LONGER in send_back(client, 0)
    assert LONGER not in repair(client, 0)
    assert drain(context, RETURNS).counts == {"delivered": 1}
    assert deliver_again(context, store) == {}
    journal.resume(RETURN)
    assert deliver_again(context, store) == {"delivered": 1}
    assert created(org) == 2


# -- lookups ---------------------------------------------------------------------------------------


def test_a_lookup_that_the_org_refuses_to_two_calls_waits_without_asking_and_says_so(
    client: FlaskClient,
    app: Flask,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = logged(monkeypatch, "web.tools.own_query")
    assert "O-00001" in say(client, "orderStatus", call_id="call-0")
    org.fault(hide_fields=["Customer_Order__c.Tracking_Number__c"])
    for call in ("call-1", "call-2"):
        assert say(client, "orderStatus", call_id=call).startswith("I can't look that up right now")
    assert set(journal.waits()) == {STATUS}
    (alarm,) = (entry for entry in entries if entry["event"] == "tool_paused")
    assert (alarm["tool"], alarm["reason"]) == (STATUS, HIDDEN)
    problems = client.get("/health", headers=OPERATOR).get_json()["problems"]
    assert f"{STATUS}: waits because of {HIDDEN}" in problems
    assert figures(app)[f"vs_tool_failing{{{STATUS}}}"] == 1

    say(client, "lookupCustomer", call_id="call-3")
    before = org.stats()["by_resource"]["query"]
    answer = ask(client, "orderStatus", call_id="call-3")
    assert NO_USE in answer["error"]
    assert org.stats()["by_resource"]["query"] == before
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="call-4")
    # After the wait the next call tries, and ends it.
    org.fault()
    next_attempt_is_allowed(store)
    assert "O-00001" in say(client, "orderStatus", call_id="call-5")
    assert not journal.waits()
    assert figures(app)[f"vs_tool_failing{{{STATUS}}}"] == 0


def test_one_call_whose_lookup_is_refused_stops_it_for_nobody(
    client: FlaskClient, journal: Journal, org: Org
) -> None:
    org.fault(hide_fields=["Customer_Order__c.Tracking_Number__c"])
    for number in ("O-00001", "O-00002", "O-00003"):
        say(client, "orderStatus", {"orderNumber": number})
    assert not journal.waits()


def test_an_outage_is_no_reason_to_stop_a_lookup(
    client: FlaskClient, journal: Journal, org: Org
) -> None:
    say(client, "lookupCustomer")
    org.fault(status=503)
    for nth in range(3):
        say(client, "orderStatus", call_id=f"call-{nth}")
    assert STATUS not in journal.waits()


def test_a_pin_that_the_org_does_not_show_stops_the_tool_that_compares_it(
    client: FlaskClient, org: Org
) -> None:
    org.fault(hide_fields=["Contact.Voice_PIN__c"])
    for nth in range(2):
        assert "could not be verified" in say(
            client, "verifyCaller", {"pin": "1234"}, call_id=f"call-{nth}"
        )
    assert NO_USE in say(client, "verifyCaller", {"pin": "1234"}, call_id="call-2")


@pytest.mark.parametrize("tool", ["lookupCustomer", "orderStatus"])
def test_a_lookup_that_a_person_paused_is_not_answered_until_it_is_resumed(
    client: FlaskClient, journal: Journal, tool: str
) -> None:
    journal.pause(f"agent/{tool}")
    assert NO_USE in say(client, tool)
    journal.resume(f"agent/{tool}")
    assert NO_USE not in say(client, tool, call_id="call-2")


def figures(app: Flask) -> dict[str, Any]:
    service: Service = app.extensions["service"]
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for metric in FleetCollector(service).collect()
        for sample in metric.samples
    }
