"""Operators sign in; guesses at their credentials are limited by address, counted and logged."""

import base64
import json
from collections.abc import Iterator

import pytest
import redis
from flask.testing import FlaskClient
from pydantic import SecretStr

from shared.operators.sign_ins import (
    OVERALL,
    PER_ADDRESS,
    SignIns,
    client_address,
    network_of,
)
from shared.settings import Settings
from tests.calling import OPERATOR
from tests.conftest import change_settings
from tests.log_lines import log_lines
from web.app import create_app
from web.metrics import SIGN_INS_REFUSED

PASSWORD = "operator:a-long-password"
GUESS = {"Authorization": "Bearer my-guess"}


def basic(said: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(said.encode()).decode()}


ROUTES = {
    "/metrics": (OPERATOR, GUESS),
    "/health": (OPERATOR, GUESS),
    "/oauth/login": (basic(PASSWORD), basic("operator:my-guess")),
}
"""By path: the right credentials, and wrong ones."""


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    yield from serving(settings)


def serving(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(change_settings(settings, operator_basic_auth=SecretStr(PASSWORD)))
    yield app.test_client()
    app.extensions["service"].close()


def status(client: FlaskClient, path: str, headers: dict[str, str], address: str) -> int:
    answer = client.get(path, headers=headers, environ_overrides={"REMOTE_ADDR": address})
    return answer.status_code


@pytest.mark.parametrize("path", ROUTES)
def test_after_too_many_guesses_an_address_has_to_wait_even_with_the_right_credentials(
    client: FlaskClient, path: str
) -> None:
    right, wrong = ROUTES[path]
    seen = [status(client, path, wrong, "203.0.113.7") for _ in range(PER_ADDRESS + 1)]
    assert seen == [401] * PER_ADDRESS + [429]
    answer = client.get(path, headers=right, environ_overrides={"REMOTE_ADDR": "203.0.113.7"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60


@pytest.mark.parametrize("path", ROUTES)
def test_an_operator_at_another_address_is_never_locked_out(client: FlaskClient, path: str) -> None:
    right, wrong = ROUTES[path]
    for nth in range(OVERALL + 20):
        status(client, path, wrong, f"198.51.100.{nth % 250}")
    assert status(client, path, right, "203.0.113.7") not in (401, 429)
    assert status(client, path, wrong, "203.0.113.7") == 401
    # While many addresses guess, each of them has a single guess.
    assert status(client, path, right, "203.0.113.7") == 429


def test_a_request_without_credentials_is_no_guess(client: FlaskClient, store: redis.Redis) -> None:
    for path in ROUTES:
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer "}):
            client.get(path, headers=headers)
    assert not store.exists("vs:sign-ins")


def test_guesses_on_different_routes_and_processes_count_together(
    settings: Settings, client: FlaskClient
) -> None:
    (other,) = serving(settings)
    for nth in range(PER_ADDRESS):
        path = list(ROUTES)[nth % 3]
        status(client if nth % 2 else other, path, ROUTES[path][1], "203.0.113.7")
    for path in ROUTES:
        assert status(other, path, ROUTES[path][0], "203.0.113.7") == 429


def test_without_the_store_an_operator_gets_in_and_a_guess_does_not(settings: Settings) -> None:
    away = change_settings(settings, redis_url="redis://127.0.0.1:1/0")
    for client in serving(away):
        for _ in range(PER_ADDRESS + 1):
            assert status(client, "/metrics", GUESS, "203.0.113.7") == 401
        assert status(client, "/metrics", OPERATOR, "203.0.113.7") == 200


def test_what_is_stored_is_bounded_expires_and_names_no_address(
    client: FlaskClient, store: redis.Redis
) -> None:
    for nth in range(40):
        status(client, "/metrics", GUESS, f"198.51.100.{nth}")
    assert 0 < store.pttl("vs:sign-ins") <= 15 * 60_000
    assert store.hlen("vs:sign-ins") == 41
    assert "198.51" not in json.dumps(store.hgetall("vs:sign-ins"))


def test_no_more_addresses_are_counted_than_the_limit_allows(
    store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.operators.sign_ins.MAX_ADDRESSES", 5)
    sign_ins = SignIns(store, b"key")
    for nth in range(20):
        sign_ins.attempt(f"198.51.100.{nth}", is_right=False)
    assert store.hlen("vs:sign-ins") == 6
    assert sign_ins.attempt("203.0.113.7", is_right=True).wait_s == 0
    for _ in range(PER_ADDRESS):
        sign_ins.attempt("203.0.113.8", is_right=False)
    assert store.hlen("vs:sign-ins") == 6
    assert sign_ins.attempt("203.0.113.8", is_right=True).wait_s > 0


def test_a_guess_is_counted_and_logged_without_what_was_guessed(
    client: FlaskClient,
) -> None:
    counter = SIGN_INS_REFUSED.labels(route="/metrics", reason="wrong")
    before = counter._value.get()
    with log_lines() as lines:
        status(client, "/metrics", GUESS, "203.0.113.7")
    assert counter._value.get() == before + 1
    (line,) = [line for line in lines if "sign_in_refused" in line]
    assert (json.loads(line)["route"], json.loads(line)["count"]) == ("/metrics", 1)
    assert "guess" not in line
    assert "203.0.113" not in line


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded_for", "proxies", "address"),
    [
        ("", 0, "10.0.0.1"),
        ("203.0.113.7", 0, "10.0.0.1"),  # the client may have written it
        ("203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.0.0.2", 2, "203.0.113.7"),
        ("", 1, "10.0.0.1"),
        ("203.0.113.7,", 1, "10.0.0.1"),
        ("203.0.113.7", 2, "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_have_added_is_believed(
    forwarded_for: str, proxies: int, address: str
) -> None:
    assert client_address("10.0.0.1", forwarded_for, proxies) == address


def test_behind_a_proxy_each_client_is_counted_by_itself(settings: Settings) -> None:
    for client in serving(change_settings(settings, trusted_proxy_count=1)):
        for _ in range(PER_ADDRESS):
            client.get("/metrics", headers=GUESS | {"X-Forwarded-For": "203.0.113.7"})
        locked = client.get("/metrics", headers=OPERATOR | {"X-Forwarded-For": "203.0.113.7"})
        other = client.get("/metrics", headers=OPERATOR | {"X-Forwarded-For": "203.0.113.8"})
        assert (locked.status_code, other.status_code) == (429, 200)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("203.0.113.7:50123", "203.0.113.7"),
        ("[2001:db8:1:2:3:4:5:6]:50123", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


# -- constant time ---------------------------------------------------------------------------------


def test_credentials_are_compared_by_digests_of_equal_length(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison in constant time shows the length of what it compares."""
    import hmac

    compared: list[tuple[int, int]] = []
    original = hmac.compare_digest

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((len(left), len(right)))
        return original(left, right)

    monkeypatch.setattr("web.operators.hmac.compare_digest", compare)
    for said in ("x", "a" * 500):
        status(client, "/metrics", {"Authorization": f"Bearer {said}"}, "203.0.113.7")
    assert compared == [(32, 32), (32, 32)]
