"""Settings for operators: what they log in with, and the file that a health check watches."""

from importlib.util import find_spec
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.addresses import is_host
from shared.settings.environment import SECRET, SWITCH, Group, StrongSecret, check_strength

MIN_PASSWORD = 12
"""Minimum characters of an operator's password."""

_USER_AND_PASSWORD = (
    f"a user and a password of {MIN_PASSWORD} characters at least, such as "
    "operator:the-password-that-you-chose"
)


class OpsSettings(Group):
    operator_basic_auth: SecretStr | None = Field(None, description=_USER_AND_PASSWORD)
    flower_basic_auth: SecretStr | None = Field(None, description=_USER_AND_PASSWORD)
    flower_read_only: bool = Field(True, description=SWITCH)
    flower_db: str | None = Field(
        None,
        description="the path of a file in a folder that exists and can be written, such as "
        "/var/lib/flower/tasks",
    )
    token: StrongSecret | None = Field(None, validation_alias="OPS_TOKEN", description=SECRET)
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        validation_alias="OPS_PORT",
        description="a whole number from 1 to 65535, such as 8081",
    )
    address: str = Field(
        "127.0.0.1",
        validation_alias="OPS_ADDRESS",
        description="an address of this machine, such as 127.0.0.1",
    )
    hosts: str = Field(
        "",
        validation_alias="OPS_HOSTS",
        description="host names with a comma between them, such as console.example.com,ops",
    )
    otlp_endpoint: str | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="the address of a collector that takes OTLP over HTTP, such as "
        "http://127.0.0.1:4318",
    )
    pulse_file: str | None = Field(
        None, description="the path of a file that can be written, such as /tmp/pulse"
    )

    @field_validator("operator_basic_auth", "flower_basic_auth")
    @classmethod
    def _is_user_and_password(cls, auth: SecretStr | None) -> SecretStr | None:
        if auth is not None:
            user, _, password = auth.get_secret_value().partition(":")
            if not user or not password:
                raise ValueError("must have both a user and a password")
            check_strength(password, MIN_PASSWORD)
        return auth

    @property
    def host_names(self) -> tuple[str, ...]:
        return tuple(name.strip().casefold() for name in self.hosts.split(",") if name.strip())

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: str) -> str:
        if not all(is_host(name.strip().casefold()) for name in hosts.split(",") if hosts):
            raise ValueError
        return hosts

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        return str(ip_address(address))

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("must be an http or https address")
            if parts.username or parts.query or parts.fragment:
                raise ValueError("must have no password, no query and no fragment")
        return url

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.flower_basic_auth and self.flower_basic_auth == self.operator_basic_auth:
            raise ValueError(
                "OPERATOR_BASIC_AUTH must differ from FLOWER_BASIC_AUTH: who may look at Flower "
                "may not authorise the service in Salesforce"
            )
        if self.otlp_endpoint and find_spec("opentelemetry") is None:
            raise ValueError(
                "OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed: "
                "pip install --require-hashes -r requirements-otel.txt"
            )
        return self
