"""The store's clock jumps back ten minutes while a call lasts. Salesforce's clock, Vapi's and that
of the processes go on. See also tests/journal/test_clocks.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from proof.clocks import JUMP_S, Clocks
from shared.domain.drafts import ContactDraft
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import ask, say
from tests.conftest import make_settings
from web.app import create_app

AWAY: dict[str, Any] = {"status": 503, "error_code": "SERVER_UNAVAILABLE"}


@pytest.fixture
def clocks(tmp_path: Path) -> Clocks:
    return Clocks(tmp_path)


@pytest.fixture
def store(tmp_path: Path, clocks: Clocks) -> Iterator[redis.Redis]:
    """A store of its own, whose clock can jump."""
    server = Store(tmp_path / "store", extra=clocks.env_of("store"))
    server.start()
    try:
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            yield client
    finally:
        server.stop()


@pytest.fixture
def settings(store: redis.Redis, org: Org) -> Settings:
    port = store.connection_pool.connection_kwargs["port"]
    return make_settings(f"redis://127.0.0.1:{port}/0", org.url)


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


@pytest.fixture
def jump_back(clocks: Clocks, journal: Journal) -> Callable[[], None]:
    return lambda: clocks.jump("store", -JUMP_S, journal)


def asked(org: Org) -> int:
    """Requests but for tokens."""
    stats = org.stats()
    return int(stats["requests"] - stats["by_resource"].get("token", 0))


def person_edits(org: Org, **fields: Any) -> None:
    (jane,) = (it for it in org.records("Contact") if it["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], **fields)


def drafts(journal: Journal) -> list[ContactDraft]:
    found = (it.draft for it in journal.newest(100))
    return [draft for draft in found if isinstance(draft, ContactDraft)]


def test_a_caller_is_asked_for_once_although_the_call_began_before_the_jump(
    client: FlaskClient, org: Org, journal: Journal, jump_back: Callable[[], None]
) -> None:
    org.fault(**AWAY)
    assert "can't look" in ask(client, "lookupCustomer", id="early")["error"]
    org.fault()
    jump_back()
    before = asked(org)
    assert "Jane Miller" in say(client, "lookupCustomer")
    say(client, "updateContact", {"mailingCity": "Oakland"})
    assert asked(org) - before == 1
    assert [draft.seen is None for draft in drafts(journal)] == [False]
