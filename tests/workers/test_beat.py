"""What beat sends, and when, although clocks jump or differ."""

from datetime import timedelta

import pytest
from celery.beat import Scheduler

from shared.settings import Settings
from shared.wake_ups import PURGE, celery_app
from tests.conftest import change_settings
from workers.app import PURGE_EVERY_S, beat_schedule

JUMP = timedelta(minutes=10)


def test_beat_waits_no_longer_when_its_clock_jumps_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = celery_app(settings.store)
    app.conf.beat_schedule = beat_schedule(settings)
    scheduler = Scheduler(app)
    assert 0 < scheduler.tick() <= PURGE_EVERY_S
    jumped = app.now() - JUMP
    monkeypatch.setattr(app, "now", lambda: jumped)
    assert 0 < scheduler.tick() <= PURGE_EVERY_S


def test_a_worker_whose_clock_is_ten_minutes_ahead_does_all_that_beat_sends_but_retention(
    settings: Settings,
) -> None:
    """Its sweeper sees to retention. tests/journeys/test_clocks.py runs beat and worker."""
    entries = beat_schedule(change_settings(settings, vapi_api_key="key"))
    in_vain = {
        name
        for name, entry in entries.items()
        if entry["options"]["expires"] <= JUMP.total_seconds()
    }
    assert in_vain == {PURGE}
    assert len(entries) == 4
