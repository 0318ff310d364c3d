"""Limits for what a payload can put into the store: ids, URLs, words, and their sums."""

from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from shared.calls import calls
from shared.calls.calls import MAX_UTTERANCE_LENGTH
from shared.journal.journal import Journal
from shared.redaction import redact
from shared.vapi.messages import safe_id
from tests.calling import LABELS, ask, message, post, tool_message
from web.service import Service

CASE = {"issueType": "billing", "description": "Billed twice for October"}
LONG = 2 * 1024 * 1024


def biggest(store: redis.Redis) -> tuple[int, int]:
    """The longest key, and the most memory that one of ours takes."""
    keys = [str(key) for key in store.scan_iter("vs:*")]
    return max(map(len, keys)), max(int(store.memory_usage(key) or 0) for key in keys)


def say(client: FlaskClient, text: str, at: int = 1, **options: Any) -> None:
    body = message("transcript", role="user", transcript=text, timestamp=at,
                   transcriptType="final", **options)  # fmt: skip
    assert post(client, body).status_code == 200


@pytest.mark.parametrize("length", [201, 512, 513, 100_000, LONG])
@pytest.mark.parametrize("tool", ["lookupCustomer", "createSalesforceCase", "noSuchTool"])
def test_a_long_tool_call_id_is_answered_under_it_and_is_in_no_key(
    client: FlaskClient, store: redis.Redis, tool: str, length: int
) -> None:
    id_ = "é" + "x" * (length - 1)
    arguments = CASE if tool == "createSalesforceCase" else {}
    assert ask(client, tool, arguments, id=id_)["toolCallId"] == id_
    longest, limit = biggest(store)
    assert longest < 300
    assert limit < 20_000


def test_long_ids_that_differ_at_their_end_are_two(client: FlaskClient) -> None:
    first = ask(client, "lookupCustomer", id="x" * 500 + "1")
    other = ask(client, "getCaseStatus", id="x" * 500 + "2")
    assert first["result"] != other["result"]
    assert (first["name"], other["name"]) == ("lookupCustomer", "getCaseStatus")


def test_a_write_under_an_id_too_long_to_keep_is_one_however_often_it_comes(
    client: FlaskClient, journal: Journal
) -> None:
    body = tool_message(("x" * 1000, "createSalesforceCase", CASE))
    first, second = post(client, body), post(client, body)
    assert first.data == second.data
    assert journal.counts()["accepted"] == 1


def test_a_long_call_id_is_in_no_key(client: FlaskClient, store: redis.Redis) -> None:
    ask(client, "createSalesforceCase", CASE, call_id="c" * LONG)
    assert biggest(store)[0] < 300


def test_an_utterance_is_kept_up_to_its_limit(app: Flask, store: redis.Redis) -> None:
    say(app.test_client(), "x" * LONG)
    service: Service = app.extensions["service"]
    stored = service.calls.transcript("call-1", LABELS)
    assert len(stored) == len("Caller: ") + MAX_UTTERANCE_LENGTH
    assert stored.endswith("…")


def test_the_words_of_a_call_are_bounded_in_sum(
    app: Flask, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_TRANSCRIPT_BYTES", 20_000)
    client, service = app.test_client(), app.extensions["service"]
    for nth in range(20):
        say(client, f"{nth} " + "é" * 3_000, nth)
    assert biggest(store)[1] < 40_000
    lines = service.calls.transcript("call-1", LABELS).splitlines()
    assert lines[0].startswith("Caller: 0 é")
    assert lines[-1] == LABELS.cut
    assert len(lines) < 20
    say(client, "0 " + "é" * 3_000, 0)  # known already: nothing changes
    assert service.calls.transcript("call-1", LABELS).splitlines() == lines
    post(client, message("end-of-call-report"))
    assert LABELS.cut in service.journal.of_call("call-1")[0].payload["transcript"]


def test_the_utterances_of_a_call_are_bounded_in_number(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_UTTERANCES", 5)
    client, service = app.test_client(), app.extensions["service"]
    for nth in range(8):
        say(client, f"word {nth}", nth)
    lines = service.calls.transcript("call-1", LABELS).splitlines()
    assert lines == [*(f"Caller: word {nth}" for nth in range(5)), LABELS.cut]


def test_what_is_said_in_one_call_takes_nothing_from_another(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_UTTERANCES", 1)
    client, service = app.test_client(), app.extensions["service"]
    for call_id in ("a", "b"):
        say(client, "Hello", call_id=call_id)
        assert service.calls.transcript(call_id, LABELS) == "Caller: Hello"


def test_signs_of_speech_and_what_words_say_are_bounded(
    client: FlaskClient, store: redis.Redis
) -> None:
    for nth in range(300):
        say(client, "No wait, cancel that.", 1_000 + nth)
    assert store.zcard("vs:call:call-1:senses") == 64
    assert store.zcard("vs:call:call-1:speech") == 64


def test_a_long_summary_is_kept_up_to_its_limit(client: FlaskClient, store: redis.Redis) -> None:
    post(client, message("end-of-call-report", summary="x" * LONG))
    assert len(store.hget("vs:call:call-1", "summary") or "") == calls.MAX_SUMMARY_LENGTH


def test_a_long_control_url_is_not_kept(client: FlaskClient, store: redis.Redis) -> None:
    live = message("status-update", status="in-progress")
    live["message"]["call"]["monitor"] = {"controlUrl": "https://x.vapi.ai/" + "y" * LONG}
    post(client, live)
    assert store.hget("vs:call:call-1", "control_url") is None


def test_ids_of_the_usual_length_stand_in_keys_as_they_are() -> None:
    assert safe_id("7420f27a-30fd-4f49-a995-5549ae7cc00d") == "7420f27a-30fd-4f49-a995-5549ae7cc00d"


def test_the_arguments_of_a_message_are_bounded_together_before_they_are_read(
    client: FlaskClient, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(text: str, *others: Any) -> str:
        read.append(len(text))
        return redact(text, *others)

    monkeypatch.setattr("shared.agent.arguments.redact", counted)
    wanted = {"issueType": "billing", "description": "1 " * 15_900, "onExisting": "new"}
    listed = [(f"t{nth}", "createSalesforceCase", wanted) for nth in range(20)]
    results = post(client, tool_message(*listed)).get_json()["results"]
    assert [result["toolCallId"] for result in results] == [f"t{nth}" for nth in range(20)]
    assert [nth for nth, result in enumerate(results) if "result" in result] == [0]
    assert {result.get("error") for result in results[1:]} == {
        "That is too much at once. Nothing was done for this one. Ask for it by itself."
    }
    assert journal.counts()["accepted"] == 1
    assert sum(read) < 40_000


@pytest.mark.parametrize("name", ["description", "unknown"])
def test_arguments_that_are_too_long_by_themselves_are_refused_unread(
    client: FlaskClient, journal: Journal, name: str
) -> None:
    assert "too much" in ask(client, "createSalesforceCase", CASE | {name: ["x" * 49_000]})["error"]
    assert journal.counts().get("accepted", 0) == 0
