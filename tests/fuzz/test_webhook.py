"""Whatever JSON Vapi signs, it is answered 200 or 400, in JSON, and no defect of ours is logged."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import strategies as st

from shared.agent.tools import all_arguments
from tests.calling import post, tool_message
from tests.fuzz.arguments import given_to
from tests.fuzz.json_values import any_json, envelopes, messages
from tests.fuzz.running import for_all
from tests.log_lines import log_lines
from web.service import Service

# Threads of the service use `random` while an example is drawn.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


def check(client: FlaskClient, body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with log_lines() as lines:
        answer = post(client, raw)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert isinstance(json.loads(answer.data, parse_constant=float), dict)
    else:
        assert answer.data == b""
    assert not [line for line in lines if "exception" in line]


def test_any_json_is_answered(client: FlaskClient) -> None:
    for_all(envelopes(), lambda body: check(client, body), count=150)


def test_any_message_of_one_call_is_answered(client: FlaskClient) -> None:
    """So that the state of the call is any state as well."""
    enveloped = st.fixed_dictionaries({"message": messages()})

    def one_after_the_other(bodies: list[Any]) -> None:
        for body in bodies:
            check(client, body)

    for_all(st.lists(enveloped, min_size=2, max_size=5), one_after_the_other, count=30)


def test_any_arguments_of_any_tool_are_answered(app: Flask, client: FlaskClient) -> None:
    service: Service = app.extensions["service"]
    tools = service.agents.named("").tools

    def calls(name: str) -> st.SearchStrategy[Any]:
        arguments = given_to(all_arguments(tools[name].file))
        written = arguments | arguments.map(json.dumps)
        return st.tuples(st.text(max_size=9), st.just(name), written)

    some = st.lists(st.sampled_from(sorted(tools)).flatmap(calls), min_size=1, max_size=3)
    numbers = st.sampled_from(["+14155550101", "+14155550102", "+14155559999", "anonymous", ""])
    call_ids = st.sampled_from([f"call-{nth}" for nth in range(50)])

    def ask(drawn: tuple[Any, str, str]) -> None:
        listed, number, call_id = drawn
        check(client, tool_message(*listed, number=number, call_id=call_id))

    for_all(st.tuples(some, numbers, call_ids), ask, count=60)


def test_any_bytes_are_answered(client: FlaskClient) -> None:
    written = any_json().map(json.dumps).map(str.encode)
    cut = st.builds(lambda raw, at: raw[:at], written, st.integers(0, 200))
    for_all(st.binary(max_size=60) | cut, lambda raw: check(client, raw), count=60)
