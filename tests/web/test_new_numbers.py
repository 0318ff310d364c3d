"""A number that this service put on a contact lately identifies nobody for a while."""

import json
from itertools import count
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.calls.decisions import Decisions
from shared.domain.drafts import CaseDraft
from shared.domain.identity import Identity, Proof, Tier
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.salesforce.namespace import keys_of
from shared.salesforce.new_numbers import NewNumbers
from shared.settings import Settings
from tests.calling import KNOWN, message, post, say
from tests.workers.delivering import accept, change, contact, open_case
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NEW, ANOTHER = "+14155550188", "+14155550189"
NTH = count()


def changes(client: FlaskClient, context: DeliveryContext, **arguments: str) -> None:
    """Jane changes her contact in a call, and the change is delivered."""
    call_id = f"change-{'-'.join(arguments.values())}"
    say(client, "updateContact", arguments, call_id=call_id)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}


def is_known(client: FlaskClient, number: str, call_id: str = "later") -> bool:
    said = say(client, "lookupCustomer", call_id=call_id, number=number, id=f"l{next(NTH)}")
    return "Jane Miller" in said


def test_a_new_number_identifies_nobody_and_the_old_one_goes_on(
    client: FlaskClient, context: DeliveryContext
) -> None:
    changes(client, context, mobilePhone=NEW)
    assert not is_known(client, NEW)
    assert is_known(client, KNOWN, call_id="from the old number")


def test_the_greeting_of_a_new_number_names_nobody(
    client: FlaskClient, context: DeliveryContext
) -> None:
    changes(client, context, mobilePhone=NEW)
    asked = message("assistant-request", call_id="later", number=NEW)
    assert "Jane" not in json.dumps(post(client, asked).get_json())


def test_after_the_time_a_new_number_identifies_its_contact(
    client: FlaskClient, context: DeliveryContext, settings: Settings, store: redis.Redis
) -> None:
    changes(client, context, mobilePhone=NEW)
    store.delete(f"{keys_of(settings.salesforce)}new-number:{NEW}")
    assert is_known(client, NEW)


def test_a_snapshot_from_within_the_time_identifies_its_contact_after_it(
    client: FlaskClient, context: DeliveryContext, settings: Settings, store: redis.Redis
) -> None:
    """The snapshot says until when the number is new, not that it is."""
    changes(client, context, mobilePhone=NEW)
    assert not is_known(client, NEW)
    key = f"{keys_of(settings.salesforce)}snapshot:{NEW}"
    stored = json.loads(str(store.get(key)))
    (customer,) = stored["customers"]
    assert customer["new_until_ms"] > 0
    customer["new_until_ms"] = 1
    store.set(key, json.dumps(stored))
    assert is_known(client, NEW, call_id="later")


def test_a_new_number_identifies_nobody_for_the_worker(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    changes(client, context, mobilePhone=NEW)
    draft = CaseDraft(caller_number=NEW, issue_type="billing", description="Billed twice")
    open_case(context, journal, draft)
    (case,) = (row for row in org.records("Case") if row["Call_Key__c"])
    assert case["ContactId"] is None


def test_whoever_knows_the_pin_is_verified_from_a_new_number(
    client: FlaskClient, context: DeliveryContext
) -> None:
    changes(client, context, mobilePhone=NEW)
    said = say(client, "verifyCaller", {"pin": "4271"}, call_id="later", number=NEW)
    assert said.startswith("The caller is verified now.")
    assert is_known(client, NEW)


def test_a_number_that_was_on_the_contact_before_is_not_new_when_it_comes_back(
    client: FlaskClient, context: DeliveryContext
) -> None:
    changes(client, context, phone=NEW)
    assert not is_known(client, KNOWN, call_id="meanwhile")
    say(client, "verifyCaller", {"pin": "4271"}, call_id="back", number=NEW)
    say(client, "updateContact", {"phone": KNOWN}, call_id="back", number=NEW)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert is_known(client, KNOWN)


def test_a_number_that_moves_to_another_field_is_not_new(
    client: FlaskClient, context: DeliveryContext
) -> None:
    changes(client, context, mobilePhone=KNOWN)
    assert is_known(client, KNOWN)


def test_a_new_number_that_moves_to_another_field_stays_new(
    client: FlaskClient, context: DeliveryContext
) -> None:
    changes(client, context, mobilePhone=NEW)
    changes(client, context, phone=NEW)
    assert not is_known(client, NEW)


def test_a_number_that_staff_put_there_identifies_its_contact(
    client: FlaskClient, org: Org
) -> None:
    org.edit("Contact", contact(org)["Id"], MobilePhone=NEW)
    assert is_known(client, NEW)


def test_a_new_number_whose_answer_was_lost_is_new_all_the_same(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    draft = change(org, changes={"MobilePhone": NEW}, seen={"MobilePhone": [None]})
    accept(journal, Kind.CONTACT_UPDATE, draft)
    change_rows = context.records.change

    def lose_the_answer(sobject: str, rows: Any) -> Any:
        change_rows(sobject, rows)
        raise RuntimeError

    monkeypatch.setattr(context.records, "change", lose_the_answer)
    drain(context, Kind.CONTACT_UPDATE)
    assert contact(org)["MobilePhone"] == NEW
    assert not is_known(client, NEW)


def test_the_policy_says_that_the_number_is_new(
    client: FlaskClient, context: DeliveryContext, store: redis.Redis
) -> None:
    changes(client, context, mobilePhone=NEW)
    say(client, "createSalesforceCase", {"issueType": "billing", "description": "x"},
        call_id="later", number=NEW)  # fmt: skip
    evidence = [decision.evidence for decision in Decisions(store).of_call("later")]
    assert "the number is new on the contact" in evidence


def test_two_contacts_of_whom_one_is_new_are_the_other(
    store: redis.Redis, settings: Settings
) -> None:
    """Whoever adds somebody's number to a contact does not shut its owner out."""
    new_numbers = NewNumbers(store, keys_of(settings.salesforce), age_h=72)
    new_numbers.note("003NEW", added=[NEW], removed=[])
    found = new_numbers.identified_by({NEW: ["003OLD", "003NEW"], ANOTHER: ["003NEW"]})
    assert found == {NEW: ["003OLD"], ANOTHER: ["003NEW"]}


@pytest.mark.parametrize("shown", [Tier.KNOWN, Tier.VERIFIED])
def test_from_a_new_number_only_a_verified_caller_is_anybody(shown: Tier) -> None:
    proof = Proof("003A", NEW, shown)
    identity = Identity("c", NEW, ("003A",), proof=proof, new_for=frozenset({"003A"}))
    assert identity.tier is (Tier.VERIFIED if shown is Tier.VERIFIED else Tier.UNKNOWN)
