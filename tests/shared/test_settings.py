"""A bad environment is refused by name, and .env.example describes every variable."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from demo.stack import ROOT
from shared.settings import SettingsError, load_settings, may_be_in_a_file, variables
from tests.conftest import FIELDS

GOOD = {
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "VAPI_SERVER_SECRET": "a-secret-of-16-characters",
    "SALESFORCE_INSTANCE_URL": "https://voice-test.my.salesforce.com",
    "SALESFORCE_CLIENT_ID": "id",
    "SALESFORCE_CLIENT_SECRET": "secret",
}

OPERATOR_AUTH = "operator:another-long-password"
FERNET_KEY = f"{'A' * 43}="

PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()


def test_a_good_environment_is_taken() -> None:
    assert load_settings().salesforce.grant_type == "client_credentials"


@pytest.mark.parametrize("name", [name for name in GOOD if name != "SALESFORCE_CLIENT_SECRET"])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        load_settings()


def refusal(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


UNSAFE = [
    ("VAPI_SERVER_SECRET", "change-me"),
    ("VAPI_SERVER_SECRET", "   "),
    ("VAPI_SERVER_SECRET", "q"),
    ("VAPI_SERVER_SECRET", "fifteen-letters"),
    ("VAPI_SERVER_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaa"),
    ("VAPI_SERVER_SECRET_PREVIOUS", "zebra"),
    ("FLOWER_BASIC_AUTH", "change-me"),
    ("FLOWER_BASIC_AUTH", "a:b"),
    ("FLOWER_BASIC_AUTH", "operator:ten-letters"),
    ("FLOWER_BASIC_AUTH", "operator"),
    ("FLOWER_BASIC_AUTH", ":a-long-enough-password"),
    ("OPERATOR_BASIC_AUTH", "operator:ten-letters"),
    ("OPERATOR_BASIC_AUTH", "operator"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://127.0.0.1:4317"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:word@collector.example.com"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.com/?key=x"),
    ("TRUSTED_PROXY_COUNT", "-1"),
    ("TRUSTED_PROXY_COUNT", "127.0.0.1"),
    ("VAPI_AUTH", "none"),
    ("VAPI_SECRET_ROTATION_H", "0"),
    ("VAPI_HMAC_ALGORITHM", "md5"),
    ("VAPI_HMAC_PAYLOAD_FORMAT", "{timestamp}"),
    ("VAPI_HMAC_SIGNATURE_HEADER", "x signature"),
    ("VAPI_CONTROL_HOSTS", "*"),
    ("VAPI_CONTROL_HOSTS", "*.com"),
    ("VAPI_CONTROL_HOSTS", "*.vapi.ai,*.ai"),
    ("VAPI_CONTROL_HOSTS", "vapi.ai,"),
    ("VAPI_CONTROL_HOSTS", "*vapi.ai"),
    ("VAPI_CONTROL_HOSTS", "*.*.ai"),
    ("VAPI_CONTROL_HOSTS", "?.vapi.ai"),
    ("VAPI_CONTROL_HOSTS", "*..ai"),
    ("VAPI_CONTROL_HOSTS", "10.0.0.1"),
    ("VAPI_CONTROL_HOSTS", "https://x.vapi.ai"),
    ("VAPI_BASE_URL", "http://api.vapi.ai"),
    ("VAPI_BASE_URL", "https://user:word@api.vapi.ai"),
    ("TWILIO_BASE_URL", "https://api.twilio.com?x=1"),
    ("TWILIO_BASE_URL", "https://api.twilio.com/2010-04-01"),
    ("TWILIO_BASE_URL", "https://["),
    ("TWILIO_BASE_URL", "https://api.twilio.com:port"),
    ("TWILIO_BASE_URL", "https://api.twilio.com\\@evil.example"),
    ("OPS_HOSTS", "https://console.example.com"),
    ("OPS_HOSTS", "console.example.com:8081"),
    ("OPS_HOSTS", "*.example.com"),
    ("OPS_HOSTS", "console.example.com,"),
    ("PUBLIC_URL", "http://voice.example.com"),
    ("PUBLIC_URL", "voice.example.com"),
    ("PUBLIC_URL", "ftp://voice.example.com"),
    ("PUBLIC_URL", "https://voice.example.com/webhook"),
    ("PUBLIC_URL", "https://user@voice.example.com"),
    ("PUBLIC_URL", "https://"),
    ("SALESFORCE_INSTANCE_URL", "change-me"),
    ("SALESFORCE_INSTANCE_URL", "https://acme.my.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "https://ACME.my.salesforce.com/"),
    ("SALESFORCE_INSTANCE_URL", "https://MyDomainName.my.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "http://voice-test.my.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "https://login.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "voice-test.my.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "https://voice-test.lightning.force.com"),
    ("SALESFORCE_INSTANCE_URL", "https://voice-test.my.salesforce.com.evil.example"),
    ("SALESFORCE_INSTANCE_URL", "https://crm.yourcompany.com"),
    ("SALESFORCE_INSTANCE_URL", "https://my.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "https://user:word@voice-test.my.salesforce.com"),
    ("SALESFORCE_INSTANCE_URL", "https://voice-test.my.salesforce.com:8443"),
    ("SALESFORCE_INSTANCE_URL", "https://voice-test.my.salesforce.com?x=1"),
    ("SALESFORCE_REDIRECT_URI", "http://voice.example.com/oauth/callback"),
    ("SALESFORCE_REDIRECT_URI", "https://voice.example.com/elsewhere"),
    ("SALESFORCE_API_VERSION", "v66"),
    ("SALESFORCE_GRANT", "password"),
    ("SALESFORCE_WINDOW_REQUESTS", "1"),
    ("SALESFORCE_KEY_FIELDS", "maybe"),
    ("TOKEN_ENCRYPTION_KEY", "too-short"),
    ("TOKEN_ENCRYPTION_KEY", f"{FERNET_KEY},too-short"),
    ("TOKEN_ENCRYPTION_KEY", f"{FERNET_KEY},"),
    ("LOOKUP_DEADLINE_MS", "soon"),
    ("PORT", "0"),
    ("PORT", "abc"),
    ("PORT", "8080.5"),
    ("REDIS_URL", "foo"),
    ("REDIS_URL", "redis://"),
    ("REDIS_URL", "redis://127.0.0.1:port/0"),
    ("REDIS_URL", "redis://127.0.0.1:6379/one"),
    ("REDIS_URL", "redis://127.0.0.1:6379/0?max_connections=many"),
    ("REDIS_URL", "redis://127.0.0.1:6379/0?ssl_cert_reqs=none"),
    ("REDIS_URL", "rediss://127.0.0.1:6379/0?ssl_cert_reqs=CERT_SOME"),
    ("REDIS_URL", "unix://valkey.sock"),
    ("REDIS_URL", "unix:///run/valkey.sock?db=one"),
    ("REDIS_URL", "redis+socket:///run/valkey.sock"),
    ("CELERY_BROKER_URL", "amqp://x"),
    ("DEFAULT_LANGUAGE", "klingon"),
    ("DEFAULT_LANGUAGE", "xx"),
    ("DEFAULT_LANGUAGE", "en_US"),
    ("PHONE_REGION", "XX"),
    ("FALLBACK_PHONE_NUMBER", "415 555 0100"),
    ("TWILIO_ACCOUNT_SID", "AC123"),
    ("OPS_TOKEN", "short"),
    ("WEB_CONCURRENCY", "two"),
    ("REDIS_VOUCHED", "maybe"),
    ("SIP_TRUNKS", "*"),
    ("SIP_TRUNKS", "sip:carrier.example"),
    ("SIP_TRUNKS", "carrier"),
    ("SIP_TRUNKS", "300.1.1.1"),
    ("SIP_TRUNKS", "a b.example"),
    ("ALARM_WEBHOOK_URL", "http://hooks.example.com/secret"),
    ("ALARM_WEBHOOK_URL", "https://user:word@hooks.example.com/secret"),
    ("ALARM_WEBHOOK_URL", "hooks.example.com"),
    ("ALARM_SMTP_URL", "mail.example.com"),
    ("ALARM_SMTP_URL", "http://mail.example.com"),
    ("ALARM_SMTP_URL", "smtp://mail.example.com:port"),
    ("ALARM_SMTP_URL", "smtp://mail.example.com/inbox"),
    ("ALARM_SMTP_URL", "smtp://user@mail.example.com"),
    ("ALARM_MAIL_TO", "oncall"),
    ("ALARM_MAIL_TO", "On call <oncall@example.com>"),
    ("ALARM_MAIL_TO", "oncall@example.com,two words@example.com"),
    ("ALARM_MAIL_FROM", "voice"),
    ("ALARM_ORG_AWAY_MIN", "0"),
    ("ALARM_OLDEST_DUE_MIN", "soon"),
    ("ALARM_REFUSED_PER_MIN", "-1"),
]


@pytest.mark.parametrize(("name", "value"), UNSAFE)
def test_an_unsafe_value_is_refused_by_name_in_our_words_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = refusal(monkeypatch, **{name: value})
    assert said.startswith(f"settings refused: {name}")
    assert "\n" not in said
    assert said.endswith(str(variables()[name].description))
    for theirs in ("Input should", "valid", "string", "Value error", "pydantic", "pattern"):
        assert theirs not in said
    if name.endswith("_H"):
        return  # a number of hours is no secret
    if "SECRET" in name or "KEY" in name or "AUTH" in name.split("_"):
        assert value not in said.partition(";")[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SALESFORCE_INSTANCE_URL", "https://voice-test--uat.sandbox.my.salesforce.com"),
        ("SALESFORCE_INSTANCE_URL", "https://voice-test.my.salesforce.mil/"),
        ("SALESFORCE_INSTANCE_URL", "http://127.0.0.1:8099"),
        ("SALESFORCE_INSTANCE_URL", "http://localhost:8099"),
        ("OPS_HOSTS", "Console.example.com, ops"),
        ("PUBLIC_URL", "https://voice.example.com:8443/"),
        ("PUBLIC_URL", "http://[::1]:8080"),
        ("VAPI_CONTROL_HOSTS", "*.vapi.ai, 127.0.0.1,localhost, a-b.vapi.ai"),
        ("REDIS_URL", "unix:///run/valkey/valkey.sock?db=2"),
        ("REDIS_URL", "rediss://user:p%40ss@redis.example.com:6380/0?ssl_ca_certs=/ca.pem"),
        ("REDIS_URL", "redis://:word@redis.example.com"),
        ("DEFAULT_LANGUAGE", "pt-BR"),
        ("DEFAULT_LANGUAGE", "fil"),
        ("SALESFORCE_REDIRECT_URI", "https://voice.example.com/oauth/callback"),
        ("VAPI_SERVER_SECRET", "exactly-16-chars"),
        ("ALARM_WEBHOOK_URL", "https://hooks.example.com/T0/B0/x?key=a&token=b"),
        ("ALARM_WEBHOOK_URL", "http://127.0.0.1:9000/hook"),
    ],
)
def test_a_right_value_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("OPERATOR_BASIC_AUTH", OPERATOR_AUTH)
    monkeypatch.setenv(name, value)
    load_settings()


def test_a_login_needs_a_password_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "https://voice.example.com/oauth/callback"
    said = refusal(monkeypatch, SALESFORCE_REDIRECT_URI=uri)
    assert said.startswith("settings refused: OPERATOR_BASIC_AUTH is missing")
    said = refusal(monkeypatch, OPERATOR_BASIC_AUTH=OPERATOR_AUTH, FLOWER_BASIC_AUTH=OPERATOR_AUTH)
    assert said.startswith("settings refused: OPERATOR_BASIC_AUTH must differ")
    assert OPERATOR_AUTH not in said


def test_login_hosts_are_for_the_other_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_INSTANCE_URL", "https://test.salesforce.com")
    monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
    monkeypatch.setenv("SALESFORCE_REFRESH_TOKEN", "refresh")
    load_settings()


def test_every_setting_has_its_sentence() -> None:
    assert [name for name, field in variables().items() if not field.description] == []


def test_several_problems_are_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, PORT="abc", DEFAULT_LANGUAGE="klingon", KEEP_PERSONAL_DATA_H="12")
    assert said.splitlines() == [
        "settings refused: PORT must be a whole number from 1 to 65535, such as 8080",
        "  DEFAULT_LANGUAGE must be a language tag, such as en, de or pt-BR",
        "  REPEAT_WINDOW_H must not be longer than KEEP_PERSONAL_DATA_H: a case can only be "
        "compared with one whose words are still stored",
    ]


def test_a_variable_has_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group of a setting does not give its variable a second name."""
    for group, field in FIELDS.values():
        if f"{group}_{field}" not in FIELDS:
            monkeypatch.setenv(f"{group}_{field}".upper(), "abc")
    assert load_settings().salesforce.lookup_deadline_ms == 3000


def test_env_example_is_refused_as_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    said = refusal(monkeypatch, **dict(lines))
    for name, value in lines:
        assert (name in said) == (value == "change-me"), name


SECRETS = [name for name, field in variables().items() if may_be_in_a_file(name, field)]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_come_from_a_file(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = {
        "REDIS_URL": "redis://:word@127.0.0.1/0",
        "CELERY_BROKER_URL": "redis://:word@127.0.0.1/1",
        "FLOWER_BASIC_AUTH": "operator:a-long-password",
        "OPERATOR_BASIC_AUTH": OPERATOR_AUTH,
        "TOKEN_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "SALESFORCE_JWT_KEY": PEM,
        "VAPI_SERVER_SECRET_PREVIOUS": "another-long-secret",
        "ALARM_WEBHOOK_URL": "https://hooks.example.com/secret",
        "ALARM_SMTP_URL": "smtps://voice:word@mail.example.com",
    }
    value = values.get(name, "a-secret-from-a-file")
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    monkeypatch.setenv("SALESFORCE_USERNAME", "voice@yourcompany.com")
    monkeypatch.setenv("PUBLIC_URL", "https://voice.example.com")
    if name == "ALARM_SMTP_URL":
        monkeypatch.setenv("ALARM_MAIL_TO", "oncall@example.com")
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", str(file))
    group, field = FIELDS[name.lower()]
    found = getattr(getattr(load_settings(), group), field)
    assert (found if isinstance(found, str) else found.get_secret_value()) == value.strip()
    said = refusal(monkeypatch, **{name: value})
    assert said == f"settings refused: {name} and {name}_FILE are both set; keep one"


def test_a_file_that_can_not_be_read_or_is_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("VAPI_SERVER_SECRET")
    said = refusal(monkeypatch, VAPI_SERVER_SECRET_FILE=str(tmp_path / "nowhere"))
    assert said.startswith("settings refused: VAPI_SERVER_SECRET_FILE names a file that can't be")
    (tmp_path / "empty").write_text("\n")
    said = refusal(monkeypatch, VAPI_SERVER_SECRET_FILE=str(tmp_path / "empty"))
    assert said == "settings refused: VAPI_SERVER_SECRET_FILE names an empty file"


def test_mail_needs_a_server_and_somebody_who_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, ALARM_MAIL_TO="oncall@example.com,lead@example.com")
    assert said.startswith("settings refused: ALARM_SMTP_URL is missing")
    monkeypatch.delenv("ALARM_MAIL_TO")
    said = refusal(monkeypatch, ALARM_SMTP_URL="smtp://mail.example.com")
    assert said.startswith("settings refused: ALARM_MAIL_TO is missing")
    monkeypatch.setenv("ALARM_MAIL_TO", "oncall@example.com,lead@example.com")
    load_settings.cache_clear()
    assert load_settings().alarms.sender == "oncall@example.com"


def test_signing_the_url_needs_the_public_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAPI_HMAC_PAYLOAD_FORMAT", "{url}{body}")
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        load_settings()


def test_a_placeholder_that_vapi_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, VAPI_HMAC_PAYLOAD_FORMAT="{time}.{body}")
    assert "unknown placeholder {time}" in said


def test_cases_are_compared_only_while_their_words_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEEP_PERSONAL_DATA_H", "12")
    with pytest.raises(SettingsError, match="REPEAT_WINDOW_H must not be longer than"):
        load_settings()
    monkeypatch.setenv("REPEAT_WINDOW_H", "12")
    load_settings()


def test_a_refresh_token_alone_chooses_its_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
    monkeypatch.setenv("SALESFORCE_REFRESH_TOKEN", "refresh")
    assert load_settings().salesforce.grant_type == "refresh_token"


def test_env_example_lists_every_variable_with_its_default() -> None:
    lines = re.findall(r"^(#?)([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    listed = {name: (hashed == "#", value) for hashed, name, value in lines}
    fields = variables()
    assert set(listed) == set(fields)
    for name, field in fields.items():
        optional, shown = listed[name]
        if optional and field.default is not None and shown != "":
            assert _as_text(field.default) == shown, name


def _as_text(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)
