"""What an answer shows beside its words: by a filter, by a reference of somebody else's request."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from tests.calling import KNOWN, message, post, reference_in, say
from tests.conftest import make_settings
from web.app import create_app
from web.service import Service

LUIS = "+14155550103"
CASE = {"issueType": "billing", "description": "Refund"}
PIN = "4271"


@pytest.fixture
def client_of(
    store: redis.Redis, store_server: Store, org: Org, tmp_path: Path
) -> Iterator[Callable[..., FlaskClient]]:
    """A client of the service with the given policy."""
    services: list[Service] = []

    def made(base: str, **others: str) -> FlaskClient:
        folder = Path(shutil.copytree(AGENT_FOLDER, tmp_path / base))
        (folder / "policy.toml").write_text(f'base = "{base}"\n')
        agent = {"agent_dir": str(folder)}
        app = create_app(make_settings(store_server.url, org.url, **agent, **others))
        services.append(app.extensions["service"])
        return app.test_client()

    yield made
    for service in services:
        service.close()


def test_a_filter_does_not_show_what_a_case_is_about(
    client_of: Callable[..., FlaskClient],
) -> None:
    client = client_of("standard")
    everything = say(client, "retrieveCustomerCase")
    for issue_type in ("billing", "technical", "account"):
        assert say(client, "retrieveCustomerCase", {"issueType": issue_type}) == everything


def test_a_filter_filters_for_those_who_may_learn_what_a_case_is_about(
    client_of: Callable[..., FlaskClient],
) -> None:
    client = client_of("standard")
    say(client, "verifyCaller", {"pin": PIN})
    everything = say(client, "retrieveCustomerCase")
    said = {
        say(client, "retrieveCustomerCase", {"issueType": issue_type})
        for issue_type in ("billing", "technical", "account")
    }
    assert len(said - {everything}) == 3


@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize(("who", "number"), [("Jane", KNOWN), ("nobody", "")])
@pytest.mark.parametrize("base", ["strict", "standard"])
def test_a_reference_of_somebody_else_gets_what_a_reference_of_nothing_gets(
    client_of: Callable[..., FlaskClient],
    org: Org,
    store: redis.Redis,
    base: str,
    who: str,
    number: str,
    is_away: bool,
) -> None:
    client = client_of(base)
    call_back = reference_in(say(client, "requestCallback", call_id="victim", number=LUIS))
    pending = reference_in(say(client, "createSalesforceCase", CASE, call_id="victim", number=LUIS))
    say(client, "lookupCustomer", call_id=who, number=number)
    say(client, "getCaseStatus", {"reference": "YYY YYY"}, call_id=who, number=number)
    if is_away:
        org.fault(status=503, resources=["query"])
    for tool, more in (
        ("addCaseComment", {"comment": "x"}),
        ("cancelCase", {}),
        ("getCaseStatus", {}),
    ):
        answers = set()
        for reference in (call_back, pending, "ZZZ ZZZ"):
            store.delete(*store.scan_iter("*breaker*"), "unused")
            before = org.stats()["requests"]
            said = say(client, tool, {"reference": reference, **more}, call_id=who, number=number)
            answers.add((said, 0 if is_away else org.stats()["requests"] - before))
        assert len(answers) == 1, answers


def test_the_own_request_of_another_kind_is_named_as_one(
    client_of: Callable[..., FlaskClient],
) -> None:
    client = client_of("standard")
    reference = reference_in(say(client, "requestCallback"))
    said = say(client, "addCaseComment", {"comment": "x", "reference": reference})
    assert said == "That reference does not belong to a case."


def in_language(org: Org, tag: str) -> None:
    (jane,) = (row for row in org.records("Contact") if row["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], Department=tag)


@pytest.mark.parametrize(("base", "is_named"), [("strict", False), ("standard", True)])
def test_a_transfer_names_the_caller_where_the_policy_lets_them_be_named(
    client_of: Callable[..., FlaskClient], base: str, is_named: bool
) -> None:
    client = client_of(base, fallback_phone_number="+14155550123")
    say(client, "lookupCustomer")
    answer = json.dumps(post(client, message("transfer-destination-request")).get_json())
    assert ("Jane Miller" in answer) is is_named
    assert ("Acme" in answer) is is_named
    say(client, "lookupCustomer", call_id="other")
    say(client, "verifyCaller", {"pin": PIN}, call_id="other")
    verified = post(client, message("transfer-destination-request", call_id="other")).get_json()
    assert "Jane Miller" in json.dumps(verified)


def test_the_language_of_a_customer_is_not_shown_before_a_proof_or_after_a_lock(
    client_of: Callable[..., FlaskClient], org: Org
) -> None:
    in_language(org, "de")
    strict = client_of("strict", salesforce_language_field="Department", vapi_assistant_id="a-1")
    greeting = json.dumps(post(strict, message("assistant-request")).get_json())
    assert '"language": "en"' in greeting
    assert "firstMessage" not in greeting
    asked = {"caseNumber": "00001001"}
    before = say(strict, "getCaseStatus", asked, id="before")
    assert "nachweisen" not in before
    say(strict, "verifyCaller", {"pin": PIN})
    assert "Vorgang" in say(strict, "getCaseStatus", asked, id="after")


def test_the_language_of_a_customer_is_not_spoken_after_a_lock(
    client_of: Callable[..., FlaskClient], org: Org
) -> None:
    in_language(org, "de")
    client = client_of("standard", salesforce_language_field="Department")
    asked = {"caseNumber": "00001001"}
    assert "Vorgang" in say(client, "getCaseStatus", asked, id="before")
    for nth in range(3):
        say(client, "verifyCaller", {"pin": f"000{nth}"})
    assert "I can't find a case" in say(client, "getCaseStatus", asked, id="after")
