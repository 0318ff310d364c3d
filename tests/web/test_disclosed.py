"""A call's record says what was disclosed at its beginning, when, and in which words."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.agent.disclosure import version_of
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.domain.kinds import Kind
from shared.redaction import redact
from shared.vapi.greeting import MAX_GREETING, greeting_in
from tests.calling import message, post
from tests.store_time import every_call_is_quiet
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

AI, RECORDED = "You are talking with an AI assistant.", "This call is recorded."
HELLO = f"Hello Jane, you have reached customer service. {AI} {RECORDED} How can I help you?"
BEGAN_MS = 1_763_805_605_000  # 2025-11-22 10:00:05 UTC
VERSION = version_of(load_agent("agent"))

Lines = Callable[..., list[str]]


def spoken(role: str, text: str, time: int | None = BEGAN_MS) -> dict[str, Any]:
    return {"role": role, "message": text} | ({"time": time} if time else {})


@pytest.fixture
def lines(client: FlaskClient, context: DeliveryContext, org: Org) -> Lines:
    """What the Task says about the disclosure after a report with these messages."""

    def of_report(*messages: dict[str, Any], **artifact: Any) -> list[str]:
        content: dict[str, Any] = {"artifact": {"messages": list(messages), **artifact}}
        post(client, message("end-of-call-report", endedReason="customer-ended-call", **content))
        return on_task(context, org)

    return of_report


def on_task(context: DeliveryContext, org: Org) -> list[str]:
    drain(context, Kind.CALL_LOG)
    (task,) = (row for row in org.records("Task") if row["Call_Key__c"])
    return [line for line in task["Description"].splitlines() if "isclosed" in line]


def test_the_words_their_version_and_their_time_are_recorded(lines: Lines) -> None:
    (line,) = lines(
        spoken("system", "You answer the phone."),
        spoken("bot", HELLO),
        spoken("user", "This call is recorded, is it?", BEGAN_MS + 9000),
    )
    assert line.startswith(f"Disclosed: “{AI} {RECORDED}” (greeting {VERSION}, 2025-11-22 ")


def test_a_greeting_in_several_messages_or_after_the_callers_hello_counts(lines: Lines) -> None:
    (line,) = lines(spoken("user", "Hello?"), spoken("bot", f"Hi. {AI}"), spoken("bot", RECORDED))
    assert f"“{AI} {RECORDED}”" in line


def test_it_is_read_whatever_marks_the_transcriber_sets(lines: Lines) -> None:
    (line,) = lines(spoken("assistant", f"{AI} {RECORDED}".lower().replace(".", ",")))
    assert line.startswith(f"Disclosed: “{AI} {RECORDED}”")


def test_a_greeting_in_another_language_has_its_own_words(lines: Lines) -> None:
    ai, recorded = "Sie sprechen mit einem KI-Assistenten.", "Dieses Gespräch wird aufgezeichnet."
    (line,) = lines(spoken("bot", f"Guten Tag. {ai} {recorded}"))
    assert f"“{ai} {recorded}”" in line


def test_what_the_greeting_left_out_is_recorded_as_not_disclosed(lines: Lines) -> None:
    said, left_out = lines(spoken("bot", f"Hello. {AI}"), spoken("user", RECORDED))
    assert said.startswith(f"Disclosed: “{AI}”")
    assert left_out == f"Not disclosed: “{RECORDED}” (greeting {VERSION})"


def test_a_report_with_a_text_alone_is_read_as_well(lines: Lines) -> None:
    (line,) = lines(transcript=f"AI: {HELLO}\nUser: Hi.")
    assert line == f"Disclosed: “{AI} {RECORDED}” (greeting {VERSION})"


def test_without_a_report_the_record_says_that_nothing_has_shown_it(
    client: FlaskClient, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    post(client, message("speech-update"))
    every_call_is_quiet(store)
    client.application.extensions["service"].end_of_call.end_quiet_calls(600_000)
    (line,) = on_task(context, org)
    assert line.startswith(f"Disclosed, if the greeting was played as it is set up: “{AI} ")


def test_the_version_changes_with_the_words_and_with_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    (folder / "prompt.md").write_text("Another prompt.\n")
    assert version_of(load_agent(str(folder))) == VERSION
    later = tmp_path / "later"
    shutil.copytree(AGENT_FOLDER, later)
    file = later / "sentences" / "de.ftl"
    file.write_text(file.read_text().replace("Guten Tag, hier ist", "Hallo, hier ist"))
    assert version_of(load_agent(str(later))) != VERSION


def test_a_greeting_is_bounded_and_has_no_secret() -> None:
    words, _ = greeting_in([[spoken("bot", "4111 1111 1111 1111 " + "x" * 9999)]], "", redact)
    assert len(words) <= MAX_GREETING
    assert "4111" not in words
    assert greeting_in([[{"role": 7, "message": []}], []], "", redact) == ("", None)
