"""The task that closes quiet calls, as Celery runs it."""

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store, environment
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import load_settings
from tests.calling import message, post


def test_calls_that_were_quiet_for_the_set_time_are_closed(
    client: FlaskClient, journal: Journal, store: redis.Redis, store_server: Store, org: Org,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in environment(store_server.url, org.url, 8080).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IDLE_CALL_MIN", "10")
    load_settings.cache_clear()
    from workers import tasks

    for made in (tasks.store, tasks.desk, tasks.calls, tasks.closing):
        made.cache_clear()
    post(client, message("status-update", status="in-progress"))
    assert tasks.close_quiet() == "closed 0"
    store.zincrby("vs:calls", -10 * 60_000 - 1, "call-1")
    assert tasks.close_quiet() == "closed 1"
    assert [one.kind for one in journal.of_call("call-1")] == [Kind.CALL_LOG]
    load_settings.cache_clear()
