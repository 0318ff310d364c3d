"""A team's own tools on its own objects (examples/orders): read, created once, amended, guarded."""

import re
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import ROOT, Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.salesforce.failures import away
from shared.settings import Settings
from tests.calling import SHARED, UNKNOWN, ask, post, reference_in, say, tool_message
from tests.conftest import change_settings, make_settings
from tests.store_time import intents_are_due, waits_end
from web.app import create_app
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

ORDERS = ROOT / "examples" / "orders"
RETURNS = Kind.creating("Return_Request__c")
DAMAGED = {"orderNumber": "O-00001", "reason": "damaged", "details": "The case is cracked."}
OF_ANOTHER = {"orderNumber": "O-00004", "reason": "damaged"}


@pytest.fixture
def org(orders_org: Org) -> Org:
    return orders_org


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """A copy of the example, which a test may change. Loaded once under its own path."""
    return Path(shutil.copytree(ORDERS, tmp_path / "agent"))


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, agent: Path) -> Settings:
    return make_settings(store_server.url, org.url, agent_dir=str(agent))


def returns(org: Org) -> list[dict[str, Any]]:
    return [record for record in org.records("Return_Request__c") if record["Call_Key__c"]]


def deliver(context: DeliveryContext) -> dict[str, int]:
    return dict(drain(context, RETURNS).counts)


def lose_the_answer(context: DeliveryContext, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The record is created, and nobody hears of it."""
    create = getattr(context.records, how)

    def lost(*words: Any, **options: Any) -> Any:
        create(*words, **options)
        raise away("LOST", ambiguous=True)

    with monkeypatch.context() as patched:
        patched.setattr(context.records, how, lost)
        assert deliver(context) == {"again": 1}


# -- reading ---------------------------------------------------------------------------------------


def test_a_caller_learns_of_their_own_orders_newest_first(client: FlaskClient) -> None:
    said = say(client, "orderStatus")
    assert re.findall(r"O-\d+", said) == ["O-00003", "O-00002", "O-00001"]


GERMAN = """
[sentences.de]
orderNumber-name = "Bestellnummer"
"""
VALUES = """\
number-name = "Bestellung"
status-name = "Stand"
placed-name = "bestellt am"
tracking-name = "Sendungsnummer"
"""


def test_a_verbs_own_sentence_says_the_names_that_the_tool_has_in_that_language(
    settings: Settings, agent: Path
) -> None:
    for name, sentences in (("orderStatus", GERMAN + VALUES), ("requestReturn", GERMAN)):
        with (agent / "tools" / f"{name}.toml").open("a") as file:
            file.write(sentences)
    app = create_app(change_settings(settings, default_language="de"))
    try:
        german = app.test_client()
        found = say(german, "orderStatus", {"orderNumber": "O-00002"})
        missing = say(german, "requestReturn", {"reason": "damaged"})
    finally:
        app.extensions["service"].close()
    assert found.startswith(
        'Ich habe das gefunden: Bestellung "O-00002", Stand "Shipped", bestellt'
    )
    assert missing.startswith("Ich brauche noch diese Angabe: Bestellnummer.")


@pytest.mark.parametrize("spoken", ["O-00002", "o 0 0 0 0 2", "o dash 00002"])
def test_an_order_is_found_however_its_number_is_grouped(client: FlaskClient, spoken: str) -> None:
    said = say(client, "orderStatus", {"orderNumber": spoken})
    assert "O-00002" in said
    assert "Shipped" in said
    assert "O-00001" not in said


@pytest.mark.parametrize("number", ["O-00004", "%", "O-0000_", "' OR Name != '", "00002"])
def test_nobody_elses_order_is_found(client: FlaskClient, number: str) -> None:
    assert "O-0000" not in say(client, "orderStatus", {"orderNumber": number})


@pytest.mark.parametrize("caller", [SHARED, UNKNOWN, ""])
def test_a_caller_who_is_not_known_learns_of_no_order(client: FlaskClient, caller: str) -> None:
    assert "O-0000" not in say(client, "orderStatus", number=caller)


def test_a_filter_by_a_field_that_the_policy_keeps_back_needs_its_tier(
    settings: Settings, agent: Path
) -> None:
    """Whether a record is found would show what it has in the field."""
    shutil.copy(AGENT_FOLDER / "tools" / "verifyCaller.toml", agent / "tools")
    (agent / "policy.toml").write_text('[read]\n"Customer_Order__c.Name" = "verified"\n')
    app = create_app(settings)
    client = app.test_client()
    hit, miss = (
        say(client, "orderStatus", {"orderNumber": number}) for number in ("O-00001", "O-99999")
    )
    assert hit == miss
    assert "Shipped" in say(client, "orderStatus")
    say(client, "verifyCaller", {"pin": "4271"})
    asked = {"orderNumber": "O-00001"}
    assert "O-00001" in say(client, "orderStatus", asked, id="again")
    service: Service = app.extensions["service"]
    service.close()


# -- creating --------------------------------------------------------------------------------------


def test_a_record_is_the_callers_own_and_keeps_its_reference(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    said = say(client, "requestReturn", DAMAGED | {"preferredDay": "2026-12-01"})
    assert deliver(context) == {"delivered": 1}
    (record,) = returns(org)
    (jane,) = (entry for entry in org.records("Contact") if entry["Name"] == "Jane Miller")
    (order,) = (entry for entry in org.records("Customer_Order__c") if entry["Name"] == "O-00001")
    assert record["Contact__c"] == jane["Id"]
    assert record["Customer_Order__c"] == order["Id"]
    assert (record["Reason__c"], record["Details__c"], record["Preferred_Day__c"]) == (
        "Damaged", "The case is cracked.", "2026-12-01",
    )  # fmt: skip
    assert record["Voice_Reference__c"] == reference_in(said)


def test_the_same_call_again_is_one_record_and_the_same_answer(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    body = tool_message(("t1", "requestReturn", DAMAGED))
    assert post(client, body).data == post(client, body).data
    deliver(context)
    assert len(returns(org)) == 1


def test_a_second_return_of_an_order_is_asked_about_first(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "requestReturn", DAMAGED)
    again = say(client, "requestReturn", DAMAGED | {"reason": "wrong item"}, call_id="call-2")
    assert "Nothing" in again
    say(
        client, "requestReturn", DAMAGED | {"reason": "wrong item", "onExisting": "new"},
        call_id="call-2",
    )  # fmt: skip
    deliver(context)
    assert sorted(record["Reason__c"] for record in returns(org)) == ["Damaged", "Wrong item"]


def test_a_return_of_somebody_elses_order_is_for_a_person(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    say(client, "requestReturn", OF_ANOTHER)
    assert deliver(context) == {"parked": 1}
    (intent,) = journal.parked(10)
    assert intent.reason == "NOT_THEIR_RECORD (Customer_Order__c)"
    assert returns(org) == []


@pytest.mark.parametrize("caller", [SHARED, UNKNOWN])
def test_a_caller_who_is_not_known_gets_no_record(
    client: FlaskClient, journal: Journal, caller: str
) -> None:
    say(client, "orderStatus", number=caller)  # the snapshot is there now
    assert "error" in ask(client, "requestReturn", DAMAGED, number=caller)
    assert journal.newest(10) == []


def test_who_was_not_known_in_an_outage_and_is_nobody_then_is_for_a_person(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    org.fault(status=503)
    assert "result" in ask(client, "requestReturn", DAMAGED, number=UNKNOWN)
    org.fault()
    waits_end(store)
    assert deliver(context) == {"parked": 1}
    assert [intent.reason for intent in journal.parked(10)] == ["NOT_ONE_CONTACT"]


# -- promises --------------------------------------------------------------------------------------


def test_a_lost_answer_makes_no_second_record_and_undoes_no_edit(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(client, "requestReturn", DAMAGED)
    lose_the_answer(context, monkeypatch, "create")
    (record,) = returns(org)
    org.edit("Return_Request__c", record["Id"], Details__c="Seen by staff.")
    (intent,) = journal.newest(10)
    waits_end(store)
    intents_are_due(store, intent.id, kind=RETURNS)
    assert deliver(context) == {"delivered": 1}
    (record,) = returns(org)
    assert record["Details__c"] == "Seen by staff."


def test_without_a_field_for_the_key_a_lost_answer_makes_no_second_record_either(
    store: redis.Redis,
    store_server: Store,
    org: Org,
    agent: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = agent / "tools" / "requestReturn.toml"
    file.write_text(file.read_text().replace('key = "Call_Key__c"', 'key = ""'))
    settings = make_settings(store_server.url, org.url, agent_dir=str(agent))
    app = create_app(settings)
    say(app.test_client(), "requestReturn", DAMAGED)
    context = DeliveryContext.from_settings(settings, store)
    before = len(org.records("Return_Request__c"))
    lose_the_answer(context, monkeypatch, "insert")
    assert len(org.records("Return_Request__c")) == before + 1
    (intent,) = context.journal.newest(10)
    waits_end(store)
    intents_are_due(store, intent.id, kind=RETURNS)
    assert deliver(context) == {"delivered": 1}
    assert len(org.records("Return_Request__c")) == before + 1
    service: Service = app.extensions["service"]
    service.close()


def test_a_held_return_is_amended_and_keeps_what_is_not_mentioned(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    settings = make_settings(
        store_server.url, org.url, agent_dir=str(agent), commit_window_ms=60_000
    )
    app = create_app(settings)
    client = app.test_client()
    first = reference_in(say(client, "requestReturn", DAMAGED))
    later = {"orderNumber": "O-00001", "reason": "wrong item", "replaces": first}
    assert first in say(client, "requestReturn", later)
    context = DeliveryContext.from_settings(settings, store)
    (intent,) = context.journal.newest(10)
    intents_are_due(store, intent.id, kind=RETURNS)
    assert deliver(context) == {"delivered": 1}
    (record,) = returns(org)
    assert (record["Reason__c"], record["Details__c"]) == ("Wrong item", "The case is cracked.")
    service: Service = app.extensions["service"]
    service.close()


def test_what_was_accepted_is_delivered_as_accepted_after_the_file_has_changed(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    agent: Path,
    store: redis.Redis,
    store_server: Store,
) -> None:
    say(client, "requestReturn", DAMAGED)
    file = agent / "tools" / "requestReturn.toml"
    changed = file.read_text().replace(
        'Details__c = "{details}"', 'Details__c = "After: {details}"'
    )
    with tempfile.TemporaryDirectory() as folder:
        after = Path(shutil.copytree(agent, Path(folder) / "agent"))
        (after / "tools" / "requestReturn.toml").write_text(changed)
        settings = make_settings(store_server.url, org.url, agent_dir=str(after))
        app = create_app(settings)
        say(app.test_client(), "requestReturn", DAMAGED | {"onExisting": "new"}, call_id="call-2")
        assert deliver(DeliveryContext.from_settings(settings, store)) == {"delivered": 2}
        service: Service = app.extensions["service"]
        service.close()
    details = sorted(record["Details__c"] for record in returns(org))
    assert details == ["After: The case is cracked.", "The case is cracked."]


def test_after_delivery_nothing_that_the_caller_said_is_kept(
    client: FlaskClient, context: DeliveryContext, journal: Journal, store: redis.Redis
) -> None:
    say(client, "requestReturn", DAMAGED)
    deliver(context)
    (intent,) = journal.newest(10)
    assert intent.state is State.DELIVERED
    assert "cracked" not in str(store.hgetall(f"vs:intent:{intent.id}"))


def test_what_waits_for_a_person_is_promised_for_later(
    client: FlaskClient, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    """A field of the tool is gone: the tool waits, an alarm is raised, and callers are told."""
    assert "longer than usual" not in say(client, "requestReturn", DAMAGED)
    say(client, "requestReturn", DAMAGED | {"orderNumber": "O-00002"})
    org.fault(hide_fields=["Return_Request__c.Details__c"])
    deliver(context)
    said = say(client, "requestReturn", DAMAGED | {"orderNumber": "O-00003"}, call_id="call-2")
    assert "It will take longer than usual" in said
    assert "longer than usual" not in say(client, "requestCallback", call_id="call-2")
    org.fault()
    waits_end(store)
    ids = [intent.id for intent in context.journal.newest(10) if intent.kind == RETURNS]
    intents_are_due(store, *ids, kind=RETURNS)
    drain(context, RETURNS)
    assert len(returns(org)) == 3


def test_a_time_is_by_the_teams_clock_and_is_stored_in_utc(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    file = agent / "tools" / "bookVisit.toml"
    file.write_text(
        'verb = "create"\nobject = "Task"\ndescription = "Book a visit."\ncontact = "WhoId"\n'
        '[arguments.at]\ntype = "datetime"\nrequired = true\n'
        '[fields]\nSubject = "Visit"\nReminderDateTime = "{at}"\nIsReminderSet = true\n'
    )
    settings = make_settings(
        store_server.url, org.url, agent_dir=str(agent), time_zone="America/New_York"
    )
    app = create_app(settings)
    client = app.test_client()
    assert "result" in ask(client, "bookVisit", {"at": "2026-12-01T10:00"})
    assert "result" in ask(client, "bookVisit", {"at": "2026-12-01T10:00:00+01:00"})
    assert "error" in ask(client, "bookVisit", {"at": "tomorrow at ten"})
    context = DeliveryContext.from_settings(settings, store)
    assert drain(context, Kind.creating("Task")).counts == {"delivered": 2}
    visits = [task for task in org.records("Task") if task["Subject"] == "Visit"]
    moments = sorted(datetime.fromisoformat(task["ReminderDateTime"]) for task in visits)
    assert moments == [
        datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 1, 15, tzinfo=UTC),
    ]  # fmt: skip
    service: Service = app.extensions["service"]
    service.close()


# -- tools with names of their own -----------------------------------------------------------------


def german_case(agent: Path) -> None:
    """A case tool with other names for everything, and a choice of the company's own."""
    (agent / "tools" / "vorgangAnlegen.toml").write_text(
        'verb = "create"\nobject = "Case"\ndescription = "x"\ncontact = "ContactId"\n'
        'reference = "Voice_Reference__c"\nunknown_callers = "accept"\nsame_if = ["thema"]\n'
        '[arguments.thema]\ntype = "choice"\nmeans = "issueType"\nrequired = true\n'
        'choices = { rechnung = "Billing", "störung" = "Technical" }\n'
        '[arguments.worum]\nmeans = "description"\nrequired = true\n'
        '[arguments.zaehler]\ntype = "identifier"\n'
        '[fields]\nSubject = "{thema}: {worum}"\nDescription = "{worum}[ (Zähler {zaehler})]"\n'
        'Type = "{thema}"\n'
    )


def test_arguments_with_other_names_reach_the_case(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    german_case(agent)
    settings = make_settings(store_server.url, org.url, agent_dir=str(agent))
    app = create_app(settings)
    client = app.test_client()
    given = {"thema": "Rechnung", "worum": "Doppelt berechnet.", "zaehler": "a b 1 2 3"}
    said = say(client, "vorgangAnlegen", given)
    context = DeliveryContext.from_settings(settings, store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert (case["Subject"], case["Type"]) == ("Billing: Doppelt berechnet.", "Billing")
    assert case["Description"] == "Doppelt berechnet. (Zähler AB123)"
    assert case["Voice_Reference__c"] == reference_in(said)
    wrong = say(client, "vorgangAnlegen", given | {"thema": "weather"})
    assert wrong == "The thema must be rechnung or störung. Nothing was saved."
    service: Service = app.extensions["service"]
    service.close()


@pytest.mark.parametrize("spoken", ["O-00001", "o 0 0 0 0 1", "o dash 00001"])
def test_the_same_number_said_otherwise_is_the_same_request(
    client: FlaskClient, spoken: str
) -> None:
    say(client, "requestReturn", DAMAGED)
    again = DAMAGED | {"orderNumber": spoken, "reason": "wrong item"}
    assert "Nothing" in say(client, "requestReturn", again, call_id="call-2")
