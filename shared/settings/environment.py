"""What every group of settings has in common: how it is read, refused, and described."""

import os
from pathlib import Path
from typing import Annotated, Any

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.addresses import wrong_with_web
from shared.errors import ServiceError
from shared.phone import as_e164

PLACEHOLDER = "change-me"
"""The value in `.env.example` that you must replace; no process starts with it."""

MIN_SECRET = 16
MIN_DIFFERENT = 5
"""Minimum characters of a secret, and how many characters of a secret or password must differ."""

MAX_FILE_BYTES = 64 * 1024
ADDRESSES_WITH_PASSWORDS = frozenset({"REDIS_URL", "CELERY_BROKER_URL"})

SWITCH = "true or false"
SECRET = (
    f"a secret of {MIN_SECRET} characters at least, such as the one printed by: "
    "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
)
NUMBER = "a phone number with its country code, such as +14155550100"
COUNTRIES = "countries' two letters with a comma between them, such as US,CA"
"""What a switch, a secret, a number or a list of countries must be. Each is the description of
several fields."""


class SettingsError(ServiceError):
    """The environment can't be used. The text names each variable and what is wrong with it."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the file that `NAME_FILE` names, the way containers and orchestrators pass secrets."""

    settings_cls: "type[Group]"

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Raises SettingsError when the file can't be read, or when NAME is set as well."""
        name = self.settings_cls.variable(field_name)
        key = str(field.validation_alias or field_name)
        path = os.environ.get(f"{name}_FILE", "")
        if not path or not may_be_in_a_file(name, field):
            return None, key, False
        if os.environ.get(name):
            raise SettingsError(f"settings refused: {name} and {name}_FILE are both set; keep one")
        try:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(MAX_FILE_BYTES).strip()
        except (OSError, UnicodeError):
            raise SettingsError(
                f"settings refused: {name}_FILE names a file that can't be read; it must be the "
                f"path of a text file, such as /run/secrets/{name.lower()}"
            ) from None
        if not text:
            raise SettingsError(f"settings refused: {name}_FILE names an empty file")
        return text, key, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = [self.get_field_value(field, name) for name, field in fields]
        return {key: value for value, key, _ in found if value is not None}


def may_be_in_a_file(name: str, field: FieldInfo) -> bool:
    """True for secrets, and for store addresses, which may contain a password."""
    return "SecretStr" in str(field.annotation) or name in ADDRESSES_WITH_PASSWORDS


class Group(BaseSettings):
    """Settings that one part of the service needs. Units are at the end of the names.

    A field's variable is its name in upper case after the group's `env_prefix`, or its
    `validation_alias`. Its description says what the variable must be, with an example.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, loc_by_alias=False
    )

    @classmethod
    def variable(cls, field_name: str) -> str:
        """The environment variable of a field."""
        alias = cls.model_fields[field_name].validation_alias
        return str(alias or f"{cls.model_config['env_prefix']}{field_name.upper()}")

    @classmethod
    def must_be(cls, field_name: str) -> str:
        """What a variable must be, with an example. Follows "must be" or "set it to"."""
        return str(cls.model_fields[field_name].description)

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


def check_strength(secret: str, least: int) -> None:
    if len(secret) < least:
        raise ValueError(f"must have {least} characters or more")
    if len(set(secret)) < MIN_DIFFERENT:
        raise ValueError("must not be easy to guess")


def _strong(secret: SecretStr) -> SecretStr:
    check_strength(secret.get_secret_value(), MIN_SECRET)
    return secret


def _base(url: str) -> str:
    if wrong := wrong_with_web(url):
        raise ValueError(wrong)
    return url.rstrip("/")


def _number(number: str) -> str:
    if as_e164(number, "ZZ") != number:
        raise ValueError
    return number


def countries_in(text: str) -> frozenset[str]:
    """The countries of a comma-separated list."""
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _countries(text: str) -> str:
    if not countries_in(text) <= SUPPORTED_REGIONS:
        raise ValueError
    return text


StrongSecret = Annotated[SecretStr, AfterValidator(_strong)]
BaseUrl = Annotated[str, AfterValidator(_base)]
"""An https address without a path (http for loopback only), without the slash at its end."""
PhoneNumber = Annotated[str, AfterValidator(_number)]
"""A number in E.164."""
Countries = Annotated[str, AfterValidator(_countries)]
"""A comma-separated list of countries (ISO 3166)."""
