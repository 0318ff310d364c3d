"""GET /openapi.json describes every route, and nothing that the code does not do."""

import base64
import json
import socket
import tomllib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import openapi_spec_validator
import pytest
import redis
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import SecretStr
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from demo.stack import ROOT, Org
from shared.operators.sign_ins import PER_ADDRESS
from shared.settings import GROUPS, Settings
from tests.calling import OPERATOR, UNKNOWN, ask, message, post, signed, tool_message
from tests.conftest import OPS_TOKEN, SECRET, change_settings
from tests.store_time import call_is_unreadable
from tests.web.test_oauth import approved
from web import webhook
from web.app import create_app
from web.description import FILE
from web.twilio import MAX_FORM_BYTES
from web.worker import Connection, Connections

DESCRIPTION: dict[str, Any] = json.loads(FILE.read_text())
PUBLIC_URL = "https://voice.acme.example"
TWILIO_TOKEN = "twilio-auth-token"
PASSWORD = "operator:a-long-password"
SIGNED_IN = {"Authorization": "Basic " + base64.b64encode(PASSWORD.encode()).decode()}
WRONG_TOKEN = {"Authorization": "Bearer wrong"}
WRONG_PASSWORD = {"Authorization": "Basic " + base64.b64encode(b"operator:wrong").decode()}
FORM = "application/x-www-form-urlencoded"
AWAY = "redis://127.0.0.1:1/0"
JANE = tool_message(("call_1", "lookupCustomer", {}), ("call_2", "noSuchTool", {}))


class Web:
    """The web process under any settings. Everything is set up unless a test says otherwise."""

    def __init__(self, settings: Settings, store: redis.Redis) -> None:
        self._settings, self.store = settings, store
        self._apps: list[Any] = []

    def client(self, **others: Any) -> FlaskClient:
        """others: values of variables, by their names in lower case."""
        everything = {
            "operator_basic_auth": SecretStr(PASSWORD),
            "public_url": PUBLIC_URL,
            "twilio_auth_token": SecretStr(TWILIO_TOKEN),
            "salesforce_redirect_uri": f"{PUBLIC_URL}/oauth/callback",
            "token_encryption_key": SecretStr(Fernet.generate_key().decode()),
        }
        app = create_app(change_settings(self._settings, **everything | others))
        self._apps.append(app)
        return app.test_client()

    def close(self) -> None:
        for app in self._apps:
            app.extensions["service"].close()


@pytest.fixture
def web(settings: Settings, store: redis.Redis) -> Iterator[Web]:
    made = Web(settings, store)
    yield made
    made.close()


# -- what is described -----------------------------------------------------------------------------


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path."""
    return {
        (method.upper(), path): operation
        for path, item in DESCRIPTION["paths"].items()
        for method, operation in item.items()
    }


def resolved(value: Any) -> Any:
    """What a reference of the description leads to."""
    while "$ref" in value:
        place: Any = DESCRIPTION
        for part in value["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        value = place
    return value


def strict(value: Any) -> Any:
    """The same, but an object has no properties except those that are described."""
    if isinstance(value, list):
        return [strict(part) for part in value]
    if not isinstance(value, dict):
        return value
    made = {name: strict(part) for name, part in value.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def check(value: Any, schema: dict[str, Any]) -> None:
    """Raises ValidationError."""
    referred = {"components": strict(DESCRIPTION["components"])}
    Draft202012Validator(strict(schema) | referred).validate(value)


STATUSES = [
    (method, path, int(status))
    for (method, path), operation in operations().items()
    for status in operation["responses"]
]


def test_every_route_is_described_and_nothing_else_is(web: Web) -> None:
    app = web.client().application
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(operations()) == routes | {("POST", path) for path in webhook.PATHS}


def test_any_other_method_is_405_and_any_other_path_404(web: Web) -> None:
    client = web.client()
    for path, item in DESCRIPTION["paths"].items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {name.upper() for name in item}:
            answer = client.open(path, method=method)
            assert (answer.status_code, method in answer.headers["Allow"]) == (405, False)
        assert client.get(f"{path}/x").status_code == 404
    assert client.get("/").status_code == 404


def test_anybody_gets_the_file_as_it_is(web: Web) -> None:
    answer = web.client().get("/openapi.json")
    assert (answer.mimetype, answer.data) == ("application/json", FILE.read_bytes())


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert DESCRIPTION["info"]["version"] == project["version"]


def test_it_names_variables_that_there_are_and_no_value_of_the_environment(web: Web) -> None:
    web.client()
    text = FILE.read_text()
    for secret in (SECRET, OPS_TOKEN, TWILIO_TOKEN, PASSWORD):
        assert secret not in text
    variables = {group.variable(field) for group in GROUPS.values() for field in group.model_fields}
    begins = {name.partition("_")[0] for name in variables}
    named = {
        word.strip(".,();:`=")
        for word in text.replace("=", " ").replace('"', " ").split()
        if "_" in word and word.isupper()
    }
    assert {name for name in named if name.partition("_")[0] in begins} - {"VAPI_HMAC_*"} <= (
        variables
    )


def test_it_is_openapi_3_1() -> None:
    openapi_spec_validator.validate(DESCRIPTION, cls=OpenAPIV31SpecValidator)


def test_its_examples_fit_their_schemas() -> None:
    body = DESCRIPTION["components"]["requestBodies"]["Message"]["content"]["application/json"]
    for example in body["examples"].values():
        check(example["value"], body["schema"])
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


# -- every status that is described ----------------------------------------------------------------

Way = Callable[[Web], TestResponse]


def cut_off(why: Any) -> dict[str, Any]:
    """The environment of a request whose body the worker stopped reading."""
    accepted, client = socket.socketpair()
    client.close()
    connection = Connection(accepted, Connections(9, 9), idle_timeout_s=1)
    connection.close()
    connection.cut_off = why
    return {"gunicorn.socket": connection, **cut_short()}


def cut_short() -> dict[str, Any]:
    return {"wsgi.input": BytesIO(b"{"), "CONTENT_LENGTH": "2"}


def broken(web: Web, path: str) -> TestResponse:
    call_is_unreadable(web.store, "call-1")
    return post(web.client(), message("status-update", status="ended"), path)


def webhook_ways(path: str) -> dict[int, Way]:
    event = message("status-update", status="in-progress")
    return {
        200: lambda web: post(web.client(), JANE, path),
        400: lambda web: post(web.client(), b"{", path),
        401: lambda web: web.client().post(path, json=JANE),
        408: lambda web: web.client().post(
            path, headers=signed(b"{}"), environ_overrides=cut_off("timeout")
        ),
        413: lambda web: post(web.client(max_body_bytes=1024), b" " * 1025, path),
        500: lambda web: broken(web, path),
        503: lambda web: post(web.client(redis_url=AWAY), event, path),
    }


def twilio(client: FlaskClient, path: str, **said: str) -> TestResponse:
    form = {"CallSid": "CA1", "From": UNKNOWN, "CallStatus": "failed", **said}
    form |= {"RecordingUrl": "https://api.twilio.com/R1", "RecordingDuration": "3"}
    signature = RequestValidator(TWILIO_TOKEN).compute_signature(f"{PUBLIC_URL}{path}", form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature})


def twilio_ways(path: str, success: int) -> dict[int, Way]:
    some = {"X-Twilio-Signature": "x", "Content-Type": FORM}

    def bad(web: Web, headers: dict[str, str], **environ: Any) -> TestResponse:
        return web.client().post(path, headers=headers, environ_overrides=environ)

    return {
        success: lambda web: twilio(web.client(), path, DialCallStatus="completed"),
        400: lambda web: bad(web, some, **cut_short()),
        403: lambda web: bad(web, some),
        404: lambda web: twilio(web.client(twilio_auth_token=None), path),
        408: lambda web: bad(web, some, **cut_off("timeout")),
        413: lambda web: bad(web, some, CONTENT_LENGTH=str(MAX_FORM_BYTES + 1)),
        415: lambda web: bad(web, some | {"Content-Type": "application/json"}),
        503: lambda web: twilio(
            web.client(redis_url=AWAY), path, DialCallStatus="completed", CallStatus="failed"
        ),
    }


def get(path: str, headers: dict[str, str] | None = None, **others: Any) -> Way:
    return lambda web: web.client(**others).get(path, headers=headers)


def locked(path: str, wrong: dict[str, str]) -> Way:
    """After too many wrong credentials."""

    def way(web: Web) -> TestResponse:
        client = web.client()
        for _ in range(PER_ADDRESS):
            client.get(path, headers=wrong)
        return client.get(path, headers=wrong)

    return way


def way_back(web: Web, times: int = 1) -> TestResponse:
    """From Salesforce, where the operator has approved."""
    client = web.client(salesforce_client_secret=None)
    begun = client.get("/oauth/login", headers=SIGNED_IN)
    path = approved(begun.headers["Location"])
    for _ in range(times):
        state = begun.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        client.set_cookie("vs_oauth_state", state, path="/oauth")
        answer = client.get(path, headers=SIGNED_IN)
    return answer


def callback_without_store(web: Web) -> TestResponse:
    client = web.client(redis_url=AWAY)
    client.set_cookie("vs_oauth_state", "x", path="/oauth")
    return client.get("/oauth/callback?state=x&code=y", headers=SIGNED_IN)


WAYS: dict[str, dict[int, Way]] = {
    **{path: webhook_ways(path) for path in webhook.PATHS},
    **{path: twilio_ways(path, 200) for path in ("/twilio/voice", "/twilio/voice/rung")},
    "/twilio/voicemail": twilio_ways("/twilio/voicemail", 200),
    "/twilio/status": twilio_ways("/twilio/status", 204),
    "/openapi.json": {200: get("/openapi.json")},
    "/health/live": {200: get("/health/live")},
    "/health/ready": {200: get("/health/ready"), 503: get("/health/ready", redis_url=AWAY)},
    "/health": {
        200: get("/health", OPERATOR),
        401: get("/health", SIGNED_IN),
        429: locked("/health", WRONG_TOKEN),
        503: get("/health", OPERATOR, redis_url=AWAY),
    },
    "/metrics": {
        200: get("/metrics", OPERATOR),
        401: get("/metrics"),
        404: get("/metrics", OPERATOR, ops_token=None),
        429: locked("/metrics", WRONG_TOKEN),
    },
    "/oauth/login": {
        302: get("/oauth/login", SIGNED_IN),
        401: get("/oauth/login"),
        409: get("/oauth/login", SIGNED_IN, token_encryption_key=None),
        429: locked("/oauth/login", WRONG_PASSWORD),
        503: get("/oauth/login", SIGNED_IN, redis_url=AWAY),
    },
    "/oauth/callback": {
        200: way_back,
        400: get("/oauth/callback", SIGNED_IN),
        401: get("/oauth/callback"),
        409: lambda web: way_back(web, times=2),
        429: locked("/oauth/callback", WRONG_PASSWORD),
        503: callback_without_store,
    },
}


@pytest.mark.parametrize(("method", "path", "status"), STATUSES)
def test_a_status_that_is_described_is_answered_as_described(
    web: Web, method: str, path: str, status: int
) -> None:
    answer = WAYS[path][status](web)
    assert (answer.request.method, urlsplit(answer.request.url).path) == (method, path)
    agrees(answer, status)


def agrees(answer: TestResponse, *statuses: int) -> None:
    """The answer to a request is one of those that are described, all of it."""
    request = answer.request
    responses = operations()[request.method, urlsplit(request.url).path]["responses"]
    assert answer.status_code in (statuses or {int(status) for status in responses})
    described = resolved(responses[str(answer.status_code)])
    content = described.get("content", {})
    if not content:
        assert answer.data == b""
    else:
        assert answer.mimetype in content
    if answer.is_json and content:
        check(answer.get_json(), content["application/json"]["schema"])
    for name, header in described.get("headers", {}).items():
        assert name in answer.headers or not resolved(header)["required"]


def test_no_status_has_a_way_that_is_not_described() -> None:
    driven = {(path, status) for path, ways in WAYS.items() for status in ways}
    assert driven == {(path, status) for _, path, status in STATUSES}


def test_the_summary_and_the_status_of_health_are_all_that_is_described(web: Web, org: Org) -> None:
    client = web.client()
    ask(client, "lookupCustomer")
    schemas = DESCRIPTION["components"]["schemas"]
    summary = client.get("/health", headers=OPERATOR).get_json()
    assert (
        set(summary) == set(schemas["Health"]["properties"]) == set(schemas["Health"]["required"])
    )
    check(summary, schemas["Health"])
    status = client.get("/health").get_json()
    assert set(status) == {"status"}
    check(status, schemas["Status"])


ANSWERS = [
    (JANE, {"results"}),
    (message("function-call", functionCall={"name": "lookupCustomer"}), {"result"}),
    (message("assistant-request"), {"assistantId", "assistantOverrides"}),
    (message("transfer-destination-request"), {"destination"}),
    (message("handoff-destination-request"), {"error"}),
    (message("knowledge-base-request"), {"documents"}),
    (message("campaign.predial"), {"error"}),
    (message("status-update"), set[str]()),
    (message("of a new type"), set[str]()),
    ([], set[str]()),
]


def test_every_property_of_an_answer_is_described_and_used(web: Web) -> None:
    client = web.client(vapi_assistant_id="a-1", fallback_phone_number="+14155550199")
    for body, properties in ANSWERS:
        answer = post(client, body)
        assert set(answer.get_json()) == properties
        agrees(answer, 200)
    described = DESCRIPTION["components"]["schemas"]["Answer"]["properties"]
    assert set(described) == set[str]().union(*(properties for _, properties in ANSWERS))


ODD_HEADERS: list[dict[str, str]] = [
    {},
    OPERATOR,
    SIGNED_IN,
    {"Authorization": "Basic"},
    {"Authorization": "Basic \xff"},
    {"Authorization": "Bearer \xff"},
    {"Content-Type": FORM},
    {"Content-Type": "multipart/form-data", "X-Twilio-Signature": "x"},
    {"Content-Type": FORM, "X-Twilio-Signature": "\xff"},
    {"Cookie": "vs_oauth_state=\xff", **SIGNED_IN},
    {"x-signature": "\xff", "x-timestamp": "\xff"},
    {"Content-Length": "-1", "Content-Type": FORM, "X-Twilio-Signature": "x"},
    {"Content-Length": "x", "Content-Type": FORM, "X-Twilio-Signature": "x"},
]


@pytest.mark.parametrize(("method", "path"), operations())
def test_odd_requests_get_no_answer_that_is_not_described(web: Web, method: str, path: str) -> None:
    client = web.client()
    for headers in ODD_HEADERS:
        for query in ("", "?", "?state=%ff&code=%00", "?state=&state=x&code=%ud800"):
            for data in (b"", b"{}", b"\x00\xff"):
                agrees(client.open(path + query, method=method, headers=headers, data=data))
