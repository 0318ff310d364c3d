"""The doctor finds no problem when all is well, and names each thing that is broken.

For each case the table says which link has a problem, what the finding names, and which links are
not checked because of it. The doctor may report nothing else.
"""

import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from click.testing import CliRunner
from pydantic import SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server

from cli.__main__ import cli
from cli.chain import Finding, examine
from cli.checks.context import CheckContext
from cli.doctor import LINKS, diagnose
from cli.provision import Accounts, apply_steps
from cli.vapi.api import VapiApi
from demo.stack import ROOT, Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.alive import Alive, Peer
from shared.domain.drafts import CaseDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.operators.sign_ins import PER_ADDRESS
from shared.settings import Settings, load_settings
from tests.cli.conftest import Twilio as TwilioAccount
from tests.conftest import OPS_TOKEN, change_settings
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

TWILIO = {"vapi number", "twilio", "twilio number"}
MESSAGES = {
    "TWILIO_VERIFY_SERVICE_SID": f"VA{1:032d}",
    "TWILIO_VERIFY_BASE_URL": "{twilio}",
    "SMS_FROM": "+14155550199",
}
"""Codes and text messages, at {twilio}."""

BEHIND_VAPI_SETTINGS = {"vapi tools", "vapi assistant", "vapi number"}
BEHIND_VAPI = {"vapi settings", "vapi campaigns", "transfer assistants"} | BEHIND_VAPI_SETTINGS
VAPI = {"vapi key"} | BEHIND_VAPI
WITHOUT_REDIS = {
    "agent folder",
    "client addresses",
    "console",
    "disclosure",
    "redis",
    "service",
    "transfer rules",
    "salesforce host",
    "webhook",
}
BEHIND_REDIS = {link.name for link in LINKS} - WITHOUT_REDIS - VAPI

BEHIND_TOKEN = {
    link.name for link in LINKS if link.after in ("salesforce token", "salesforce version")
} | {"salesforce user"}
BEHIND_VERSION = BEHIND_TOKEN - {
    "salesforce clock", "salesforce token encryption", "salesforce version",
}  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """env: variables to set, "" to unset. fault: of the org. config: of the store.

    vapi: a resource at Vapi and its change by hand; None deletes it. twilio: a resource at Twilio
    and its change; with it, Twilio and the number are set up. gone: keys deleted from the store.
    also: other links with a problem. without: what the finding must not say.
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
    without: str = ""


BROKEN: dict[str, Broken] = {
    "a secret is missing": Broken(
        "settings", "VAPI_SERVER_SECRET", env={"VAPI_SERVER_SECRET": ""},
        unchecked={link.name for link in LINKS},
    ),
    "a placeholder of .env.example": Broken(
        "settings", "SALESFORCE_CLIENT_SECRET", env={"SALESFORCE_CLIENT_SECRET": "change-me"},
        unchecked={link.name for link in LINKS},
    ),
    "a login host": Broken(
        "settings", "My Domain", env={"SALESFORCE_INSTANCE_URL": "https://login.salesforce.com"},
        unchecked={link.name for link in LINKS},
    ),
    "no worker": Broken(
        "workers", "Start worker", gone=("vs:alive:worker",), unchecked={"sweeps"},
    ),
    "no beat": Broken("beat", "Start beat", gone=("vs:alive:beat",)),
    "web wants another token for operators": Broken(
        "service", "refuses this OPS_TOKEN", env={"OPS_TOKEN": "another-operators-token"},
    ),
    "a problem, and no token to ask for it": Broken(
        "service", "Set OPS_TOKEN", env={"OPS_TOKEN": ""}, also={"beat"}, gone=("vs:alive:beat",),
    ),
    "retention that ran long ago": Broken(
        "service", "retention: has not run yet", gone=("vs:retention:last",),
    ),
    "no sweep ever": Broken("sweeps", "No sweep has run yet", gone=("vs:sweep:last",)),
    "a folder that is no agent folder": Broken(
        "agent folder", "is no agent folder", env={"AGENT_DIR": "nowhere"},
        unchecked={
            "agent tools", "disclosure", "salesforce statuses", "salesforce mapping",
            "transfer rules", "transfer assistants",
            "vapi settings", *BEHIND_VAPI_SETTINGS,
        },
    ),
    "no web": Broken(
        "service", "Start web", env={"PORT": "1", "PUBLIC_URL": "", "VAPI_API_KEY": ""},
        unchecked={"webhook"} | VAPI,
    ),
    "another server at the address": Broken(
        "service", "Start web", env={"PORT": "1", "PUBLIC_URL": "{elsewhere}", "VAPI_API_KEY": ""},
        unchecked=VAPI, also={"webhook"},
    ),
    "no Redis": Broken(
        "redis", "Redis at 127.0.0.1:1 does not answer", env={"REDIS_URL": "redis://127.0.0.1:1/0"},
        unchecked=BEHIND_REDIS,
    ),
    "an evicting Redis": Broken(
        "redis persistence", "maxmemory-policy allkeys-lru",
        config={"maxmemory-policy": "allkeys-lru"},

    ),
    "a Redis that does not sync": Broken(
        "redis persistence", "appendfsync everysec",
        config={"appendfsync": "everysec"},
    ),
    "a Redis that does not persist": Broken(
        "redis persistence", "appendonly no", config={"appendonly": "no"},

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
        "salesforce version", "does not serve version 99.0", env={"SALESFORCE_API_VERSION": "99.0"},
        unchecked=BEHIND_VERSION,
    ),
    "the key is missing on Case": Broken(
        "salesforce keys", "Case.Call_Key__c is missing or hidden",
        fault={"hide_fields": ["Case.Call_Key__c"]},
        also={"agent tools"},
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
        also={"agent tools"},
    ),
    "a field of Case is hidden": Broken(
        "salesforce Case", "Priority is missing or hidden",
        fault={"hide_fields": ["Case.Priority"]},
    ),
    "a field of Contact is hidden": Broken(
        "salesforce Contact", "MobilePhone", fault={"hide_fields": ["Contact.MobilePhone"]},
        also={"agent tools"},
    ),
    "a field of Task is hidden": Broken(
        "salesforce Task", "CallObject", fault={"hide_fields": ["Task.CallObject"]},
    ),
    "a language field that Contact does not have": Broken(
        "salesforce language", "Contact has no field Sprache__c",
        env={"SALESFORCE_LANGUAGE_FIELD": "Sprache__c"},
    ),
    "a language field that the user can't see": Broken(
        "salesforce language", "SALESFORCE_LANGUAGE_FIELD",
        env={"SALESFORCE_LANGUAGE_FIELD": "Department"},
        fault={"hide_fields": ["Contact.Department"]},
    ),
    "values with Windows line ends": Broken(
        "variables", "VAPI_AUTH, VAPI_CREDENTIAL_ID end in a carriage return",
        env={"VAPI_AUTH": "hmac\r", "VAPI_CREDENTIAL_ID": "cred-1\r"},
        unchecked={"settings"} | {link.name for link in LINKS},
    ),
    "cases can't be created": Broken(
        "salesforce Case", "not creatable", fault={"deny": ["Case.create"]},
        also={"agent tools"},
    ),
    "contacts can't be changed": Broken(
        "salesforce Contact", "not changeable", fault={"deny": ["Contact.update"]},
        also={"agent tools"},
    ),
    "comments can't be created": Broken(
        "salesforce CaseComment", "not creatable", fault={"deny": ["CaseComment.create"]},
        also={"agent tools"},
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
        also={"agent tools"},
    ),
    "the allowance is at the reserve": Broken(
        "salesforce allowance", "API requests are left", fault={"daily_left": 400_000},
    ),
    "no answer to a query": Broken(
        "salesforce speed", "Check that this machine can reach Salesforce",
        fault={"status": 503, "resources": ["query"]}, also={"salesforce rules"},
    ),
    "Salesforce is far away": Broken(
        "salesforce speed", "more than half of LOOKUP_DEADLINE_MS",
        env={"LOOKUP_DEADLINE_MS": "200"}, fault={"latency_ms": 150, "resources": ["query"]},
    ),
    "a wrong Vapi key": Broken(
        "vapi key", "HTTP 401", env={"VAPI_API_KEY": "another"},
        unchecked=BEHIND_VAPI,
    ),
    "Vapi has no credential to sign with": Broken(
        "vapi settings", "VAPI_CREDENTIAL_ID is not set", env={"VAPI_CREDENTIAL_ID": ""},
        unchecked=BEHIND_VAPI_SETTINGS,
    ),
    "another credential": Broken(
        "vapi settings", "Set VAPI_CREDENTIAL_ID", env={"VAPI_CREDENTIAL_ID": "cred-2"},
        unchecked=BEHIND_VAPI_SETTINGS, without="provision apply",
    ),
    "another public URL": Broken(
        "vapi settings", "Check PUBLIC_URL", env={"PUBLIC_URL": "{elsewhere}"},
        unchecked=BEHIND_VAPI_SETTINGS, without="provision apply", also={"webhook"},
    ),
    "another public URL, and a number": Broken(
        "twilio number", "Check PUBLIC_URL", env={"PUBLIC_URL": "{elsewhere}"},
        twilio=("account", {}), unchecked=BEHIND_VAPI_SETTINGS, without="provision apply",
        also={"webhook", "vapi settings"},
    ),
    "an assistant that does not exist": Broken(
        "vapi settings", "Set VAPI_ASSISTANT_ID", env={"VAPI_ASSISTANT_ID": "a-1"},
        unchecked=BEHIND_VAPI_SETTINGS, without="VAPI_API_KEY",
    ),
    "no Vapi": Broken(
        "vapi key", "Check VAPI_BASE_URL", env={"VAPI_BASE_URL": "http://127.0.0.1:1"},
        unchecked=BEHIND_VAPI, without="VAPI_ASSISTANT_ID",
    ),
    "no Vapi, and a number": Broken(
        "vapi key", "VAPI_BASE_URL http://127.0.0.1:1 not reached",
        env={"VAPI_BASE_URL": "http://127.0.0.1:1"}, twilio=("account", {}),
        unchecked=BEHIND_VAPI | {"twilio number"}, without="delete the number",
    ),
    "another server at Vapi's address": Broken(
        "vapi key", "Check VAPI_BASE_URL", env={"VAPI_BASE_URL": "{elsewhere}"},
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
    "a tool has another description": Broken(
        "vapi tools", "cancelCase: function",
        vapi=("cancelCase", {"function": {"name": "cancelCase", "description": "Cancels"}}),
    ),
    "the assistant sends too few messages": Broken(
        "vapi assistant", "serverMessages", vapi=("vapi-salesforce", {"serverMessages": ["hang"]}),
    ),
    "the assistant has no back-off plan": Broken(
        "vapi assistant", "server.timeoutSeconds, server.backoffPlan",
        vapi=("vapi-salesforce", {"server": {"url": "{service}/webhook/vapi"}}),
    ),
    "the assistant was deleted": Broken(
        "vapi assistant", "+ assistant vapi-salesforce", vapi=("vapi-salesforce", None),
    ),
    "another server at the public URL": Broken(
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
    "a proxy that rewrites JSON": Broken(
        "webhook", "a proxy on the way rewrites bodies",
        env={"PUBLIC_URL": "{rewriting}", "VAPI_API_KEY": ""}, unchecked=VAPI,
    ),
    "the service's clock is wrong": Broken(
        "webhook", "10 minutes behind", env={"PUBLIC_URL": "{late}", "VAPI_API_KEY": ""},
        unchecked=VAPI,
    ),
    "the Twilio account is suspended": Broken(
        "twilio", "The Twilio account is suspended", twilio=("account", {"status": "suspended"}),
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
        "twilio number", "voice_url does not begin with VAPI_BASE_URL",
        twilio=("number", {"voice_url": "https://demo.twilio.com/welcome/voice/"}),
    ),
    "the number's fallback URL has drifted": Broken(
        "twilio number", "voice_fallback_url",
        twilio=("number", {"voice_fallback_url": "https://old.example/twilio/voice"}),
    ),
    "the status callback is empty": Broken(
        "twilio number", "status_callback", twilio=("number", {"status_callback": ""}),
    ),
    "the number is in a trunk": Broken(
        "twilio number", "The number has trunk_sid set", twilio=("number", {"trunk_sid": "TK1"}),
    ),
    "the number was given another assistant": Broken(
        "vapi number", "assistantId", vapi=("+14155550199", {"assistantId": "another"}),
        twilio=("account", {}),
    ),
    "the number has no fallback": Broken(
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
    """URLs of the service, of a rewriting proxy, of a late clock, and of another server."""
    load_settings.cache_clear()
    app = create_app(change_settings(load_settings(), ops_token=SecretStr(OPS_TOKEN)))
    alive = Alive(store)
    alive.note("worker", Peer.of_this_process("celery@here"))
    alive.note("beat", Peer.of_this_process())
    Journal(store).sweep()
    Journal(store).purge(data_after_ms=10**9, receipt_after_ms=10**9)

    def elsewhere(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    def service(environ: Any, start: Any, rewrite: bool = False) -> Any:
        """Like gunicorn: the input ends where the body ends."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if rewrite:
            body = json.dumps(json.loads(body)).encode()
        changed = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ | changed, start)

    def rewriting(environ: Any, start: Any) -> Any:
        return service(environ, start, rewrite=True)

    def late(environ: Any, start: Any) -> Any:
        """A service whose clock is behind gets timestamps that are ahead."""
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
    """Vapi with everything applied."""
    monkeypatch.setenv("VAPI_BASE_URL", vapi)
    set_env(monkeypatch, {}, web)
    return apply()


def apply() -> VapiApi:
    load_settings.cache_clear()
    accounts = Accounts(load_settings())
    apply_steps(accounts)
    return accounts.vapi


@pytest.fixture
def numbered(
    provisioned: VapiApi,
    twilio: TwilioAccount,
    web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """Vapi with the number imported as well. Returns the settings for it."""
    (assistant,) = provisioned.list_all("assistant")
    env = twilio.env | {"VAPI_ASSISTANT_ID": str(assistant["id"])}
    set_env(monkeypatch, env, web)
    apply()
    return env


def change_by_hand(api: VapiApi, name: str, change: dict[str, Any] | None) -> None:
    resource = {"vapi-salesforce": "assistant", "+14155550199": "phone-number"}.get(name, "tool")
    (found,) = (
        item for item in api.list_all(resource)
        if name in (item.get("name"), item.get("number"), item.get("function", {}).get("name"))
    )  # fmt: skip
    if change is None:
        api.delete(resource, found["id"])
    else:
        api.change(resource, found["id"], change)


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


def test_all_is_well_and_links_that_are_not_set_up_say_so(provisioned: VapiApi) -> None:
    findings = {finding.link: finding for finding in diagnose()}
    assert {n for n, finding in findings.items() if finding.status == "problem"} == set()
    assert {n for n, finding in findings.items() if finding.status == "not checked"} == (
        TWILIO | {"one-time codes", "text messages"}
    )
    assert all(finding.message for finding in findings.values())


def test_all_is_well_with_a_number_and_nothing_is_left_unchecked(
    numbered: dict[str, str], twilio: TwilioAccount, web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    env = {name: value.replace("{twilio}", twilio.url) for name, value in MESSAGES.items()}
    set_env(monkeypatch, numbered | env, web)
    apply()
    assert {finding.link: finding.message for finding in diagnose() if finding.status != "ok"} == {}


def test_a_number_that_somebody_gave_the_assistant_in_the_dashboard_is_seen(
    provisioned: VapiApi, numbered: dict[str, str], web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assistant = numbered["VAPI_ASSISTANT_ID"]
    set_env(monkeypatch, dict.fromkeys(numbered, "") | {"VAPI_ASSISTANT_ID": assistant}, web)
    change_by_hand(provisioned, "+14155550199", {"assistantId": assistant, "server": None})
    (found,) = (finding for finding in diagnose() if finding.link == "vapi number")
    assert (found.status, found.message) == (
        "ok",
        "1 of the account's numbers (1) reach this server",
    )


@pytest.mark.parametrize(
    ("server", "assistant", "status", "message"),
    [
        ({"url": "{service}/webhook/vapi", "credentialId": "cred-1"}, True, "ok", "1 of the"),
        ({"url": "{service}/webhook/vapi"}, True, "problem", "has no credential"),
        ({"url": "{service}/wrong", "credentialId": "cred-1"}, True, "not checked", "no number"),
        (
            {"url": "{service}/webhook/vapi", "credentialId": "cred-1"}, False,
            "problem", "VAPI_ASSISTANT_ID is not set",
        ),
    ],
)  # fmt: skip
def test_a_number_that_somebody_gave_the_server_in_the_dashboard_is_looked_at(
    server: dict[str, str], assistant: bool, status: str, message: str,
    provisioned: VapiApi, numbered: dict[str, str], web: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given = json.loads(json.dumps(server).replace("{service}", web["service"]))
    change_by_hand(provisioned, "+14155550199", {"server": given})
    named = {"VAPI_ASSISTANT_ID": numbered["VAPI_ASSISTANT_ID"]} if assistant else {}
    set_env(monkeypatch, dict.fromkeys(numbered, "") | named, web)
    (found,) = (finding for finding in diagnose() if finding.link == "vapi number")
    assert (str(found.status), message in found.message) == (status, True), found


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
    (found,) = (finding for finding in diagnose() if finding.link == "vapi campaigns")
    assert (str(found.status), found.message) == ("ok", "0, and none asks this server whom to dial")
    for name, changed in CAMPAIGNS.items():
        body = {"predialPlan": {}, "server": {"url": "{service}/webhook/vapi"}} | changed
        text = json.dumps(body | {"name": name}).replace("{service}", web["service"])
        made = provisioned.create("campaign", json.loads(text))
        if name == "is over":
            provisioned.change("campaign", made["id"], {"status": "ended"})
    (found,) = (finding for finding in diagnose() if finding.link == "vapi campaigns")
    assert str(found.status) == "problem"
    assert found.message.endswith("dial nobody: asks, asks by another path, asks later")


def test_campaigns_are_read_page_by_page(
    provisioned: VapiApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nth in range(5):
        provisioned.create("campaign", {"name": f"{nth}"})
    monkeypatch.setattr("cli.vapi.api.MAX_LISTED", 2)
    assert [campaign["name"] for campaign in provisioned.list_all("campaign")] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_the_doctor_names_what_is_broken_and_nothing_else(
    name: str, web: dict[str, str], strict_org: Org, store: redis.Redis, provisioned: VapiApi,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    broken = BROKEN[name]
    env = broken.env
    if broken.twilio:
        env = request.getfixturevalue("numbered") | env
        request.getfixturevalue("twilio").by_hand(broken.twilio[0], **broken.twilio[1])
    if broken.vapi:
        resource, change = broken.vapi
        text = json.dumps(change).replace("{service}", web["service"])
        change_by_hand(provisioned, resource, json.loads(text))
    set_env(monkeypatch, env, web)
    before = {key: str(store.config_get(key)[key]) for key in broken.config}
    for key, value in broken.config.items():
        store.config_set(key, value)
    for key in broken.gone:
        store.delete(key)
    strict_org.fault(**broken.fault)
    try:
        findings = {finding.link: finding for finding in diagnose(try_writes=broken.try_writes)}
    finally:
        for key, value in before.items():
            store.config_set(key, value)
    found = {n: finding for n, finding in findings.items() if finding.status == "problem"}
    assert set(found) == {broken.problem} | broken.also, found
    finding = found[broken.problem]
    assert broken.names in f"{finding.message} {finding.remedy}"
    assert finding.remedy
    if broken.without:
        assert broken.without not in f"{finding.message} {finding.remedy}"
    unchecked = {n for n, finding in findings.items() if finding.status == "not checked"}
    in_use = set() if broken.twilio else TWILIO
    assert unchecked == in_use | {"one-time codes", "text messages"} | broken.unchecked


@pytest.mark.parametrize(
    ("changed", "link", "said"),
    [
        ({}, "one-time codes", "codes of 6 digits"),
        ({"TWILIO_VERIFY_SERVICE_SID": f"VA{2:032d}"}, "one-time codes", "a Verify service of"),
        ({"TWILIO_VERIFY_BASE_URL": "http://127.0.0.1:1"}, "one-time codes", "not reached"),
        ({"AGENT_DIR": "{no codes}"}, "one-time codes", "Add code = true"),
        ({"TWILIO_VERIFY_SERVICE_SID": ""}, "one-time codes", "no code is offered"),
        ({}, "text messages", "SMS_FROM can send"),
        ({"SMS_FROM": "+14155550177"}, "text messages", "a number of this account"),
        ({"SMS_FROM": ""}, "text messages", "a person gets a task"),
        ({"SEND_REFERENCES": "true"}, "text messages", "may have references sent"),
        (
            {"SEND_REFERENCES": "true", "AGENT_DIR": "{no codes}"},
            "text messages",
            "Add send_reference = true",
        ),
    ],
)
def test_the_doctor_looks_at_codes_and_text_messages(
    changed: dict[str, str], link: str, said: str, web: dict[str, str], twilio: TwilioAccount,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    shutil.copytree(AGENT_FOLDER, tmp_path / "agent")
    file = tmp_path / "agent" / "tools" / "verifyCaller.toml"
    file.write_text(file.read_text().replace("code = true", "code = false"))
    file = tmp_path / "agent" / "tools" / "getCaseStatus.toml"
    file.write_text(file.read_text().replace("send_reference = true", ""))
    env = twilio.env | MESSAGES | changed
    places = {"{twilio}": twilio.url, "{no codes}": str(tmp_path / "agent")}
    set_env(monkeypatch, {name: places.get(value, value) for name, value in env.items()}, web)
    (finding,) = (found for found in diagnose() if found.link == link)
    assert said in f"{finding.message} {finding.remedy}"


def problems() -> dict[str, tuple[str, str]]:
    found = (finding for finding in diagnose() if finding.status == "problem")
    return {row.link: (row.message, row.remedy) for row in found}


def accepted(journal: Journal) -> None:
    draft = CaseDraft(issue_type="billing", description="private words")
    journal.accept("call-1", [NewIntent(id=new_intent_id(), kind=Kind.CASE_CREATE, draft=draft)])


def test_an_address_that_has_to_wait_after_wrong_tokens_learns_why(
    web: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(monkeypatch, {}, web)
    load_settings.cache_clear()
    for _ in range(PER_ADDRESS):
        wrong = {"Authorization": "Bearer an-old-token"}
        requests.get(f"{web['service']}/health", headers=wrong, timeout=10)
    (link,) = (link for link in LINKS if link.name == "service")
    (finding,) = examine([link], CheckContext(load_settings()))
    assert finding.status == "problem"
    assert "too many wrong tokens" in finding.message
    assert "wait 15 minutes" in finding.remedy


@pytest.mark.parametrize(
    ("url", "proxies", "status"),
    [
        ("https://voice.acme.example", 0, "warning"),
        ("https://voice.acme.example", 1, "ok"),
        ("http://127.0.0.1:8080", 0, "ok"),
    ],
)
def test_a_proxy_whose_clients_all_look_alike_is_a_warning(
    settings: Settings, url: str, proxies: int, status: str
) -> None:
    (link,) = (link for link in LINKS if link.name == "client addresses")
    changed = change_settings(settings, public_url=url, trusted_proxy_count=proxies)
    (finding,) = examine([link], CheckContext(changed))
    assert finding.status == status


def test_a_paused_kind_is_named_with_the_command_that_resumes_it(
    provisioned: VapiApi, journal: Journal
) -> None:
    journal.pause(Kind.CALLBACK)
    assert problems() == {
        "paused": (
            "An operator paused callback: writes are accepted but not delivered, and lookups are "
            "not answered",
            "Run: python -m cli resume callback --yes",
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
    assert set(found) == {"failing"}
    assert found["failing"][0].startswith("case_create waits because of ")
    assert "resume case_create" in found["failing"][1]


@pytest.mark.parametrize(
    ("count", "message"), [(1, "1 parked write needs"), (3, "3 parked writes need")]
)
def test_parked_writes_are_counted_with_the_command_to_look_at_them(
    count: int,
    message: str,
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
            f"{message} an operator's decision",
            "Run: python -m cli intents list --state parked",
        )
    }


def test_rules_for_transfers_that_lead_nowhere_are_a_problem(
    provisioned: VapiApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "acme"
    shutil.copytree(AGENT_FOLDER, copy)
    monkeypatch.setenv("AGENT_DIR", str(copy))
    rules = 'closed = "transfer"\n[hours]\ntimezone = "Europe/Berlin"\n'
    (copy / "transfer.toml").write_text(rules)
    (problem,) = (finding for finding in diagnose() if finding.link == "transfer rules")
    assert problem.status == "problem"
    assert "FALLBACK_PHONE_NUMBER" in problem.message


def test_an_assistant_of_the_transfer_rules_that_vapi_does_not_have_is_a_problem(
    provisioned: VapiApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finding(assistant: str) -> Finding:
        copy = tmp_path / assistant / "agent"
        shutil.copytree(AGENT_FOLDER, copy)
        rules = f'closed = "another-assistant"\nclosed_assistant = "{assistant}"\n'
        (copy / "transfer.toml").write_text(f'{rules}[hours]\ntimezone = "Europe/Berlin"\n')
        monkeypatch.setenv("AGENT_DIR", str(copy))
        (found,) = (item for item in diagnose() if item.link == "transfer assistants")
        return found

    missing = finding("night-1")
    assert missing.status == "problem"
    assert "closed_assistant is night-1" in missing.message
    (assistant, *_) = provisioned.list_all("assistant")
    assert finding(assistant["id"]).status == "ok"


def test_each_mistake_and_each_misfit_of_an_agent_folder_is_a_line_of_its_own(
    provisioned: VapiApi, strict_org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict_org.fault(hide_fields=["Contact.Phone", "Contact.Email"])
    found = [finding for finding in diagnose() if finding.link == "agent tools"]
    assert {finding.status for finding in found} == {"problem"}
    tool = "agent/tools/updateContact.toml"
    lines = (ROOT / tool).read_text().splitlines()
    lookup = "agent/identify.toml"
    (nth,) = (
        nth
        for nth, line in enumerate((ROOT / lookup).read_text().splitlines(), 1)
        if line.startswith('phone_fields = ["Phone"')
    )
    assert {finding.message for finding in found} == {
        f"{lookup}:{nth}: Contact has no field Phone, or the user can't see it",
        *(
            f"{tool}:{lines.index(line) + 1}: Contact has no field {name}, or the user can't see it"
            for name, line in (("Phone", 'Phone = "{phone}"'), ("Email", 'Email = "{email}"'))
        ),
    }
    strict_org.fault()
    copy = tmp_path / "acme"
    shutil.copytree(AGENT_FOLDER, copy)
    for name in ("cancelCase", "getCaseStatus"):
        (copy / "tools" / f"{name}.toml").write_text("")
    monkeypatch.setenv("AGENT_DIR", str(copy))
    found = [finding for finding in diagnose() if finding.link.startswith("agent")]
    assert [(str(finding.status), finding.link) for finding in found] == [
        ("problem", "agent folder"),
        ("problem", "agent folder"),
        ("not checked", "agent tools"),
    ]
    assert found[0].message == f"{copy}/tools/cancelCase.toml:1: verb is missing"
    assert found[0].remedy.startswith('Add verb = "read", or another of')


def test_the_signing_secret_is_never_sent_to_a_server_at_the_public_url(
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
    (webhook,) = (finding for finding in diagnose() if finding.link == "webhook")
    server.shutdown()
    server.server_close()
    assert webhook.status == "problem"
    assert len(seen) >= 4
    assert "demo-webhook-secret" not in "".join(seen)


def test_a_store_whose_clock_is_wrong_is_found(
    provisioned: VapiApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.checks.store.now_ms", lambda _: time.time() * 1000 + 600_000)
    found = {link: message for link, (message, _) in problems().items()}
    assert found == {"redis clock": "The clock of Redis is 10 minutes ahead of this machine's"}


def warnings() -> dict[str, tuple[str, str]]:
    found = (finding for finding in diagnose() if finding.status == "warning")
    return {row.link: (row.message, row.remedy) for row in found}


def test_misspelt_variables_are_a_warning_with_the_name_that_was_meant(
    provisioned: VapiApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text(
        "# VAPI_ASISTANT_ID=1\nexport VAPI_SECRET=x\nPULIC_URL='x'\nPORT=1\nEDITOR=vi\n"
        "REDIS_URL_FILE=x\nFLOWER_PORT=5\n"
    )
    monkeypatch.setenv("SALESFORCE_CLIENT_SECERT", "x")
    assert problems() == {}
    assert warnings() == {
        "variables": (
            "The service does not know PULIC_URL, SALESFORCE_CLIENT_SECERT, VAPI_SECRET",
            "Correct the name: PULIC_URL may be meant as PUBLIC_URL, SALESFORCE_CLIENT_SECERT may "
            "be meant as SALESFORCE_CLIENT_SECRET, VAPI_SECRET may be meant as VAPI_SERVER_SECRET.",
        )
    }
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == 0


def test_a_file_with_windows_line_ends_is_a_warning_before_it_is_loaded(
    provisioned: VapiApi,
) -> None:
    Path(".env").write_bytes(b"PORT=8080\r\nVAPI_AUTH=hmac\r\n")
    (warning,) = warnings().values()
    assert warning[0].startswith(".env has Windows line ends (CRLF)")
    assert problems() == {}


def rules(**how: Any) -> tuple[str, str]:
    (found,) = (finding for finding in diagnose(**how) if finding.link == "salesforce rules")
    return str(found.status), found.message


def test_rules_that_may_refuse_a_write_are_named_and_a_trial_shows_whether_they_do(
    web: dict[str, str], strict_org: Org
) -> None:
    assert rules() == ("ok", "none refuses a write")
    strict_org.fault(assignment_rule="Phone_Support")
    assert rules() == ("ok", "none refuses a write; Standard assigns new cases")
    harmless = {"object": "Case", "when": "Origin = 'Fax'", "message": "No fax", "name": "No_Fax"}
    strict_org.fault(validation_rules=[harmless], duplicate_rule="alert")
    status, message = rules()
    assert status == "not checked"
    assert message.startswith(
        "validation rule Case.No_Fax, duplicate rule Contact.Standard Contact Duplicate Rule may"
    )
    before = {name: strict_org.records(name) for name in ("Case", "Task", "CaseComment", "Contact")}
    assert rules(try_writes=True)[0] == "ok"
    strict_org.fault()
    after = {name: strict_org.records(name) for name in before}
    assert after == before


def test_a_user_who_may_not_see_rules_learns_of_the_trial(
    web: dict[str, str], strict_org: Org
) -> None:
    strict_org.fault(deny=["DuplicateRule.read", "ValidationRule.read"])
    status, message = rules()
    assert status == "not checked"
    assert message.startswith("the user needs the right View Setup and Configuration")
    assert message.endswith("python -m cli doctor --try-writes")


def test_the_command_prints_findings_sets_the_exit_code_and_shows_no_secret(
    provisioned: VapiApi, strict_org: Org
) -> None:
    well = CliRunner().invoke(cli, ["doctor"])
    assert well.exit_code == 0, well.output
    assert "✓ salesforce token: granted for client_credentials" in well.output
    strict_org.fault(hide_fields=["Case.Call_Key__c"])
    ill = CliRunner().invoke(cli, ["doctor", "--json"])
    assert ill.exit_code == 1
    findings = {line["link"]: line for line in map(json.loads, ill.output.splitlines())}
    assert findings["salesforce keys"]["status"] == "problem"
    for secret in ("demo-secret", "demo-webhook-secret", "demo-flower-password", "demo-vapi-key"):
        assert secret not in well.output + ill.output


@pytest.mark.parametrize(
    ("needed", "shown", "status", "said"),
    [
        ("none", {}, "ok", "none is needed"),
        ("none", {"failed": 2}, "ok", "failed in 2"),
        ("B", {}, "warning", "no call has shown any"),
        ("B", {"C": 3}, "warning", "C in 3"),
        ("B", {"C": 3, "A": 1}, "ok", "C in 3, A in 1; needed: B"),
    ],
)
def test_an_attestation_that_no_call_has_reached_is_a_warning(
    settings: Settings, store: redis.Redis, needed: str, shown: dict[str, int], status: str,
    said: str,
) -> None:  # fmt: skip
    for level, count in shown.items():
        store.hset("vs:calls:attestations", level, str(count))
    (link,) = (link for link in LINKS if link.name == "attestation")
    changed = change_settings(settings, needed_attestation=needed)
    (finding,) = examine([link], CheckContext(changed))
    assert (finding.status, said in finding.message) == (status, True)
