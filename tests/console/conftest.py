"""A console with an operator and a reader, and browsers that are logged in."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.operators.users import Role, User, Users, hash_of
from shared.settings import Settings
from tests.conftest import change_settings
from web.app import create_app
from web.service import Service

PASSWORD = "a password of tests"
HASH = hash_of(PASSWORD)
ORIGIN = "http://localhost"

_TOKEN = re.compile(r'name="token" value="([^"]+)"')


class Browser:
    """A client that sends forms as a browser does: with an Origin and the token of the page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        answer = self.client.get(path, **options)
        if found := _TOKEN.search(answer.text):
            self.token = found[1]
        return answer

    def post(
        self, path: str, form: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> TestResponse:
        sent = {"token": self.token} | (form or {})
        return self.client.post(path, data=sent, headers={"Origin": ORIGIN} | (headers or {}))

    def log_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        answer = self.post("/console/login", {"name": name, "password": password})
        if answer.status_code == 302:
            self.get("/console/now")
        return answer


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    path = tmp_path / "console.users"
    users = Users(path)
    users.put(User("olga", Role.OPERATOR, HASH))
    users.put(User("rene", Role.READER, HASH))
    return path


@pytest.fixture
def settings(settings: Settings, users_file: Path) -> Settings:
    return change_settings(settings, console_users=str(users_file))


@pytest.fixture
def make_app() -> Iterator[Callable[[Settings], Flask]]:
    made: list[Flask] = []

    def make(settings: Settings) -> Flask:
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        service: Service = app.extensions["service"]
        service.close()


@pytest.fixture
def stranger(app: Flask, store: redis.Redis) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def operator(app: Flask, store: redis.Redis) -> Browser:
    browser = Browser(app.test_client())
    browser.log_in("olga")
    return browser


@pytest.fixture
def reader(app: Flask, store: redis.Redis) -> Browser:
    browser = Browser(app.test_client())
    browser.log_in("rene")
    return browser
