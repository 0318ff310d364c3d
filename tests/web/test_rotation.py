"""While two webhook secrets are valid, operators see when the previous one was last used."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from pydantic import SecretStr

from cli.chain import Finding, examine
from cli.checks.context import CheckContext
from cli.checks.service import LINKS
from shared.operators import rotation
from shared.settings import Settings
from tests.calling import OPERATOR, message, signed
from tests.conftest import change_settings
from tests.log_lines import log_lines
from web.app import create_app
from web.metrics import FleetCollector

OLD = "the-previous-webhook-secret"
EVENT = json.dumps(message("speech-update")).encode()
FOUR_DAYS_MS = 4 * 24 * 3_600_000


@pytest.fixture
def rotating(settings: Settings) -> Settings:
    return change_settings(settings, vapi_server_secret_previous=SecretStr(OLD))


@pytest.fixture
def client(rotating: Settings) -> Iterator[FlaskClient]:
    app = create_app(rotating)
    yield app.test_client()
    app.extensions["service"].close()


def send(client: FlaskClient, secret: str = OLD) -> None:
    answer = client.post("/webhook/vapi", data=EVENT, headers=signed(EVENT, secret))
    assert answer.status_code == 200


def health(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/health", headers=OPERATOR).get_json()
    return found


def began(store: redis.Redis, ms_ago: int) -> None:
    """Moves the beginning of the rotation into the past."""
    (key,) = store.scan_iter("vs:rotation:*")
    store.hset(key, "since", int(str(store.hget(key, "since"))) - ms_ago)


def doctor(settings: Settings) -> Finding:
    (link,) = [link for link in LINKS if link.name == "secret rotation"]
    (finding,) = examine([link], CheckContext(settings))
    return finding


def figures(client: FlaskClient) -> dict[str, float]:
    service = client.application.extensions["service"]
    return {
        sample.name: sample.value
        for metric in FleetCollector(service).collect()
        for sample in metric.samples
        if sample.name.startswith("vs_secret")
    }


def test_the_last_use_of_the_previous_secret_is_shown(
    client: FlaskClient, rotating: Settings
) -> None:
    send(client, "test-webhook-secret")
    assert health(client)["rotation"] == {"for_s": 0, "last_used_s": None, "is_overdue": False}
    assert "was not used" in doctor(rotating).message
    send(client)
    shown = health(client)["rotation"]
    assert shown["last_used_s"] is not None
    assert "last used" in doctor(rotating).message
    assert figures(client)["vs_secret_previous_used_seconds"] >= 0


def test_every_way_to_authenticate_tells_the_two_secrets_apart(
    rotating: Settings, store: redis.Redis
) -> None:
    ways = {"secret": {"X-Vapi-Secret": OLD}, "bearer": {"Authorization": f"Bearer {OLD}"}}
    for auth, headers in ways.items():
        store.flushall()
        app = create_app(change_settings(rotating, vapi_auth=auth))
        client = app.test_client()
        assert client.post("/webhook/vapi", data=EVENT, headers=headers).status_code == 200
        assert health(client)["rotation"]["last_used_s"] is not None
        app.extensions["service"].close()


def test_a_use_is_written_once_a_minute_and_other_messages_cost_nothing(
    client: FlaskClient, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0
    run = rotation.Rotation._run

    def counted(self: rotation.Rotation, *, is_used: bool) -> rotation.RotationStatus:
        nonlocal runs
        runs += 1
        return run(self, is_used=is_used)

    monkeypatch.setattr(rotation.Rotation, "_run", counted)
    for _ in range(30):
        send(client)
        send(client, "test-webhook-secret")
    assert runs == 2  # one for each secret
    client.application.extensions["service"].rotation._next_note_at[True] = 0.0  # a minute later
    send(client)
    assert runs == 3


def test_without_a_previous_secret_nothing_is_written_or_shown(
    settings: Settings, store: redis.Redis
) -> None:
    app = create_app(settings)
    client = app.test_client()
    send(client, "test-webhook-secret")
    assert health(client)["rotation"] is None
    assert figures(client) == {}
    assert doctor(settings).message == "VAPI_SERVER_SECRET_PREVIOUS is not set"
    assert list(store.scan_iter("vs:rotation:*")) == []
    app.extensions["service"].close()


def test_an_overdue_rotation_is_an_alarm_and_the_secret_stays_valid(
    client: FlaskClient, rotating: Settings, store: redis.Redis
) -> None:
    health(client)
    began(store, FOUR_DAYS_MS)
    with log_lines() as lines:
        send(client)
        send(client, "test-webhook-secret")
    (line,) = [json.loads(line) for line in lines if "secret_rotation_overdue" in line]
    assert line["setting"] == "VAPI_SERVER_SECRET_PREVIOUS"
    assert line["age_s"] >= FOUR_DAYS_MS // 1000
    shown = health(client)
    (problem,) = [text for text in shown["problems"] if text.startswith("rotation:")]
    assert "96 hours" in problem
    assert "last used 0 minutes ago" in problem
    assert figures(client)["vs_secret_rotation_overdue"] == 1
    finding = doctor(rotating)
    assert finding.status == "warning"
    assert "remove VAPI_SERVER_SECRET_PREVIOUS" in finding.remedy


def test_the_team_says_after_how_many_hours(settings: Settings, store: redis.Redis) -> None:
    long = change_settings(
        settings, vapi_server_secret_previous=SecretStr(OLD), vapi_secret_rotation_h=200
    )
    doctor(long)
    began(store, FOUR_DAYS_MS)
    assert doctor(long).status == "ok"


def test_the_next_rotation_begins_anew(rotating: Settings, store: redis.Redis) -> None:
    doctor(rotating)
    began(store, FOUR_DAYS_MS)
    assert doctor(rotating).status == "warning"
    following = change_settings(rotating, vapi_server_secret=SecretStr("yet-another-secret"))
    assert doctor(following).status == "ok"


def test_without_the_store_a_message_under_the_previous_secret_is_still_answered(
    rotating: Settings,
) -> None:
    app = create_app(change_settings(rotating, redis_url="redis://127.0.0.1:1/0"))
    body = json.dumps(message("knowledge-base-request")).encode()
    answer = app.test_client().post("/webhook/vapi", data=body, headers=signed(body, OLD))
    assert answer.get_json() == {"documents": []}
    app.extensions["service"].close()
