"""The reference in writing: to which number it goes, how often, and what fails when Twilio does."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.calls.written import PER_CALL, PER_NUMBER_AND_DAY, Outcome, WrittenReferences
from shared.journal.journal import Journal
from shared.settings import Settings, SettingsError, load_settings
from tests.calling import KNOWN, SHARED, UNKNOWN, reference_in, say, tool_message
from tests.calling import post as post_message
from tests.conftest import make_settings
from tests.phones import Phones

MOBILE, LANDLINE, ABROAD = "+14155550142", "+493012345678", "+4915112345678"
CASE = {"issueType": "billing", "description": "Billed twice"}


@pytest.fixture
def others() -> dict[str, Any]:
    """Settings of a test, by the variables' names in lower case."""
    return {}


@pytest.fixture
def base() -> str:
    """The policy of a test."""
    return "standard"


@pytest.fixture
def settings(
    store: redis.Redis, store_server: Store, org: Org, phones: Phones, others: dict[str, Any],
    base: str, tmp_path: Path,
) -> Settings:  # fmt: skip
    shutil.copytree(AGENT_FOLDER, tmp_path / "agent")
    (tmp_path / "agent" / "policy.toml").write_text(f'base = "{base}"\n')
    given: dict[str, Any] = {"send_references": True, "agent_dir": str(tmp_path / "agent")}
    return make_settings(store_server.url, org.url, **given | phones.settings | others)


def opens(client: FlaskClient, number: str = KNOWN, call_id: str = "c", nth: str = "") -> str:
    """A case is opened; its reference."""
    given = CASE | {"description": f"Billed twice {nth}", "onExisting": "new"}
    said = say(client, "createSalesforceCase", given, call_id=call_id, number=number)
    return reference_in(said)


def asks(client: FlaskClient, number: str = KNOWN, call_id: str = "c", **given: Any) -> str:
    own = {name: given.pop(name) for name in ("id",) if name in given}
    asked = {"sendReference": True, **given}
    return say(client, "getCaseStatus", asked, call_id=call_id, number=number, **own)


def got(phones: Phones) -> list[tuple[str, str]]:
    return [(message["to"], message["text"]) for message in phones.got()]


# -- a message that is sent ------------------------------------------------------------------------


def test_a_caller_gets_the_reference_on_the_phone_they_call_from(
    client: FlaskClient, phones: Phones
) -> None:
    reference = opens(client)
    said = asks(client)
    assert said == (
        f"The reference {reference} was sent by text message to the number that ends in 0 1."
    )
    assert got(phones) == [
        (KNOWN, f"The reference from your call with us is {reference}."),
    ]


def test_an_unknown_caller_gets_the_reference_of_this_call(
    client: FlaskClient, phones: Phones
) -> None:
    reference = opens(client, UNKNOWN)
    asks(client, UNKNOWN, reference=reference)
    assert [to for to, _ in got(phones)] == [UNKNOWN]


def test_any_request_of_the_call_has_a_reference_to_send(
    client: FlaskClient, phones: Phones
) -> None:
    opens(client)
    said = say(client, "requestCallback", {"when": "tomorrow"}, call_id="c")
    asks(client)
    assert reference_in(said) in got(phones)[0][1]


def test_a_request_that_was_taken_back_is_not_the_last_one(
    client: FlaskClient, phones: Phones
) -> None:
    first, second = opens(client), opens(client, nth="again")
    say(client, "cancelCase", {"reference": second}, call_id="c")
    asks(client)
    assert first in got(phones)[0][1]


def test_a_number_on_file_gets_it_when_a_verified_caller_asks_for_that(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    has_mobile(org, "(415) 555-0142")
    opens(client)
    say(client, "verifyCaller", {"pin": "4271"}, call_id="c")
    assert "ends in 4 2." in asks(client, textTo="415 555 0142")
    assert [to for to, _ in got(phones)] == [MOBILE]


def test_the_message_has_the_language_of_the_call(client: FlaskClient, phones: Phones) -> None:
    opens(client)
    body = tool_message(("t", "getCaseStatus", {"sendReference": True}), call_id="c")
    body["message"]["assistant"] = {"transcriber": {"language": "de"}}
    post_message(client, body)
    assert got(phones)[0][1].startswith("Die Referenz zu Ihrem Anruf")


def test_without_the_argument_nothing_is_sent(client: FlaskClient, phones: Phones) -> None:
    opens(client)
    for given in ({}, {"sendReference": False}, {"textTo": KNOWN}):
        say(client, "getCaseStatus", given, call_id="c")
    assert got(phones) == []


# -- to whom nothing is sent -----------------------------------------------------------------------


@pytest.mark.parametrize("other", [MOBILE, ABROAD, UNKNOWN])
def test_a_number_that_was_only_said_gets_nothing(
    client: FlaskClient, phones: Phones, other: str
) -> None:
    reference = opens(client)
    said = asks(client, textTo=other)
    assert said.startswith("No text message could be sent.")
    assert reference in said
    assert got(phones) == []


def test_who_asks_for_a_number_does_not_learn_whether_it_is_on_file(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    has_mobile(org, MOBILE)
    opens(client)
    said = {asks(client, textTo=number) for number in (MOBILE, UNKNOWN)}
    assert len(said) == 1
    assert got(phones) == []


def test_an_unknown_caller_has_no_number_on_file(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    has_mobile(org, MOBILE)
    opens(client, SHARED)
    assert asks(client, SHARED, textTo=MOBILE).startswith("No text message could be sent.")
    assert got(phones) == []


@pytest.mark.parametrize("base", ["strict"])
def test_below_the_tier_for_reading_cases_no_number_on_file_gets_it(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    has_mobile(org, MOBILE)
    opens(client)
    assert asks(client, textTo=MOBILE).startswith("No text message could be sent.")
    asks(client)
    assert [to for to, _ in got(phones)] == [KNOWN]


@pytest.mark.parametrize(
    ("others", "number"),
    [({"sms_regions": "DE"}, LANDLINE), ({}, ABROAD), ({"sms_regions": "DE"}, UNKNOWN)],
)
def test_landlines_and_other_countries_get_nothing(
    client: FlaskClient, phones: Phones, number: str
) -> None:
    opens(client, number)
    assert asks(client, number).startswith("No text message could be sent.")
    assert got(phones) == []


def test_a_number_whose_attestation_failed_gets_nothing(
    client: FlaskClient, phones: Phones
) -> None:
    opens(client)
    body = tool_message(("t", "getCaseStatus", {"sendReference": True}), call_id="c")
    body["message"]["call"]["metadata"] = {"StirVerstat": "TN-Validation-Failed"}
    post_message(client, body)
    assert got(phones) == []


def test_the_reference_of_somebody_else_is_not_sent_and_not_found(
    client: FlaskClient, phones: Phones
) -> None:
    reference = opens(client)
    theirs = asks(client, UNKNOWN, call_id="another", reference=reference)
    nobodys = asks(client, UNKNOWN, call_id="another", reference="AAA AAA")
    assert theirs == nobodys
    assert got(phones) == []


def test_a_customer_gets_the_reference_of_an_earlier_call(
    client: FlaskClient, phones: Phones
) -> None:
    reference = opens(client)
    say(client, "lookupCustomer", call_id="later")
    asks(client, call_id="later", reference=reference)
    assert reference in got(phones)[0][1]


def test_a_call_without_requests_has_no_reference_to_send(
    client: FlaskClient, phones: Phones
) -> None:
    assert asks(client).startswith("I know no request of this call.")
    assert got(phones) == []


@pytest.mark.parametrize("others", [{"send_references": False}])
def test_it_is_off_without_the_setting(client: FlaskClient, phones: Phones) -> None:
    opens(client)
    assert asks(client).startswith("No text message could be sent.")
    assert got(phones) == []


# -- once, and not often ---------------------------------------------------------------------------


def test_a_redelivered_tool_call_sends_one_message(client: FlaskClient, phones: Phones) -> None:
    opens(client)
    assert asks(client, id="t") == asks(client, id="t")
    assert len(got(phones)) == 1


def test_a_model_that_asks_again_sends_one_message(client: FlaskClient, phones: Phones) -> None:
    opens(client)
    assert asks(client, id="t1") == asks(client, id="t2")
    assert len(got(phones)) == 1


def test_a_message_that_was_begun_by_a_process_that_died_is_not_sent_again(
    client: FlaskClient, phones: Phones, store: redis.Redis
) -> None:
    """Nobody knows whether it was sent."""
    reference = opens(client)
    assert WrittenReferences(store, per_hour=9).begin("c", reference, KNOWN) is None
    said = asks(client)
    assert said.startswith("It is not certain that the text message was sent")
    assert reference in said
    assert got(phones) == []


def test_a_call_gets_few_and_asking_for_the_same_counts_once(
    client: FlaskClient, phones: Phones
) -> None:
    references = [opens(client, nth=str(nth)) for nth in range(PER_CALL + 1)]
    for reference in [references[0], *references]:
        asks(client, reference=reference, id=f"t-{reference}")
    assert len(got(phones)) == PER_CALL
    assert asks(client, reference=references[-1], id="x").startswith("No text message")


def test_a_number_gets_few_in_a_day(client: FlaskClient, phones: Phones) -> None:
    for nth in range(PER_NUMBER_AND_DAY + 1):
        opens(client, UNKNOWN, call_id=f"c{nth}")
        said = asks(client, UNKNOWN, call_id=f"c{nth}")
    assert said.startswith("No text message could be sent.")
    assert len(got(phones)) == PER_NUMBER_AND_DAY


@pytest.mark.parametrize("others", [{"max_messages_per_hour": 1}])
def test_all_calls_together_get_so_many_in_an_hour(client: FlaskClient, phones: Phones) -> None:
    for number in (KNOWN, UNKNOWN):
        opens(client, number, call_id=number[-4:])
        asks(client, number, call_id=number[-4:])
    assert [to for to, _ in got(phones)] == [KNOWN]


# -- when Twilio fails -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "said", "messages"),
    [
        ({"status": 400, "code": 21610}, "No text message could be sent.", 0),
        ({"status": 429, "code": 20429}, "No text message could be sent.", 0),
        ({"status": 503}, "It is not certain", 0),
        ({"lose_answer": True}, "It is not certain", 1),
    ],
)
def test_the_agent_gets_the_reference_whatever_becomes_of_the_message(
    client: FlaskClient, phones: Phones, journal: Journal, fault: dict[str, Any], said: str,
    messages: int,
) -> None:  # fmt: skip
    reference = opens(client)
    phones.fault(**fault)
    answer = asks(client, id="t1")
    assert answer.startswith(said)
    assert reference in answer
    phones.fault()
    again = asks(client, id="t2")
    is_in_doubt = said.startswith("It is not certain")
    assert again.startswith("It is not certain" if is_in_doubt else f"The reference {reference}")
    assert len(got(phones)) == (messages if is_in_doubt else 1)
    assert len(journal.of_call("c")) == 1


@pytest.mark.parametrize("others", [{"lookup_deadline_ms": 1000}])
def test_a_twilio_that_hangs_costs_the_lookups_deadline(
    client: FlaskClient, phones: Phones
) -> None:
    reference = opens(client)
    phones.fault(seconds=3)
    said = asks(client)
    assert said.startswith("It is not certain")
    assert reference in said


def test_what_became_of_a_message_is_known_for_the_rest_of_the_call(store: redis.Redis) -> None:
    written = WrittenReferences(store, per_hour=9)
    assert written.begin("c", "K7M 2QX", KNOWN) is None
    assert written.begin("c", "K7M 2QX", KNOWN) is Outcome.IN_DOUBT
    written.ended("c", "K7M 2QX", KNOWN, Outcome.SENT)
    assert written.begin("c", "K7M 2QX", KNOWN) is Outcome.SENT
    assert int(store.ttl("vs:call:c:written")) > 0


# -- the setting -----------------------------------------------------------------------------------


def test_it_needs_a_number_to_send_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEND_REFERENCES", "true")
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match="SMS_FROM is missing: SEND_REFERENCES"):
        load_settings()
    load_settings.cache_clear()


def has_mobile(org: Org, phone: str) -> None:
    (jane,) = (row for row in org.records("Contact") if row["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], MobilePhone=phone)
