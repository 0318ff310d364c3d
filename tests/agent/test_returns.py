"""Changing and taking back records of the team's own (examples/orders): whose they are, staff's
edits, order, amendments."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from cli.person.document import document
from cli.person.finding import find
from demo.stack import ROOT, Org, Store
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.domain.drafts import ChangeDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.operators.edits import edited
from shared.settings import Settings
from tests.calling import SHARED, UNKNOWN, ask, message, post, reference_in, say, tool_message
from tests.conftest import make_settings
from tests.store_time import intents_are_due, waits_end
from web.app import create_app
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

ORDERS = ROOT / "examples" / "orders"
CREATES = Kind.creating("Return_Request__c")
UPDATES = Kind.changing("update", "Return_Request__c")
CLOSES = Kind.changing("close", "Return_Request__c")
DAMAGED = {"orderNumber": "O-00001", "reason": "damaged", "details": "The case is cracked."}
LUIS = "+14155550103"
DAY = {"preferredDay": "2026-12-08"}


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


@pytest.fixture
def registered(client: FlaskClient, context: DeliveryContext, org: Org) -> dict[str, Any]:
    """A return of the known caller's, of an earlier call, as the org has it."""
    say(client, "requestReturn", DAMAGED, call_id="call-0")
    assert deliver(context, CREATES) == {"delivered": 1}
    return the_return(org)


def the_return(org: Org, of: str = "Jane Miller") -> dict[str, Any]:
    names = {contact["Id"]: contact["Name"] for contact in org.records("Contact")}
    (found,) = (it for it in org.records("Return_Request__c") if names[it["Contact__c"]] == of)
    return found


def deliver(context: DeliveryContext, kind: Kind = UPDATES) -> dict[str, int]:
    return dict(drain(context, kind).counts)


def parked(journal: Journal) -> list[str]:
    return [intent.reason for intent in journal.parked(10)]


def named(record: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"returnNumber": record["Name"], **others}


# -- which record ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spell", [str, " ".join, lambda name: name.replace("-", " dash ").lower()])
def test_a_record_is_changed_however_its_name_is_grouped(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    registered: dict[str, Any],
    spell: Any,
) -> None:
    said = say(client, "changeReturn", {"returnNumber": spell(registered["Name"]), **DAY})
    assert "will be changed" in said
    assert deliver(context) == {"delivered": 1}
    after = the_return(org)
    changed = {name for name in after if after[name] != registered[name]}
    stamps = {"LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    assert changed - stamps == {"Preferred_Day__c"}
    assert after["Preferred_Day__c"] == DAY["preferredDay"]


def test_a_record_of_this_call_needs_no_name_and_is_changed_after_it_was_created(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    say(client, "requestReturn", DAMAGED)
    assert "will be changed" in say(client, "changeReturn", {"details": "And it leaks."})
    assert deliver(context) == {}
    assert deliver(context, CREATES) == {"delivered": 1}
    assert deliver(context) == {"delivered": 1}
    assert the_return(org)["Details__c"] == "And it leaks."


def test_a_record_is_found_by_its_reference_in_another_call(
    client: FlaskClient, context: DeliveryContext, org: Org, registered: dict[str, Any]
) -> None:
    reference = registered["Voice_Reference__c"]
    assert "will be changed" in say(client, "changeReturn", {"reference": reference, **DAY})
    assert deliver(context) == {"delivered": 1}
    assert the_return(org)["Preferred_Day__c"] == DAY["preferredDay"]


@pytest.mark.parametrize("tool", ["changeReturn", "cancelReturn"])
def test_without_a_record_the_agent_asks_which_one(
    client: FlaskClient, journal: Journal, tool: str
) -> None:
    assert "I need its number" in ask(client, tool, DAY)["error"]
    assert journal.newest(10) == []


def test_without_anything_to_change_nothing_is_saved(
    client: FlaskClient, journal: Journal, registered: dict[str, Any]
) -> None:
    assert "what to change" in ask(client, "changeReturn", named(registered))["error"]
    assert len(journal.newest(10)) == 1


def test_a_reference_of_another_request_is_no_record(
    client: FlaskClient, registered: dict[str, Any]
) -> None:
    call_back = reference_in(say(client, "requestCallback"))
    assert (
        "can't find anything"
        in ask(client, "changeReturn", {"reference": call_back, **DAY})["error"]
    )


@pytest.mark.parametrize("tool", ["changeReturn", "cancelReturn"])
def test_a_reference_that_somebody_else_got_is_no_record(
    slow: FlaskClient, journal: Journal, tool: str
) -> None:
    theirs = {"orderNumber": "O-00005", "reason": "damaged"}
    reference = reference_in(say(slow, "requestReturn", theirs, number=LUIS, call_id="call-0"))
    assert "can't find anything" in ask(slow, tool, {"reference": reference, **DAY})["error"]
    (intent,) = journal.newest(10)
    assert intent.state is State.HELD


# -- whose record ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["changeReturn", "cancelReturn"])
@pytest.mark.parametrize("name", ["", "R-99999", "%", "R-0000_"])
def test_a_record_of_somebody_else_and_none_at_all_get_one_sentence(
    client: FlaskClient, journal: Journal, org: Org, tool: str, name: str
) -> None:
    say(client, "orderStatus")
    theirs = name or the_return(org, "Luis Garcia")["Name"]
    said = ask(client, tool, {"returnNumber": theirs, **DAY})
    not_found = "I can't find anything like that"
    wanted = "I could not read the return number" if name == "%" else not_found
    assert said["error"].startswith(wanted)
    assert journal.newest(10) == []


@pytest.mark.parametrize("tool", ["changeReturn", "cancelReturn"])
@pytest.mark.parametrize("caller", [SHARED, UNKNOWN])
def test_a_caller_who_is_not_known_changes_nothing(
    client: FlaskClient, journal: Journal, registered: dict[str, Any], tool: str, caller: str
) -> None:
    say(client, "orderStatus", number=caller, call_id="call-2")
    said = ask(client, tool, named(registered, **DAY), number=caller, call_id="call-2")
    assert "whose phone number this is" in said["error"]
    assert len(journal.newest(10)) == 1


def test_a_foreign_record_is_never_written_when_nobody_could_look_at_acceptance(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    before = the_return(org, "Luis Garcia")
    say(client, "orderStatus")
    org.fault(status=503)
    assert "result" in ask(client, "changeReturn", named(before, **DAY))
    org.fault()
    waits_end(store)
    assert deliver(context) == {"parked": 1}
    assert parked(journal) == ["RECORD_UNKNOWN"]
    assert the_return(org, "Luis Garcia") == before


def test_the_worker_finds_by_name_what_nobody_could_look_at(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    org.fault(status=503)
    said = ask(client, "changeReturn", {"returnNumber": " ".join(registered["Name"]), **DAY})
    assert "result" in said
    org.fault()
    waits_end(store)
    assert deliver(context) == {"delivered": 1}
    assert the_return(org)["Preferred_Day__c"] == DAY["preferredDay"]


@pytest.mark.parametrize("known_by", ["name", "reference"])
def test_a_record_that_staff_gave_to_somebody_else_is_not_written(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    registered: dict[str, Any],
    known_by: str,
) -> None:
    how = {"name": named(registered), "reference": {"reference": registered["Voice_Reference__c"]}}
    say(client, "changeReturn", how[known_by] | DAY)
    luis = the_return(org, "Luis Garcia")["Contact__c"]
    org.edit("Return_Request__c", registered["Id"], Contact__c=luis)
    assert deliver(context) == {"parked": 1}
    assert parked(journal) == ["RECORD_OF_SOMEBODY_ELSE"]


def test_a_record_that_was_deleted_parks(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    registered: dict[str, Any],
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    org.delete("Return_Request__c", registered["Id"])
    assert deliver(context) == {"parked": 1}
    assert parked(journal) == ["RECORD_GONE"]


def test_a_change_follows_a_contact_that_was_merged(
    client: FlaskClient, context: DeliveryContext, org: Org, registered: dict[str, Any]
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    jane = next(it for it in org.records("Contact") if it["Name"] == "Jane Miller")
    peter = next(it for it in org.records("Contact") if it["Name"] == "Peter Novak")
    org.edit("Return_Request__c", registered["Id"], Contact__c=peter["Id"])
    org.merge("Contact", jane["Id"], into=peter["Id"])
    assert deliver(context) == {"delivered": 1}
    assert the_return(org, "Peter Novak")["Preferred_Day__c"] == DAY["preferredDay"]


def test_a_path_over_another_record_leads_to_the_caller_as_well(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    """By the order's contact and by the account of the order; neither is a field of the return."""
    for tool, way in (
        ("changeReturn", 'contact = "Customer_Order__r.Contact__c"'),
        ("cancelReturn", 'account = "Customer_Order__r.Account__c"'),
    ):
        file = agent / "tools" / f"{tool}.toml"
        file.write_text(file.read_text().replace('contact = "Contact__c"', way))
    settings = make_settings(store_server.url, org.url, agent_dir=str(agent))
    app = create_app(settings)
    client = app.test_client()
    context = DeliveryContext.from_settings(settings, store)
    record = the_return(org, "Luis Garcia")
    jane = {"number": "+14155550101", "call_id": "call-2"}
    for tool in ("changeReturn", "cancelReturn"):
        assert "can't find anything" in say(client, tool, named(record, **DAY), **jane)
        assert "error" not in ask(client, tool, named(record, **DAY), number=LUIS)
    assert deliver(context) == {"delivered": 1}
    assert deliver(context, CLOSES) == {"delivered": 1}
    after = the_return(org, "Luis Garcia")
    assert (after["Preferred_Day__c"], after["Status__c"]) == (DAY["preferredDay"], "Cancelled")
    service: Service = app.extensions["service"]
    service.close()


# -- staff's edits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("known_by", ["name", "reference"])
def test_an_edit_since_the_request_stays_and_the_change_parks(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    registered: dict[str, Any],
    known_by: str,
) -> None:
    how = {"name": named(registered), "reference": {"reference": registered["Voice_Reference__c"]}}
    say(client, "changeReturn", how[known_by] | DAY)
    org.edit("Return_Request__c", registered["Id"], Preferred_Day__c="2026-12-24")
    assert deliver(context) == {"parked": 1}
    assert parked(journal) == ["EDITED_SINCE (Preferred_Day__c)"]
    assert the_return(org)["Preferred_Day__c"] == "2026-12-24"


def test_an_edit_of_another_field_is_no_conflict(
    client: FlaskClient, context: DeliveryContext, org: Org, registered: dict[str, Any]
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    org.edit("Return_Request__c", registered["Id"], Details__c="Seen by staff.")
    assert deliver(context) == {"delivered": 1}
    after = the_return(org)
    assert (after["Preferred_Day__c"], after["Details__c"]) == (
        DAY["preferredDay"], "Seen by staff.",
    )  # fmt: skip


def test_a_change_accepted_unseen_is_made_only_when_nobody_edited_since(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    org.fault(status=503)
    say(client, "changeReturn", named(registered, **DAY))
    org.fault()
    waits_end(store)
    (change, _) = journal.newest(2)
    draft = change.draft_as(ChangeDraft)
    assert draft
    assert draft.seen is None
    org.fault(clock_offset_s=60)
    org.edit("Return_Request__c", registered["Id"], Details__c="Seen by staff.")
    org.fault()
    assert deliver(context) == {"parked": 1}
    assert parked(journal) == ["EDITED_SINCE (Preferred_Day__c)"]


def test_what_staff_did_with_a_record_of_this_call_stays(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    """The change was accepted before there was a record to look at."""
    say(client, "requestReturn", DAMAGED)
    say(client, "changeReturn", {"details": "And it leaks."})
    deliver(context, CREATES)
    org.fault(clock_offset_s=60)
    org.edit("Return_Request__c", the_return(org)["Id"], Details__c="Seen by staff.")
    org.fault()
    assert deliver(context) == {"parked": 1}
    assert parked(journal) == ["EDITED_SINCE (Details__c)"]


def test_that_a_record_was_created_after_the_request_is_no_edit(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "requestReturn", DAMAGED)
    say(client, "changeReturn", {"details": "And it leaks."})
    org.fault(clock_offset_s=60)
    deliver(context, CREATES)
    assert deliver(context) == {"delivered": 1}
    org.fault()
    assert the_return(org)["Details__c"] == "And it leaks."


def test_a_return_that_staff_approved_since_is_not_cancelled(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    registered: dict[str, Any],
) -> None:
    assert "being cancelled" in say(client, "cancelReturn", named(registered))
    org.edit("Return_Request__c", registered["Id"], Status__c="Approved")
    assert deliver(context, CLOSES) == {"parked": 1}
    assert parked(journal) == ["EDITED_SINCE (Status__c)"]


# -- once, in order, corrected, taken back ---------------------------------------------------------


def test_a_change_whose_answer_was_lost_is_not_made_again(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    change = context.records.change

    def lost(sobject: str, rows: Any) -> Any:
        org.fault(lose_answer=1.0)
        return change(sobject, rows)

    with monkeypatch.context() as patched:
        patched.setattr(context.records, "change", lost)
        assert deliver(context) == {"again": 1}
    org.fault()
    assert the_return(org)["Preferred_Day__c"] == DAY["preferredDay"]  # it was committed
    updated = org.stats()["records"]["updated"]
    (intent, _) = journal.newest(2)
    assert intent.in_doubt
    waits_end(store)
    intents_are_due(store, intent.id, kind=UPDATES)
    assert deliver(context) == {"delivered": 1}
    assert org.stats()["records"]["updated"] == updated


def test_the_same_call_again_is_one_change_and_the_same_answer(
    client: FlaskClient, context: DeliveryContext, org: Org, registered: dict[str, Any]
) -> None:
    body = tool_message(("t1", "changeReturn", named(registered, **DAY)))
    assert post(client, body).data == post(client, body).data
    assert deliver(context) == {"delivered": 1}


def test_the_same_change_again_is_the_same_request_also_once_it_is_made(
    client: FlaskClient, context: DeliveryContext, journal: Journal, registered: dict[str, Any]
) -> None:
    for nth in range(3):
        said = say(client, "changeReturn", named(registered, **DAY), id=f"call_{nth}")
        deliver(context)
        change, *others = journal.newest(10)
        assert change.reference in said
        assert len(others) == 1


def test_the_last_change_counts_and_an_earlier_one_that_comes_late_changes_nothing(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    say(client, "changeReturn", named(registered, preferredDay="2026-12-08"), call_id="call-2")
    (first, _) = journal.newest(2)
    store.zadd(f"vs:due:{UPDATES}", {first.id: 9e15}, xx=True)
    say(client, "changeReturn", named(registered, preferredDay="2026-12-09"), call_id="call-3")
    assert deliver(context) == {"delivered": 1}
    intents_are_due(store, first.id, kind=UPDATES)
    assert deliver(context) == {"delivered": 1}
    assert the_return(org)["Preferred_Day__c"] == "2026-12-09"


def test_changes_of_one_call_are_made_in_their_order(
    client: FlaskClient, context: DeliveryContext, org: Org, registered: dict[str, Any]
) -> None:
    for nth, day in enumerate(("2026-12-08", "2026-12-09", "2026-12-08")):
        change = named(registered, preferredDay=day)
        assert "result" in ask(client, "changeReturn", change, id=f"call_{nth}")
    assert "result" in ask(client, "cancelReturn", named(registered))
    assert deliver(context, CLOSES) == {}
    assert deliver(context) == {"delivered": 3}  # each waits for the one before
    assert the_return(org)["Preferred_Day__c"] == "2026-12-08"
    assert deliver(context, CLOSES) == {"delivered": 1}
    assert the_return(org)["Status__c"] == "Cancelled"


@pytest.fixture
def slow(store_server: Store, org: Org, agent: Path, store: redis.Redis) -> Iterator[FlaskClient]:
    """With a commit window that does not end in the test."""
    settings = make_settings(
        store_server.url, org.url, agent_dir=str(agent), commit_window_ms=60_000
    )
    app = create_app(settings)
    yield app.test_client()
    service: Service = app.extensions["service"]
    service.close()


def test_a_held_change_is_amended_and_keeps_what_is_not_mentioned(
    slow: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    first = say(slow, "changeReturn", named(registered, details="No heat.", **DAY))
    later = named(registered, preferredDay="2026-12-09", replaces=reference_in(first))
    assert reference_in(first) in say(slow, "changeReturn", later)
    (intent, _) = journal.newest(2)
    intents_are_due(store, intent.id, kind=UPDATES)
    assert deliver(context) == {"delivered": 1}
    after = the_return(org)
    assert (after["Preferred_Day__c"], after["Details__c"]) == ("2026-12-09", "No heat.")


def test_a_held_change_of_one_record_becomes_one_of_another(
    slow: FlaskClient,
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    say(client, "requestReturn", DAMAGED | {"orderNumber": "O-00002"}, call_id="call-0")
    deliver(context, CREATES)
    wrong = next(it for it in org.records("Return_Request__c") if it["Name"] > registered["Name"])
    first = say(slow, "changeReturn", named(wrong, details="No heat."))
    say(slow, "changeReturn", named(registered, replaces=reference_in(first), **DAY))
    (intent, *_) = journal.newest(3)
    intents_are_due(store, intent.id, kind=UPDATES)
    assert deliver(context) == {"delivered": 1}
    after = {it["Id"]: it for it in org.records("Return_Request__c")}
    assert after[wrong["Id"]]["Details__c"] == wrong["Details__c"]
    assert after[registered["Id"]]["Preferred_Day__c"] == DAY["preferredDay"]
    assert after[registered["Id"]]["Details__c"] == registered["Details__c"]


def test_a_change_that_was_sent_is_replaced_by_one_of_the_same_record(
    client: FlaskClient, context: DeliveryContext, org: Org, registered: dict[str, Any]
) -> None:
    first = say(client, "changeReturn", named(registered, **DAY))
    deliver(context)
    later = named(registered, preferredDay="2026-12-09", replaces=reference_in(first))
    assert "It replaces the request" in say(client, "changeReturn", later)
    deliver(context)
    assert the_return(org)["Preferred_Day__c"] == "2026-12-09"


def test_what_is_not_passed_on_yet_is_taken_back_and_never_created(
    slow: FlaskClient, journal: Journal, org: Org
) -> None:
    before = len(org.records("Return_Request__c"))
    say(slow, "requestReturn", DAMAGED)
    taken_back = "The return was taken back. It will not be registered."
    assert say(slow, "cancelReturn") == taken_back
    assert say(slow, "cancelReturn", {"reference": "none"}, id="again") == taken_back
    (intent,) = journal.newest(10)
    assert intent.state is State.CANCELLED
    assert "taken back" in ask(slow, "changeReturn", DAY)["error"]
    assert len(org.records("Return_Request__c")) == before


def test_a_held_change_is_taken_back_by_the_callers_words_and_a_closing_is_not(
    slow: FlaskClient, journal: Journal, registered: dict[str, Any]
) -> None:
    words = {"role": "user", "transcriptType": "final", "transcript": "No, forget it."}
    for call_id, tool in (("call-1", "changeReturn"), ("call-2", "cancelReturn")):
        say(slow, tool, named(registered, **DAY), call_id=call_id)
        post(slow, message("transcript", call_id=call_id, **words))
    states = {intent.kind: intent.state for intent in journal.newest(2)}
    assert states == {UPDATES: State.CANCELLED, CLOSES: State.HELD}


def test_what_was_passed_on_is_cancelled(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    say(client, "requestReturn", DAMAGED)
    deliver(context, CREATES)
    assert "being cancelled" in say(client, "cancelReturn")
    assert deliver(context, CLOSES) == {"delivered": 1}
    assert the_return(org)["Status__c"] == "Cancelled"


# -- many, and what is kept ------------------------------------------------------------------------


def test_changes_by_several_tools_take_one_read_and_one_write(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    text = (agent / "tools" / "changeReturn.toml").read_text()
    (agent / "tools" / "moveReturn.toml").write_text(text)
    settings = make_settings(store_server.url, org.url, agent_dir=str(agent))
    app = create_app(settings)
    client = app.test_client()
    context = DeliveryContext.from_settings(settings, store)
    for number in ("O-00001", "O-00002", "O-00003"):
        say(client, "requestReturn", DAMAGED | {"orderNumber": number})
    assert deliver(context, CREATES) == {"delivered": 3}
    jane = the_return(org, "Luis Garcia")["Contact__c"]
    mine = [it for it in org.records("Return_Request__c") if it["Contact__c"] != jane]
    for tool, record in zip(("changeReturn", "moveReturn", "changeReturn"), mine, strict=True):
        say(client, tool, named(record, **DAY))
    before = org.stats()["requests"]
    assert deliver(context) == {"delivered": 3}
    assert org.stats()["requests"] - before == 2
    service: Service = app.extensions["service"]
    service.close()


def test_after_delivery_nothing_that_the_caller_said_is_kept(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    say(client, "changeReturn", named(registered, details="It smells of smoke."))
    deliver(context)
    (intent, _) = journal.newest(2)
    assert intent.state is State.DELIVERED
    stored = str(store.hget(f"vs:intent:{intent.id}", "payload"))
    assert "smoke" not in stored
    assert "cracked" not in stored


def test_what_was_written_belongs_to_the_caller_and_is_found_for_them(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis, registered: dict[str, Any]
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    deliver(context)
    person = find(store, "+14155550101")
    assert [key.name for key in person.writes] == [f"vs:record:{registered['Id']}:writes"]
    assert find(store, LUIS).writes == {}
    (written,) = document(store, person)["record_writes"]
    assert DAY["preferredDay"] not in str(written)


# -- what an operator does -------------------------------------------------------------------------


def corrected(agent: Path, journal: Journal, intent: Intent, *put: str) -> None:
    change = edited(
        intent, put=put, left_out=(), emptied=(), agent=load_agent(str(agent)), region="US"
    )
    assert journal.replay([intent.id], change.draft)[0] == 1


def test_a_correction_is_made_over_the_edit_that_it_parked_for(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    agent: Path,
    registered: dict[str, Any],
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    org.edit("Return_Request__c", registered["Id"], Preferred_Day__c="2026-12-24")
    assert deliver(context) == {"parked": 1}
    (intent,) = journal.parked(10)
    corrected(agent, journal, intent, "preferredDay=2026-12-10")
    assert deliver(context) == {"delivered": 1}
    assert the_return(org)["Preferred_Day__c"] == "2026-12-10"


def test_another_record_that_the_operator_names_is_changed_if_it_is_the_callers(
    client: FlaskClient,
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    agent: Path,
    registered: dict[str, Any],
) -> None:
    say(client, "requestReturn", DAMAGED | {"orderNumber": "O-00002"}, call_id="call-0")
    deliver(context, CREATES)
    say(client, "changeReturn", named(registered, **DAY))
    org.delete("Return_Request__c", registered["Id"])
    assert deliver(context) == {"parked": 1}
    (intent,) = journal.parked(10)
    foreign = the_return(org, "Luis Garcia")
    corrected(agent, journal, intent, f"returnNumber={foreign['Name']}")
    assert deliver(context) == {"parked": 1}
    (intent,) = journal.parked(10)
    corrected(agent, journal, intent, f"returnNumber={the_return(org)['Name']}")
    assert deliver(context) == {"delivered": 1}
    assert the_return(org, "Luis Garcia") == foreign
    assert the_return(org)["Preferred_Day__c"] == DAY["preferredDay"]


def test_a_field_that_the_org_lost_makes_its_tool_wait(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    store: redis.Redis,
    registered: dict[str, Any],
) -> None:
    say(client, "changeReturn", named(registered, **DAY))
    org.fault(hide_fields=["Return_Request__c.Preferred_Day__c"])
    assert deliver(context) == {"again": 1}
    org.fault()
    waits_end(store)
    intents_are_due(store, context.journal.newest(1)[0].id, kind=UPDATES)
    assert deliver(context) == {"delivered": 1}


def test_a_field_that_the_policy_guards_takes_more_than_a_number(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    """However its name is written in the tool's file."""
    (agent / "policy.toml").write_text('[update]\n"return_request__c.details__c" = "verified"\n')
    settings = make_settings(store_server.url, org.url, agent_dir=str(agent))
    app = create_app(settings)
    client = app.test_client()
    say(client, "requestReturn", DAMAGED)
    assert "show who they are" in ask(client, "changeReturn", {"details": "No heat."})["error"]
    assert "show who they are" in ask(client, "changeReturn", {"details": "x", **DAY})["error"]
    assert "result" in ask(client, "changeReturn", DAY)
    service: Service = app.extensions["service"]
    service.close()


@pytest.mark.parametrize(("tool", "given"), [("changeReturn", DAY), ("cancelReturn", {})])
def test_a_record_is_not_named_by_a_field_that_the_policy_keeps_back(
    settings: Settings, agent: Path, org: Org, tool: str, given: dict[str, Any]
) -> None:
    """Whether it is found would show what it has in the field."""
    (agent / "policy.toml").write_text('[read]\n"Return_Request__c.Name" = "verified"\n')
    app = create_app(settings)
    client = app.test_client()
    service: Service = app.extensions["service"]
    say(client, "requestReturn", DAMAGED, call_id="call-0")
    assert deliver(DeliveryContext.from_settings(settings, service.store), CREATES)
    names = (the_return(org)["Name"], "R-99999")
    hit, miss = (ask(client, tool, {"returnNumber": name, **given})["error"] for name in names)
    assert hit == miss
    assert "show who they are" in hit
    say(client, "requestReturn", DAMAGED)
    assert "result" in ask(client, tool, given)
    service.close()


def test_what_was_asked_for_in_another_call_is_taken_back_only_as_the_policy_says(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    (agent / "policy.toml").write_text('[close]\ndefault = "verified"\n')
    settings = make_settings(
        store_server.url, org.url, agent_dir=str(agent), commit_window_ms=60_000
    )
    app = create_app(settings)
    client = app.test_client()
    reference = reference_in(say(client, "requestReturn", DAMAGED))
    named_so = {"reference": reference}
    assert "show who they are" in say(client, "cancelReturn", named_so, call_id="call-2")
    assert [intent.state for intent in Journal(store).newest(10)] == [State.HELD]
    assert "was taken back" in say(client, "cancelReturn", named_so)
    service: Service = app.extensions["service"]
    service.close()


def test_a_case_is_changed_as_any_other_record(
    store: redis.Redis, store_server: Store, org: Org, agent: Path
) -> None:
    tools = agent / "tools"
    shutil.copy(AGENT_FOLDER / "tools" / "createSalesforceCase.toml", tools)
    (tools / "changeCase.toml").write_text(
        'verb = "update"\nobject = "Case"\ncontact = "ContactId"\ndescription = "x"\n'
        '[arguments.number]\ntype = "identifier"\n'
        '[arguments.priority]\ntype = "choice"\nchoices = ["Low", "High"]\n'
        '[record]\nfield = "CaseNumber"\nspoken = "{number}"\n[fields]\nPriority = "{priority}"\n'
    )
    settings = make_settings(store_server.url, org.url, agent_dir=str(agent))
    app = create_app(settings)
    client = app.test_client()
    context = DeliveryContext.from_settings(settings, store)
    say(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice."})
    assert "result" in ask(client, "changeCase", {"priority": "High"})
    assert deliver(context, Kind.CASE_CREATE) == {"delivered": 1}
    assert deliver(context, Kind.changing("update", "Case")) == {"delivered": 1}
    (case,) = (record for record in org.records("Case") if record["Call_Key__c"])
    assert case["Priority"] == "High"
    lower = {"number": case["CaseNumber"], "priority": "Low"}
    assert "result" in ask(client, "changeCase", lower, call_id="call-2")
    assert deliver(context, Kind.changing("update", "Case")) == {"delivered": 1}
    service: Service = app.extensions["service"]
    service.close()


# -- what answers show of records of others --------------------------------------------------------


@pytest.mark.parametrize("base", ["strict", "standard", "open"])
@pytest.mark.parametrize("caller", ["+14155550101", UNKNOWN, ""])
def test_a_record_of_somebody_else_gets_what_no_record_gets(
    settings: Settings, agent: Path, org: Org, store: redis.Redis, base: str, caller: str
) -> None:
    (agent / "policy.toml").write_text(f'base = "{base}"\n')
    app = create_app(settings)
    client = app.test_client()
    own = {"number": caller, "call_id": "mine"}
    theirs = reference_in(say(client, "requestReturn", DAMAGED, number=LUIS, call_id="victim"))
    foreign = the_return(org, "Luis Garcia")["Name"]
    say(client, "orderStatus", **own)
    for is_away in (False, True):
        if is_away:
            org.fault(status=503, resources=["query"])
        for tool in ("changeReturn", "cancelReturn"):
            for argument, others in (
                ("reference", (theirs, "ZZZ ZZZ")),
                ("returnNumber", (foreign, "R-99999")),
            ):
                answers = set()
                for value in others:
                    store.delete(*store.scan_iter("*breaker*"), "unused")
                    before = org.stats()["requests"]
                    said = say(client, tool, {argument: value, **DAY}, **own)
                    sent = 0 if is_away else org.stats()["requests"] - before
                    if "reference is" in said:  # the worker finds out whose it is
                        said = said.replace(reference_in(said), "REF")
                    answers.add((said, sent))
                assert len(answers) == 1, answers
    app.extensions["service"].close()


@pytest.mark.parametrize("tool", ["changeReturn", "cancelReturn"])
def test_before_a_proof_an_own_reference_gets_what_any_other_gets(
    settings: Settings, agent: Path, tool: str
) -> None:
    (agent / "policy.toml").write_text('base = "strict"\n')
    app = create_app(settings)
    client = app.test_client()
    own = reference_in(say(client, "requestReturn", DAMAGED, call_id="earlier"))
    answers = {
        say(client, tool, {"reference": reference, **DAY}, call_id="forged", id=reference)
        for reference in (own, "ZZZ ZZZ")
    }
    app.extensions["service"].close()
    assert len(answers) == 1
