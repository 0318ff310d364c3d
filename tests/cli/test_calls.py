"""`python -m cli calls` and `find`: from anything an operator has to the story of a call."""

import json
from collections.abc import Iterator

import pytest
import redis
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from cli.__main__ import cli
from demo.stack import Org
from shared.domain.kinds import Kind
from shared.domain.trace import trace_of_call
from shared.journal.journal import Journal
from shared.operators.audit import Audit
from shared.settings import Settings
from tests.calling import KNOWN, UNKNOWN, ask, message, post, reference_in, sentence
from tests.store_time import everything_is_due
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

CASE = {"issueType": "billing", "description": "Billed twice, says Jane", "onExisting": "new"}
UUID = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
SAID = {"transcriptType": "final", "role": "user", "transcript": "I am Jane."}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


@pytest.fixture
def client(app: Flask, settings: Settings) -> Iterator[FlaskClient]:
    with app.test_client() as made:
        yield made


@pytest.fixture
def reference(client: FlaskClient, context: DeliveryContext, store: redis.Redis, org: Org) -> str:
    """Of the case of a call that was recorded, beside a call that still lasts."""
    post(client, message("transcript", "call-1", **SAID))
    answer = ask(client, "createSalesforceCase", CASE, id="call_abcdef123456", call_id="call-1")
    post(client, message("end-of-call-report", "call-1", endedReason="customer-ended-call"))
    for _ in range(3):
        for kind in Kind:
            drain(context, kind)
        everything_is_due(store)
    post(client, message("status-update", "call-2", number=UNKNOWN, status="in-progress"))
    return reference_in(sentence(answer))


def test_a_call_is_found_by_everything_that_names_it(reference: str, org: Org) -> None:
    (case_,) = (record for record in org.records("Case") if record["Call_Key__c"])
    for word in (reference, reference.lower().replace(" ", ""), case_["CaseNumber"],
                 case_["Call_Key__c"], KNOWN, "(415) 555-0101", "call-1", trace_of_call("call-1"),
                 "call_abcdef123456"):  # fmt: skip
        found = run("find", word)
        assert found.exit_code == 0, word
        assert case_["Call_Key__c"] in found.output, word
        assert "Jane" not in found.output
        assert "5550101" not in found.output
    assert (
        "call call-1, in which the agent called createSalesforceCase"
        in run("find", "call_abcdef123456").output
    )
    rows = [json.loads(line) for line in run("find", "call-1", "--json").output.splitlines()]
    assert rows[0] == {"call_id": "call-1", "trace_id": trace_of_call("call-1")}
    assert {row["call_id"] for row in rows} == {"call-1"}
    assert {row["trace_id"] for row in rows} == {trace_of_call("call-1")}


def test_a_call_with_a_uuid_is_found_by_its_trace_as_long_as_it_is_stored(
    client: FlaskClient, journal: Journal
) -> None:
    """Also one that asked for nothing."""
    post(client, message("transcript", UUID, **SAID))
    trace = UUID.replace("-", "")
    found = run("find", trace.upper())
    assert f"call {UUID}, trace {trace} (" in found.output
    ask(client, "createSalesforceCase", CASE, call_id=UUID)
    (intent,) = journal.of_call(UUID)
    assert intent.id in run("find", trace).output
    assert (
        json.loads(CliRunner().invoke(cli, ["intents", "show", intent.id]).output)["trace_id"]
        == trace
    )


def test_what_nobody_knows_is_not_found(reference: str) -> None:
    for word in ("call-9", "K7M 2QX", "+14155550177", "call_nobody_made", "x"):
        assert run("find", word).exit_code == 1


def test_the_calls_are_listed_with_what_became_of_their_writes(reference: str) -> None:
    lasting, recorded = run("calls", "list").output.splitlines()
    assert "call-2  not recorded yet; writes: none" in lasting
    assert "call-1  its Task is delivered; writes: 2 delivered" in recorded
    rows = [json.loads(line) for line in run("calls", "list", "--json").output.splitlines()]
    assert [row["call_id"] for row in rows] == ["call-2", "call-1"]


def test_a_calls_story_is_in_order_and_shows_words_only_on_request(
    reference: str, store: redis.Redis
) -> None:
    printed = run("calls", "show", "call-1").output
    assert trace_of_call("call-1") in printed.splitlines()[0]
    assert printed.index("call began") < printed.index("accepted  case_create createSalesforceCase")
    assert printed.index("accepted  case_create") < printed.index("delivered  case_create 500")
    assert reference in printed
    assert "Jane" not in printed
    assert "+1415" not in printed
    assert Audit(store).newest(10) == []
    revealed = run("calls", "show", "call-1", "--reveal").output
    assert KNOWN in revealed
    assert "being opened" in revealed
    assert [(note.what, note.about) for note in Audit(store).newest(10)] == [
        ("reveal", "call call-1")
    ]
    lasting = run("calls", "show", "call-2", "--json").output.splitlines()
    assert json.loads(lasting[0])["what"] == "call began"
    assert run("calls", "show", "call-9").exit_code == 1
