"""The environment is refused by name, and .env.example tells of every variable."""

import re
from typing import Any

import pytest

from demo.stack import ROOT
from shared.settings import Settings, SettingsError, load_settings

GOOD = {
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "VAPI_SERVER_SECRET": "a-secret",
    "SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "id",
    "SALESFORCE_CLIENT_SECRET": "secret",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()


def test_a_good_environment_is_taken() -> None:
    assert load_settings().grant == "client_credentials"


@pytest.mark.parametrize("name", [name for name in GOOD if name != "SALESFORCE_CLIENT_SECRET"])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VAPI_SERVER_SECRET", "change-me"),
        ("VAPI_SERVER_SECRET", "   "),
        ("VAPI_AUTH", "none"),
        ("VAPI_HMAC_ALGORITHM", "md5"),
        ("VAPI_HMAC_PAYLOAD_FORMAT", "{timestamp}"),
        ("SALESFORCE_INSTANCE_URL", "http://acme.my.salesforce.com"),
        ("SALESFORCE_INSTANCE_URL", "https://login.salesforce.com"),
        ("SALESFORCE_INSTANCE_URL", "acme.my.salesforce.com"),
        ("SALESFORCE_INSTANCE_URL", "https://acme.lightning.force.com"),
        ("SALESFORCE_API_VERSION", "v66"),
        ("SALESFORCE_GRANT", "password"),
        ("TOKEN_ENCRYPTION_KEY", "too-short"),
        ("LOOKUP_DEADLINE_MS", "soon"),
        ("PORT", "0"),
        ("REDIS_URL", "foo"),
        ("CELERY_BROKER_URL", "amqp://x"),
        ("PHONE_REGION", "XX"),
    ],
)
def test_an_unsafe_value_is_refused_by_name_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert name in str(refused.value)
    if "SECRET" in name or "KEY" in name:
        assert value.strip() not in str(refused.value).replace(name, "") or not value.strip()


def test_signing_the_url_needs_the_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAPI_HMAC_PAYLOAD_FORMAT", "{url}{body}")
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        load_settings()


def test_a_refresh_token_alone_chooses_its_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
    monkeypatch.setenv("SALESFORCE_REFRESH_TOKEN", "refresh")
    assert load_settings().grant == "refresh_token"


def test_env_example_lists_every_variable_with_its_default() -> None:
    lines = re.findall(r"^(#?)([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    listed = {name: (hashed == "#", value) for hashed, name, value in lines}
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    assert set(listed) - {"WEB_CONCURRENCY"} == set(fields)
    for name, field in fields.items():
        optional, shown = listed[name]
        if optional and field.default is not None and shown != "":
            assert _as_text(field.default) == shown, name


def _as_text(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)
