"""The doctor: all is well against the local org, and each thing that is broken is found and named.

Of every case the table says which link is a problem, what the finding names, and which links can't
be checked behind it. Nothing else may be reported.
"""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from werkzeug.serving import make_server

from cli.__main__ import cli
from cli.doctor import LINKS, diagnose
from demo.stack import Org, Store
from shared.settings import load_settings
from web.app import create_app

ALWAYS_UNCHECKED = {"vapi", "twilio"}
BEHIND_REDIS = {link.name for link in LINKS} - {"redis", "salesforce host", "webhook"}
BEHIND_TOKEN = {
    link.name for link in LINKS if link.after in ("salesforce token", "salesforce version")
} | {"salesforce user"}
BEHIND_VERSION = BEHIND_TOKEN - {"salesforce clock", "salesforce version"}


@dataclass(frozen=True)
class Broken:
    """env: variables to set, "" to unset. fault: of the org. config: of the store."""

    problem: str
    names: str
    env: dict[str, str] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    unchecked: frozenset[str] | set[str] = frozenset()


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
    "no Redis": Broken(
        "redis", "does not answer", env={"REDIS_URL": "redis://127.0.0.1:1/0"},
        unchecked=BEHIND_REDIS,
    ),
    "an evicting Redis": Broken(
        "redis keeps what it is given", "maxmemory-policy allkeys-lru",
        config={"maxmemory-policy": "allkeys-lru"},
    ),
    "a Redis that does not sync": Broken(
        "redis keeps what it is given", "appendfsync everysec", config={"appendfsync": "everysec"},
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
        "salesforce token", "reached", fault={"status": 503, "resources": ["token"]},
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
    "the allowance is at the reserve": Broken(
        "salesforce allowance", "API requests left", fault={"daily_left": 400_000},
    ),
    "Salesforce is far away": Broken(
        "salesforce speed", "ms a query",
        env={"LOOKUP_DEADLINE_MS": "200"}, fault={"latency_ms": 150, "resources": ["query"]},
    ),
    "the public URL leads elsewhere": Broken(
        "webhook", "instead of 401", env={"PUBLIC_URL": "{elsewhere}"},
    ),
    "nothing behind the public URL": Broken(
        "webhook", "not reached", env={"PUBLIC_URL": "http://127.0.0.1:1"},
    ),
    "the running service has another secret": Broken(
        "webhook", "a signed message is refused", env={"VAPI_SERVER_SECRET": "another"},
    ),
    "a proxy that writes JSON anew": Broken(
        "webhook", "a signed message is refused", env={"PUBLIC_URL": "{rewriting}"},
    ),
}  # fmt: skip


@pytest.fixture
def web(store: redis.Redis, store_server: Store, org: Org) -> Iterator[dict[str, str]]:
    """The service behind a public URL, a rewriting proxy before it, and another server."""
    load_settings.cache_clear()
    app = create_app(load_settings())

    def elsewhere(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    def service(environ: Any, start: Any, rewrite: bool = False) -> Any:
        """As gunicorn hands it on: the input ends where the body does."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        if rewrite:
            body = json.dumps(json.loads(body)).encode()
        changed = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ | changed, start)

    def rewriting(environ: Any, start: Any) -> Any:
        return service(environ, start, rewrite=True)

    apps = {"service": service, "elsewhere": elsewhere, "rewriting": rewriting}
    servers = {
        name: make_server("127.0.0.1", 0, served, threaded=True) for name, served in apps.items()
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


def set_env(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], web: dict[str, str]) -> None:
    for name, value in ({"PUBLIC_URL": web["service"]} | given).items():
        for known, url in web.items():
            value = value.replace("{" + known + "}", url)
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name)


def test_all_is_well_and_what_is_not_set_up_says_so(
    web: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(monkeypatch, {}, web)
    findings = {one.link: one for one in diagnose()}
    assert {n for n, one in findings.items() if one.status == "problem"} == set()
    assert {n for n, one in findings.items() if one.status == "not checked"} == ALWAYS_UNCHECKED
    assert all(one.told for one in findings.values())


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_named_and_nothing_else(
    name: str, web: dict[str, str], strict_org: Org, store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    case_ = BROKEN[name]
    set_env(monkeypatch, case_.env, web)
    before = {key: str(store.config_get(key)[key]) for key in case_.config}
    for key, value in case_.config.items():
        store.config_set(key, value)
    strict_org.fault(**case_.fault)
    try:
        findings = {one.link: one for one in diagnose()}
    finally:
        for key, value in before.items():
            store.config_set(key, value)
    problems = {n: one for n, one in findings.items() if one.status == "problem"}
    assert set(problems) == {case_.problem}, problems
    told = problems[case_.problem]
    assert case_.names in f"{told.told} {told.mend}"
    assert told.mend
    unchecked = {n for n, one in findings.items() if one.status == "not checked"}
    assert unchecked == ALWAYS_UNCHECKED | case_.unchecked


def test_the_command_tells_and_exits_and_prints_no_secret(
    web: dict[str, str], monkeypatch: pytest.MonkeyPatch, strict_org: Org
) -> None:
    set_env(monkeypatch, {}, web)
    well = CliRunner().invoke(cli, ["doctor"])
    assert well.exit_code == 0, well.output
    assert "✓ salesforce token: given for client_credentials" in well.output
    strict_org.fault(hide_fields=["Case.Call_Key__c"])
    ill = CliRunner().invoke(cli, ["doctor", "--json"])
    assert ill.exit_code == 1
    told = {one["link"]: one for one in map(json.loads, ill.output.splitlines())}
    assert told["salesforce keys"]["status"] == "problem"
    for secret in ("demo-secret", "demo-webhook-secret", "demo-flower-password"):
        assert secret not in well.output + ill.output
