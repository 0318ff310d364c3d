"""What is stored of a call's tool calls for operators: little, and not for long."""

import json
from typing import Any

import redis
from flask.testing import FlaskClient

from shared.calls.calls import REPORTED_LIFE_S
from shared.calls.tool_calls import LIFE_S, MAX_TOOL_CALLS, ToolCalls
from tests.calling import ask, message, post

KEY = "vs:call:call-1:tool-calls"
PIN = "4271"
WORDS = "Billed twice for October"


def noted(store: redis.Redis) -> list[tuple[str, Any]]:
    return [
        (each.call.tool, json.loads(each.call.arguments))
        for each in ToolCalls(store).of_call("call-1")
    ]


def test_identifiers_are_noted_and_of_texts_the_length_and_of_proofs_nothing(
    client: FlaskClient, store: redis.Redis
) -> None:
    ask(client, "getCaseStatus", {"caseNumber": "00001002"})
    ask(client, "createSalesforceCase", {"issueType": "billing", "description": WORDS})
    ask(client, "verifyCaller", {"pin": PIN})
    case_, new, proof = noted(store)
    assert case_[0] == "getCaseStatus"
    assert case_[1]["caseNumber"].endswith("1002")
    assert (new[1]["issueType"], new[1]["description"]) == ("billing", f"{len(WORDS)} characters")
    assert proof == ("verifyCaller", {"pin": "hidden"})


def test_the_answer_is_the_one_that_a_redelivery_gets(
    client: FlaskClient, store: redis.Redis
) -> None:
    answers = [ask(client, "lookupCustomer", id=id_) for id_ in ("first", "first", "second")]
    stored = [each.answer for each in ToolCalls(store).of_call("call-1")]
    assert stored == [answers[0]["result"], answers[2]["result"]]
    for key in store.scan_iter("vs:answer:*"):
        store.delete(key)
    assert [each.answer for each in ToolCalls(store).of_call("call-1")] == ["", ""]


def test_the_notes_are_bounded_and_expire_with_the_call(
    client: FlaskClient, store: redis.Redis
) -> None:
    for nth in range(MAX_TOOL_CALLS + 5):
        ask(client, "noSuchTool", {"x": "y" * 2_000}, id=f"call_{nth}")
    assert store.llen(KEY) == MAX_TOOL_CALLS
    assert "yyy" not in str(store.lrange(KEY, 0, -1))
    assert REPORTED_LIFE_S < int(store.ttl(KEY)) <= LIFE_S
    post(client, message("end-of-call-report", endedReason="customer-ended-call"))
    assert 0 < int(store.ttl(KEY)) <= REPORTED_LIFE_S


def test_what_belongs_to_no_call_is_not_noted(client: FlaskClient, store: redis.Redis) -> None:
    ask(client, "lookupCustomer", call_id="")
    assert store.keys("vs:call:*:tool-calls") == []
