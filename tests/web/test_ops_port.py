"""OPS_PORT: operators have an address of their own, and web has no console then."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shared.operators.sign_ins import PER_ADDRESS
from shared.settings import Settings, SettingsError, load_settings
from tests.calling import OPERATOR, message, post
from tests.conftest import change_settings
from web.app import create_app, create_ops_app
from web.service import Service

Make = Callable[[Settings], Flask]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return change_settings(settings, ops_port=8081, console_users="/nowhere/console.users")


def started(make: Make, settings: Settings) -> Iterator[FlaskClient]:
    app = make(settings)
    yield app.test_client()
    service: Service = app.extensions["service"]
    service.close()


@pytest.fixture
def web(settings: Settings) -> Iterator[FlaskClient]:
    yield from started(create_app, settings)


@pytest.fixture
def ops(settings: Settings) -> Iterator[FlaskClient]:
    yield from started(create_ops_app, settings)


def test_the_console_is_on_the_operators_port_and_not_beside_the_webhook(
    web: FlaskClient, ops: FlaskClient
) -> None:
    assert (web.get("/console/login").status_code, ops.get("/console/login").status_code) == (
        404,
        200,
    )
    assert post(web, message("status-update", status="in-progress")).status_code == 200
    assert post(ops, message("status-update", status="in-progress")).status_code == 404


def test_health_asks_for_a_token_on_web_and_for_none_on_the_operators_port(
    web: FlaskClient, ops: FlaskClient
) -> None:
    assert set(web.get("/health").get_json()) == {"status"}
    assert "parked" in web.get("/health", headers=OPERATOR).get_json()
    assert "parked" in ops.get("/health").get_json()


OURS = [
    "localhost:8081", "127.0.0.1:8081", "[::1]:8081", "10.0.0.5", "LOCALHOST", "ops:8081",
    "console.acme.example", "voice.acme.example",
]  # fmt: skip
OTHERS = [
    "evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example",
    "x.voice.acme.example", "localhost@evil.example", "evil.example/127.0.0.1",
    "[::1].evil.example", "[", "",
]  # fmt: skip


@pytest.fixture
def names() -> dict[str, str]:
    return {
        "ops_hosts": "Console.acme.example, ops",
        "public_url": "https://voice.acme.example",
    }


def test_the_operators_port_answers_to_no_name_of_a_strangers(
    settings: Settings, names: dict[str, str]
) -> None:
    """A name that its owner has lead to this machine (DNS rebinding)."""
    for ops in started(create_ops_app, change_settings(settings, **names)):
        for path in ("/health", "/metrics", "/console/login", "/health/live", "/nowhere"):
            answer = ops.get(path, headers={"Host": "evil.example"})
            assert (answer.status_code, answer.data) == (421, b"")
        assert [ops.get("/health/live", headers={"Host": it}).status_code for it in OURS] == (
            [200] * len(OURS)
        )
        assert [ops.get("/health/live", headers={"Host": it}).status_code for it in OTHERS] == (
            [421] * len(OTHERS)
        )


def test_the_operators_port_without_names_answers_to_addresses_and_localhost(
    ops: FlaskClient,
) -> None:
    statuses = [
        ops.get("/health", headers={"Host": host}).status_code
        for host in ("localhost", "10.0.0.5:8081", "ops", "evil.example")
    ]
    assert statuses == [200, 200, 421, 421]


def test_webs_console_answers_to_no_name_of_a_strangers_and_calls_to_any(
    settings: Settings, names: dict[str, str]
) -> None:
    """A load balancer's health check and Vapi's requests may come under any name."""
    for web in started(create_app, change_settings(settings, ops_port=None, **names)):
        for path in ("/console/login", "/console/now", "/console/static/console.css"):
            assert web.get(path, headers={"Host": "evil.example"}).status_code == 421
        for host in OURS:
            assert web.get("/console/login", headers={"Host": host}).status_code == 200
        assert web.get("/health", headers={"Host": "evil.example"}).status_code == 200


def test_nobody_on_the_operators_port_chooses_the_address_under_which_guesses_count(
    settings: Settings,
) -> None:
    for ops in started(create_ops_app, change_settings(settings, trusted_proxy_count=1)):
        form = {"name": "nobody", "password": "a wrong password"}
        statuses = [
            ops.post(
                "/console/login", data=form,
                headers={"Origin": "http://localhost", "X-Forwarded-For": f"203.0.113.{nth}"},
            ).status_code
            for nth in range(PER_ADDRESS + 1)
        ]  # fmt: skip
        assert statuses[-1] == 429


def test_both_ports_can_not_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "VAPI_SERVER_SECRET": "a-secret-of-16-characters",
        "SALESFORCE_INSTANCE_URL": "https://voice-test.my.salesforce.com",
        "SALESFORCE_CLIENT_ID": "id",
        "SALESFORCE_CLIENT_SECRET": "secret",
        "OPS_PORT": "8080",
    }.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    try:
        with pytest.raises(SettingsError, match="OPS_PORT must differ from PORT"):
            load_settings()
    finally:
        load_settings.cache_clear()
