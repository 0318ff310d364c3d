"""What is stored about an org and app is invisible to other orgs and apps."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet
from pydantic import SecretStr

from demo.stack import Org, Store
from shared.deadline import Deadline
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.case_numbers import CaseNumbers
from shared.salesforce.client import SalesforceClient
from shared.salesforce.contact_resolver import ContactResolver
from shared.salesforce.customers import Customers
from shared.salesforce.namespace import keys_of, org_name
from shared.salesforce.new_numbers import NewNumbers
from shared.salesforce.records import Records
from shared.salesforce.snapshots import Snapshots
from shared.salesforce.token import TokenStore
from shared.settings import Settings
from tests.calling import KNOWN
from tests.conftest import change_settings, make_settings


@pytest.fixture(scope="module")
def production_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    server = Org(tmp_path_factory.mktemp("production"))
    server.start()
    yield server
    server.process.stop()


@pytest.fixture
def production(production_server: Org, store_server: Store) -> Settings:
    """Another org, the same Redis."""
    production_server.reset()
    return make_settings(
        store_server.url, production_server.url, salesforce_client_id="production-client"
    )


def snapshots_of(settings: Settings, store: redis.Redis) -> Snapshots:
    api_budget = ApiBudget(settings.salesforce, store)
    salesforce = SalesforceClient(settings.salesforce, store, api_budget, Use.LOOKUP)
    customers = Customers(salesforce, CaseNumbers(store, keys_of(settings.salesforce)), "US")
    return Snapshots(
        store, customers, new_numbers_of(settings, store), api_budget,
        run=lambda work: work(), lasts_s=5, ttl_s=3600, keys=keys_of(settings.salesforce),
    )  # fmt: skip


def new_numbers_of(settings: Settings, store: redis.Redis) -> NewNumbers:
    return NewNumbers(store, keys_of(settings.salesforce), settings.calls.new_number_age_h)


def resolve(settings: Settings, store: redis.Redis) -> dict[str, list[str]]:
    api_budget = ApiBudget(settings.salesforce, store)
    salesforce = SalesforceClient(settings.salesforce, store, api_budget, Use.WRITE)
    records = Records(salesforce, timeout_s=10, has_key_fields=True)
    new_numbers = new_numbers_of(settings, store)
    resolver = ContactResolver(records, store, "US", keys_of(settings.salesforce), new_numbers)
    return resolver.resolve({KNOWN: 0})


def test_another_org_learns_nothing_and_shows_nothing_of_the_one_before(
    settings: Settings, production: Settings, production_server: Org, org: Org, store: redis.Redis
) -> None:
    """A sandbox, then production, with the same Redis: token, snapshots, figures, resolver."""
    before = snapshots_of(settings, store)
    assert before.since(KNOWN, 0, Deadline.after(5)).customers
    assert resolve(settings, store)[KNOWN]
    asked = org.stats()["requests"]
    for record in production_server.records("Contact"):
        if record["Name"] == "Jane Miller":
            production_server.edit("Contact", record["Id"], LastName="Production")

    after = snapshots_of(production, store)
    assert after.last(KNOWN) is None
    assert ApiBudget(production.salesforce, store).figures().daily_limit is None
    assert ApiBudget(production.salesforce, store).figures().counts == {}
    (jane,) = after.since(KNOWN, 0, Deadline.after(5)).customers
    assert jane.name == "Jane Production"
    assert resolve(production, store)[KNOWN]
    assert org.stats()["requests"] == asked
    assert production_server.stats()["by_resource"]["composite"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"salesforce_client_id": "another-app"},
        {"salesforce_grant": "refresh_token", "salesforce_refresh_token": SecretStr("given")},
    ],
)
def test_another_app_or_grant_gets_a_token_of_its_own(
    settings: Settings, org: Org, store: redis.Redis, other: dict[str, Any]
) -> None:
    until = time.monotonic() + 10
    first = TokenStore(settings.salesforce, store).current(give_up_at=until)
    others = change_settings(settings, **other)
    second = TokenStore(others.salesforce, store).current(give_up_at=until)
    assert second.access_token != first.access_token
    assert TokenStore(settings.salesforce, store).current(give_up_at=until) == first


@pytest.mark.parametrize(("grant", "is_shared"), [("jwt", False), ("client_credentials", True)])
def test_another_user_of_an_app_is_another_one_only_where_a_setting_names_them(
    settings: Settings, grant: str, is_shared: bool
) -> None:
    first, second = (
        keys_of(
            change_settings(settings, salesforce_grant=grant, salesforce_username=user).salesforce
        )
        for user in ("voice@acme.example", "night@acme.example")
    )
    assert (first == second) is is_shared


def test_a_kept_refresh_token_is_never_sent_to_another_org(
    org: Org, production_server: Org, store: redis.Redis, store_server: Store
) -> None:
    org.fault(rotate_refresh_tokens=True)
    shared: dict[str, Any] = {
        "salesforce_grant": "refresh_token", "salesforce_refresh_token": "demo-refresh-token",
        "token_encryption_key": Fernet.generate_key().decode(),
    }  # fmt: skip
    sandbox = make_settings(store_server.url, org.url, **shared)
    tokens = TokenStore(sandbox.salesforce, store)
    tokens.replace(tokens.current(give_up_at=time.monotonic() + 5), give_up_at=time.monotonic() + 5)
    rotated = tokens._refresh_tokens.current()
    production = make_settings(store_server.url, production_server.url, **shared)
    existing = TokenStore(production.salesforce, store)
    assert rotated != existing._refresh_tokens.current() == "demo-refresh-token"


def test_everything_kept_of_an_org_expires(settings: Settings, store: redis.Redis) -> None:
    snapshots_of(settings, store).since(KNOWN, 0, Deadline.after(5))
    resolve(settings, store)
    windowed = change_settings(settings, salesforce_window_requests=100)
    ApiBudget(windowed.salesforce, store).ask(Use.LOOKUP, lasts_s=1)
    stored = list(store.scan_iter("vs:salesforce:*"))
    assert len(stored) >= 6
    assert [key for key in stored if store.ttl(key) < 0] == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Acme.my.salesforce.com", "acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:443/", "acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"),
        ("http://127.0.0.1:8100", "127.0.0.1:8100"),
    ],
)
def test_an_org_is_named_by_its_host(settings: Settings, url: str, name: str) -> None:
    assert org_name(change_settings(settings, salesforce_instance_url=url).salesforce) == name
