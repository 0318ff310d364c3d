"""Every shape of Vapi's messages (docs/vendors.md V1, V6), and bodies that are not messages."""

import itertools
import json
from typing import Any

import pytest

from shared.vapi.caller_id import read_caller_id
from shared.vapi.messages import (
    Message,
    function_call,
    read_message,
    tool_calls,
    utterance,
)
from shared.vapi.report import end_of_call
from tests.payloads import nested

TOO_DEEP = 5_000
"""Levels that Python's limit does not let it write."""

ARGUMENTS = {"issueType": "billing", "description": "Zwei Rechnungen, 50 € zu viel"}
NESTED = {"id": "call_1", "type": "function", "function": {"name": "t", "arguments": ARGUMENTS}}
AS_STRING = {"id": "call_1", "function": {"name": "t", "arguments": json.dumps(ARGUMENTS)}}
FLAT = {"id": "call_1", "name": "t", "arguments": ARGUMENTS}
FLAT_PARAMETERS = {"id": "call_1", "name": "t", "parameters": ARGUMENTS}
SHAPES: dict[str, dict[str, Any]] = {
    "a nested, object": {"toolCallList": [NESTED]},
    "b nested, string": {"toolCallList": [AS_STRING]},
    "c flat, arguments": {"toolCallList": [FLAT]},
    "d flat, parameters": {"toolCallList": [FLAT_PARAMETERS]},
    "e paired, function": {
        "toolWithToolCallList": [
            {"type": "function", "function": {"name": "t", "parameters": {}}, "toolCall": NESTED}
        ]
    },
    "e paired, name outside": {
        "toolWithToolCallList": [
            {"name": "t", "toolCall": {"id": "call_1", "parameters": ARGUMENTS}}
        ]
    },
    "e paired, arguments without function": {
        "toolWithToolCallList": [
            {"name": "t", "toolCall": {"id": "call_1", "arguments": ARGUMENTS}}
        ]
    },
    "f toolCalls": {"toolCalls": [NESTED]},
}


@pytest.mark.parametrize("lists", SHAPES.values(), ids=SHAPES)
def test_each_shape_of_a_tool_call_is_read_the_same(lists: dict[str, Any]) -> None:
    (call,) = tool_calls(Message("tool-calls", lists))
    assert (call.id, call.name, call.arguments) == ("call_1", "t", ARGUMENTS)


def test_a_call_listed_three_times_is_one_whatever_the_shapes_combined() -> None:
    by_key: dict[str, list[Any]] = {"toolCallList": [], "toolCalls": [], "toolWithToolCallList": []}
    for lists in SHAPES.values():
        for key, items in lists.items():
            by_key[key] += items
    by_key["toolCalls"] += [AS_STRING, FLAT, FLAT_PARAMETERS]
    for first, second, third in itertools.product(*by_key.values()):
        body = {"toolCallList": [first], "toolCalls": [second], "toolWithToolCallList": [third]}
        (call,) = tool_calls(Message("tool-calls", body))
        assert (call.id, call.name, call.arguments) == ("call_1", "t", ARGUMENTS)


def test_a_later_mention_fills_in_arguments_that_the_first_lacks() -> None:
    bare = {"id": "call_1", "function": {"name": "t"}}
    (call,) = tool_calls(Message("tool-calls", {"toolCallList": [bare], "toolCalls": [NESTED]}))
    assert call.arguments == ARGUMENTS


def test_calls_with_different_ids_stay_apart_and_in_order() -> None:
    items = [dict(NESTED, id=f"call_{n}") for n in (3, 1, 2)]
    read = tool_calls(Message("tool-calls", {"toolCallList": items, "toolCalls": items}))
    assert [call.id for call in read] == ["call_3", "call_1", "call_2"]


@pytest.mark.parametrize("bad", ["{", "[1]", "nonsense", [1], 7, True])
def test_arguments_that_are_no_object_differ_from_none(bad: Any) -> None:
    (call,) = tool_calls(
        Message("tool-calls", {"toolCallList": [{"id": "x", "name": "t", "arguments": bad}]})
    )
    assert call.arguments is None


@pytest.mark.parametrize("depth", [51, 930, 100_000])
@pytest.mark.parametrize("written", [True, False])
def test_arguments_that_are_nested_deeply_are_no_object(depth: int, written: bool) -> None:
    text = '{"a":' * depth + "1" + "}" * depth
    deep = text if written or depth > 900 else json.loads(text)
    body = {"toolCallList": [{"id": "x", "name": "t", "arguments": deep}], "timestamp": 1}
    assert [call.arguments for call in tool_calls(Message("tool-calls", body))] == [None]
    body = {"functionCall": {"name": "t", "arguments": deep}, "timestamp": nested(1, depth % 900)}
    assert function_call(Message("function-call", body)).arguments is None


def test_an_unpaired_surrogate_in_written_arguments_becomes_a_question_mark() -> None:
    written = json.dumps({"a": "x\ud800y", "b\udfff": "\U0001f600"})
    call = {"id": "x", "name": "t", "arguments": written}
    (read,) = tool_calls(Message("tool-calls", {"toolCallList": [call]}))
    assert read.arguments == {"a": "x?y", "b?": "\U0001f600"}


@pytest.mark.parametrize("empty", ["", "  ", {}, None])
def test_empty_arguments_are_an_empty_object(empty: Any) -> None:
    (call,) = tool_calls(
        Message("tool-calls", {"toolCallList": [{"id": "x", "name": "t", "arguments": empty}]})
    )
    assert call.arguments == {}


def test_a_legacy_function_call_has_an_id_of_its_own_time_and_content() -> None:
    body = {"functionCall": {"name": "t", "parameters": ARGUMENTS}, "timestamp": 1}
    first = function_call(Message("function-call", body))
    again = function_call(Message("function-call", dict(body)))
    later = function_call(Message("function-call", body | {"timestamp": 2}))
    assert (first.name, first.arguments) == ("t", ARGUMENTS)
    assert first.id == again.id != later.id


@pytest.mark.parametrize(
    "body", [None, 1, "x", [], {}, {"message": None}, {"message": []}, {"message": {"type": 3}}]
)
def test_json_that_holds_no_message_is_none(body: Any) -> None:
    assert read_message(body) is None


@pytest.mark.parametrize("junk", [None, 1, "x", [1, None], {"a": 1}])
def test_nonsense_in_every_place_is_survived(junk: Any) -> None:
    for key in ("call", "customer", "toolCallList", "toolCalls", "toolWithToolCallList",
                "functionCall", "artifact", "analysis", "timestamp", "transcript"):  # fmt: skip
        message = Message("any", {key: junk})
        tool_calls(message), function_call(message), end_of_call(message), utterance(message)
        assert message.call_id == message.control_url == ""
        assert message.conversation_id == read_caller_id(message).number == ""


def test_the_final_transcript_type_in_brackets_is_a_final_transcript() -> None:
    body = {"type": 'transcript[transcriptType="final"]', "role": "user", "transcript": "Yes"}
    message = read_message({"message": body})
    assert message
    assert message.type == "transcript"
    said = utterance(message)
    assert said
    assert (said.speaker, said.text) == ("Caller", "Yes")


def test_a_partial_transcript_is_not_kept() -> None:
    body = {"transcriptType": "partial", "role": "user", "transcript": "Ye"}
    assert utterance(Message("transcript", body)) is None


def test_a_report_is_read_from_the_message_first_and_then_from_artifact_and_analysis() -> None:
    body: dict[str, Any] = {
        "endedReason": "customer-ended-call",
        "startedAt": "2026-11-22T10:00:00.000Z",
        "endedAt": "2026-11-22T10:01:30.400Z",
        "artifact": {"transcript": "User: hi"},
        "analysis": {"summary": "said hi"},
    }
    report = end_of_call(Message("end-of-call-report", body))
    assert (report.transcript, report.summary, report.duration_s) == ("User: hi", "said hi", 90)
    assert report.started_at == "2026-11-22T10:00:00.000+00:00"
    outer = end_of_call(
        Message("x", body | {"transcript": "T", "summary": "S", "durationMs": 1600})
    )
    assert (outer.transcript, outer.summary, outer.duration_s) == ("T", "S", 2)


def test_a_report_without_transcript_is_built_from_its_messages() -> None:
    messages = [
        {"role": "system", "message": "prompt"},
        {"role": "user", "message": "Hello\nthere"},
        {"role": "bot", "message": "Hi"},
        {"role": "tool_calls", "toolCalls": []},
    ]
    report = end_of_call(Message("x", {"artifact": {"messages": messages}}))
    assert report.transcript == "Caller: Hello there\nAgent: Hi"


@pytest.mark.parametrize("at", [1763800000000, 1.7638e12, "2025-11-22T08:26:40Z"])
def test_times_are_read_as_milliseconds_and_as_iso_text(at: Any) -> None:
    assert Message("t", {"timestamp": at}).at_ms == 1763800000000


@pytest.mark.parametrize("at", [1e300, float("nan"), "soon", True, -1e18])
def test_times_that_are_none_are_left_out(at: Any) -> None:
    assert end_of_call(Message("x", {"startedAt": at})).started_at is None


def test_a_message_that_is_too_deep_to_be_written_says_what_no_other_says() -> None:
    """It could be read where fewer functions were running."""
    deep = Message("hang", {"call": {"id": "call-1"}, "x": nested(1, TOO_DEEP, "")})
    again = Message("hang", deep.body)
    assert deep.facts != again.facts
