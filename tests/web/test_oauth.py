"""/oauth/login and /oauth/callback: for a signed-in operator in the same browser only."""

import base64
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import requests
from flask.testing import FlaskClient

from demo.stack import Org, Store
from tests.shared.test_grants import settings_for
from web.app import create_app

OPERATOR = {"Authorization": "Basic " + base64.b64encode(b"operator:a-long-password").decode()}


@pytest.fixture
def browser(store: redis.Redis, store_server: Store, org: Org) -> Iterator[FlaskClient]:
    settings = settings_for("by login", store_server, org)
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


WRONG = [
    {},
    *({"Authorization": f"Basic {text}"} for text in ("b3BlcmF0b3I6d3Jvbmc=", "\xff", "/w==", "")),
]


def approved(location: str) -> str:
    """Salesforce sends the browser back here."""
    back = requests.get(location, allow_redirects=False, timeout=10).headers["Location"]
    parts = urlsplit(back)
    return f"{parts.path}?{parts.query}"


def test_an_operator_authorises_and_the_service_has_a_token(
    browser: FlaskClient, store: redis.Redis
) -> None:
    begun = browser.get("/oauth/login", headers=OPERATOR)
    assert begun.status_code == 302
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert "HttpOnly" in begun.headers["Set-Cookie"]
    done = browser.get(approved(begun.headers["Location"]), headers=OPERATOR)
    assert done.status_code == 200
    assert done.text.startswith("Authorised for org 00D")
    stored = {key.rpartition(":")[2] for key in store.scan_iter("vs:salesforce:*")}
    assert {"refresh_token", "access_token", "org"} <= stored


@pytest.mark.parametrize("path", ["/oauth/login", "/oauth/callback?state=x&code=y"])
@pytest.mark.parametrize("headers", WRONG)
def test_nobody_else_gets_in(browser: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = browser.get(path, headers=headers)
    assert answer.status_code == 401
    assert "Location" not in answer.headers


def test_a_login_that_another_browser_began_is_refused(browser: FlaskClient) -> None:
    begun = browser.get("/oauth/login", headers=OPERATOR)
    path = approved(begun.headers["Location"])
    browser.delete_cookie("vs_oauth_state", path="/oauth")
    assert browser.get(path, headers=OPERATOR).status_code == 400


def test_a_way_back_is_good_once(browser: FlaskClient) -> None:
    begun = browser.get("/oauth/login", headers=OPERATOR)
    path = approved(begun.headers["Location"])
    state = parse_qs(urlsplit(path).query)["state"][0]
    assert browser.get(path, headers=OPERATOR).status_code == 200
    browser.set_cookie("vs_oauth_state", state, path="/oauth")
    again = browser.get(path, headers=OPERATOR)
    assert (again.status_code, "did not start here" in again.text) == (409, True)
