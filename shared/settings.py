"""The environment, read once, typed, and refused by name when it is missing or unsafe.

`.env.example` lists every variable with its unit, default and meaning; a test keeps the two alike.
"""

import base64
import binascii
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.phone import as_e164

REDIS_PREFIX = "vs:"
"""Every key of ours in Redis begins with this; the broker's own keys with `vs:celery:`."""

PLACEHOLDER = "change-me"
"""What `.env.example` writes where a secret belongs; nobody may start with it."""

Grant = Literal["jwt", "client_credentials", "refresh_token"]


class SettingsError(Exception):
    """The environment can't be used; the text names each variable and what is wrong with it."""


def _secret(value: object) -> object:
    if isinstance(value, str) and (not value.strip() or value.strip() == PLACEHOLDER):
        raise ValueError("is empty or still the placeholder of .env.example")
    return value


Secret = Annotated[SecretStr, BeforeValidator(_secret)]


class Settings(BaseSettings):
    """One field a variable, named as the variable in lower case; units stand at the names' ends."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    port: int = Field(8080, ge=1, le=65535)
    public_url: str | None = None
    max_body_bytes: int = Field(10 * 1024 * 1024, ge=1024)

    redis_url: str
    celery_broker_url: str | None = None
    redis_accept_everysec: bool = False
    redis_vouched: bool = False
    redis_max_connections: int = Field(50, ge=4)

    vapi_auth: Literal["hmac", "secret", "bearer"] = "hmac"
    vapi_server_secret: Secret
    vapi_server_secret_previous: Secret | None = None
    vapi_hmac_signature_header: str = "x-signature"
    vapi_hmac_timestamp_header: str = "x-timestamp"
    vapi_hmac_payload_format: str = "{timestamp}.{body}"
    vapi_hmac_algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    vapi_hmac_encoding: Literal["hex", "base64"] = "hex"
    vapi_hmac_prefix: str = ""
    vapi_hmac_secret_is_base64: bool = False
    vapi_hmac_message_id_header: str | None = None
    vapi_hmac_tolerance_s: int = Field(300, ge=1)
    vapi_bearer_header: str = "Authorization"
    vapi_api_key: Secret | None = None
    vapi_credential_id: str | None = None
    vapi_base_url: str = "https://api.vapi.ai"
    vapi_assistant_id: str | None = None
    vapi_control_hosts: str = "*.vapi.ai"
    vapi_tell_by: Literal["add-message", "say"] = "add-message"

    salesforce_instance_url: str
    salesforce_client_id: str
    salesforce_client_secret: Secret | None = None
    salesforce_refresh_token: Secret | None = None
    salesforce_redirect_uri: str | None = None
    salesforce_username: str | None = None
    salesforce_jwt_key: Secret | None = None
    salesforce_grant: Grant | None = None
    salesforce_api_version: str = Field("66.0", pattern=r"^\d{2,3}\.0$")
    salesforce_write_timeout_s: float = Field(35, ge=1, le=600)
    salesforce_key_fields: bool = True
    salesforce_language_field: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    salesforce_window_requests: int | None = Field(None, ge=5)
    salesforce_window_seconds: float = Field(20, ge=1, le=3600)
    salesforce_daily_reserve_percent: float = Field(10, ge=0, le=40)
    token_encryption_key: Secret | None = None

    lookup_deadline_ms: int = Field(3000, ge=100, le=20_000)
    commit_window_ms: int = Field(2500, ge=0, le=60_000)
    idle_call_min: float = Field(10, ge=1, le=24 * 60)
    sweep_interval_s: float = Field(0.5, ge=0.05, le=30)
    repeat_window_h: float = Field(24, ge=0, le=24 * 30)
    keep_personal_data_h: float = Field(48, gt=0)
    keep_receipts_h: float = Field(24 * 7, gt=0)
    keep_snapshots_h: float = Field(24, ge=1, le=24 * 30)
    default_language: str = Field("en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    transfer_rules: str | None = None
    fallback_phone_number: str | None = None
    phone_region: str = Field("US", pattern=r"^[A-Z]{2}$")

    twilio_account_sid: str | None = Field(None, pattern=r"^AC[0-9a-f]{32}$")
    twilio_auth_token: Secret | None = None
    twilio_phone_number: str | None = None
    twilio_base_url: str = "https://api.twilio.com"

    flower_basic_auth: Secret | None = None
    ops_token: Secret | None = None
    pulse_file: str | None = None

    @property
    def broker_url(self) -> str:
        return self.celery_broker_url or self.redis_url

    @property
    def server_secrets(self) -> tuple[str, ...]:
        """The secrets a webhook may be signed with: the current one, then the previous one."""
        secrets = (self.vapi_server_secret, self.vapi_server_secret_previous)
        return tuple(secret.get_secret_value() for secret in secrets if secret)

    @property
    def grant(self) -> Grant:
        """How a Salesforce token is asked for: the one named, else the one the settings allow."""
        if self.salesforce_grant:
            return self.salesforce_grant
        if self.salesforce_jwt_key:
            return "jwt"
        return "client_credentials" if self.salesforce_client_secret else "refresh_token"

    @property
    def jwt_key(self) -> str:
        """The PEM text of SALESFORCE_JWT_KEY, which names it or is it; "" without one."""
        if not self.salesforce_jwt_key:
            return ""
        told = self.salesforce_jwt_key.get_secret_value().strip()
        if told.startswith("-----BEGIN"):
            return told.replace("\\n", "\n")  # one line, as some environments want it
        return Path(told).read_text(encoding="ascii")

    @field_validator("redis_url", "celery_broker_url")
    @classmethod
    def _is_redis(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must be a redis://, rediss:// or unix:// URL")
        return url

    @field_validator("fallback_phone_number", "twilio_phone_number")
    @classmethod
    def _is_number(cls, number: str | None) -> str | None:
        if number is not None and as_e164(number, "ZZ") != number:
            raise ValueError("must be a number in the form +14155550100")
        return number

    @field_validator("public_url")
    @classmethod
    def _is_base(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and (
            parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")
        ):
            raise ValueError("must be an http(s) URL without a path")
        return url

    @field_validator("vapi_base_url", "twilio_base_url")
    @classmethod
    def _is_safe_base(cls, url: str) -> str:
        parts = urlsplit(url)
        if not parts.hostname or not (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        ):
            raise ValueError("must be an https URL (http for loopback only)")
        return url.rstrip("/")

    @field_validator("flower_basic_auth")
    @classmethod
    def _is_user_and_password(cls, auth: SecretStr | None) -> SecretStr | None:
        if auth is not None and not all(auth.get_secret_value().partition(":")):
            raise ValueError("must be user:password")
        return auth

    @field_validator("phone_region")
    @classmethod
    def _is_region(cls, region: str) -> str:
        if region not in SUPPORTED_REGIONS:
            raise ValueError("is no region of phone numbers (ISO 3166, such as US)")
        return region

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        _check_org_url(self.salesforce_instance_url)
        host = urlsplit(self.salesforce_instance_url).hostname or ""
        if self.grant == "client_credentials":
            if not self.salesforce_client_secret:
                raise ValueError("SALESFORCE_CLIENT_SECRET is missing for client_credentials")
            # Salesforce answers this grant at the My Domain alone (help article 005318034).
            if host in {"login.salesforce.com", "test.salesforce.com"}:
                raise ValueError(
                    "SALESFORCE_INSTANCE_URL must be your My Domain: client_credentials is "
                    f"refused at {host}"
                )
        elif self.grant == "jwt":
            if not self.salesforce_username or not self.salesforce_jwt_key:
                raise ValueError("SALESFORCE_USERNAME and SALESFORCE_JWT_KEY are wanted for jwt")
            _check_jwt_key(self)
        elif not self.salesforce_refresh_token and not self.salesforce_redirect_uri:
            raise ValueError(
                "SALESFORCE_JWT_KEY (jwt), SALESFORCE_CLIENT_SECRET (client_credentials), "
                "SALESFORCE_REFRESH_TOKEN (refresh_token) or SALESFORCE_REDIRECT_URI "
                "(refresh_token by /oauth/login) is missing"
            )
        if self.twilio_auth_token and not self.public_url:
            raise ValueError("PUBLIC_URL is missing: Twilio signs its requests for that URL")
        if self.twilio_phone_number and not (self.twilio_account_sid and self.twilio_auth_token):
            raise ValueError(
                "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are wanted for TWILIO_PHONE_NUMBER"
            )
        if self.vapi_hmac_secret_is_base64:
            for secret in self.server_secrets:
                _check_base64(secret)
        if self.token_encryption_key:
            _check_fernet_key(self.token_encryption_key.get_secret_value())
        if "{url}" in self.vapi_hmac_payload_format and not self.public_url:
            raise ValueError("PUBLIC_URL is missing: VAPI_HMAC_PAYLOAD_FORMAT signs the {url}")
        if "{body}" not in self.vapi_hmac_payload_format:
            raise ValueError("VAPI_HMAC_PAYLOAD_FORMAT does not sign the {body}")
        if "{svix-id}" in self.vapi_hmac_payload_format and not self.vapi_hmac_message_id_header:
            raise ValueError(
                "VAPI_HMAC_MESSAGE_ID_HEADER is missing: VAPI_HMAC_PAYLOAD_FORMAT signs {svix-id}"
            )
        return self


def _check_org_url(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.path.strip("/"):
        raise ValueError("SALESFORCE_INSTANCE_URL must be a URL without a path")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("SALESFORCE_INSTANCE_URL must be https (http for loopback only)")
    if parts.hostname.endswith((".lightning.force.com", ".salesforce-setup.com")):
        raise ValueError(
            "SALESFORCE_INSTANCE_URL must be your My Domain, https://<domain>.my.salesforce.com: "
            f"{parts.hostname} is for browsers and gives no token"
        )


def is_loopback(host: str) -> bool:
    """True for localhost and for literal loopback addresses; names are not resolved."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_base64(secret: str) -> None:
    try:
        base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError(
            "VAPI_SERVER_SECRET is not base64, as VAPI_HMAC_SECRET_IS_BASE64 says"
        ) from None


def _check_jwt_key(settings: Settings) -> None:
    try:
        key = load_pem_private_key(settings.jwt_key.encode(), password=None)
    except (OSError, UnicodeError):
        raise ValueError("SALESFORCE_JWT_KEY names a file that can't be read") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("SALESFORCE_JWT_KEY is no private key in PEM, without password") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("SALESFORCE_JWT_KEY is no RSA key")


def _check_fernet_key(key: str) -> None:
    try:
        Fernet(key)
    except ValueError:
        raise ValueError(
            "TOKEN_ENCRYPTION_KEY is not a Fernet key (32 bytes, URL-safe base64)"
        ) from None


@cache
def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError, which shows names and never values."""
    try:
        return Settings()
    except ValidationError as refused:
        raise SettingsError(_explain(refused)) from None


def _explain(refused: ValidationError) -> str:
    lines = []
    for error in refused.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in error["loc"]).upper()
        reason = "is missing" if error["type"] == "missing" else error["msg"]
        lines.append(f"{name} {reason.removeprefix('Value error, ')}".strip())
    return "settings refused: " + "; ".join(lines)
