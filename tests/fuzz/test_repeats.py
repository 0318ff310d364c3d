"""However an event is recorded, in full or as a repeat, the store holds the same afterwards."""

import time
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from hypothesis import strategies as st

from shared.calls.calls import Calls
from shared.vapi.caller_id import read_caller_id
from shared.vapi.messages import read_message
from tests.fuzz.json_values import any_json, messages
from tests.fuzz.running import for_all

NOW_MS = int(time.time() * 1000)
ARRIVALS = {"since", "asked_before", "last_speech_at"}
"""Fields of a call that say when events arrived."""

CUSTOMERS: tuple[dict[str, str], ...] = ({"number": "+14155550101"}, {"number": "+14155550102"}, {})
TYPES = ("conversation-update", "speech-update", "transcript", "user-interrupted", "hang")


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events of one call that differ in what happened, and in who is shown as the caller."""
    about = draw(messages())
    for name in ("type", "status", "role", "timestamp", "transcript", "transcriptType"):
        about.pop(name, None)
    if not isinstance(about.get("call"), dict):
        about["call"] = {}
    about["call"]["id"] = "call-1"
    happened = st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES)},
        optional={
            "timestamp": st.sampled_from([NOW_MS + ms for ms in (-900, 0, 900, 90_000)])
            | any_json(),
            "status": st.sampled_from(["started", "stopped"]),
            "role": st.sampled_from(["user", "assistant"]),
            "transcriptType": st.sampled_from(["partial", "final"]),
            "transcript": st.sampled_from(["", "I was", "I was billed twice."]),
            "conversation": any_json(),
            "customer": st.sampled_from(CUSTOMERS),
        },
    )
    return [about | own for own in draw(st.lists(happened, min_size=2, max_size=5))]


def test_a_repeat_leaves_what_a_full_record_leaves(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vapi.messages.time", SimpleNamespace(time=lambda: NOW_MS / 1000))
    repeats = 0

    def check(bodies: list[dict[str, Any]]) -> None:
        nonlocal repeats
        found = [message for body in bodies if (message := read_message(body))]
        store.flushdb()
        calls = Calls(store)
        for message in found:
            calls.record_event(message, read_caller_id(message))
        in_full = contents(store)
        store.flushdb()
        calls = Calls(store)
        for message in found:
            if calls.record_repeat(message):
                repeats += 1
            else:
                calls.record_event(message, read_caller_id(message))
        assert contents(store) == in_full

    for_all(events(), check, count=120)
    assert repeats > 50


def contents(store: redis.Redis) -> dict[str, Any]:
    """Everything in the store but moments of arrival."""
    return {key: _content(store, key) for key in sorted(store.scan_iter("*"))}


def _content(store: Any, key: str) -> Any:
    match store.type(key):
        case "hash":
            fields: dict[str, str] = store.hgetall(key)
            return {name: value for name, value in fields.items() if name not in ARRIVALS}
        case "zset":
            rows: Iterable[tuple[str, float]] = store.zrange(key, 0, -1, withscores=True)
            return [name for name, _ in rows] if key == "vs:calls" else list(rows)
    return store.get(key)
