"""Whether the store is safe to use: what it shows, what it hides, what an operator vouches for."""

from collections.abc import Iterator

import fakeredis
import pytest
import redis

from demo.stack import Store
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.store import FULL, MemoryGauge, StoreFullError, connect, fitness
from tests.conftest import make_settings
from tests.workers.delivering import BILLING, accept
from web.app import create_app


@pytest.fixture(scope="module", params=["renamed", "forbidden", "info too"])
def hidden(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A hosted store that lacks the command, or the permission to use it."""
    ways = {
        "renamed": 'rename-command CONFIG ""',
        "forbidden": "user default on nopass ~* &* +@all -config",
        "info too": "user default on nopass ~* &* +@all -config -info",
    }
    server = Store(tmp_path_factory.mktemp("hosted"), config=ways[request.param])
    server.start()
    yield server
    server.stop()


def test_a_store_that_hides_its_settings_is_ready_and_a_warning(hidden: Store) -> None:
    client = connect(hidden.url)
    found = fitness(client, accept_everysec=False)
    assert found.problems == ()
    (warning,) = found.warnings
    assert "REDIS_VOUCHED" in warning
    assert fitness(client, accept_everysec=False, vouched=True).warnings == ()
    client.close()


def test_web_on_a_store_that_hides_its_settings_takes_calls_and_says_so(hidden: Store) -> None:
    for vouched in (False, True):
        settings = make_settings(hidden.url, "http://127.0.0.1:1", redis_vouched=vouched)
        app = create_app(settings)
        client = app.test_client()
        assert client.get("/health/ready").status_code == 200
        token = settings.ops.token
        assert token
        said = client.get(
            "/health", headers={"Authorization": f"Bearer {token.get_secret_value()}"}
        ).get_json()
        assert any("REDIS_VOUCHED" in item for item in said["problems"]) is not vouched
        app.extensions["service"].close()


@pytest.fixture
def own(store: redis.Redis) -> Iterator[redis.Redis]:
    """The tests' store. Its settings may be changed, and are restored afterwards."""
    yield store
    for name, value in (
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("maxmemory-policy", "noeviction"),
        ("maxmemory", "0"),
    ):
        store.config_set(name, value)


def test_a_store_that_does_not_sync_is_named_unless_that_is_accepted(own: redis.Redis) -> None:
    assert fitness(own, accept_everysec=False).problems == ()
    own.config_set("appendfsync", "everysec")
    assert "appendfsync everysec" in fitness(own, accept_everysec=False).problems[0]
    assert fitness(own, accept_everysec=True).problems == ()
    own.config_set("appendfsync", "no")
    assert "appendfsync no" in fitness(own, accept_everysec=True).problems[0]


def test_a_store_that_does_not_persist_is_named_unless_an_operator_vouches(
    own: redis.Redis,
) -> None:
    own.config_set("appendonly", "no")
    assert "does not persist" in fitness(own, accept_everysec=False).problems[0]
    assert fitness(own, accept_everysec=False, vouched=True).problems == ()


def test_a_store_that_evicts_is_named_whoever_vouches(own: redis.Redis) -> None:
    own.config_set("maxmemory-policy", "allkeys-lru")
    found = fitness(own, accept_everysec=True, vouched=True)
    assert "allkeys-lru" in found.problems[0]


def test_a_replica_is_no_store_to_write_to(own: redis.Redis) -> None:
    own.replicaof("127.0.0.1", 1)
    try:
        assert "replica" in fitness(own, accept_everysec=True).problems[0]
    finally:
        own.replicaof("NO", "ONE")


def limit(store: redis.Redis, share: float) -> None:
    """Set the memory limit so that this share of it is used."""
    used = fitness(store, accept_everysec=True).memory.used
    store.config_set("maxmemory", int(used / share))


def test_a_store_fills_up_with_a_warning_then_a_problem(own: redis.Redis) -> None:
    limit(own, 0.8)
    found = fitness(own, accept_everysec=False)
    assert found.problems == ()
    assert "of its memory is used" in found.warnings[0]
    limit(own, 0.95)
    found = fitness(own, accept_everysec=False)
    assert "full" in found.problems[0]
    assert found.memory.share > FULL


def test_accepting_stops_before_the_store_is_full(own: redis.Redis) -> None:
    limit(own, 0.95)
    with pytest.raises(StoreFullError):
        accept(Journal(own), Kind.CASE_CREATE, BILLING)
    assert own.set("still", "taken")
    limit(own, 0.5)
    accept(Journal(own), Kind.CASE_CREATE, BILLING)


def test_a_store_that_does_not_tell_its_memory_is_never_full() -> None:
    store = fakeredis.FakeStrictRedis(decode_responses=True)
    assert not MemoryGauge(store).is_full()
    assert fitness(store, accept_everysec=False).memory.share == 0
