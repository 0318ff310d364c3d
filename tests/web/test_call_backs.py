"""Where call-backs go, and that no answer shows which numbers are on file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.domain.drafts import CallbackDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.phone import earns_by_calls, region_of
from tests.calling import KNOWN, PREMIUM, SHARED, UNKNOWN, reference_in, say
from tests.conftest import make_settings
from tests.web.policy_folders import folder_of
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

PIN, LUIS = "4271", "+14155550103"
ON_FILE, NOT_ON_FILE, OF_ANOTHER = "+14155550171", "+14155550172", LUIS
GERMAN, FRENCH, BRITISH_PERSONAL = "+493012345678", "+33142685300", "+447012345678"
CHECKED = "A colleague will check that number first, and then call back."
CALLED = "Somebody will call back."
NOT_CALLED = "I can't have somebody call that number"

ClientOf = Callable[..., FlaskClient]


@pytest.fixture
def client_of(
    store: redis.Redis, store_server: Store, org: Org, tmp_path: Path
) -> Iterator[ClientOf]:
    """client_of(base, setting=value): the default agent folder with a policy."""
    with ExitStack() as stack:

        def make(base: str = "standard", **others: Any) -> FlaskClient:
            folder = folder_of(tmp_path, base)
            settings = make_settings(store_server.url, org.url, agent_dir=str(folder), **others)
            app = create_app(settings)
            stack.callback(app.extensions["service"].close)
            return app.test_client()

        yield make


def jane_has(org: Org, phone: str, **others: Any) -> None:
    (jane,) = (row for row in org.records("Contact") if row["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], MobilePhone=phone, **others)


def call_back(client: FlaskClient, phone: str, **own: Any) -> str:
    said = say(client, "requestCallback", {"phone": phone}, id=f"to {phone}", **own)
    return said.replace(reference_in(said), "REF") if "reference is" in said else said


@pytest.mark.parametrize("number", [KNOWN, SHARED, UNKNOWN, ""])
@pytest.mark.parametrize("base", ["strict", "standard"])
def test_a_number_on_file_gets_what_any_other_number_gets(
    client_of: ClientOf, org: Org, base: str, number: str
) -> None:
    jane_has(org, ON_FILE)
    client = client_of(base)
    say(client, "lookupCustomer", number=number)
    answers = set()
    for phone in (ON_FILE, NOT_ON_FILE, OF_ANOTHER):
        before = org.stats()["requests"]
        answers.add((call_back(client, phone, number=number), org.stats()["requests"] - before))
    assert answers == {(f"{CHECKED} The reference is REF.", 0)}


def test_the_task_says_that_the_caller_was_not_verified(
    client_of: ClientOf, journal: Journal, org: Org, context: DeliveryContext
) -> None:
    client = client_of()
    call_back(client, NOT_ON_FILE)
    call_back(client, KNOWN)
    drafts = [intent.draft_as(CallbackDraft) for intent in journal.of_call("call-1")]
    assert [draft.is_unproven for draft in drafts if draft] == [True, False]
    drain(context, Kind.CALLBACK)
    by_number = {
        row["Subject"][-12:]: row["Description"]
        for row in org.records("Task")
        if row["Call_Key__c"]
    }
    assert "not verified" in by_number[NOT_ON_FILE]
    assert "not verified" not in by_number[KNOWN]


def test_a_verified_caller_is_called_back_where_they_want(
    client_of: ClientOf, journal: Journal
) -> None:
    client = client_of()
    say(client, "verifyCaller", {"pin": PIN})
    assert call_back(client, NOT_ON_FILE).startswith(CALLED)
    (intent,) = journal.of_call("call-1")
    draft = intent.draft_as(CallbackDraft)
    assert draft
    assert not draft.is_unproven


def test_a_correction_of_the_time_does_not_make_the_number_a_proven_one(
    client_of: ClientOf, journal: Journal
) -> None:
    client = client_of(commit_window_ms=60_000)
    said = say(client, "requestCallback", {"phone": NOT_ON_FILE, "when": "at 5"})
    later = {"when": "at 6", "replaces": reference_in(said)}
    say(client, "requestCallback", later, id="later")
    (intent,) = journal.of_call("call-1")
    draft = intent.draft_as(CallbackDraft)
    assert draft
    assert (draft.phone, draft.when, draft.is_unproven) == (NOT_ON_FILE, "at 6", True)
    journal.cancel(intent.id, "test")


# -- countries and kinds of numbers ----------------------------------------------------------------


@pytest.mark.parametrize("phone", [PREMIUM, GERMAN, BRITISH_PERSONAL])
def test_other_countries_and_numbers_that_earn_by_calls_get_none(
    client_of: ClientOf, journal: Journal, phone: str
) -> None:
    client = client_of()
    assert call_back(client, phone).startswith(NOT_CALLED)
    assert journal.of_call("call-1") == []


@pytest.mark.parametrize("phone", [PREMIUM, BRITISH_PERSONAL])
def test_no_setting_and_no_proof_has_a_number_called_that_earns_by_it(
    client_of: ClientOf, phone: str
) -> None:
    client = client_of(callback_countries="US,GB")
    say(client, "verifyCaller", {"pin": PIN})
    assert call_back(client, phone).startswith(NOT_CALLED)


def test_the_setting_names_the_countries(client_of: ClientOf) -> None:
    client = client_of(callback_countries="DE, FR")
    assert call_back(client, GERMAN).startswith(CHECKED)
    assert call_back(client, FRENCH).startswith(CHECKED)
    assert call_back(client, KNOWN).startswith(NOT_CALLED)


def test_a_customer_from_another_country_is_called_back_there(
    client_of: ClientOf, org: Org
) -> None:
    client = client_of()
    assert call_back(client, GERMAN, number=GERMAN, call_id="a").startswith(NOT_CALLED)
    jane_has(org, GERMAN)
    assert call_back(client, GERMAN, number=GERMAN, call_id="b").startswith(CALLED)


def test_countries_of_numbers_on_file_show_themselves_to_verified_callers_only(
    client_of: ClientOf, org: Org
) -> None:
    jane_has(org, GERMAN)
    client = client_of()
    answers = {call_back(client, phone) for phone in (GERMAN, "+493012345679", FRENCH)}
    assert len(answers) == 1
    say(client, "verifyCaller", {"pin": PIN}, call_id="mine")
    assert call_back(client, GERMAN, call_id="mine").startswith(CALLED)
    assert call_back(client, FRENCH, call_id="mine").startswith(NOT_CALLED)


@pytest.mark.parametrize(
    ("number", "region"),
    [(KNOWN, "US"), (GERMAN, "DE"), ("+18762345678", "JM"), ("+870773123456", "")],
)
def test_the_country_of_a_number(number: str, region: str) -> None:
    assert region_of(number) == region


def test_a_number_of_everybody_earns_nothing() -> None:
    assert earns_by_calls(PREMIUM)
    assert not earns_by_calls(KNOWN)


# -- new numbers that somebody else has ------------------------------------------------------------


def test_a_number_of_somebody_else_becomes_a_task_in_the_usual_words(
    client_of: ClientOf, journal: Journal, org: Org, context: DeliveryContext
) -> None:
    client = client_of()
    say(client, "verifyCaller", {"pin": PIN})
    wanted = {"mobilePhone": LUIS, "mailingCity": "Reno"}
    said = say(client, "updateContact", wanted)
    assert "The new city will be on file in a moment" in said
    assert said.endswith("A colleague will check the new mobile number first.")
    drain(context, Kind.CALLBACK)
    (task,) = (row for row in org.records("Task") if row["Call_Key__c"])
    assert f"mobile number: {LUIS}" in task["Description"]
    assert "may be another customer's" in task["Description"]
    assert "not verified" not in task["Description"]


def test_after_three_numbers_of_others_every_new_number_is_checked_by_a_person(
    client_of: ClientOf, org: Org
) -> None:
    client = client_of()
    say(client, "verifyCaller", {"pin": PIN})
    said = [
        say(client, "updateContact", {"mobilePhone": phone}, id=f"to {phone}")
        for phone in (LUIS, SHARED, "+14155550104", "+14155550199")
    ]
    assert all(words.startswith("A colleague will check the new mobile number") for words in said)
    before = org.stats()["requests"]
    say(client, "updateContact", {"mobilePhone": "+14155550198"}, id="later")
    assert org.stats()["requests"] == before
