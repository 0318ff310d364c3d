"""How often a message goes to Redis. Each round trip is waited for by a caller."""

import time
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.processes import wait_until
from shared.calls.calls import LIFE_S, PRECISION_MS
from tests.calling import ask, message, post
from tests.round_trips import counted
from tests.store_time import call_has, call_is_quiet, call_was_silent, nobody_speaks

CASE = {"issueType": "billing", "description": "Billed twice for October"}
CALLBACK = {"when": "tomorrow at nine"}
CLAIM = "I have opened a case for you."


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up that a call's first event starts in the background has ended."""
    with counted(monkeypatch) as sent:
        sizes = [-1] * 4

        def is_quiet() -> bool:
            sizes.append(len(sent))
            return len(set(sizes[-4:])) == 1  # for 0.15 s

        wait_until(is_quiet, for_s=5, what="silence")


@pytest.fixture
def known(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Every script is loaded, the memory was read a moment ago, the caller has a snapshot, and each
    kind has its wake-up out: sending one is a round trip of its own."""
    monkeypatch.setattr("shared.journal.journal.WAKE_UP_MS", 600_000)
    ask(client, "createSalesforceCase", CASE, call_id="before")
    ask(client, "requestCallback", CALLBACK, call_id="before")
    ask(client, "updateContact", {"mailingCity": "Berkeley"}, call_id="before")
    ask(client, "retrieveCustomerCase", call_id="before")
    for _ in range(2):
        post(client, message("speech-update", role="user", status="started", call_id="before"))
    post(client, message("status-update", status="in-progress", call_id="call-1"))
    ask(client, "lookupCustomer", id="first", call_id="call-1")
    settle(monkeypatch)
    return client


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("createSalesforceCase", CASE | {"issueType": "technical", "onExisting": "new"}),
        ("createSalesforceCase", CASE | {"issueType": "technical"}),
        ("requestCallback", CALLBACK),
        ("updateContact", {"mailingCity": "Oakland"}),
    ],
)
def test_a_write_of_a_known_caller_takes_three_round_trips(
    known: FlaskClient, monkeypatch: pytest.MonkeyPatch, tool: str, arguments: dict[str, Any]
) -> None:
    with counted(monkeypatch) as sent:
        assert "result" in ask(known, tool, arguments, call_id="call-1")
    assert len(sent) == 3


@pytest.mark.parametrize("tool", ["lookupCustomer", "retrieveCustomerCase", "getCaseStatus"])
def test_a_lookup_from_the_snapshot_takes_three_round_trips(
    known: FlaskClient, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    with counted(monkeypatch) as sent:
        assert "result" in ask(known, tool, call_id="call-1")
    assert len(sent) == 3


@pytest.mark.parametrize(
    "event",
    [
        message("speech-update", role="user", status="started"),
        message("transcript", role="user", transcriptType="final", transcript="My name is Jane."),
        message("status-update", status="ringing"),
        message("conversation-update"),
        message("transcript", role="assistant", transcriptType="final", transcript=CLAIM),
    ],
)
def test_an_event_takes_one_round_trip(
    known: FlaskClient, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    with counted(monkeypatch) as sent:
        post(known, event)
    assert len(sent) == 1


@pytest.mark.parametrize(
    "event",
    [
        message("conversation-update"),
        message("speech-update", role="assistant", status="started"),
        message("transcript", role="assistant", transcriptType="partial", transcript="I can help"),
        message("transcript", role="assistant", transcriptType="final", transcript="Thank you."),
        message("transcript", role="assistant", transcriptType="final", transcript=CLAIM),
        message("status-update", status="ringing"),
    ],
)
def test_an_event_that_changes_nothing_makes_the_store_write_nothing(
    known: FlaskClient, store: Any, event: dict[str, Any]
) -> None:
    """So it does not wait for the store's disk."""
    event["message"]["timestamp"] = 1_767_225_600_000
    post(known, event)
    before = changes(store)
    post(known, event)
    assert changes(store) == before


@pytest.mark.parametrize(
    "event",
    [
        message("conversation-update"),
        message("model-output", output="I can"),
        message("speech-update", role="assistant", status="started"),
        message("transcript", role="assistant", transcriptType="partial", transcript="I can help"),
    ],
)
def test_an_event_that_says_what_was_just_recorded_takes_no_round_trip(
    known: FlaskClient, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    post(known, event)
    with counted(monkeypatch) as sent:
        post(known, event)
    assert not sent


@pytest.mark.parametrize(
    "more",
    [
        {"call": {"id": "call-1", "type": "inboundPhoneCall", "phoneCallProviderId": "CA1"}},
        {"customer": {"number": "+14155550102"}},
        {"assistantId": "another"},
        {"timestamp": 1_767_225_599_000},
    ],
)
def test_an_event_that_says_something_else_is_recorded(
    known: FlaskClient, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    agents = known.application.extensions["service"].agents
    monkeypatch.setattr(type(agents), "claiming", lambda _, assistant_id, number: assistant_id)
    event = message("conversation-update", timestamp=1_767_225_600_000)
    post(known, event)
    with counted(monkeypatch) as sent:
        post(known, {"message": event["message"] | more})
    assert len(sent) == 1


SIGNS = [
    message("speech-update", role="user", status="started"),
    message("speech-update", role="user", status="stopped"),
    message("transcript", role="user", transcriptType="partial", transcript="I was billed"),
    message("user-interrupted"),
]


def speech(store: redis.Redis) -> list[Any]:
    return store.zrange("vs:call:call-1:speech", 0, -1, withscores=True)


@pytest.mark.parametrize("event", SIGNS)
def test_a_sign_of_speech_is_recorded_in_short_as_in_full(
    known: FlaskClient, store: redis.Redis, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]
) -> None:
    calls = known.application.extensions["service"].calls
    event["message"]["timestamp"] = 1_767_225_600_000
    post(known, event)
    in_full = speech(store)
    assert len(in_full) == 1
    store.delete("vs:call:call-1:speech")
    nobody_speaks(store)
    monkeypatch.setattr(calls, "record_event", None)
    with counted(monkeypatch) as sent:
        assert post(known, event).status_code == 200
    assert len(sent) == 1
    assert speech(store) == in_full
    assert store.pttl("vs:call:call-1:speech") > 0
    assert float(store.hget("vs:call:call-1", "last_speech_at") or 0) > 1_767_225_600_000


@pytest.mark.parametrize("mark", ["erased", "reported", "closed"])
def test_a_sign_of_speech_of_a_call_that_is_over_is_left_to_the_full_record(
    known: FlaskClient, store: redis.Redis, mark: str
) -> None:
    """Nothing more is stored of the first two, and the third goes on."""
    post(known, SIGNS[2])
    store.delete("vs:call:call-1:speech")
    call_has(store, "call-1", **{mark: "1"})
    post(known, SIGNS[2])
    assert len(speech(store)) == (mark == "closed")
    assert not (mark == "closed" and store.hexists("vs:call:call-1", "closed"))


def test_a_sign_of_speech_of_a_call_that_the_store_lost_begins_it_anew(
    known: FlaskClient, store: redis.Redis
) -> None:
    post(known, SIGNS[2])
    store.delete("vs:call:call-1")
    post(known, SIGNS[2])
    assert store.hget("vs:call:call-1", "since")


def changes(store: Any) -> int:
    return int(store.info("persistence")["rdb_changes_since_last_save"])


def test_an_event_is_a_sign_of_life_even_if_it_says_nothing_new(
    known: FlaskClient, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = message("speech-update", role="assistant", status="started")
    post(known, event)
    fresh_at, life_ms = store.zscore("vs:calls", "call-1"), LIFE_S * 1000
    call_is_quiet(store, "call-1", for_ms=PRECISION_MS)
    call_was_silent(store, "call-1", life_ms=life_ms, for_ms=3 * PRECISION_MS)
    monkeypatch.setattr(
        "shared.calls.recent.monotonic", lambda: time.monotonic() + PRECISION_MS / 1000
    )
    post(known, event)
    assert store.zscore("vs:calls", "call-1") > fresh_at - PRECISION_MS
    assert store.pttl("vs:call:call-1") > life_ms - 2 * PRECISION_MS
