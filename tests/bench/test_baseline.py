"""The webhooks beside which the service is measured do what they stand for."""

import importlib
from types import ModuleType
from typing import Any

import pytest

from bench.load import number
from demo.stack import Org
from simulator.vapi.wire import Call, as_bytes, proof

SECRET = "baseline-secret"


def load(name: str, org: Org, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, which reads its settings when it is imported."""
    monkeypatch.setenv("VAPI_SERVER_SECRET", SECRET)
    monkeypatch.setenv("SALESFORCE_INSTANCE_URL", org.url)
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "demo-client")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "demo-secret")
    return importlib.reload(importlib.import_module(f"bench.baseline.{name}"))


def post(module: ModuleType, message: dict[str, Any], how: str, secret: str = SECRET) -> Any:
    body = as_bytes(message)
    headers = {"Content-Type": "application/json", **proof(body, secret, how)}
    return module.app.test_client().post("/webhook/vapi", data=body, headers=headers)


def ask(module: ModuleType, tool: str, arguments: dict[str, Any]) -> Any:
    call = Call("call-1", number(1), 0)
    (result,) = post(module, call.tool_calls(("a", tool, arguments)), "secret").json["results"]
    return result


def test_a_call_costs_the_synchronous_webhook_three_requests(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.create("Contact", [{"LastName": "Lovelace", "Phone": number(1)}])
    module = load("webhook", org, monkeypatch)
    module.salesforce()  # gets a token, which the org counts as well
    before = org.stats()["requests"]
    said = [
        ask(module, tool, arguments)["result"]
        for tool, arguments in (
            ("lookupCustomer", {}),
            ("getCaseStatus", {}),
            ("createSalesforceCase", {"issueType": "billing", "description": "It is wrong"}),
        )
    ]
    assert said[:2] == ["The caller is Lovelace.", "There is no case."]
    (created,) = [case_ for case_ in org.records("Case") if case_["SuppliedPhone"] == number(1)]
    assert said[2] == f"I have opened a case, {created['Id']}."
    assert org.stats()["requests"] - before == 3


def test_the_synchronous_webhook_says_so_when_salesforce_refuses(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("webhook", org, monkeypatch)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    answer = post(
        module, Call("call-1", number(1), 0).tool_calls(("a", "lookupCustomer", {})), "secret"
    )
    assert answer.json == {"results": [{"toolCallId": "a", "error": "That did not work."}]}


@pytest.mark.parametrize(("name", "how"), [("webhook", "secret"), ("bare", "hmac")])
def test_only_who_knows_the_secret_gets_an_answer(
    name: str, how: str, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load(name, org, monkeypatch)
    event = Call("call-1", number(1), 0).speech("started")
    assert post(module, event, how).json == {}
    assert post(module, event, how, secret="another").status_code == 401
