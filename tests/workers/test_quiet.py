"""The task that closes quiet calls, as Celery runs it."""

from typing import Any

import pytest
import redis
import structlog
from flask.testing import FlaskClient

from shared.calls.calls import Calls
from shared.calls.end_of_call import EndOfCallWriter
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from shared.wake_ups import celery_app
from tests.calling import OPERATOR, message, post
from tests.conftest import change_settings
from tests.store_time import call_is_quiet
from workers.resources import Resources
from workers.tasks import Tasks


def test_calls_that_were_quiet_for_the_set_time_are_closed(
    client: FlaskClient, journal: Journal, store: redis.Redis, settings: Settings
) -> None:
    settings = change_settings(settings, idle_call_min=10)
    tasks = Tasks(celery_app(settings.store), Resources(settings))
    post(client, message("status-update", status="in-progress"))
    assert tasks.end_quiet_calls() == "closed 0"
    call_is_quiet(store, "call-1", for_ms=10 * 60_000 + 1)
    assert tasks.end_quiet_calls() == "closed 1"
    assert [intent.kind for intent in journal.of_call("call-1")] == [Kind.CALL_LOG]


POISON: dict[str, Any] = {
    "state": lambda store: (store.delete("vs:call:b"), store.set("vs:call:b", "x")),
    "transcript": lambda store: store.set("vs:call:b:transcript", "x"),
    "intents": lambda store: store.set("vs:call:b:intents", "x"),
}


@pytest.mark.parametrize("what", POISON)
def test_a_call_that_can_not_be_closed_is_set_aside_counted_and_holds_up_no_other(
    client: FlaskClient, journal: Journal, store: redis.Redis, settings: Settings, what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for call_id in "abc":
        post(client, message("status-update", call_id=call_id, status="in-progress"))
        call_is_quiet(store, call_id, for_ms=10 * 60_000 + 1)
    POISON[what](store)
    captured = structlog.testing.LogCapture()
    log = structlog.wrap_logger(None, processors=[captured])
    monkeypatch.setattr("shared.calls.end_of_call.log", log)
    end_of_call = EndOfCallWriter(Calls(store), journal, settings)
    assert end_of_call.end_quiet_calls(10 * 60_000)[0] == 2
    assert end_of_call.end_quiet_calls(10 * 60_000)[0] == 0  # it is not tried again at once
    failed = [entry for entry in captured.entries if entry["event"] == "call_not_closed"]
    assert [entry["call_id"] for entry in failed] == ["b"]
    said = client.get("/health", headers=OPERATOR).get_json()
    assert said["unclosed_calls"] == 1
    assert any("could not be closed" in problem for problem in said["problems"])

    store.delete("vs:call:b", f"vs:call:b:{what}")  # somebody sets it right
    call_is_quiet(store, "b", for_ms=3 * 3_600_000)
    assert end_of_call.end_quiet_calls(10 * 60_000)[0] == 1
    assert client.get("/health", headers=OPERATOR).get_json()["unclosed_calls"] == 0
