"""The doctor: all is well against the local org, and each thing that is broken is found and named.

Of every case the table says which link is a problem, what the finding names, and which links can't
be checked behind it. Nothing else may be reported.
"""

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from pydantic import SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server

from cli.__main__ import cli
from cli.doctor import LINKS, diagnose
from cli.provision import Accounts, make_it_so
from demo.stack import ROOT, Org, Store
from shared.alive import Alive, Peer
from shared.domain.drafts import CaseDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import load_settings
from shared.vapi.api import VapiApi
from tests.cli.conftest import Twilio as TwilioAccount
from tests.conftest import OPS_TOKEN
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

TWILIO = {"vapi number", "twilio", "twilio number"}
BEHIND_VAPI = {"vapi tools", "vapi assistant", "vapi number", "vapi campaigns"}
VAPI = {"vapi key"} | BEHIND_VAPI
WITHOUT_REDIS = {"redis", "service", "transfer rules", "salesforce host", "webhook"}
BEHIND_REDIS = {link.name for link in LINKS} - WITHOUT_REDIS - VAPI

BEHIND_TOKEN = {
    link.name for link in LINKS if link.after in ("salesforce token", "salesforce version")
} | {"salesforce user"}
BEHIND_VERSION = BEHIND_TOKEN - {"salesforce clock", "salesforce version"}


@dataclass(frozen=True)
class Broken:
    """env: variables to set, "" to unset. fault: of the org. config: of the store.

    vapi: a resource there, and what somebody changed in it by hand; None: deleted it.
    twilio: the same there, with Twilio set up, which it is not otherwise. gone: keys that are
    deleted from the store. also: other links that the same fault makes a problem.
    """

    problem: str
    names: str
    env: dict[str, str] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    vapi: tuple[str, dict[str, Any] | None] | None = None
    twilio: tuple[str, dict[str, Any]] | None = None
    unchecked: frozenset[str] | set[str] = frozenset()
    try_writes: bool = False
    gone: tuple[str, ...] = ()
    also: frozenset[str] | set[str] = frozenset()


BROKEN: dict[str, Broken] = {
    "a secret is missing": Broken(
        "settings", "VAPI_SERVER_SECRET", env={"VAPI_SERVER_SECRET": ""},
        unchecked={link.name for link in LINKS},
    ),
    "the placeholder stayed": Broken(
        "settings", "SALESFORCE_CLIENT_SECRET", env={"SALESFORCE_CLIENT_SECRET": "change-me"},
        unchecked={link.name for link in LINKS},
    ),
    "a login host": Broken(
        "settings", "My Domain", env={"SALESFORCE_INSTANCE_URL": "https://login.salesforce.com"},
        unchecked={link.name for link in LINKS},
    ),
    "no worker": Broken(
        "workers", "start worker", gone=("vs:alive:worker",), unchecked={"sweeps"},
    ),
    "no beat": Broken("beat", "start beat", gone=("vs:alive:beat",)),
    "web wants another token for operators": Broken(
        "service", "refuses this OPS_TOKEN", env={"OPS_TOKEN": "another-operators-token"},
    ),
    "a problem, and no token to ask for it": Broken(
        "service", "set OPS_TOKEN", env={"OPS_TOKEN": ""}, also={"beat"}, gone=("vs:alive:beat",),
    ),
    "retention that ran long ago": Broken(
        "service", "retention: has not run yet", gone=("vs:retention:last",),
    ),
    "no sweep ever": Broken("sweeps", "none has run yet", gone=("vs:sweep:last",)),
    "rules for transfers that are not there": Broken(
        "transfer rules", "nofile.toml", env={"TRANSFER_RULES": "nofile.toml"},
    ),
    "no web": Broken(
        "service", "start web", env={"PORT": "1", "PUBLIC_URL": "", "VAPI_API_KEY": ""},
        unchecked={"webhook"} | VAPI,
    ),
    "another server at the address": Broken(
        "service", "start web", env={"PORT": "1", "PUBLIC_URL": "{elsewhere}", "VAPI_API_KEY": ""},
        unchecked=VAPI, also={"webhook"},
    ),
    "no Redis": Broken(
        "redis", "does not answer", env={"REDIS_URL": "redis://127.0.0.1:1/0"},
        unchecked=BEHIND_REDIS,
    ),
    "an evicting Redis": Broken(
        "redis keeps what it is given", "maxmemory-policy allkeys-lru",
        config={"maxmemory-policy": "allkeys-lru"},

    ),
    "a Redis that does not sync": Broken(
        "redis keeps what it is given", "appendfsync everysec",
        config={"appendfsync": "everysec"},
    ),
    "a Redis that does not persist": Broken(
        "redis keeps what it is given", "appendonly no", config={"appendonly": "no"},

    ),
    "a wrong client secret": Broken(
        "salesforce token", "SALESFORCE_CLIENT_SECRET",
        fault={"status": 401, "error_code": "invalid_client", "resources": ["token"]},
        unchecked=BEHIND_TOKEN,
    ),
    "the token endpoint is down": Broken(
        "salesforce token", "reach Salesforce", fault={"status": 503, "resources": ["token"]},
        unchecked=BEHIND_TOKEN,
    ),
    "too many logins": Broken(
        "salesforce token", "login_rate", fault={"login_rate": 0}, unchecked=BEHIND_TOKEN,
    ),
    "clocks ten minutes apart": Broken(
        "salesforce clock", "10 minutes ahead", fault={"clock_offset_s": 600},
    ),
    "a clock ten minutes behind": Broken(
        "salesforce clock", "10 minutes behind", fault={"clock_offset_s": -600},
    ),
    "a version that is not served yet": Broken(
        "salesforce version", "99.0 is not served", env={"SALESFORCE_API_VERSION": "99.0"},
        unchecked=BEHIND_VERSION,
    ),
    "the key is missing on Case": Broken(
        "salesforce keys", "Case.Call_Key__c is missing or hidden",
        fault={"hide_fields": ["Case.Call_Key__c"]},
    ),
    "the key is missing on Task": Broken(
        "salesforce keys", "Task.Call_Key__c", fault={"hide_fields": ["Task.Call_Key__c"]},
    ),
    "the key is missing on files": Broken(
        "salesforce keys", "ContentVersion.Call_Key__c",
        fault={"hide_fields": ["ContentVersion.Call_Key__c"]},
    ),
    "the key of Task is not unique": Broken(
        "salesforce keys", "Task.Call_Key__c is not unique",
        fault={"unique": {"Task.Call_Key__c": False, "ContentVersion.Call_Key__c": True}},
    ),
    "the reference is missing": Broken(
        "salesforce keys", "Case.Voice_Reference__c",
        fault={"hide_fields": ["Case.Voice_Reference__c"]},
    ),
    "a field of Case is hidden": Broken(
        "salesforce Case", "Priority is missing or hidden",
        fault={"hide_fields": ["Case.Priority"]},
    ),
    "a field of Contact is hidden": Broken(
        "salesforce Contact", "MobilePhone", fault={"hide_fields": ["Contact.MobilePhone"]},
    ),
    "a field of Task is hidden": Broken(
        "salesforce Task", "CallObject", fault={"hide_fields": ["Task.CallObject"]},
    ),
    "cases can't be created": Broken(
        "salesforce Case", "not creatable", fault={"deny": ["Case.create"]},
    ),
    "contacts can't be changed": Broken(
        "salesforce Contact", "not changeable", fault={"deny": ["Contact.update"]},
    ),
    "comments can't be created": Broken(
        "salesforce CaseComment", "not creatable", fault={"deny": ["CaseComment.create"]},
    ),
    "a validation rule refuses our cases": Broken(
        "salesforce rules", "Case: FIELD_CUSTOM_VALIDATION_EXCEPTION (Say which product)",
        fault={"validation_rules": [
            {"object": "Case", "when": "Origin = 'Phone'", "message": "Say which product"},
        ]},
        try_writes=True,
    ),
    "a validation rule refuses our call logs": Broken(
        "salesforce rules", "CallLog: FIELD_CUSTOM_VALIDATION_EXCEPTION (No calls)",
        fault={"validation_rules": [
            {"object": "Task", "when": "TaskSubtype = 'Call'", "message": "No calls"},
        ]},
        try_writes=True,
    ),
    "cases can't be created, and writes are tried": Broken(
        "salesforce Case", "not creatable", fault={"deny": ["Case.create"]}, try_writes=True,
        unchecked={"salesforce rules"},
    ),
    "the allowance is at the reserve": Broken(
        "salesforce allowance", "API requests left", fault={"daily_left": 400_000},
    ),
    "Salesforce is far away": Broken(
        "salesforce speed", "ms a query",
        env={"LOOKUP_DEADLINE_MS": "200"}, fault={"latency_ms": 150, "resources": ["query"]},
    ),
    "a wrong Vapi key": Broken(
        "vapi key", "HTTP 401", env={"VAPI_API_KEY": "another"},
        unchecked=BEHIND_VAPI,
    ),
    "Vapi has no credential to sign with": Broken(
        "vapi key", "VAPI_CREDENTIAL_ID", env={"VAPI_CREDENTIAL_ID": ""},
        unchecked=BEHIND_VAPI,
    ),
    "an assistant that is not there": Broken(
        "vapi key", "VAPI_ASSISTANT_ID", env={"VAPI_ASSISTANT_ID": "a-1"},
        unchecked=BEHIND_VAPI,
    ),
    "no Vapi": Broken(
        "vapi key", "not reached", env={"VAPI_BASE_URL": "http://127.0.0.1:1"},
        unchecked=BEHIND_VAPI,
    ),
    "a tool's time-out is below our deadline": Broken(
        "vapi tools", "lookupCustomer: server.timeoutSeconds",
        vapi=(
            "lookupCustomer",
            {"server": {
                "url": "{service}/webhook/vapi", "credentialId": "cred-1", "timeoutSeconds": 2,
            }},
        ),
    ),
    "a tool's URL has drifted": Broken(
        "vapi tools", "getCaseStatus: server.url",
        vapi=("getCaseStatus", {"server": {"url": "https://old.example"}}),
    ),
    "a tool was described anew": Broken(
        "vapi tools", "cancelCase: function",
        vapi=("cancelCase", {"function": {"name": "cancelCase", "description": "Cancels"}}),
    ),
    "the assistant hears of too little": Broken(
        "vapi assistant", "serverMessages", vapi=("vapi-salesforce", {"serverMessages": ["hang"]}),
    ),
    "the assistant has no back-off plan": Broken(
        "vapi assistant", "server.timeoutSeconds, server.backoffPlan",
        vapi=("vapi-salesforce", {"server": {"url": "{service}/webhook/vapi"}}),
    ),
    "the assistant is gone": Broken(
        "vapi assistant", "+ assistant vapi-salesforce", vapi=("vapi-salesforce", None),
    ),
    "the public URL leads elsewhere": Broken(
        "webhook", "instead of 401", env={"PUBLIC_URL": "{elsewhere}", "VAPI_API_KEY": ""},
        unchecked=VAPI,
    ),
    "nothing behind the public URL": Broken(
        "webhook", "not reached", env={"PUBLIC_URL": "http://127.0.0.1:1", "VAPI_API_KEY": ""},
        unchecked=VAPI,
    ),
    "the running service has another secret": Broken(
        "webhook", "VAPI_SERVER_SECRET", env={"VAPI_SERVER_SECRET": "another-long-secret"},
    ),
    "the running service takes another scheme": Broken(
        "webhook", "the service takes hmac, and this environment says secret",
        env={"VAPI_AUTH": "secret"},
    ),
    "a proxy that writes JSON anew": Broken(
        "webhook", "a proxy on the way rewrites bodies",
        env={"PUBLIC_URL": "{rewriting}", "VAPI_API_KEY": ""}, unchecked=VAPI,
    ),
    "the service's clock is wrong": Broken(
        "webhook", "10 minutes behind", env={"PUBLIC_URL": "{late}", "VAPI_API_KEY": ""},
        unchecked=VAPI,
    ),
    "the Twilio account is suspended": Broken(
        "twilio", "the account is suspended", twilio=("account", {"status": "suspended"}),
        unchecked={"twilio number"},
    ),
    "the Twilio account is a trial": Broken(
        "twilio", "a trial account", twilio=("account", {"type": "Trial"}),
        unchecked={"twilio number"},
    ),
    "a wrong Twilio token": Broken(
        "twilio", "HTTP 401", env={"TWILIO_AUTH_TOKEN": "another"}, twilio=("account", {}),
        unchecked={"twilio number", "vapi number"},
    ),
    "no Twilio": Broken(
        "twilio", "not reached", env={"TWILIO_BASE_URL": "http://127.0.0.1:1"},
        twilio=("account", {}), unchecked={"twilio number", "vapi number"},
    ),
    "the number went to another account": Broken(
        "twilio number", "TWILIO_PHONE_NUMBER must be a number of this account",
        twilio=("number", {"phone_number": "+14155550177"}),
    ),
    "the number calls somebody else": Broken(
        "twilio number", "voice_url is not Vapi's",
        twilio=("number", {"voice_url": "https://demo.twilio.com/welcome/voice/"}),
    ),
    "the number's fallback URL has drifted": Broken(
        "twilio number", "voice_fallback_url",
        twilio=("number", {"voice_fallback_url": "https://old.example/twilio/voice"}),
    ),
    "nobody is told how a call ended": Broken(
        "twilio number", "status_callback", twilio=("number", {"status_callback": ""}),
    ),
    "the number is in a trunk": Broken(
        "twilio number", "trunk_sid is set", twilio=("number", {"trunk_sid": "TK1"}),
    ),
    "the number was given another assistant": Broken(
        "vapi number", "assistantId", vapi=("+14155550199", {"assistantId": "another"}),
        twilio=("account", {}),
    ),
    "the number falls back to nobody": Broken(
        "vapi number", "fallbackDestination", vapi=("+14155550199", {"fallbackDestination": None}),
        twilio=("account", {}),
    ),
    "the number is no longer in Vapi": Broken(
        "vapi number", "+ phone-number", vapi=("+14155550199", None), twilio=("account", {}),
    ),
    "the number has no assistant to answer it": Broken(
        "vapi number", "VAPI_ASSISTANT_ID is not set", env={"VAPI_ASSISTANT_ID": ""},
        twilio=("account", {}),
    ),
}  # fmt: skip


class Late(WSGIRequestHandler):
    """Its clock is ten minutes behind."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) - 600)


@pytest.fixture
def web(store: redis.Redis, store_server: Store, org: Org) -> Iterator[dict[str, str]]:
    """The service behind a public URL, a rewriting proxy before it, and another server."""
    load_settings.cache_clear()
    app = create_app(load_settings().model_copy(update={"ops_token": SecretStr(OPS_TOKEN)}))
    alive = Alive(store)
    alive.note("worker", Peer.of_this_process("celery@here"))
    alive.note("beat", Peer.of_this_process())
    Journal(store).sweep()
    Journal(store).purge(data_after_ms=10**9, receipt_after_ms=10**9)

    def elsewhere(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    def service(environ: Any, start: Any, rewrite: bool = False) -> Any:
        """As gunicorn hands it on: the input ends where the body does."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if rewrite:
            body = json.dumps(json.loads(body)).encode()
        changed = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ | changed, start)

    def rewriting(environ: Any, start: Any) -> Any:
        return service(environ, start, rewrite=True)

    def late(environ: Any, start: Any) -> Any:
        """To a service whose clock is behind, ours is ahead."""
        early = str(int(environ.get("HTTP_X_TIMESTAMP", 0)) + 600)
        return service(environ | {"HTTP_X_TIMESTAMP": early}, start)

    apps = {"service": service, "elsewhere": elsewhere, "rewriting": rewriting, "late": late}
    servers = {
        name: make_server(
            "127.0.0.1",
            0,
            served,
            threaded=True,
            request_handler=Late if name == "late" else None,
        )
        for name, served in apps.items()
    }
    for server in servers.values():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {name: f"http://127.0.0.1:{server.port}" for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()
    app.extensions["service"].close()


@pytest.fixture
def strict_org(org: Org) -> Iterator[Org]:
    yield org
    org.fault()


@pytest.fixture
def provisioned(vapi: str, web: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> VapiApi:
    """Vapi as it should be."""
    monkeypatch.setenv("VAPI_BASE_URL", vapi)
    set_env(monkeypatch, {}, web)
    return apply()


def apply() -> VapiApi:
    load_settings.cache_clear()
    accounts = Accounts(load_settings())
    make_it_so(accounts)
    return accounts.vapi


@pytest.fixture
def numbered(
    provisioned: VapiApi,
    twilio: TwilioAccount,
    web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """With the number imported as well; the environment that this takes."""
    (assistant,) = provisioned.list_all("assistant")
    env = twilio.env | {"VAPI_ASSISTANT_ID": str(assistant["id"])}
    set_env(monkeypatch, env, web)
    apply()
    return env


def change_by_hand(api: VapiApi, name: str, change: dict[str, Any] | None) -> None:
    resource = {"vapi-salesforce": "assistant", "+14155550199": "phone-number"}.get(name, "tool")
    (one,) = (
        item for item in api.list_all(resource)
        if name in (item.get("name"), item.get("number"), item.get("function", {}).get("name"))
    )  # fmt: skip
    if change is None:
        api.delete(resource, one["id"])
    else:
        api.change(resource, one["id"], change)


def set_env(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], web: dict[str, str]) -> None:
    ours = {
        "PUBLIC_URL": web["service"],
        "VAPI_API_KEY": "demo-vapi-key",
        "VAPI_ASSISTANT_ID": "",
        "VAPI_CREDENTIAL_ID": "cred-1",
        "PORT": web["service"].rpartition(":")[2],
        "OPS_TOKEN": OPS_TOKEN,
    }
    for name, value in (ours | given).items():
        for known, url in web.items():
            value = value.replace("{" + known + "}", url)
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)


def test_all_is_well_and_what_is_not_set_up_says_so(provisioned: VapiApi) -> None:
    findings = {item.link: item for item in diagnose()}
    assert {n for n, finding in findings.items() if finding.status == "problem"} == set()
    assert {n for n, finding in findings.items() if finding.status == "not checked"} == TWILIO
    assert all(finding.said for finding in findings.values())


def test_all_is_well_with_a_number_and_nothing_is_left_unchecked(numbered: dict[str, str]) -> None:
    assert {item.link: item.said for item in diagnose() if item.status != "ok"} == {}


def test_a_number_that_somebody_gave_the_assistant_in_the_dashboard_is_seen(
    provisioned: VapiApi, numbered: dict[str, str], web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assistant = numbered["VAPI_ASSISTANT_ID"]
    set_env(monkeypatch, dict.fromkeys(numbered, "") | {"VAPI_ASSISTANT_ID": assistant}, web)
    change_by_hand(provisioned, "+14155550199", {"assistantId": assistant, "server": None})
    (found,) = (item for item in diagnose() if item.link == "vapi number")
    assert (found.status, found.said) == ("ok", "1 of the account's 1 leads here")


@pytest.mark.parametrize(
    ("server", "assistant", "status", "said"),
    [
        ({"url": "{service}/webhook/vapi", "credentialId": "cred-1"}, True, "ok", "1 of the"),
        ({"url": "{service}/webhook/vapi"}, True, "problem", "without a credential"),
        ({"url": "{service}/wrong", "credentialId": "cred-1"}, True, "not checked", "no number"),
        (
            {"url": "{service}/webhook/vapi", "credentialId": "cred-1"}, False,
            "problem", "VAPI_ASSISTANT_ID is not set",
        ),
    ],
)  # fmt: skip
def test_a_number_that_somebody_gave_the_server_in_the_dashboard_is_looked_at(
    server: dict[str, str], assistant: bool, status: str, said: str,
    provisioned: VapiApi, numbered: dict[str, str], web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given = json.loads(json.dumps(server).replace("{service}", web["service"]))
    change_by_hand(provisioned, "+14155550199", {"server": given})
    named = {"VAPI_ASSISTANT_ID": numbered["VAPI_ASSISTANT_ID"]} if assistant else {}
    set_env(monkeypatch, dict.fromkeys(numbered, "") | named, web)
    (found,) = (item for item in diagnose() if item.link == "vapi number")
    assert (str(found.status), said in found.said) == (status, True), found


CAMPAIGNS: dict[str, dict[str, Any]] = {
    "asks": {},
    "asks by another path": {"server": {"url": "{service}/webhook"}},
    "asks later": {"schedulePlan": {"earliestAt": "2026-12-01T10:00:00Z"}},
    "no longer": {"predialPlan": {"enabled": False}},
    "never": {"predialPlan": None},
    "asks somebody else": {"server": {"url": "https://dialler.acme.example/predial"}},
    "is over": {},
}


def test_campaigns_that_ask_this_server_whom_to_dial_are_named(
    provisioned: VapiApi, web: dict[str, str]
) -> None:
    (found,) = (item for item in diagnose() if item.link == "vapi campaigns")
    assert (str(found.status), found.said) == ("ok", "0, none asks this server whom to dial")
    for name, changed in CAMPAIGNS.items():
        body = {"predialPlan": {}, "server": {"url": "{service}/webhook/vapi"}} | changed
        text = json.dumps(body | {"name": name}).replace("{service}", web["service"])
        made = provisioned.create("campaign", json.loads(text))
        if name == "is over":
            provisioned.change("campaign", made["id"], {"status": "ended"})
    (found,) = (item for item in diagnose() if item.link == "vapi campaigns")
    assert str(found.status) == "problem"
    assert found.said.endswith("dial nobody: asks, asks by another path, asks later")


def test_campaigns_are_read_page_by_page(
    provisioned: VapiApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nth in range(5):
        provisioned.create("campaign", {"name": f"{nth}"})
    monkeypatch.setattr("shared.vapi.api.MAX_LISTED", 2)
    assert [intent["name"] for intent in provisioned.list_all("campaign")] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_named_and_nothing_else(
    name: str, web: dict[str, str], strict_org: Org, store: redis.Redis, provisioned: VapiApi,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    case_ = BROKEN[name]
    env = case_.env
    if case_.twilio:
        env = request.getfixturevalue("numbered") | env
        request.getfixturevalue("twilio").by_hand(case_.twilio[0], **case_.twilio[1])
    if case_.vapi:
        informed, change = case_.vapi
        text = json.dumps(change).replace("{service}", web["service"])
        change_by_hand(provisioned, informed, json.loads(text))
    set_env(monkeypatch, env, web)
    before = {key: str(store.config_get(key)[key]) for key in case_.config}
    for key, value in case_.config.items():
        store.config_set(key, value)
    for key in case_.gone:
        store.delete(key)
    strict_org.fault(**case_.fault)
    try:
        findings = {item.link: item for item in diagnose(try_writes=case_.try_writes)}
    finally:
        for key, value in before.items():
            store.config_set(key, value)
    found = {n: finding for n, finding in findings.items() if finding.status == "problem"}
    assert set(found) == {case_.problem} | case_.also, found
    said = found[case_.problem]
    assert case_.names in f"{said.said} {said.remedy}"
    assert said.remedy
    unchecked = {n for n, finding in findings.items() if finding.status == "not checked"}
    assert unchecked == (set() if case_.twilio else TWILIO) | case_.unchecked


def problems() -> dict[str, tuple[str, str]]:
    found = (item for item in diagnose() if item.status == "problem")
    return {row.link: (row.said, row.remedy) for row in found}


def accepted(journal: Journal) -> None:
    draft = CaseDraft(issue_type="billing", description="private words")
    journal.accept("call-1", [NewIntent(id=new_intent_id(), kind=Kind.CASE_CREATE, draft=draft)])


def test_a_paused_kind_is_named_with_the_command_that_lets_it_go(
    provisioned: VapiApi, journal: Journal
) -> None:
    journal.pause(Kind.CALLBACK)
    assert problems() == {
        "paused kinds": (
            "callback: accepted and not delivered, since a person paused it",
            "python -m cli resume callback --yes",
        )
    }


def test_a_kind_that_fails_as_a_whole_is_named_with_its_reason(
    provisioned: VapiApi, journal: Journal, context: DeliveryContext, strict_org: Org
) -> None:
    accepted(journal)
    strict_org.fault(hide_fields=["Case.Call_Key__c"])
    drain(context, Kind.CASE_CREATE)
    strict_org.fault()
    found = problems()
    assert set(found) == {"failing kinds"}
    assert found["failing kinds"][0].startswith("case_create waits because of ")
    assert "resume case_create" in found["failing kinds"][1]


@pytest.mark.parametrize(("count", "said"), [(1, "1 write waits"), (3, "3 writes wait")])
def test_parked_writes_are_counted_with_the_command_to_look_at_them(
    count: int,
    said: str,
    provisioned: VapiApi,
    journal: Journal,
    context: DeliveryContext,
    strict_org: Org,
) -> None:
    for _ in range(count):
        accepted(journal)
    rule = {"object": "Case", "when": "Type = 'Billing'", "message": "No."}
    strict_org.fault(validation_rules=[rule])
    assert drain(context, Kind.CASE_CREATE).counts["parked"] == count
    strict_org.fault()
    assert problems() == {
        "parked writes": (
            f"{said} for a person",
            "python -m cli intents list --state parked",
        )
    }


def test_rules_for_transfers_that_can_be_read_are_well(
    provisioned: VapiApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_RULES", str(ROOT / "transfer.example.toml"))
    assert problems() == {}


def test_a_signing_secret_is_never_shown_to_who_answers_at_the_public_url(
    provisioned: VapiApi, web: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def stranger(environ: Any, start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        seen.append(repr(environ))
        start("401 Unauthorized", [("Content-Length", "0")])
        return []

    server = make_server("127.0.0.1", 0, stranger, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    set_env(monkeypatch, {"PUBLIC_URL": f"http://127.0.0.1:{server.port}", "PORT": "1"}, web)
    (webhook,) = (item for item in diagnose() if item.link == "webhook")
    server.shutdown()
    server.server_close()
    assert webhook.status == "problem"
    assert len(seen) >= 4
    assert "demo-webhook-secret" not in "".join(seen)


def test_a_store_whose_clock_is_wrong_is_found(
    provisioned: VapiApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.checks.store.now_ms", lambda _: time.time() * 1000 + 600_000)
    found = {link: said for link, (said, _) in problems().items()}
    assert found == {"redis clock": "Redis is 10 minutes ahead of this machine"}


def rules(**how: bool) -> tuple[str, str]:
    (found,) = (item for item in diagnose(**how) if item.link == "salesforce rules")
    return str(found.status), found.said


def test_rules_that_may_refuse_a_write_are_named_and_a_trial_tells_whether_they_do(
    web: dict[str, str], strict_org: Org
) -> None:
    assert rules() == ("ok", "none refuses a write")
    strict_org.fault(assignment_rule="Phone_Support")
    assert rules() == ("ok", "none refuses a write; new cases go where Standard says")
    harmless = {"object": "Case", "when": "Origin = 'Fax'", "message": "No fax", "name": "No_Fax"}
    strict_org.fault(validation_rules=[harmless], duplicate_rule="alert")
    status, said = rules()
    assert status == "not checked"
    assert said.startswith(
        "validation rule Case.No_Fax, duplicate rule Contact.Standard Contact Duplicate Rule may"
    )
    before = {name: strict_org.records(name) for name in ("Case", "Task", "CaseComment", "Contact")}
    assert rules(try_writes=True)[0] == "ok"
    strict_org.fault()
    after = {name: strict_org.records(name) for name in before}
    assert after == before


def test_who_may_not_see_rules_is_told_of_the_trial(web: dict[str, str], strict_org: Org) -> None:
    strict_org.fault(deny=["DuplicateRule.read", "ValidationRule.read"])
    status, said = rules()
    assert status == "not checked"
    assert said.startswith("only View Setup and Configuration may see them: doctor --try-writes")


def test_the_command_tells_and_exits_and_prints_no_secret(
    provisioned: VapiApi, strict_org: Org
) -> None:
    well = CliRunner().invoke(cli, ["doctor"])
    assert well.exit_code == 0, well.output
    assert "✓ salesforce token: given for client_credentials" in well.output
    strict_org.fault(hide_fields=["Case.Call_Key__c"])
    ill = CliRunner().invoke(cli, ["doctor", "--json"])
    assert ill.exit_code == 1
    said = {line["link"]: line for line in map(json.loads, ill.output.splitlines())}
    assert said["salesforce keys"]["status"] == "problem"
    for secret in ("demo-secret", "demo-webhook-secret", "demo-flower-password", "demo-vapi-key"):
        assert secret not in well.output + ill.output
