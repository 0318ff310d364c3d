"""To whom a call is transferred: rules from a file, and what each side hears."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from demo.stack import Org
from shared.agent.errors import AgentError
from shared.agent.languages import AGENT_FOLDER
from shared.agent.transfer import Rules, read_rules
from shared.settings import Settings
from tests.calling import UNKNOWN, ask, message, post
from tests.conftest import change_settings
from web.app import create_app
from web.assistant import answer_assistant_request
from web.service import Service
from web.tools.turn import Turn
from web.transfer import answer_transfer

EXAMPLE = """
owner = true
[queues]
billing = "+14155550191"
technical = "+14155550192"
default = "+14155550190"
[hours]
timezone = "America/New_York"
monday = "09:00-17:00"
"""
MONDAY_NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # noon in New York
SUNDAY = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
NOBODY = "Nobody can take this call now. Offer that somebody calls back."
FALLBACK = "+14155550199"
CASE = {"issueType": "billing", "description": "Billed twice", "onExisting": "new"}


def with_rules(folder: Path, text: str) -> str:
    """A copy of the default agent folder with these rules."""
    copy = folder / "agent"
    shutil.copytree(AGENT_FOLDER, copy, dirs_exist_ok=True)
    (copy / "transfer.toml").write_text(text)
    return str(copy)


def app_with(settings: Settings, agent_dir: str, **others: Any) -> Flask:
    return create_app(change_settings(settings, agent_dir=agent_dir, **others))


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Any:
    made = app_with(settings, with_rules(tmp_path, EXAMPLE), fallback_phone_number=FALLBACK)
    yield made
    made.extensions["service"].close()


def destination(app: Flask, now: datetime, **call: Any) -> str:
    service: Service = app.extensions["service"]
    with app.app_context():
        body = message("status-update", status="in-progress", **call)
        post(app.test_client(), body)
        state = service.calls.state("call-1")
        answer = json.loads(answer_transfer(Turn(service, state), now))
    return str(answer.get("destination", {}).get("number") or answer["error"])


def test_the_queue_of_the_calls_case_takes_it(app: Flask) -> None:
    ask(app.test_client(), "createSalesforceCase", CASE, number=UNKNOWN)
    assert destination(app, MONDAY_NOON, number=UNKNOWN) == "+14155550191"


def test_a_call_without_case_goes_to_the_default_queue(app: Flask) -> None:
    assert destination(app, MONDAY_NOON, number=UNKNOWN) == "+14155550190"


def test_the_accounts_owner_comes_first(app: Flask, org: Org) -> None:
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    (account,) = (record for record in org.records("Account") if record["Id"] == jane["AccountId"])
    org.edit("User", account["OwnerId"], Phone="(415) 555-0177")
    ask(app.test_client(), "createSalesforceCase", CASE)
    ask(app.test_client(), "lookupCustomer")
    assert destination(app, MONDAY_NOON) == "+14155550177"


def test_outside_the_hours_the_fallback_takes_it_or_nobody(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    assert destination(app, SUNDAY, number=UNKNOWN) == FALLBACK
    bare = app_with(settings, str(tmp_path / "agent"))
    assert destination(bare, SUNDAY, number=UNKNOWN) == NOBODY
    bare.extensions["service"].close()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("owner = true\n[queue]\nbilling = '+14155550191'", "queue"),
        ("[queues]\nbilling = '555-0191'", "queues.billing"),
        ("[hours]\ntimezone = 'Mars/Olympus'", "timezone"),
        ("[hours]\ntimezone = 'Europe/Berlin'\nmonday = 'always'", "monday"),
        ("[hours]\ntimezone = 'Europe/Berlin'\nmonday = '17:00-09:00'", "monday must open"),
        ("owner = yes", "transfer.toml:1"),
        ("closed = 'never'", "closed"),
        ("closed = 'sentence'", "closed needs [hours]"),
        ("caller_id = '555'", "caller_id"),
        ("closed = 'another-assistant'\n[hours]\ntimezone = 'Europe/Berlin'", "closed_assistant"),
        ("closed_assistant = 'night-1'", 'closed = "another-assistant"'),
        ("[hours]\ntimezone = 'Europe/Berlin'\nholidays = ['12-32']", "holidays must be a list"),
        ("[hours]\ntimezone = 'Europe/Berlin'\nholidays = 'Christmas'", "hours.holidays"),
        ("[vip]\nfield = 'Rating'\nvalues = ['Hot']\nnumber = '+14155550180'", "vip.field"),
        ("[vip]\nfield = 'Account.Rating'\nvalues = []\nnumber = '+14155550180'", "vip.values"),
        ("[vip]\nfield = 'Account.Rating'\nvalues = ['Hot']", "vip needs number or assistant"),
        ("[vip]\nfield = 'Account.Rating'\nvalues = ['Hot']\nnumber = '180'", "vip.number must be"),
        ("[queues]\nbilling = '+14155550191;ext=12345678901'", "queues.billing"),
    ],
)
def test_a_file_that_can_not_be_followed_is_refused_by_name(
    tmp_path: Path, text: str, names: str
) -> None:
    with pytest.raises(AgentError, match=r"transfer\.toml:\d: ") as refused:
        read_rules(Path(with_rules(tmp_path, text)))
    said = str(refused.value)
    assert names in said
    for theirs in ("Input", "Value error", "Extra inputs", "Invalid", "Expected", "Errno"):
        assert theirs not in said


def test_the_hours_are_those_of_their_place(tmp_path: Path) -> None:
    hours = read_rules(Path(with_rules(tmp_path, EXAMPLE))).hours
    assert hours
    assert hours.open_at(datetime(2026, 11, 23, 14, 0, tzinfo=UTC))
    assert not hours.open_at(datetime(2026, 11, 23, 13, 59, tzinfo=UTC))
    assert not hours.open_at(datetime(2026, 11, 23, 22, 0, tzinfo=UTC))
    assert Rules().hours is None


@pytest.mark.parametrize(
    ("closed", "answer"),
    [
        ("sentence", {"error": "You are calling outside our opening hours. Please call again when "
                               "we are open."}),
        ("transfer", {"destination": {
            "type": "number", "number": FALLBACK, "callerId": "+14155550100",
            "message": "You are calling outside our opening hours. I am connecting you with our "
                       "emergency line.",
        }}),
        ("assistant", None),
    ],
)  # fmt: skip
def test_a_call_outside_the_hours_gets_what_the_file_says_before_the_assistant(
    settings: Settings, tmp_path: Path, closed: str, answer: dict[str, Any] | None
) -> None:
    text = f'closed = "{closed}"\ncaller_id = "+14155550100"\n{EXAMPLE}'
    others = {"fallback_phone_number": FALLBACK, "vapi_assistant_id": "a-1"}
    made = app_with(settings, with_rules(tmp_path, text), **others)
    service: Service = made.extensions["service"]
    agent = service.agents.first
    given = json.loads(answer_assistant_request(service, agent, None, SUNDAY))
    assert given == answer or (answer is None and given["assistantId"] == "a-1")
    assert "assistantId" in json.loads(answer_assistant_request(service, agent, None, MONDAY_NOON))
    service.close()


def test_a_queue_may_be_a_sip_address(settings: Settings, tmp_path: Path) -> None:
    rules = '[queues]\ndefault = "sip:support@example.com"\n'
    made = app_with(settings, with_rules(tmp_path, rules))
    service: Service = made.extensions["service"]
    body = message("status-update", status="in-progress", number=UNKNOWN)
    post(made.test_client(), body)
    given = json.loads(answer_transfer(Turn(service, service.calls.state("call-1")), MONDAY_NOON))
    assert given["destination"]["sipUri"] == "sip:support@example.com"
    assert given["destination"]["type"] == "sip"
    assert given["destination"]["transferPlan"]["fallbackPlan"]["endCallEnabled"] is False
    service.close()
