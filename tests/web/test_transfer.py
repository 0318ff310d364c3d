"""To whom a call is transferred: rules from a file, and what each side hears."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from demo.stack import ROOT, Org
from shared.settings import Settings, SettingsError
from shared.transfer import Rules, read_rules
from tests.calling import UNKNOWN, ask, message, post
from tests.conftest import change_settings
from web.app import create_app
from web.service import Service
from web.tools.turn import Turn
from web.transfer import answer_transfer

EXAMPLE = ROOT / "transfer.example.toml"
MONDAY_NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # noon in New York
SUNDAY = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
NOBODY = "Nobody can take this call now. Offer that somebody calls back."
FALLBACK = "+14155550199"
CASE = {"issueType": "billing", "description": "Billed twice", "onExisting": "new"}


@pytest.fixture
def app(settings: Settings) -> Any:
    rules = {"transfer_rules": str(EXAMPLE), "fallback_phone_number": FALLBACK}
    made = create_app(change_settings(settings, **rules))
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


def test_outside_the_hours_the_fallback_takes_it_or_nobody(app: Flask, settings: Settings) -> None:
    assert destination(app, SUNDAY, number=UNKNOWN) == FALLBACK
    bare = create_app(change_settings(settings, transfer_rules=str(EXAMPLE)))
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
        ("owner = yes", "line 1"),
    ],
)
def test_a_file_that_can_not_be_followed_is_refused_by_name(
    tmp_path: Path, text: str, names: str
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"TRANSFER_RULES: .*rules\.toml") as refused:
        read_rules(str(file))
    said = str(refused.value)
    assert names in said
    for theirs in ("Input", "Value error", "Extra inputs", "Invalid", "Expected", "Errno"):
        assert theirs not in said


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError) as refused:
        read_rules("nofile.toml")
    said = "TRANSFER_RULES: nofile.toml: can't be read; transfer.example.toml shows the form"
    assert str(refused.value) == said


def test_the_hours_are_those_of_their_place() -> None:
    hours = read_rules(str(EXAMPLE)).hours
    assert hours
    assert hours.open_at(datetime(2026, 11, 23, 14, 0, tzinfo=UTC))
    assert not hours.open_at(datetime(2026, 11, 23, 13, 59, tzinfo=UTC))
    assert not hours.open_at(datetime(2026, 11, 23, 22, 0, tzinfo=UTC))
    assert Rules().hours is None
