"""Dates that are written are the team's: its time zone by setting, else the org's."""

from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import CallbackDraft, CallDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.conftest import change_settings
from tests.store_time import everything_of_the_org_expires
from tests.workers.delivering import CALL, accept, deliver, record
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

LATE_EVENING = "2026-11-22T03:30:00.000+00:00"
"""Still the 21st in Los Angeles, and noon of the 22nd in Tokyo."""


def zone_of_org(org: Org, name: str) -> None:
    (organization,) = org.records("Organization")
    org.edit("Organization", organization["Id"], TimeZoneSidKey=name)


def context_in(settings: Settings, store: redis.Redis, zone: str | None) -> DeliveryContext:
    return DeliveryContext.from_settings(change_settings(settings, time_zone=zone), store)


@pytest.mark.parametrize(
    ("of_org", "configured", "day", "started"),
    [
        ("America/Los_Angeles", None, "2026-11-21", "2026-11-21 19:30 (America/Los_Angeles)"),
        ("America/Los_Angeles", "Asia/Tokyo", "2026-11-22", "2026-11-22 12:30 (Asia/Tokyo)"),
        ("Asia/Tokyo", None, "2026-11-22", "2026-11-22 12:30 (Asia/Tokyo)"),
        ("nowhere", None, "2026-11-22", "2026-11-22 03:30 (UTC)"),
    ],
)
def test_a_call_is_of_the_teams_day(
    settings: Settings, store: redis.Redis, journal: Journal, org: Org,
    of_org: str, configured: str | None, day: str, started: str,
) -> None:  # fmt: skip
    zone_of_org(org, of_org)
    context = context_in(settings, store, configured)
    draft = CallDraft(**CALL | {"started_at": LATE_EVENING})
    task = record(org, "Task", deliver(context, journal, Kind.CALL_LOG, draft))
    assert task["ActivityDate"] == day
    assert f"Started: {started}" in task["Description"]


@pytest.mark.parametrize(
    ("times", "day"),
    [
        ({"started_at": "2026-11-01T12:00:00+00:00"}, "2026-11-01"),
        ({"ended_at": "2026-11-02T12:00:00+00:00"}, "2026-11-02"),
        ({"reported_at": "2026-11-03T12:00:00+00:00"}, "2026-11-03"),
    ],
)
def test_the_payloads_own_time_comes_first(
    context: DeliveryContext, journal: Journal, org: Org, times: dict[str, str], day: str
) -> None:
    none: dict[str, Any] = {"started_at": None, "ended_at": None, "reported_at": None}
    draft = CallDraft(**CALL | none | times)
    task = record(org, "Task", deliver(context, journal, Kind.CALL_LOG, draft))
    assert task["ActivityDate"] == day


@pytest.mark.parametrize(
    ("when", "day"),
    [("", "2026-11-21"), ("soon", "2026-11-21"), ("tomorrow", "2026-11-22"), ("Mo", "2026-11-21"),
     ("next Monday", "2026-11-23"), ("am Freitag", "2026-11-27"), ("12/3", "2026-12-03")],
)  # fmt: skip
def test_a_call_back_is_due_on_the_teams_day(
    settings: Settings, store: redis.Redis, journal: Journal, org: Org, when: str, day: str
) -> None:
    zone_of_org(org, "America/Los_Angeles")
    context = context_in(settings, store, None)
    callback = CallbackDraft(phone="+14155550199", when=when)
    intent_id = accept(journal, Kind.CALLBACK, callback, requested_at_ms=1795318200000)
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 1}
    task = record(org, "Task", intent_id)
    assert task["ActivityDate"] == day
    assert when in task["Description"]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process has read is old each time."""
    monkeypatch.setattr("shared.salesforce.time_zone.BELIEVED_S", 0)


@pytest.mark.usefixtures("later")
def test_the_org_is_asked_once_for_all_processes_and_not_again_right_after_a_failure(
    settings: Settings, store: redis.Redis, org: Org
) -> None:
    zone_of_org(org, "Asia/Tokyo")
    first, second = context_in(settings, store, None), context_in(settings, store, None)
    assert str(first.time_zone.zone()) == "Asia/Tokyo"
    before = org.stats()["requests"]
    assert str(second.time_zone.zone()) == "Asia/Tokyo"
    assert org.stats()["requests"] == before
    everything_of_the_org_expires(store, "*:time-zone")
    org.fault(status=500, error_code="UNKNOWN_EXCEPTION")
    assert str(first.time_zone.zone()) == "UTC"
    asked = org.stats()["requests"]
    assert str(first.time_zone.zone()) == "UTC"
    assert org.stats()["requests"] == asked
    org.fault()


@pytest.mark.usefixtures("later")
def test_what_the_org_once_said_outlasts_its_outage(
    settings: Settings, store: redis.Redis, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone_of_org(org, "Asia/Tokyo")
    context = context_in(settings, store, None)
    assert str(context.time_zone.zone()) == "Asia/Tokyo"
    monkeypatch.setattr("shared.salesforce.time_zone.FRESH_MS", 0)
    org.fault(status=500, error_code="UNKNOWN_EXCEPTION")
    assert str(context.time_zone.zone()) == "Asia/Tokyo"
    org.fault()
