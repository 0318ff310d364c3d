"""What wrong answers use up, for whom, and when a proof ends."""

from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.calls.calls import Calls
from shared.calls.guesses import PER_HOUR, Guesses, Sort
from shared.domain.identity import Proof, Tier
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, message, post, say
from tests.conftest import make_settings

PIN, WRONG, PAULAS = "4271", "0000", "9038"
FAILED, VERIFIED = "That could not be verified.", "The caller is verified now."
UNSEEN_NUMBER = "+16285550"


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, tmp_path: Path) -> Settings:
    """The policy that teams begin with."""
    fallback = {"fallback_phone_number": "+14155550123"}
    return make_settings(store_server.url, org.url, agent_dir=str(AGENT_FOLDER), **fallback)


def verify(
    client: FlaskClient, pin: str, call_id: str = "c", number: str = KNOWN, **own: Any
) -> str:
    return say(client, "verifyCaller", {"pin": pin}, call_id=call_id, number=number, **own)


def about_the_case(client: FlaskClient, **own: Any) -> str:
    """What a case is about: the policy says it to verified callers."""
    return say(client, "getCaseStatus", {"caseNumber": "00001001"}, **{"call_id": "c", **own})


def test_a_used_up_day_leaves_the_owner_recognised_in_their_own_call(client: FlaskClient) -> None:
    for nth in range(6):
        verify(client, WRONG, call_id=f"forged-{nth // 3}", id=f"t{nth}")
    assert verify(client, PIN, call_id="mine") == FAILED  # until tomorrow nothing is compared
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="mine")
    assert "is" in about_the_case(client, call_id="mine")


def test_numbers_of_nobody_use_up_nothing_of_others(
    client: FlaskClient, store: redis.Redis
) -> None:
    guesses = Guesses(store)
    for nth in range(PER_HOUR + 1):
        guesses.take(f"call-{nth}", Sort.PIN, f"{UNSEEN_NUMBER}{nth:03d}", [])
    assert verify(client, PIN).startswith(VERIFIED)


def test_an_hour_that_others_used_up_locks_nobody(client: FlaskClient, store: redis.Redis) -> None:
    guesses = Guesses(store)
    for nth in range(PER_HOUR):
        guesses.take(f"call-{nth}", Sort.PIN, f"{UNSEEN_NUMBER}{nth:03d}", [f"contact-{nth}"])
    assert verify(client, PIN) == FAILED
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="c")


def test_what_a_caller_knows_does_not_clear_wrong_pins(store: redis.Redis) -> None:
    guesses = Guesses(store)
    for nth in range(5):
        guesses.take(f"call-{nth}", Sort.PIN, KNOWN, ["contact"])
        guesses.was_right(Sort.KNOWLEDGE, KNOWN, "contact")
    assert not guesses.take("another", Sort.PIN, KNOWN, ["contact"]).may_be_compared
    assert guesses.take("another", Sort.KNOWLEDGE, KNOWN, ["contact"]).may_be_compared


def test_right_answers_are_no_wrong_ones(client: FlaskClient) -> None:
    for nth in range(6):
        assert verify(client, PIN, id=f"t{nth}").startswith(VERIFIED)


def test_right_answers_of_one_take_nothing_from_those_who_share_the_number(
    client: FlaskClient, org: Org
) -> None:
    for nth in range(6):
        assert verify(client, PAULAS, number=SHARED, call_id=f"c{nth}").startswith(VERIFIED)
    peter = next(row for row in org.records("Contact") if row["Name"] == "Peter Novak")
    org.edit("Contact", peter["Id"], Voice_PIN__c="7710")
    assert verify(client, "7710", number=SHARED, call_id="his").startswith(VERIFIED)


def test_answers_that_could_not_be_compared_are_no_wrong_ones(
    client: FlaskClient, org: Org
) -> None:
    verify(client, WRONG, id="before")
    org.fault(hide_fields=["Contact.Voice_PIN__c"])
    for nth in range(4):
        assert verify(client, PIN, id=f"t{nth}") == FAILED
    org.fault()
    assert verify(client, PIN, id="after").startswith(VERIFIED)


# -- when a proof ends -----------------------------------------------------------------------------


def transfer(client: FlaskClient) -> None:
    given = post(client, message("transfer-destination-request", call_id="c")).get_json()
    assert "destination" in given


def forwarding(client: FlaskClient) -> None:
    """A transfer that Vapi makes by itself, or that a phone system reports."""
    body = message("status-update", call_id="c", status="forwarding", timestamp=1_800_000_000_000)
    post(client, body)


ENDS = {"transfer": transfer, "forwarding": forwarding}


@pytest.mark.parametrize("ends", ENDS)
def test_a_transfer_ends_a_proof_and_what_it_opened(client: FlaskClient, ends: str) -> None:
    assert "Invoice" not in about_the_case(client)
    assert verify(client, PIN).startswith(VERIFIED)
    assert "Invoice" in about_the_case(client, id="asked")
    ENDS[ends](client)
    assert "Invoice" not in about_the_case(client, id="asked")
    assert "Invoice" not in about_the_case(client, id="anew")


@pytest.mark.parametrize("ends", ENDS)
def test_no_transfer_ends_a_lock(client: FlaskClient, ends: str) -> None:
    for nth in range(3):
        verify(client, WRONG, id=f"t{nth}")
    ENDS[ends](client)
    assert "Jane" not in say(client, "lookupCustomer", call_id="c")


def test_a_stored_answer_is_none_to_a_locked_caller(client: FlaskClient) -> None:
    assert "Jane" in say(client, "lookupCustomer", call_id="c", id="asked")
    for nth in range(3):
        verify(client, WRONG, id=f"t{nth}")
    assert "Jane" not in say(client, "lookupCustomer", call_id="c", id="asked")


def test_a_proof_that_comes_after_a_transfer_counts_no_more(
    client: FlaskClient, store: redis.Redis
) -> None:
    say(client, "lookupCustomer", call_id="c")
    calls = Calls(store)
    proof = Proof("contact", KNOWN, Tier.VERIFIED)
    assert calls.prove("c", proof, 0)
    calls.transferred("c")
    assert not calls.prove("c", proof, 0)
    assert calls.prove("c", proof, 1)


def test_a_lock_that_comes_after_a_transfer_counts(client: FlaskClient, store: redis.Redis) -> None:
    say(client, "lookupCustomer", call_id="c")
    calls = Calls(store)
    calls.transferred("c")
    assert calls.prove("c", Proof("", KNOWN, Tier.UNKNOWN), 0)
    assert not calls.prove("c", Proof("contact", KNOWN, Tier.VERIFIED), 1)
