"""Who answers a call: opening hours, holidays and VIPs, before the assistant speaks."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from demo.stack import Org
from shared.agent.hours import Hours
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN, message, post
from tests.web.test_transfer import MONDAY_NOON, SUNDAY, app_with, with_rules
from web.assistant import answer_assistant_request
from web.service import Service

HOURS = '[hours]\ntimezone = "America/New_York"\nmonday = "09:00-17:00"\n'
VIP = '[vip]\nfield = "Account.Rating"\nvalues = ["Hot", "Warm"]\n'
TO_NUMBER, TO_ASSISTANT = 'number = "+14155550180"\n', 'assistant = "vip-assistant"\n'

Answer = Callable[..., dict[str, Any]]


@pytest.fixture
def answer(settings: Settings, tmp_path: Path) -> Iterator[Answer]:
    """What an assistant-request gets, under the given rules."""
    services: list[Service] = []

    def ask(rules: str, now: datetime = MONDAY_NOON, number: str = KNOWN) -> dict[str, Any]:
        folder = tmp_path / str(len(services))
        folder.mkdir()
        made = app_with(settings, with_rules(folder, rules), vapi_assistant_id="own-assistant")
        service: Service = made.extensions["service"]
        services.append(service)
        call_id = f"call-{len(services)}"
        post(made.test_client(), message("status-update", call_id, number, status="ringing"))
        state = service.calls.state(call_id)
        given = answer_assistant_request(service, service.agents.first, state, now)
        return dict(json.loads(given))

    yield ask
    for service in services:
        service.close()


def rate(org: Org, name: str, rating: str) -> None:
    """The account of a contact."""
    (contact,) = (record for record in org.records("Contact") if record["Name"] == name)
    org.edit("Account", contact["AccountId"], Rating=rating)


# -- hours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holiday", "is_open"),
    [("2026-11-23", False), ("11-23", False), ("2025-11-23", True), ("11-24", True)],
)
def test_a_holiday_is_closed_in_its_year_or_in_every_year(holiday: str, is_open: bool) -> None:
    hours = Hours.model_validate(
        {"timezone": "America/New_York", "monday": "09:00-17:00", "holidays": [holiday]}
    )
    assert hours.open_at(MONDAY_NOON) is is_open


def test_a_holiday_begins_and_ends_at_midnight_of_its_place() -> None:
    hours = Hours.model_validate(
        {"timezone": "Asia/Tokyo", "monday": "00:00-23:59", "holidays": ["11-23"]}
    )
    assert not hours.open_at(datetime(2026, 11, 22, 15, 0, tzinfo=UTC))  # Monday, 0:00 in Tokyo
    assert not hours.open_at(datetime(2026, 11, 23, 14, 0, tzinfo=UTC))


def test_a_call_outside_the_hours_may_get_another_assistant_that_knows_the_caller(
    answer: Answer,
) -> None:
    rules = f'closed = "another-assistant"\nclosed_assistant = "night-1"\n{HOURS}'
    at_night = answer(rules, SUNDAY)
    assert at_night["assistantId"] == "night-1"
    assert at_night["assistantOverrides"].keys() == {"variableValues"}
    assert at_night["assistantOverrides"]["variableValues"]["customerName"] == '"Jane Miller"'
    assert answer(rules, MONDAY_NOON)["assistantId"] == "own-assistant"


# -- VIPs ------------------------------------------------------------------------------------------


def test_a_vip_reaches_a_person_at_once(answer: Answer, org: Org) -> None:
    rate(org, "Jane Miller", "Hot")
    assert answer(VIP + TO_NUMBER) == {
        "destination": {
            "type": "number",
            "number": "+14155550180",
            "message": "I am connecting you with a colleague. One moment, please.",
        }
    }


def test_a_vip_may_get_an_assistant_that_knows_them(answer: Answer, org: Org) -> None:
    rate(org, "Jane Miller", "warm")
    given = answer(VIP + TO_ASSISTANT)
    assert given["assistantId"] == "vip-assistant"
    assert given["assistantOverrides"].keys() == {"variableValues"}
    assert given["assistantOverrides"]["variableValues"]["customerName"] == '"Jane Miller"'


@pytest.mark.parametrize(
    ("rating", "number"), [("Cold", KNOWN), ("", KNOWN), ("Hot", UNKNOWN), ("Hot", SHARED)]
)
def test_everybody_else_gets_the_assistant(
    answer: Answer, org: Org, rating: str, number: str
) -> None:
    if rating:
        for contact in {record["Name"] for record in org.records("Contact")}:
            rate(org, contact, rating)
    assert answer(VIP + TO_NUMBER, number=number)["assistantId"] == "own-assistant"


@pytest.mark.parametrize(("when_closed", "is_put_through"), [("true", True), ("false", False)])
def test_outside_the_hours_a_vip_is_put_through_only_where_the_file_says_so(
    answer: Answer, org: Org, when_closed: str, is_put_through: bool
) -> None:
    rate(org, "Jane Miller", "Hot")
    rules = f'closed = "sentence"\n{VIP}{TO_NUMBER}when_closed = {when_closed}\n{HOURS}'
    assert ("destination" in answer(rules, SUNDAY)) is is_put_through
    assert "error" in answer(rules, SUNDAY, number=UNKNOWN)


def test_while_salesforce_does_not_answer_the_assistant_takes_the_call(
    answer: Answer, org: Org
) -> None:
    rate(org, "Jane Miller", "Hot")
    org.fault(status=503)
    assert answer(VIP + TO_NUMBER)["assistantId"] == "own-assistant"


def test_a_checkbox_makes_a_vip_as_well(answer: Answer, org: Org) -> None:
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    rules = f'[vip]\nfield = "Contact.DoNotCall"\nvalues = [true]\n{TO_NUMBER}'
    assert "assistantId" in answer(rules)
    org.edit("Contact", jane["Id"], DoNotCall=True)
    # The snapshot of the first call is from before; a later call asks anew.
    assert "destination" in answer(rules)


def test_a_field_that_the_org_lacks_raises_an_alarm_and_callers_are_known_all_the_same(
    answer: Answer, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured = structlog.testing.LogCapture()
    log = structlog.wrap_logger(None, processors=[captured])
    monkeypatch.setattr("shared.salesforce.customers.log", log)
    rate(org, "Jane Miller", "Hot")
    org.fault(hide_fields=["Account.Rating"])
    given = answer(VIP + TO_NUMBER)
    assert given["assistantId"] == "own-assistant"
    assert given["assistantOverrides"]["variableValues"]["customerName"] == '"Jane Miller"'
    (alarm,) = (entry for entry in captured.entries if entry["event"] == "trait_missing")
    assert "Rating" in alarm["reason"]
