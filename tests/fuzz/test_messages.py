"""Whatever JSON arrives, reading it raises nothing, and what is read has its type and limits."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from shared.vapi.caller_id import MAX_LENGTH, read_caller_id
from shared.vapi.json_text import as_json, read_json, read_slowly
from shared.vapi.messages import Message, function_call, read_message, shape, tool_calls
from tests.fuzz.json_values import any_json, envelopes, messages
from tests.fuzz.running import for_all
from tests.shared.test_report import read_all

TRUNKS = ("sip.acme.example", "203.0.113.0/24", "2001:db8::/32", "no network/99")


def test_any_message_is_read() -> None:
    for_all(messages(), read_all, count=150)


def test_any_json_is_read() -> None:
    def check(body: Any) -> None:
        shape(body)
        if message := read_message(body):
            read_all(message.body | {"type": message.type})

    for_all(envelopes(), check, count=150)


def test_any_caller_is_read_as_one_number_or_none() -> None:
    parts = st.fixed_dictionaries(
        {},
        optional={
            "customer": customers() | any_json(),
            "call": st.fixed_dictionaries(
                {}, optional={"customer": customers(), "type": any_json(), "transport": any_json()}
            ),
            "phoneNumber": any_json(),
            "chat": any_json(),
        },
    )

    def check(body: Any) -> None:
        caller_id = read_caller_id(Message("x", body), TRUNKS, "US")
        assert caller_id.number == "" or caller_id.shown == (caller_id.number,)
        assert all(len(shown) <= 2 * MAX_LENGTH for shown in caller_id.shown)

    for_all(parts, check, count=200)


def customers() -> st.SearchStrategy[Any]:
    numbers = st.from_regex(r"\+?[0-9 ()ext.-]{0,20}", fullmatch=True)
    addresses = st.builds("sip:{}@{}".format, numbers, st.sampled_from([*TRUNKS, "[::1]", "x", ""]))
    return st.fixed_dictionaries(
        {},
        optional={
            "number": numbers | any_json(),
            "sipUri": addresses | any_json(),
            "extension": numbers | any_json(),
        },
    )


def test_every_tool_call_has_a_name_an_id_and_an_object_or_nothing() -> None:
    def check(body: dict[str, Any]) -> None:
        for call in (*tool_calls(Message("x", body)), function_call(Message("x", body))):
            assert isinstance(call.id, str)
            assert isinstance(call.name, str)
            assert call.arguments is None or isinstance(call.arguments, dict)
            json.dumps(call.arguments, ensure_ascii=False).encode()

    lists = st.lists(mentions() | any_json(), max_size=4) | any_json()
    keys = ("toolCallList", "toolCalls", "toolWithToolCallList", "functionCall", "timestamp")
    for_all(st.fixed_dictionaries({}, optional=dict.fromkeys(keys, lists)), check, count=150)


def mentions() -> st.SearchStrategy[Any]:
    arguments = any_json() | any_json().map(json.dumps)
    function = st.fixed_dictionaries({}, optional={"name": any_json(), "arguments": arguments})
    keys = {
        "id": any_json(), "name": any_json(), "function": function | any_json(),
        "parameters": arguments, "arguments": arguments, "toolCall": function,
    }  # fmt: skip
    return st.fixed_dictionaries({}, optional=keys)


def test_any_bytes_are_json_without_surrogates_or_a_value_error() -> None:
    def check(raw: bytes) -> None:
        try:
            parsed = read_json(raw)
        except ValueError:
            return
        json.dumps(parsed, ensure_ascii=False).encode()

    for_all(bodies(), check, count=150)


def bodies() -> st.SearchStrategy[bytes]:
    written = any_json().map(json.dumps) | st.from_regex(NUMBER, fullmatch=True)
    return (
        st.binary(max_size=50)
        | written.map(str.encode)
        | st.text().map(lambda text: f'"{text}\\ud800"'.encode())
    )


NUMBER = r"-?[0-9]{1,40}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?"


def test_bytes_are_read_as_pythons_own_decoder_reads_them() -> None:
    def outcome(read: Callable[[], Any]) -> str:
        try:
            return repr(read())
        except ValueError:
            return "no JSON"

    def check(raw: bytes) -> None:
        assert outcome(lambda: read_json(raw)) == outcome(
            lambda: read_slowly(raw.decode("utf-8-sig"))
        )

    for_all(bodies(), check, count=300)


def test_what_was_read_is_written_so_that_it_reads_the_same() -> None:
    def check(raw: bytes) -> None:
        try:
            parsed = read_json(raw)
        except ValueError:
            return
        if "nan" not in repr(parsed) and "inf" not in repr(parsed):
            assert read_json(as_json(parsed)) == parsed

    for_all(bodies(), check, count=150)
