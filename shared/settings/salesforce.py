"""Settings of the Salesforce org: its address, the grant, API requests, snapshots."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.addresses import LOGIN_HOSTS, wrong_with_org, wrong_with_web
from shared.settings.environment import SWITCH, Group

Grant = Literal["jwt", "client_credentials", "refresh_token"]


class SalesforceSettings(Group):
    model_config = SettingsConfigDict(env_prefix="SALESFORCE_")

    instance_url: str = Field(
        description="your org's My Domain (Setup, My Domain), such as "
        "https://MyDomainName.my.salesforce.com"
    )
    client_id: str = Field(
        description="the consumer key of your External Client App, such as 3MVG9..."
    )
    client_secret: SecretStr | None = Field(
        None, description="the consumer secret of your External Client App"
    )
    refresh_token: SecretStr | None = Field(
        None, description="a refresh token of your org, such as 5Aep861..."
    )
    redirect_uri: str | None = Field(
        None,
        description="the address of this server's callback, such as "
        "https://voice.example.com/oauth/callback",
    )
    username: str | None = Field(
        None, description="the name of the user to run as, such as voice@yourcompany.com"
    )
    jwt_key: SecretStr | None = Field(
        None, description="an RSA private key in PEM, or the path of one, such as jwt.key"
    )
    grant: Grant | None = Field(None, description="jwt, client_credentials or refresh_token")
    token_encryption_key: SecretStr | None = Field(
        None,
        validation_alias="TOKEN_ENCRYPTION_KEY",
        description="a Fernet key, or several with a comma between them and the newest first; this "
        "prints one: python -c "
        "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
    )
    api_version: str = Field(
        "66.0", pattern=r"^\d{2,3}\.0$", description="a version of Salesforce's API, such as 66.0"
    )
    lookup_deadline_ms: int = Field(
        3000,
        ge=100,
        le=20_000,
        validation_alias="LOOKUP_DEADLINE_MS",
        description="a whole number of milliseconds from 100 to 20000, such as 3000",
    )
    write_timeout_s: float = Field(
        35, ge=1, le=600, description="a number of seconds from 1 to 600, such as 35"
    )
    window_requests: int | None = Field(
        None, ge=5, description="a whole number, 5 at least, such as 100"
    )
    window_seconds: float = Field(
        20, ge=1, le=3600, description="a number of seconds from 1 to 3600, such as 20"
    )
    daily_reserve_percent: float = Field(
        10, ge=0, le=40, description="a number from 0 to 40, such as 10"
    )
    key_fields: bool = Field(True, description=SWITCH)
    language_field: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="the API name of a field of Contact, such as Language__c",
    )
    keep_snapshots_h: float = Field(
        24,
        ge=1,
        le=24 * 30,
        validation_alias="KEEP_SNAPSHOTS_H",
        description="a number of hours from 1 to 720, such as 24",
    )
    time_zone: str | None = Field(
        None,
        validation_alias="TIME_ZONE",
        description="an IANA time zone, such as America/New_York",
    )

    @property
    def grant_type(self) -> Grant:
        """The grant for Salesforce tokens: the one named, or else the one the settings allow."""
        if self.grant:
            return self.grant
        if self.jwt_key:
            return "jwt"
        return "client_credentials" if self.client_secret else "refresh_token"

    @property
    def token_encryption_keys(self) -> tuple[str, ...]:
        """The keys of TOKEN_ENCRYPTION_KEY, the newest first; () without it."""
        if not self.token_encryption_key:
            return ()
        return tuple(key.strip() for key in self.token_encryption_key.get_secret_value().split(","))

    @property
    def jwt_key_pem(self) -> str:
        """The PEM text of SALESFORCE_JWT_KEY, which is that text or its path; "" without one."""
        if not self.jwt_key:
            return ""
        value = self.jwt_key.get_secret_value().strip()
        if value.startswith("-----BEGIN"):
            return value.replace("\\n", "\n")  # on one line, as some environments need it
        return Path(value).read_text(encoding="ascii")

    @field_validator("instance_url")
    @classmethod
    def _is_org(cls, url: str) -> str:
        if wrong := wrong_with_org(url):
            raise ValueError(wrong)
        return url

    @field_validator("redirect_uri")
    @classmethod
    def _is_our_callback(cls, url: str | None) -> str | None:
        if url is not None and (wrong := wrong_with_web(url, path=True)):
            raise ValueError(wrong)
        if url is not None and not urlsplit(url).path.endswith("/oauth/callback"):
            raise ValueError("must lead to /oauth/callback")
        return url

    @field_validator("time_zone")
    @classmethod
    def _is_time_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError
        return name

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        host = urlsplit(self.instance_url).hostname or ""
        if self.grant_type == "client_credentials":
            if not self.client_secret:
                raise ValueError(
                    "SALESFORCE_CLIENT_SECRET is missing; the grant client_credentials needs the "
                    "consumer secret of your External Client App"
                )
            # Salesforce answers this grant only at the My Domain (help article 005318034).
            if host in LOGIN_HOSTS:
                raise ValueError(
                    f"SALESFORCE_INSTANCE_URL: Salesforce refuses client_credentials at {host}; "
                    f"it must be {self.must_be('instance_url')}"
                )
        elif self.grant_type == "jwt":
            if not self.username or not self.jwt_key:
                raise ValueError(
                    "SALESFORCE_USERNAME (such as voice@yourcompany.com) and SALESFORCE_JWT_KEY "
                    "(such as jwt.key) are both needed for the grant jwt"
                )
            self._check_jwt_key()
        elif not self.refresh_token and not self.redirect_uri:
            raise ValueError(
                "SALESFORCE_JWT_KEY (jwt), SALESFORCE_CLIENT_SECRET (client_credentials), "
                "SALESFORCE_REFRESH_TOKEN (refresh_token) or SALESFORCE_REDIRECT_URI "
                "(refresh_token by /oauth/login) is missing"
            )
        for key in self.token_encryption_keys:
            self._check_fernet_key(key)
        return self

    def _check_jwt_key(self) -> None:
        try:
            key = load_pem_private_key(self.jwt_key_pem.encode(), password=None)
        except (OSError, UnicodeError):
            raise ValueError(self._not_a_key("must name a file that can be read")) from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError(self._not_a_key("must be a private key without a password")) from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError(self._not_a_key("must be an RSA key"))

    def _not_a_key(self, problem: str) -> str:
        return f"SALESFORCE_JWT_KEY {problem}; set it to {self.must_be('jwt_key')}"

    def _check_fernet_key(self, key: str) -> None:
        try:
            Fernet(key)
        except ValueError:
            raise ValueError(
                f"TOKEN_ENCRYPTION_KEY must be {self.must_be('token_encryption_key')}"
            ) from None
