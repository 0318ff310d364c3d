"""Fixtures: a real Valkey, the local org over HTTP, and the service put together on them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import ROOT, Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.journal.journal import Journal
from shared.salesforce.namespace import keys_of
from shared.settings import GROUPS, Settings
from tests.accounting import Running, unaccounted, unlisted
from tests.phones import Phones
from tests.simulated import simulated
from web.app import create_app
from web.service import Service
from workers.delivery.context import DeliveryContext

SECRET = "test-webhook-secret"
OPS_TOKEN = "test-operators-token"

FIELDS = {
    group.variable(field).lower(): (name, field)
    for name, group in GROUPS.items()
    for field in group.model_fields
}
"""The group and the field of each variable."""

MARKERS = {
    "breaks_rows": "the test spoils what the journal holds, so nothing there can add up",
    "leaves_threads": "the test starts a thread that ends with the process",
}

MARKED_HERE = {
    "tests/journal/test_journal.py::test_an_intent_of_the_first_schema": "breaks_rows",
    "tests/journal/test_unreadable.py": "breaks_rows",
    "tests/shared/test_store_addresses.py": "leaves_threads",
}
"""Tests by the beginning of their id, until they carry the marker themselves."""


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}(reason): {meaning}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for start, marker in MARKED_HERE.items():
            if item.nodeid.startswith(start):
                item.add_marker(getattr(pytest.mark, marker)("see MARKED_HERE"))


@pytest.fixture(autouse=True)
def nothing_runs_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever thread or process a test begins, it ends."""
    before = Running.now()
    yield
    if not request.node.get_closest_marker("leaves_threads"):
        assert before.began_since() == []


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    server = Store(tmp_path_factory.mktemp("store"))
    server.start()
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def org_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    server = Org(tmp_path_factory.mktemp("org"))
    server.start()
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def phones_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated(tmp_path_factory.mktemp("twilio"), "twilio") as url:
        yield url


@pytest.fixture
def phones(phones_server: str) -> Phones:
    """The phones of the simulated Twilio, which have got nothing yet."""
    phones = Phones(phones_server)
    phones.reset()
    return phones


@pytest.fixture(scope="session")
def orders_org_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    source = ROOT / "examples" / "orders" / "salesforce"
    server = Org(tmp_path_factory.mktemp("orders"), source=source)
    server.start()
    yield server
    server.process.stop()


@pytest.fixture
def orders_org(orders_org_server: Org) -> Org:
    """The local org with the objects of examples/orders, healed and seeded anew."""
    orders_org_server.reset()
    return orders_org_server


@pytest.fixture
def store(store_server: Store, request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """A client of a store that is empty. When everything on it has ended, each intent must be
    accounted for, and each key be one of the schema."""
    with redis.Redis.from_url(store_server.url, decode_responses=True) as client:
        client.flushall()
        yield client
        if not request.node.get_closest_marker("breaks_rows"):
            wrong = unaccounted(client)
            assert not wrong, "\n".join(wrong)
        assert unlisted(client.scan_iter(count=1000)) == []


@pytest.fixture
def org(org_server: Org) -> Org:
    """The local org, healed and seeded anew."""
    org_server.reset()
    return org_server


@pytest.fixture(scope="session")
def open_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default agent folder with the policy `open`: the caller's number is enough for all."""
    folder = tmp_path_factory.mktemp("agents") / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    (folder / "policy.toml").write_text('base = "open"\n')
    return folder


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, open_agent: Path) -> Settings:
    """What a test runs with: no commit window, so that what is accepted is due at once, and no
    policy between a caller and what the test is about."""
    return make_settings(store_server.url, org.url, agent_dir=str(open_agent))


def make_settings(redis_url: str, org_url: str, **others: Any) -> Settings:
    """others: values of variables, by their names in lower case."""
    given: dict[str, Any] = {
        "redis_url": redis_url,
        "vapi_server_secret": SECRET,
        "salesforce_instance_url": org_url,
        "salesforce_client_id": "demo-client",
        "salesforce_client_secret": "demo-secret",
        "commit_window_ms": 0,
        "ops_token": OPS_TOKEN,
        **others,
    }
    groups: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    for name, value in given.items():
        group, field = FIELDS[name]
        groups[group][str(GROUPS[group].model_fields[field].validation_alias or field)] = value
    return Settings.model_validate(groups)


def change_settings(settings: Settings, **others: Any) -> Settings:
    """A copy with other values of variables, by their names in lower case. Checks no value."""
    for name, value in others.items():
        group, field = FIELDS[name]
        changed = getattr(settings, group).model_copy(update={field: value})
        settings = settings.model_copy(update={group: changed})
    return settings


@pytest.fixture
def keys(settings: Settings) -> str:
    """What the keys of this org and app begin with."""
    return keys_of(settings.salesforce)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    service: Service = made.extensions["service"]
    service.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def context(settings: Settings, store: redis.Redis) -> DeliveryContext:
    return DeliveryContext.from_settings(settings, store)


@pytest.fixture
def journal(store: redis.Redis) -> Journal:
    return Journal(store)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
