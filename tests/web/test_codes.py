"""One-time codes: where they go, where they don't, and what a right and a wrong one prove."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.calls.calls import Calls
from shared.calls.codes import PER_CALL, PER_CONTACT_AND_DAY
from shared.calls.decisions import Decisions
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN, message, post, say
from tests.conftest import make_settings
from tests.phones import Phones
from tests.web.test_secrets import in_store, says
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NOT_SENT = "No code could be sent."
FAILED = "That could not be verified."
VERIFIED = "The caller is verified now."
MOBILE = "+14155550142"
DAY_S = 86_400


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
    if base != "standard":
        others = others | {"agent_dir": str(tmp_path / "agent")}
        shutil.copytree(AGENT_FOLDER, tmp_path / "agent")
        (tmp_path / "agent" / "policy.toml").write_text(f'base = "{base}"\n')
    return make_settings(store_server.url, org.url, **phones.settings | others)


def jane(org: Org) -> dict[str, Any]:
    (found,) = (row for row in org.records("Contact") if row["Name"] == "Jane Miller")
    return found


def long_ago(org: Org, **fields: Any) -> None:
    """Change Jane's contact four days ago, as a person does in the UI."""
    org.fault(clock_offset_s=-4 * DAY_S, track_history=["Contact.MobilePhone"])
    org.edit("Contact", jane(org)["Id"], **fields)
    org.fault()


def asks(client: FlaskClient, call_id: str = "c", number: str = KNOWN, **own: Any) -> str:
    return say(client, "verifyCaller", {"sendCode": True}, call_id=call_id, number=number, **own)


def tells(
    client: FlaskClient, code: str, call_id: str = "c", number: str = KNOWN, **own: Any
) -> str:
    return say(client, "verifyCaller", {"code": code}, call_id=call_id, number=number, **own)


def may_ask_again(store: redis.Redis, call_id: str = "c") -> None:
    """As if the time had passed in which a call gets no second message."""
    key = f"vs:call:{call_id}:code"
    store.set(key, json.dumps(json.loads(str(store.get(key))) | {"at_ms": 1}))


# -- a code that is sent ---------------------------------------------------------------------------


def test_a_caller_with_the_code_may_change_the_phone_number(
    client: FlaskClient, phones: Phones, journal: Journal
) -> None:
    assert "ends in 0 1." in asks(client)
    assert [message["to"] for message in phones.got()] == [KNOWN]
    assert tells(client, phones.code).startswith(VERIFIED)
    said = say(client, "updateContact", {"mobilePhone": MOBILE}, call_id="c")
    assert said.startswith("The new mobile number will be on file")
    assert [intent.kind for intent in journal.of_call("c")] == [Kind.CONTACT_UPDATE]


def test_a_code_is_taken_as_callers_say_it(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    assert tells(client, "-".join(phones.code)).startswith(VERIFIED)


def test_the_mobile_number_comes_first(client: FlaskClient, phones: Phones, org: Org) -> None:
    long_ago(org, MobilePhone="(415) 555-0142")
    assert "ends in 4 2." in asks(client)
    assert [message["to"] for message in phones.got()] == [MOBILE]


def test_the_answer_names_no_more_of_the_number_than_two_digits(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    long_ago(org, MobilePhone=MOBILE)
    said = asks(client)
    assert "".join(filter(str.isdigit, said)) == "42"


@pytest.mark.parametrize("base", ["strict"])
def test_an_unverified_caller_is_offered_a_code(client: FlaskClient) -> None:
    said = say(client, "retrieveCustomerCase", call_id="c")
    assert "offer to send a code by text message, and call verifyCaller" in said


def test_the_code_proves_nothing_in_another_call(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    assert tells(client, phones.code, call_id="another") == FAILED


def test_the_code_proves_nothing_from_another_number(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    assert tells(client, phones.code, call_id="c", number=UNKNOWN) == FAILED


def test_the_code_proves_nothing_once_the_number_is_somebody_elses(
    client: FlaskClient, phones: Phones, org: Org, store: redis.Redis, keys: str
) -> None:
    asks(client)
    org.edit("Contact", jane(org)["Id"], Phone=None)
    (luis,) = (row for row in org.records("Contact") if row["Name"] == "Luis Garcia")
    org.edit("Contact", luis["Id"], OtherPhone=KNOWN)
    store.delete(f"{keys}snapshot:{KNOWN}")
    assert tells(client, phones.code) == FAILED


def test_a_code_is_right_once(client: FlaskClient, phones: Phones, store: redis.Redis) -> None:
    asks(client)
    code = phones.code
    assert tells(client, code).startswith(VERIFIED)
    Calls(store).transferred("c")
    assert tells(client, code, id="again") == FAILED


def test_an_expired_code_proves_nothing(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    code = phones.code
    phones.let_codes_expire()
    assert tells(client, code) == FAILED


def test_a_wrong_code_is_not_made_good_by_a_right_pin(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    wrong = f"{(int(phones.code) + 1) % 1_000_000:06d}"
    given = {"code": wrong, "pin": "4271"}
    assert say(client, "verifyCaller", given, call_id="c") == FAILED


def test_wrong_codes_and_wrong_pins_count_together(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    code = phones.code
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert tells(client, wrong) == FAILED
    for nth in range(2):
        pin = {"pin": f"000{nth}"}
        assert say(client, "verifyCaller", pin, call_id="c") == FAILED
    assert tells(client, code) == FAILED
    assert asks(client, id="later").startswith(NOT_SENT)
    assert len(phones.got()) == 1


def test_a_code_is_kept_nowhere(
    client: FlaskClient, phones: Phones, store: redis.Redis, capfd: pytest.CaptureFixture[str]
) -> None:
    asks(client)
    code = phones.code
    says(client, f"The code is {' '.join(code)}.", 1)
    tells(client, code, call_id="call-1")
    tells(client, code)
    assert in_store(store, code, " ".join(code)) == []
    for key in store.scan_iter():
        assert code not in str(store.dump(key))
    logged = capfd.readouterr()
    assert code not in logged.out + logged.err
    assert KNOWN[2:] not in logged.out + logged.err


# -- where no code goes ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [UNKNOWN, SHARED, ""])
def test_a_caller_who_is_not_one_contact_gets_no_code(
    client: FlaskClient, phones: Phones, number: str
) -> None:
    assert asks(client, number=number).startswith(NOT_SENT)
    assert phones.got() == []


def test_a_number_of_two_contacts_gets_no_code(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    """Jane is known by her phone. Her mobile number is the one that the Novaks share."""
    long_ago(org, MobilePhone="415 555 0102", Phone="(415) 555-0101 x5", OtherPhone=KNOWN)
    org.edit("Contact", jane(org)["Id"], OtherPhone="(415) 555-0101")
    assert asks(client).startswith(NOT_SENT)
    assert phones.got() == []


def test_the_main_line_of_an_account_gets_no_code(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    (account,) = (row for row in org.records("Account") if row["Name"] == "Acme Water Works")
    org.edit("Account", account["Id"], Phone="(415) 555-0101")
    assert asks(client).startswith(NOT_SENT)
    assert phones.got() == []


def test_a_number_that_changed_lately_gets_no_code(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    org.edit("Contact", jane(org)["Id"], MobilePhone=MOBILE, Phone="(415) 555-0101")
    assert asks(client).startswith(NOT_SENT)
    assert phones.got() == []


def test_the_history_shows_that_a_number_is_old_when_something_else_is_new(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    long_ago(org, MobilePhone="(415) 555-0142")
    org.edit("Contact", jane(org)["Id"], MailingCity="Oakland")
    assert "ends in 4 2." in asks(client)


def test_the_history_shows_that_a_number_is_new(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    long_ago(org, MobilePhone="(415) 555-0142")
    org.fault(track_history=["Contact.MobilePhone"])
    org.edit("Contact", jane(org)["Id"], MobilePhone="(415) 555-0143")
    org.edit("Contact", jane(org)["Id"], MobilePhone="(415) 555-0142")
    assert asks(client).startswith(NOT_SENT)


def test_a_history_that_does_not_end_in_the_number_shows_nothing(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    """Tracking was switched off, and the number changed since."""
    long_ago(org, MobilePhone="(415) 555-0142")
    org.edit("Contact", jane(org)["Id"], MobilePhone="(415) 555-0143")
    assert asks(client).startswith(NOT_SENT)


def test_an_org_without_history_sends_no_code_after_any_change(
    client: FlaskClient, phones: Phones, org: Org
) -> None:
    long_ago(org, MobilePhone="(415) 555-0142")
    org.edit("Contact", jane(org)["Id"], MailingCity="Oakland")
    org.fault(deny=["ContactHistory.read"])
    assert asks(client).startswith(NOT_SENT)


def test_our_own_write_of_another_field_is_no_change_of_the_number(
    client: FlaskClient, phones: Phones, org: Org, context: DeliveryContext
) -> None:
    say(client, "updateContact", {"mailingCity": "Oakland"}, call_id="before")
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert "ends in 0 1." in asks(client)


def test_a_number_that_we_wrote_gets_no_code(
    client: FlaskClient, phones: Phones, org: Org, context: DeliveryContext
) -> None:
    say(client, "verifyCaller", {"pin": "4271"}, call_id="before")
    say(client, "updateContact", {"mobilePhone": MOBILE}, call_id="before")
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    assert "ends in 0 1." in asks(client)
    assert [message["to"] for message in phones.got() if "code" in message] == [KNOWN]


@pytest.mark.parametrize("others", [{"sms_regions": "DE,AT"}])
def test_a_number_of_another_country_gets_no_code(client: FlaskClient, phones: Phones) -> None:
    assert asks(client).startswith(NOT_SENT)
    assert phones.got() == []


@pytest.mark.parametrize("written", ["+44 20 7946 0110", "+1 900 555 0101"])
def test_landlines_and_premium_numbers_get_no_code(
    client: FlaskClient, phones: Phones, org: Org, written: str
) -> None:
    long_ago(org, MobilePhone=written)
    asks(client)
    assert [message["to"] for message in phones.got()] == [KNOWN]


def test_an_argument_names_no_number(client: FlaskClient, phones: Phones) -> None:
    given = {"sendCode": True, "phone": MOBILE, "to": MOBILE, "number": MOBILE}
    say(client, "verifyCaller", given, call_id="c")
    assert [message["to"] for message in phones.got()] == [KNOWN]


# -- limits ----------------------------------------------------------------------------------------


def test_asking_twice_at_once_sends_one_message(client: FlaskClient, phones: Phones) -> None:
    first, second = asks(client, id="1"), asks(client, id="2")
    assert first == second
    assert len(phones.got()) == 1


def test_a_redelivered_request_sends_no_second_message(
    client: FlaskClient, phones: Phones, store: redis.Redis
) -> None:
    first = asks(client, id="same")
    may_ask_again(store)
    assert asks(client, id="same") == first
    assert len(phones.got()) == 1


def test_a_call_gets_two_codes(client: FlaskClient, phones: Phones, store: redis.Redis) -> None:
    for nth in range(PER_CALL):
        assert "ends in" in asks(client, id=f"t{nth}")
        may_ask_again(store)
    assert asks(client, id="one more").startswith(NOT_SENT)
    assert len(phones.got()) == PER_CALL


def test_the_first_code_is_right_although_a_second_one_could_not_be_sent(
    client: FlaskClient, phones: Phones, store: redis.Redis
) -> None:
    asks(client, id="1")
    may_ask_again(store)
    phones.fault(status=503)
    assert asks(client, id="2").startswith(NOT_SENT)
    phones.fault()
    assert tells(client, phones.code).startswith(VERIFIED)


def test_a_contact_gets_five_codes_a_day(
    client: FlaskClient, phones: Phones, store: redis.Redis
) -> None:
    for nth in range(PER_CONTACT_AND_DAY):
        asks(client, call_id=f"c{nth}")
    assert asks(client, call_id="one more").startswith(NOT_SENT)
    assert len(phones.got()) == PER_CONTACT_AND_DAY


@pytest.mark.parametrize("others", [{"max_codes_per_hour": 1}])
def test_all_calls_together_get_so_many_codes_an_hour(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    assert asks(client, call_id="of Luis", number="+14155550103").startswith(NOT_SENT)
    assert len(phones.got()) == 1


# -- when Twilio is away ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "code": 60203},
        {"status": 403, "code": 60410},
        {"status": 500},
        {"lose_answer": True},
    ],
)
def test_a_code_that_twilio_does_not_send_is_not_said_to_be_sent(
    client: FlaskClient, phones: Phones, fault: dict[str, Any]
) -> None:
    phones.fault(**fault)
    assert asks(client).startswith(NOT_SENT)


@pytest.mark.parametrize("others", [{"lookup_deadline_ms": 900}])
def test_a_twilio_that_hangs_does_not_stall_the_call(client: FlaskClient, phones: Phones) -> None:
    """The answer comes although Twilio's would take longer than the test may last."""
    phones.fault(seconds=5)
    assert asks(client).startswith(NOT_SENT)


def test_a_code_that_can_not_be_checked_now_may_be_said_again(
    client: FlaskClient, phones: Phones
) -> None:
    asks(client)
    phones.fault(status=503)
    assert "can't" in tells(client, phones.code, id="1")
    phones.fault()
    assert tells(client, phones.code, id="2").startswith(VERIFIED)


@pytest.mark.parametrize("others", [{"twilio_verify_service_sid": None}])
def test_without_a_verify_service_nothing_is_sent_and_nothing_is_offered(
    client: FlaskClient, phones: Phones
) -> None:
    assert asks(client).startswith(NOT_SENT)
    assert tells(client, "123456") == FAILED
    assert phones.got() == []


def test_the_policy_explains_a_code(
    client: FlaskClient, phones: Phones, store: redis.Redis
) -> None:
    asks(client)
    tells(client, phones.code)
    say(client, "updateContact", {"mobilePhone": MOBILE}, call_id="c")
    evidence = [decision.evidence for decision in Decisions(store).of_call("c")]
    assert any("knew the code that went to a number on file" in text for text in evidence)


@pytest.mark.parametrize("others", [{"fallback_phone_number": "+14155550123"}])
def test_a_transfer_ends_what_a_code_proved(client: FlaskClient, phones: Phones) -> None:
    asks(client)
    tells(client, phones.code)
    post(client, message("transfer-destination-request", call_id="c"))
    said = say(client, "updateContact", {"mobilePhone": MOBILE}, call_id="c")
    assert said.startswith("A colleague will check")
