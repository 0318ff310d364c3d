"""The store's clock jumps while calls last. The clocks of Salesforce, of Vapi and of the processes
go on. See also tests/journal/test_clocks.py."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.processes import wait_until
from demo.stack import Org, Store
from proof.clocks import JUMP_S, Clocks
from shared.domain.drafts import ContactDraft
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.salesforce.breaker import MAX_BAD
from shared.settings import Settings
from tests.calling import SHARED, ask, say
from tests.conftest import make_settings
from tests.store_time import commit_windows_end, next_attempt_is_allowed
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

AWAY: dict[str, Any] = {"status": 503, "error_code": "SERVER_UNAVAILABLE"}
Jump = Callable[[int], None]


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
def jump(clocks: Clocks, journal: Journal) -> Jump:
    return lambda ahead_s: clocks.jump("store", ahead_s, journal)


def asked(org: Org) -> int:
    """Requests but for tokens."""
    stats = org.stats()
    return int(stats["requests"] - stats["by_resource"].get("token", 0))


def jane(org: Org) -> dict[str, Any]:
    (found,) = (it for it in org.records("Contact") if it["Name"] == "Jane Miller")
    return found


def change_unseen(client: FlaskClient, org: Org, call_id: str, **changes: str) -> None:
    """While Salesforce can't be asked."""
    org.fault(**AWAY)
    now_ms = int(time.time() * 1000)
    assert "result" in ask(client, "updateContact", changes, call_id=call_id, timestamp=now_ms)
    org.fault()


def delivered(context: DeliveryContext, journal: Journal, store: redis.Redis) -> list[Intent]:
    """The changes, after all that is due."""
    for _ in range(3):
        commit_windows_end(store)
        next_attempt_is_allowed(store)
        drain(context, Kind.CONTACT_UPDATE)
    return [it for it in journal.newest(100) if it.kind is Kind.CONTACT_UPDATE]


def test_a_caller_is_asked_for_once_although_the_call_began_before_the_jump(
    client: FlaskClient, org: Org, journal: Journal, jump: Jump
) -> None:
    org.fault(**AWAY)
    assert "can't look" in ask(client, "lookupCustomer", id="early")["error"]
    org.fault()
    jump(-JUMP_S)
    before = asked(org)
    assert "Jane Miller" in say(client, "lookupCustomer")
    say(client, "updateContact", {"mailingCity": "Oakland"})
    assert asked(org) - before == 1
    (change,) = journal.newest(1)
    draft = change.draft
    assert isinstance(draft, ContactDraft)
    assert draft.seen


def test_a_breaker_that_opened_before_the_jump_holds_up_no_lookup_after_it(
    client: FlaskClient, org: Org, jump: Jump
) -> None:
    org.fault(**AWAY)
    for nth in range(MAX_BAD + 1):
        ask(client, "lookupCustomer", id=f"early-{nth}", call_id=f"early-{nth}")
    org.fault()
    assert "can't look" in ask(client, "lookupCustomer", number=SHARED, call_id="a")["error"]
    jump(-JUMP_S)
    again = (f"again-{nth}" for nth in range(1000))
    wait_until(
        lambda: "Jane Miller" in say(client, "lookupCustomer", id=next(again), call_id="b"),
        for_s=5,
        what="a lookup",
    )


def test_an_edit_before_the_request_parks_no_change_when_the_clock_is_behind(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    journal: Journal,
    store: redis.Redis,
    jump: Jump,
) -> None:
    jump(-JUMP_S)
    org.edit("Contact", jane(org)["Id"], MailingCity="Reno")
    change_unseen(client, org, "a", mailingCity="Oakland")
    (change,) = delivered(context, journal, store)
    assert (change.state, change.reason) == (State.DELIVERED, "")
    assert jane(org)["MailingCity"] == "Oakland"


def test_an_edit_after_the_request_stays_when_the_clock_is_ahead(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    journal: Journal,
    store: redis.Redis,
    jump: Jump,
) -> None:
    jump(JUMP_S)
    change_unseen(client, org, "a", mailingCity="Oakland")
    time.sleep(1.1)  # Salesforce's times are in seconds
    org.edit("Contact", jane(org)["Id"], MailingCity="Reno")
    (change,) = delivered(context, journal, store)
    assert (change.state, change.reason) == (State.PARKED, "EDITED_SINCE (MailingCity)")
    assert jane(org)["MailingCity"] == "Reno"


def test_our_own_write_after_a_jump_back_does_not_look_like_an_edit(
    client: FlaskClient,
    context: DeliveryContext,
    org: Org,
    journal: Journal,
    store: redis.Redis,
    jump: Jump,
) -> None:
    """Both changes were accepted before the jump, and the first is delivered after it."""
    change_unseen(client, org, "a", mailingCity="Oakland")
    change_unseen(client, org, "b", mailingStreet="1 Main St")
    jump(-JUMP_S)
    time.sleep(1.1)  # Salesforce's times are in seconds
    changes = delivered(context, journal, store)
    assert [(it.state, it.reason) for it in changes] == [(State.DELIVERED, "")] * 2
    assert jane(org)["MailingStreet"] == "1 Main St"
