"""The environment, read once, typed, and refused by name when a value is missing or unsafe.

`.env.example` lists every variable with its unit, default and meaning; a test keeps the two equal.
A secret, or an address that may contain one, may also come from a file that `NAME_FILE` names.
"""

import base64
import binascii
import os
import re
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from langcodes import tag_is_valid
from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.addresses import (
    LOGIN_HOSTS,
    wrong_with_hosts,
    wrong_with_org,
    wrong_with_redis,
    wrong_with_web,
)
from shared.errors import ServiceError
from shared.phone import as_e164

REDIS_PREFIX = "vs:"
"""The prefix of every Redis key of this service; the broker's own keys begin with `vs:celery:`."""

PLACEHOLDER = "change-me"
"""The value in `.env.example` that you must replace; no process starts with it."""

LEAST_SECRET = 16
HMAC_PLACEHOLDERS = frozenset({"{body}", "{timestamp}", "{method}", "{url}", "{svix-id}"})
LEAST_PASSWORD = 12
LEAST_DIFFERENT = 5
"""Minimum characters of a secret and of a password, and how many of them must differ."""

MAX_FILE_BYTES = 64 * 1024
HEADER = r"^[A-Za-z0-9-]+$"

_HOST_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE
)

Grant = Literal["jwt", "client_credentials", "refresh_token"]


class SettingsError(ServiceError):
    """The environment can't be used. The text names each variable and what is wrong with it."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the file that `NAME_FILE` names, the way containers and orchestrators pass secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Raises SettingsError when the file can't be read, or when NAME is set as well."""
        name = field_name.upper()
        path = os.environ.get(f"{name}_FILE", "")
        if not path or not may_be_in_a_file(field_name, field):
            return None, field_name, False
        if os.environ.get(name):
            raise SettingsError(f"settings refused: {name} and {name}_FILE are both set; keep one")
        try:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(MAX_FILE_BYTES).strip()
        except (OSError, UnicodeError):
            raise SettingsError(
                f"settings refused: {name}_FILE names a file that can't be read; it must be the "
                f"path of a text file, such as /run/secrets/{field_name}"
            ) from None
        if not text:
            raise SettingsError(f"settings refused: {name}_FILE names an empty file")
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def may_be_in_a_file(name: str, field: FieldInfo) -> bool:
    """True for secrets, and for store addresses, which may contain a password."""
    return "SecretStr" in str(field.annotation) or name in {"redis_url", "celery_broker_url"}


class Settings(BaseSettings):
    """One field per variable, named like it in lower case. Units are at the end of the names."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    web_concurrency: int = Field(2, ge=1, le=256)
    port: int = Field(8080, ge=1, le=65535)
    public_url: str | None = None
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024)

    redis_url: str
    celery_broker_url: str | None = None
    redis_accept_everysec: bool = False
    redis_vouched: bool = False
    redis_max_connections: int = Field(50, ge=4)

    vapi_auth: Literal["hmac", "secret", "bearer"] = "hmac"
    vapi_server_secret: SecretStr
    vapi_server_secret_previous: SecretStr | None = None
    vapi_hmac_signature_header: str = Field("x-signature", pattern=HEADER)
    vapi_hmac_timestamp_header: str = Field("x-timestamp", pattern=HEADER)
    vapi_hmac_payload_format: str = "{timestamp}.{body}"
    vapi_hmac_algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    vapi_hmac_encoding: Literal["hex", "base64"] = "hex"
    vapi_hmac_prefix: str = ""
    vapi_hmac_secret_is_base64: bool = False
    vapi_hmac_message_id_header: str | None = Field(None, pattern=HEADER)
    vapi_hmac_tolerance_s: int = Field(300, ge=1)
    vapi_bearer_header: str = Field("Authorization", pattern=HEADER)
    vapi_api_key: SecretStr | None = None
    vapi_credential_id: str | None = None
    vapi_base_url: str = "https://api.vapi.ai"
    vapi_assistant_id: str | None = None
    vapi_control_hosts: str = "*.vapi.ai"
    vapi_tell_by: Literal["add-message", "say"] = "add-message"
    sip_trunks: str = ""
    max_tool_calls_per_message: int = Field(20, ge=1, le=1000)
    max_writes_per_call: int = Field(50, ge=1, le=10_000)
    max_writes_per_number_and_day: int = Field(1000, ge=1, le=1_000_000)

    salesforce_instance_url: str
    salesforce_client_id: str
    salesforce_client_secret: SecretStr | None = None
    salesforce_refresh_token: SecretStr | None = None
    salesforce_redirect_uri: str | None = None
    salesforce_username: str | None = None
    salesforce_jwt_key: SecretStr | None = None
    salesforce_grant: Grant | None = None
    salesforce_api_version: str = Field("66.0", pattern=r"^\d{2,3}\.0$")
    salesforce_write_timeout_s: float = Field(35, ge=1, le=600)
    salesforce_key_fields: bool = True
    salesforce_language_field: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    salesforce_window_requests: int | None = Field(None, ge=5)
    salesforce_window_seconds: float = Field(20, ge=1, le=3600)
    salesforce_daily_reserve_percent: float = Field(10, ge=0, le=40)
    token_encryption_key: SecretStr | None = None

    lookup_deadline_ms: int = Field(3000, ge=100, le=20_000)
    commit_window_ms: int = Field(2500, ge=0, le=60_000)
    idle_call_min: float = Field(10, ge=1, le=24 * 60)
    sweep_interval_s: float = Field(0.5, ge=0.05, le=30)
    repeat_window_h: float = Field(24, ge=0, le=24 * 30)
    keep_personal_data_h: float = Field(48, gt=0)
    keep_receipts_h: float = Field(24 * 7, gt=0)
    keep_snapshots_h: float = Field(24, ge=1, le=24 * 30)
    default_language: str = "en"
    transfer_rules: str | None = None
    fallback_phone_number: str | None = None
    phone_region: str = "US"
    time_zone: str | None = None

    twilio_account_sid: str | None = Field(None, pattern=r"^AC[0-9a-f]{32}$")
    twilio_auth_token: SecretStr | None = None
    twilio_phone_number: str | None = None
    twilio_base_url: str = "https://api.twilio.com"

    flower_basic_auth: SecretStr | None = None
    ops_token: SecretStr | None = None
    pulse_file: str | None = None

    @property
    def broker_url(self) -> str:
        return self.celery_broker_url or self.redis_url

    @property
    def trusted_sip_hosts(self) -> tuple[str, ...]:
        """The hosts, addresses and networks of SIP_TRUNKS."""
        return tuple(part.strip() for part in self.sip_trunks.split(",") if part.strip())

    @property
    def server_secrets(self) -> tuple[str, ...]:
        """The secrets a webhook may be signed with: the current one, then the previous one."""
        secrets = (self.vapi_server_secret, self.vapi_server_secret_previous)
        return tuple(secret.get_secret_value() for secret in secrets if secret)

    @property
    def grant(self) -> Grant:
        """The grant for Salesforce tokens: the one named, or else the one the settings allow."""
        if self.salesforce_grant:
            return self.salesforce_grant
        if self.salesforce_jwt_key:
            return "jwt"
        return "client_credentials" if self.salesforce_client_secret else "refresh_token"

    @property
    def jwt_key(self) -> str:
        """The PEM text of SALESFORCE_JWT_KEY, which is that text or its path; "" without one."""
        if not self.salesforce_jwt_key:
            return ""
        value = self.salesforce_jwt_key.get_secret_value().strip()
        if value.startswith("-----BEGIN"):
            return value.replace("\\n", "\n")  # on one line, as some environments need it
        return Path(value).read_text(encoding="ascii")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("*", mode="before")
    @classmethod
    def _is_filled_in(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and text.strip() == PLACEHOLDER:
            raise ValueError("must replace the placeholder of .env.example")
        if isinstance(text, str) and text and not text.strip():
            raise ValueError("must not be empty")
        return value

    @field_validator("vapi_server_secret", "vapi_server_secret_previous", "ops_token")
    @classmethod
    def _is_strong(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            _check_strength(secret.get_secret_value(), LEAST_SECRET)
        return secret

    @field_validator("flower_basic_auth")
    @classmethod
    def _is_user_and_password(cls, auth: SecretStr | None) -> SecretStr | None:
        if auth is not None:
            user, _, password = auth.get_secret_value().partition(":")
            if not user or not password:
                raise ValueError("must have both a user and a password")
            _check_strength(password, LEAST_PASSWORD)
        return auth

    @field_validator("redis_url", "celery_broker_url")
    @classmethod
    def _is_redis(cls, url: str | None) -> str | None:
        if url is not None and (wrong := wrong_with_redis(url)):
            raise ValueError(wrong)
        return url

    @field_validator("fallback_phone_number", "twilio_phone_number")
    @classmethod
    def _is_number(cls, number: str | None) -> str | None:
        if number is not None and as_e164(number, "ZZ") != number:
            raise ValueError
        return number

    @field_validator("sip_trunks")
    @classmethod
    def _are_trunks(cls, trunks: str) -> str:
        for trunk in filter(None, map(str.strip, trunks.split(","))):
            try:
                ip_network(trunk)
            except ValueError:
                if not _HOST_NAME.fullmatch(trunk):
                    raise ValueError from None
        return trunks

    @field_validator("time_zone")
    @classmethod
    def _is_time_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError
        return name

    @field_validator("public_url", "vapi_base_url", "twilio_base_url")
    @classmethod
    def _is_base(cls, url: str | None) -> str | None:
        if url is not None and (wrong := wrong_with_web(url)):
            raise ValueError(wrong)
        return url.rstrip("/") if url else url

    @field_validator("salesforce_instance_url")
    @classmethod
    def _is_org(cls, url: str) -> str:
        if wrong := wrong_with_org(url):
            raise ValueError(wrong)
        return url

    @field_validator("salesforce_redirect_uri")
    @classmethod
    def _is_our_callback(cls, url: str | None) -> str | None:
        if url is not None and (wrong := wrong_with_web(url, path=True)):
            raise ValueError(wrong)
        if url is not None and not urlsplit(url).path.endswith("/oauth/callback"):
            raise ValueError("must lead to /oauth/callback")
        return url

    @field_validator("vapi_control_hosts")
    @classmethod
    def _are_hosts(cls, patterns: str) -> str:
        if wrong := wrong_with_hosts(patterns):
            raise ValueError(wrong)
        return patterns

    @field_validator("default_language")
    @classmethod
    def _is_language(cls, tag: str) -> str:
        if "_" in tag or not tag_is_valid(tag):
            raise ValueError
        return tag

    @field_validator("phone_region")
    @classmethod
    def _is_region(cls, region: str) -> str:
        if region not in SUPPORTED_REGIONS:
            raise ValueError
        return region

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        host = urlsplit(self.salesforce_instance_url).hostname or ""
        if self.grant == "client_credentials":
            if not self.salesforce_client_secret:
                raise ValueError(
                    "SALESFORCE_CLIENT_SECRET is missing; the grant client_credentials needs the "
                    "consumer secret of your External Client App"
                )
            # Salesforce answers this grant only at the My Domain (help article 005318034).
            if host in LOGIN_HOSTS:
                raise ValueError(
                    f"SALESFORCE_INSTANCE_URL: Salesforce refuses client_credentials at {host}; "
                    f"it must be {MUST_BE['salesforce_instance_url']}"
                )
        elif self.grant == "jwt":
            if not self.salesforce_username or not self.salesforce_jwt_key:
                raise ValueError(
                    "SALESFORCE_USERNAME (such as voice@yourcompany.com) and SALESFORCE_JWT_KEY "
                    "(such as jwt.key) are both needed for the grant jwt"
                )
            _check_jwt_key(self)
        elif not self.salesforce_refresh_token and not self.salesforce_redirect_uri:
            raise ValueError(
                "SALESFORCE_JWT_KEY (jwt), SALESFORCE_CLIENT_SECRET (client_credentials), "
                "SALESFORCE_REFRESH_TOKEN (refresh_token) or SALESFORCE_REDIRECT_URI "
                "(refresh_token by /oauth/login) is missing"
            )
        if self.repeat_window_h > self.keep_personal_data_h:
            raise ValueError(
                "REPEAT_WINDOW_H must not be longer than KEEP_PERSONAL_DATA_H: a case can only be "
                "compared with one whose words are still stored"
            )
        if self.twilio_auth_token and not self.public_url:
            raise ValueError(
                "PUBLIC_URL is missing: Twilio signs its requests for that address; it must be "
                f"{MUST_BE['public_url']}"
            )
        if self.twilio_phone_number and not (self.twilio_account_sid and self.twilio_auth_token):
            raise ValueError(
                "TWILIO_PHONE_NUMBER needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN as well; "
                "Twilio's console shows both"
            )
        if self.vapi_hmac_secret_is_base64:
            for secret in self.server_secrets:
                _check_base64(secret)
        if self.token_encryption_key:
            _check_fernet_key(self.token_encryption_key.get_secret_value())
        unknown = set(re.findall(r"\{[^{}]*\}", self.vapi_hmac_payload_format)) - HMAC_PLACEHOLDERS
        if unknown:
            raise ValueError(
                f"VAPI_HMAC_PAYLOAD_FORMAT has the unknown placeholder {min(unknown)}; it may use "
                f"{' '.join(sorted(HMAC_PLACEHOLDERS))}"
            )
        if "{url}" in self.vapi_hmac_payload_format and not self.public_url:
            raise ValueError(
                "PUBLIC_URL is missing: VAPI_HMAC_PAYLOAD_FORMAT signs the {url}; it must be "
                f"{MUST_BE['public_url']}"
            )
        if "{body}" not in self.vapi_hmac_payload_format:
            raise ValueError(
                "VAPI_HMAC_PAYLOAD_FORMAT does not sign the {body}; it must be "
                f"{MUST_BE['vapi_hmac_payload_format']}"
            )
        if "{svix-id}" in self.vapi_hmac_payload_format and not self.vapi_hmac_message_id_header:
            raise ValueError(
                "VAPI_HMAC_MESSAGE_ID_HEADER is missing: VAPI_HMAC_PAYLOAD_FORMAT signs {svix-id}; "
                f"it must be {MUST_BE['vapi_hmac_message_id_header']}"
            )
        return self


def _check_strength(secret: str, least: int) -> None:
    if len(secret) < least:
        raise ValueError(f"must have {least} characters or more")
    if len(set(secret)) < LEAST_DIFFERENT:
        raise ValueError("must not be easy to guess")


def _check_base64(secret: str) -> None:
    try:
        base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError(
            "VAPI_SERVER_SECRET must be base64, as VAPI_HMAC_SECRET_IS_BASE64 says; set it to a "
            "text such as the one printed by: openssl rand -base64 32"
        ) from None


def _check_jwt_key(settings: Settings) -> None:
    try:
        key = load_pem_private_key(settings.jwt_key.encode(), password=None)
    except (OSError, UnicodeError):
        raise ValueError(_not_a_key("must name a file that can be read")) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(_not_a_key("must be a private key without a password")) from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(_not_a_key("must be an RSA key"))


def _not_a_key(problem: str) -> str:
    return f"SALESFORCE_JWT_KEY {problem}; set it to {MUST_BE['salesforce_jwt_key']}"


def _check_fernet_key(key: str) -> None:
    try:
        Fernet(key)
    except ValueError:
        raise ValueError(
            f"TOKEN_ENCRYPTION_KEY must be {MUST_BE['token_encryption_key']}"
        ) from None


@cache
def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError, which shows names and never values."""
    try:
        return Settings()
    except ValidationError as refused:
        raise SettingsError(_explain(refused)) from None


def _explain(refused: ValidationError) -> str:
    """A line for each variable, in our words: pydantic's own would quote types and values."""
    lines = []
    for error in refused.errors(include_input=False, include_url=False):
        name = str(error["loc"][0]) if error["loc"] else ""
        problem = str(error.get("ctx", {}).get("error", ""))  # what our validator raised
        if not name:
            lines.append(problem)
            continue
        required = MUST_BE[name]
        if error["type"] == "missing":
            lines.append(f"{name.upper()} is missing; set it to {required}")
        elif problem:
            lines.append(f"{name.upper()} {problem}; set it to {required}")
        else:
            lines.append(f"{name.upper()} must be {required}")
    return "settings refused: " + "\n  ".join(lines)


_SECRET = (
    f"a secret of {LEAST_SECRET} characters at least, such as the one printed by: "
    "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
)
_SWITCH = "true or false"
_REDIS = (
    "the address of a Redis or Valkey server, such as redis://127.0.0.1:6379/0, "
    "rediss://user:password@host:6380/0 or unix:///run/valkey/valkey.sock"
)
_NUMBER = "a phone number with its country code, such as +14155550100"
_HEADER = "the name of a header, such as"

MUST_BE: dict[str, str] = {
    "web_concurrency": "a whole number of processes from 1 to 256, such as 2",
    "port": "a whole number from 1 to 65535, such as 8080",
    "public_url": "an https address without a path, such as https://voice.example.com",
    "max_body_bytes": "a whole number of bytes, 1024 at least, such as 10485760",
    "redis_url": _REDIS,
    "celery_broker_url": _REDIS,
    "redis_accept_everysec": _SWITCH,
    "redis_vouched": _SWITCH,
    "redis_max_connections": "a whole number, 4 at least, such as 50",
    "vapi_auth": "hmac, secret or bearer",
    "vapi_server_secret": _SECRET,
    "vapi_server_secret_previous": _SECRET,
    "vapi_hmac_signature_header": f"{_HEADER} x-signature",
    "vapi_hmac_timestamp_header": f"{_HEADER} x-timestamp",
    "vapi_hmac_payload_format": "a text with {body} in it, such as {timestamp}.{body}",
    "vapi_hmac_algorithm": "sha256, sha512 or sha1",
    "vapi_hmac_encoding": "hex or base64",
    "vapi_hmac_prefix": "a text, such as sha256=",
    "vapi_hmac_secret_is_base64": _SWITCH,
    "vapi_hmac_message_id_header": f"{_HEADER} svix-id",
    "vapi_hmac_tolerance_s": "a whole number of seconds, such as 300",
    "vapi_bearer_header": f"{_HEADER} Authorization",
    "vapi_api_key": "the private API key of Vapi's dashboard, a UUID",
    "vapi_credential_id": "the id of the credential in Vapi's dashboard, a UUID",
    "vapi_base_url": "an https address without a path, such as https://api.vapi.ai",
    "vapi_assistant_id": "the id that `provision apply` printed, a UUID",
    "vapi_control_hosts": "host names with a comma between them, such as *.vapi.ai",
    "vapi_tell_by": "add-message or say",
    "sip_trunks": (
        "host names, addresses or networks with a comma between them, such as "
        "sip.carrier.example,203.0.113.0/28"
    ),
    "max_tool_calls_per_message": "a whole number from 1 to 1000, such as 20",
    "max_writes_per_call": "a whole number from 1 to 10000, such as 50",
    "max_writes_per_number_and_day": "a whole number from 1 to 1000000, such as 1000",
    "salesforce_instance_url": (
        "your org's My Domain (Setup, My Domain), such as https://MyDomainName.my.salesforce.com"
    ),
    "salesforce_client_id": "the consumer key of your External Client App, such as 3MVG9...",
    "salesforce_client_secret": "the consumer secret of your External Client App",
    "salesforce_refresh_token": "a refresh token of your org, such as 5Aep861...",
    "salesforce_redirect_uri": (
        "the address of this server's callback, such as https://voice.example.com/oauth/callback"
    ),
    "salesforce_username": "the name of the user to run as, such as voice@yourcompany.com",
    "salesforce_jwt_key": "an RSA private key in PEM, or the path of one, such as jwt.key",
    "salesforce_grant": "jwt, client_credentials or refresh_token",
    "salesforce_api_version": "a version of Salesforce's API, such as 66.0",
    "salesforce_write_timeout_s": "a number of seconds from 1 to 600, such as 35",
    "salesforce_key_fields": _SWITCH,
    "salesforce_language_field": "the API name of a field of Contact, such as Language__c",
    "salesforce_window_requests": "a whole number, 5 at least, such as 100",
    "salesforce_window_seconds": "a number of seconds from 1 to 3600, such as 20",
    "salesforce_daily_reserve_percent": "a number from 0 to 40, such as 10",
    "token_encryption_key": (
        "a Fernet key, such as the one printed by: python -c "
        "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    ),
    "lookup_deadline_ms": "a whole number of milliseconds from 100 to 20000, such as 3000",
    "commit_window_ms": "a whole number of milliseconds from 0 to 60000, such as 2500",
    "idle_call_min": "a number of minutes from 1 to 1440, such as 10",
    "sweep_interval_s": "a number of seconds from 0.05 to 30, such as 0.5",
    "repeat_window_h": "a number of hours from 0 to 720, such as 24",
    "keep_personal_data_h": "a number of hours above 0, such as 48",
    "keep_receipts_h": "a number of hours above 0, such as 168",
    "keep_snapshots_h": "a number of hours from 1 to 720, such as 24",
    "default_language": "a language tag, such as en, de or pt-BR",
    "transfer_rules": "the path of a file like transfer.example.toml",
    "fallback_phone_number": _NUMBER,
    "time_zone": "an IANA time zone, such as America/New_York",
    "phone_region": "a country's two letters, such as US",
    "twilio_account_sid": "AC and 32 hexadecimal digits, as Twilio's console shows it",
    "twilio_auth_token": "the auth token that Twilio's console shows",
    "twilio_phone_number": _NUMBER,
    "twilio_base_url": "an https address without a path, such as https://api.twilio.com",
    "flower_basic_auth": (
        f"a user and a password of {LEAST_PASSWORD} characters at least, such as "
        "operator:the-password-that-you-chose"
    ),
    "ops_token": _SECRET,
    "pulse_file": "the path of a file that can be written, such as /tmp/pulse",
}
"""What each variable must be, with an example. Follows "must be" or "set it to"."""
