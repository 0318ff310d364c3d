"""A customer is told at the old number or email address that it was changed: once, and whatever
happens to Twilio, a person gets to know of it.
"""

from typing import Any

import pytest
import redis

from demo.stack import Org, Store
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN
from tests.conftest import make_settings
from tests.phones import Phones
from tests.workers.delivering import accept, change, contact, stored, wait_no_more
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NEW, NEWER, NEW_EMAIL = "+14155550188", "+14155550189", "jane@new.example"


@pytest.fixture
def others() -> dict[str, Any]:
    """Settings of a test, by the variables' names in lower case."""
    return {}


@pytest.fixture
def settings(
    store: redis.Redis, store_server: Store, org: Org, phones: Phones, others: dict[str, Any]
) -> Settings:
    return make_settings(store_server.url, org.url, **phones.settings | others)


def asks(journal: Journal, org: Org, call_id: str = "call-1", **changes: str) -> str:
    seen = {name: [contact(org)[name]] for name in changes}
    draft = change(org, changes=changes, seen=seen)
    return accept(journal, Kind.CONTACT_UPDATE, draft, call_id=call_id)


def changed(context: DeliveryContext, journal: Journal, org: Org, **changes: str) -> None:
    asks(journal, org, **changes)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}


def tasks(org: Org) -> list[str]:
    return [str(row["Description"]) for row in org.records("Task") if row["Call_Key__c"]]


def test_the_old_number_gets_a_message(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    changed(context, journal, org, Phone=NEW)
    assert phones.got() == []
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    (got,) = phones.got()
    assert got["to"] == KNOWN
    assert "your phone number was changed" in got["text"]
    assert NEW not in got["text"]
    assert tasks(org) == []


def test_a_person_gets_a_task_for_an_old_email_address(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    before = contact(org)["Email"]
    changed(context, journal, org, Email=NEW_EMAIL)
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    (task,) = tasks(org)
    assert f"email address: {before}" in task
    assert phones.got() == []
    (row,) = (row for row in org.records("Task") if row["Call_Key__c"])
    assert row["WhoId"] == contact(org)["Id"]
    assert row["Subject"] == "Tell a customer that their email address was changed"


def test_other_details_and_first_ones_are_no_matter(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    changed(context, journal, org, MailingCity="Oakland", MobilePhone=NEW)
    assert drain(context, Kind.CHANGE_ALERT).counts == {}


@pytest.mark.parametrize("others", [{"notify_old_address": False}])
def test_a_team_may_do_it_in_its_own_way(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    changed(context, journal, org, Phone=NEW, Email=NEW_EMAIL)
    assert drain(context, Kind.CHANGE_ALERT).counts == {}


def test_nothing_is_said_of_a_change_that_was_not_made(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    org.fault(refuse_fields=["Contact.Phone"])
    asks(journal, org, Phone=NEW)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    assert drain(context, Kind.CHANGE_ALERT).counts == {"cancelled": 1}
    assert phones.got() == []


def test_nothing_is_said_of_a_field_that_was_refused(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones, store: redis.Redis
) -> None:
    org.fault(refuse_fields=["Contact.Phone"])
    asks(journal, org, Phone=NEW, Email=NEW_EMAIL)
    (update,) = (it.id for it in journal.of_call("call-1"))
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"part_refused": 1}
    assert drain(context, Kind.CHANGE_ALERT).counts == {}
    wait_no_more(store, update, kind=Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert drain(context, Kind.CHANGE_ALERT).counts == {"cancelled": 1, "delivered": 1}
    assert phones.got() == []
    assert len(tasks(org)) == 1


def test_a_change_that_is_tried_again_makes_one_alert(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones,
    monkeypatch: pytest.MonkeyPatch, store: redis.Redis,
) -> None:  # fmt: skip
    """Its answer was lost: the next attempt finds the new number, and nobody knows the old one."""
    update = asks(journal, org, Phone=NEW)
    change_rows = context.records.change

    def lose_the_answer(sobject: str, rows: Any) -> Any:
        change_rows(sobject, rows)
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(context.records, "change", lose_the_answer)
        assert drain(context, Kind.CONTACT_UPDATE).counts["again"] >= 1
    assert contact(org)["Phone"] == NEW
    wait_no_more(store, update, kind=Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    assert [got["to"] for got in phones.got()] == [KNOWN]


@pytest.mark.parametrize(
    ("fault", "messages"),
    [
        ({"status": 429, "code": 20429}, 0),
        ({"status": 400, "code": 21614}, 0),
        ({"status": 503}, 0),
        ({"lose_answer": True}, 1),
    ],
)
def test_a_person_gets_a_task_for_what_twilio_did_not_surely_send(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones,
    fault: dict[str, Any], messages: int,
) -> None:  # fmt: skip
    phones.fault(**fault)
    changed(context, journal, org, Phone=NEW)
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    assert contact(org)["Phone"] == NEW
    (task,) = tasks(org)
    assert "phone number: (415) 555-0101" in task
    assert len(phones.got()) == messages


def test_a_message_is_never_sent_again_even_by_a_worker_after_the_one_that_died(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones,
    monkeypatch: pytest.MonkeyPatch, store: redis.Redis,
) -> None:  # fmt: skip
    changed(context, journal, org, Phone=NEW)
    (alert,) = (it for it in journal.of_call("call-1") if it.kind is Kind.CHANGE_ALERT)

    def die(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(context.journal), "settle", die)
        with pytest.raises(KeyboardInterrupt):
            drain(context, Kind.CHANGE_ALERT)
    assert len(phones.got()) == 1
    wait_no_more(store, alert.id, kind=Kind.CHANGE_ALERT)
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    assert len(phones.got()) == 1
    assert len(tasks(org)) == 1


@pytest.mark.parametrize("others", [{"sms_from": None}, {"sms_regions": "DE"}])
def test_without_a_sender_or_in_another_country_a_person_gets_a_task(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    changed(context, journal, org, Phone=NEW)
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    assert len(tasks(org)) == 1
    assert phones.got() == []


def test_a_number_that_is_new_itself_gets_no_message(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    """Whoever changes a number twice would else have messages sent to a number of their choice."""
    changed(context, journal, org, Phone=NEW)
    drain(context, Kind.CHANGE_ALERT)
    asks(journal, org, call_id="call-2", Phone=NEWER)
    drain(context, Kind.CONTACT_UPDATE)
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 1}
    assert [got["to"] for got in phones.got()] == [KNOWN]
    assert len(tasks(org)) == 1


def test_a_delivered_alert_keeps_no_address(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    changed(context, journal, org, Phone=NEW)
    drain(context, Kind.CHANGE_ALERT)
    (alert,) = (it for it in journal.of_call("call-1") if it.kind is Kind.CHANGE_ALERT)
    assert alert.state is State.DELIVERED
    assert alert.payload["old_value"] == ""
    assert stored(journal, alert.id).receipt


@pytest.mark.parametrize("others", [{"max_messages_per_hour": 1}])
def test_messages_have_a_limit_and_a_person_does_the_rest(
    context: DeliveryContext, journal: Journal, org: Org, phones: Phones
) -> None:
    org.edit("Contact", contact(org)["Id"], MobilePhone="(415) 555-0142")
    changed(context, journal, org, Phone=NEW, MobilePhone=NEWER)
    assert drain(context, Kind.CHANGE_ALERT).counts == {"delivered": 2}
    assert len(phones.got()) == 1
    assert len(tasks(org)) == 1
