"""Nothing that a program prints of itself shows a secret: settings, services, errors."""

import traceback

import pytest
from cryptography.fernet import Fernet

from cli.checks.context import CheckContext
from shared.calls.calls import CallState, LiveCall
from shared.settings import Settings, load_settings, may_be_in_a_file, variables
from shared.vapi.control import read_url
from simulator.vapi.player import Webhook
from tests.shared.test_settings import GOOD, PEM
from web.service import Service
from workers.resources import Resources

WORD = "canary-0123456789"

SECRETS = {name: WORD for name, field in variables().items() if may_be_in_a_file(name, field)} | {
    "REDIS_URL": f"redis://user:{WORD}@127.0.0.1:1/0",
    "CELERY_BROKER_URL": f"redis://user:{WORD}@127.0.0.1:1/1",
    "FLOWER_BASIC_AUTH": f"operator:{WORD}",
    "OPERATOR_BASIC_AUTH": f"somebody:{WORD}",
    "TOKEN_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    "SALESFORCE_JWT_KEY": PEM,
    "ALARM_WEBHOOK_URL": f"https://hooks.example/{WORD}",
    "ALARM_SMTP_URL": f"smtp://user:{WORD}@mail.example:587",
}
"""By the name of each variable that may hold a secret."""

NOT_SECRET = {
    "SALESFORCE_KEY_FIELDS", "VAPI_HMAC_SECRET_IS_BASE64", "VAPI_SECRET_ROTATION_H",
}  # fmt: skip
"""Variables whose names only sound like it."""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    given = GOOD | SECRETS | OTHERS
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    return load_settings()


PUBLIC = "https://voice.acme.example"

OTHERS = {
    "SALESFORCE_USERNAME": "voice@acme.example",
    "PUBLIC_URL": PUBLIC,
    "ALARM_MAIL_TO": "oncall@acme.example",
}
"""What the secrets need beside them."""


def shown_in(text: str) -> list[str]:
    parts = {WORD, SECRETS["TOKEN_ENCRYPTION_KEY"], PEM.splitlines()[1]}
    return [part for part in parts if part in text]


def test_every_variable_that_sounds_like_a_secret_is_one() -> None:
    sounds = {
        name
        for name in variables()
        if {"SECRET", "KEY", "TOKEN", "AUTH", "PASSWORD"} & set(name.split("_"))
    }
    assert sounds - set(SECRETS) - NOT_SECRET - {"VAPI_AUTH"} == set()
    assert len(sounds) > 10


def test_settings_show_no_secret(settings: Settings) -> None:
    for text in (repr(settings), str(settings), repr(vars(settings)), f"{settings.store!r}"):
        assert shown_in(text) == []
    assert WORD in settings.store.url  # it is there


def test_what_is_made_of_the_settings_shows_no_secret(settings: Settings) -> None:
    service = Service.from_settings(settings)
    context, checks = Resources(settings).context, CheckContext(settings)
    for thing in (service, context, checks, *vars(service).values(), *vars(context).values()):
        assert shown_in(repr(thing)) == [], type(thing)
    service.close()


def test_an_error_on_the_way_to_redis_shows_no_secret(settings: Settings) -> None:
    service = Service.from_settings(settings)
    try:
        service.fitness()
    except Exception:
        said = traceback.format_exc()
    service.close()
    assert "Unavailable" in said
    assert shown_in(said) == []


def test_records_of_a_call_show_no_control_url() -> None:
    """Who has it can speak in the call."""
    url = f"https://calls.vapi.ai/{WORD}/control"
    for thing in (CallState("c", control_url=url), LiveCall(url), read_url(url)):
        assert WORD not in repr(thing)


def test_the_simulated_vapi_shows_no_secret() -> None:
    assert WORD not in repr(Webhook("http://127.0.0.1:1", WORD, "hmac"))
