"""What provisioning sends, and what the simulated Vapi takes, by Vapi's OpenAPI description.

Collected when VAPI_OPENAPI names a copy of it (`fern/apis/api/openapi.json` of Vapi's public
documentation repository), which is not part of this project.
"""

import json
import os
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.vapi.wanted import wanted_assistant, wanted_number, wanted_tools
from demo.stack import environment
from shared.agent.handoff import Target
from shared.agent.transfer import Rules
from shared.agent.transfer_plan import EXPERIMENTAL, Mode
from shared.settings import load_settings
from shared.vapi.answers import as_entry, result
from shared.vapi.messages import ToolCall
from simulator.vapi.rest import BACKOFF, CAMPAIGN_MESSAGES, FIELDS, JSON_SCHEMA, SERVER_MESSAGES
from web.transfer import destination

SCHEMAS: dict[str, Any] = json.loads(Path(os.environ["VAPI_OPENAPI"]).read_text())["components"][
    "schemas"
]
DTOS = {
    "assistant": ("CreateAssistantDTO", "UpdateAssistantDTO"),
    "tool": ("CreateFunctionToolDTO", "UpdateFunctionToolDTO"),
    "phone-number": ("CreateTwilioPhoneNumberDTO", "UpdateTwilioPhoneNumberDTO"),
    "campaign": ("CreateCampaignDTO", "UpdateCampaignDTO"),
}


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    given = environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1", 8080) | {
        "PUBLIC_URL": "https://voice.acme.example",
        "VAPI_CREDENTIAL_ID": "cred-1",
        "TWILIO_ACCOUNT_SID": f"AC{1:032d}",
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_PHONE_NUMBER": "+14155550199",
        "FALLBACK_PHONE_NUMBER": "+14155550123",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a schema allows, references followed."""
    if "$ref" in schema:
        return alternatives(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    for way in ("oneOf", "anyOf", "allOf"):
        if way in schema:
            return [alternative for part in schema[way] for alternative in alternatives(part)]
    return [schema]


def fits(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    """What is wrong by the best of the alternatives."""
    tried = [_wrong(value, alternative, path) for alternative in alternatives(schema)]
    return min(tried, key=len) if tried else []


def _wrong(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    if value is None:
        return []  # empties a field; that it may is unconfirmed (docs/vendors.md V12)
    if "enum" in schema and not isinstance(value, list):
        return [] if value in schema["enum"] else [f"{path}: {value}"]
    if isinstance(value, dict):
        known = schema.get("properties")
        more = schema.get("additionalProperties")
        if known is None:
            if isinstance(more, dict):
                return [e for k, v in value.items() for e in fits(v, more, f"{path}.{k}")]
            return [] if schema.get("type") == "object" else [f"{path}: an object"]
        wrong = [f"{path}: no {name}" for name in schema.get("required", []) if name not in value]
        for name, inside in value.items():
            if name not in known:
                wrong.append(f"{path}: unknown {name}")
            else:
                wrong += fits(inside, known[name], f"{path}.{name}")
        return wrong
    if isinstance(value, list):
        if "enum" in schema:
            return [f"{path}: {item}" for item in value if item not in schema["enum"]]
        return [e for item in value for e in fits(item, schema.get("items", {}), f"{path}[]")]
    kinds: dict[str, Any] = {"string": str, "number": int | float, "boolean": bool, "integer": int}
    wanted = kinds.get(schema.get("type", ""))
    wrong = [] if wanted is None or isinstance(value, wanted) else [f"{path}: {schema['type']}"]
    if isinstance(value, int | float):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        wrong += [] if low <= value <= high else [f"{path}: out of range"]
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        wrong.append(f"{path}: too long")
    return wrong


@pytest.mark.parametrize("nth", [0, 1], ids=["create", "update"])
def test_what_provisioning_sends_is_what_vapi_describes(nth: int) -> None:
    settings = load_settings()
    bodies = [("tool", body) for body in wanted_tools(settings).values()]
    bodies.append(("assistant", wanted_assistant(settings, ["id"])))
    bodies.append(("phone-number", wanted_number(settings)))
    wrong = [
        problem
        for resource, body in bodies
        for problem in fits(body, SCHEMAS[DTOS[resource][nth]], resource)
    ]
    assert wrong == []


@pytest.mark.parametrize("resource", FIELDS)
def test_the_simulated_vapi_knows_only_fields_that_vapi_describes(resource: str) -> None:
    described = SCHEMAS[DTOS[resource][0]]["properties"]
    assert set(FIELDS[resource]) <= set(described)
    for name, inside in FIELDS[resource].items():
        known = {
            key
            for alternative in alternatives(described[name])
            for key in alternative.get("properties", {})
        }
        assert (inside or set()) <= known, name


def test_small_tables_of_the_simulated_vapi_are_vapis() -> None:
    assert set(SCHEMAS["BackoffPlan"]["required"]) == BACKOFF
    assert set(SCHEMAS["JsonSchema"]["properties"]) == JSON_SCHEMA
    described = SCHEMAS["CreateAssistantDTO"]["properties"]["serverMessages"]
    listed = described.get("enum") or described["items"]["enum"]
    assert set(listed) >= SERVER_MESSAGES
    described = SCHEMAS["CreateCampaignDTO"]["properties"]["serverMessages"]
    assert set(described["items"]["enum"]) == CAMPAIGN_MESSAGES
    assert {"results", "metadata"} == set(SCHEMAS["CampaignPaginatedResponse"]["required"])


@pytest.mark.parametrize("destination_of_call", ["+14155550190;ext=12", "sip:a@example.com"])
@pytest.mark.parametrize("mode", get_args(Mode))
def test_a_transfer_is_as_vapi_describes_it(mode: Mode, destination_of_call: str) -> None:
    wanted: dict[str, Any] = {"mode": mode, "caller_id": "caller", "sip_verb": "dial", "dial_s": 30}
    wanted["sip_headers"] = {"X-Call": "{callId}"}
    if "summary" in mode:
        wanted["summary_prompt"] = "In two sentences."
    if "wait-for-operator" in mode:
        wanted["wait_s"] = 20
    if mode == EXPERIMENTAL:
        wanted["hold_audio"] = "https://acme.example/hold.mp3"
    rules = Rules(**wanted)
    answer = destination(rules, destination_of_call, "One moment.", {"callId": "call-1"})
    answer["transferPlan"] = rules.plan("For the colleague.", "Nobody answers.")
    schema = SCHEMAS["ServerMessageResponseTransferDestinationRequest"]
    assert fits({"destination": answer}, schema, "answer") == []


@pytest.mark.parametrize("history", [None, "all", "none", "words", "previous"])
@pytest.mark.parametrize(
    ("key", "described"),
    [
        ("assistant", "HandoffDestinationAssistant"),
        ("assistant_id", "HandoffDestinationAssistant"),
        ("squad_id", "HandoffDestinationSquad"),
    ],
)
def test_a_handoff_is_as_vapi_describes_it(key: str, described: str, history: Any) -> None:
    target = Target.model_validate({key: "front-1", "history": history})
    assert fits(target.as_destination(), SCHEMAS[described], "destination") == []


def test_an_answer_that_vapi_says_itself_is_as_vapi_describes_it() -> None:
    entry = json.loads(as_entry(ToolCall("t1", "orderStatus", {}), result("Hi.", spoken=True)))
    assert "message" in entry
    assert fits(entry, SCHEMAS["ToolCallResult"], "result") == []


def test_the_check_refuses_what_is_not_described() -> None:
    wrong = fits({"fisrtMessage": "Hi"}, SCHEMAS["CreateAssistantDTO"], "assistant")
    assert wrong == ["assistant: unknown fisrtMessage"]
    tool = {"type": "function", "server": {"timeoutSeconds": 301}}
    assert fits(tool, SCHEMAS["CreateFunctionToolDTO"], "tool") == [
        "tool.server.timeoutSeconds: out of range"
    ]
