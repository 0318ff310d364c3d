"""Settings of Vapi: how it signs its requests, its API, and live call control."""

import base64
import binascii
import re
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.addresses import wrong_with_hosts
from shared.settings.environment import SECRET, SWITCH, BaseUrl, Group, StrongSecret

HMAC_PLACEHOLDERS = frozenset({"{body}", "{timestamp}", "{method}", "{url}", "{svix-id}"})
HEADER = r"^[A-Za-z0-9-]+$"

_HEADER = "the name of a header, such as"


class VapiSettings(Group):
    model_config = SettingsConfigDict(env_prefix="VAPI_")

    auth: Literal["hmac", "secret", "bearer"] = Field("hmac", description="hmac, secret or bearer")
    server_secret: StrongSecret = Field(description=SECRET)
    server_secret_previous: StrongSecret | None = Field(None, description=SECRET)
    secret_rotation_h: float = Field(
        72, ge=1, le=24 * 90, description="a number of hours from 1 to 2160, such as 72"
    )
    hmac_signature_header: str = Field(
        "x-signature", pattern=HEADER, description=f"{_HEADER} x-signature"
    )
    hmac_timestamp_header: str = Field(
        "x-timestamp", pattern=HEADER, description=f"{_HEADER} x-timestamp"
    )
    hmac_payload_format: str = Field(
        "{timestamp}.{body}",
        description="a text with {body} in it, such as {timestamp}.{body}",
    )
    hmac_algorithm: Literal["sha256", "sha512", "sha1"] = Field(
        "sha256", description="sha256, sha512 or sha1"
    )
    hmac_encoding: Literal["hex", "base64"] = Field("hex", description="hex or base64")
    hmac_prefix: str = Field("", description="a text, such as sha256=")
    hmac_secret_is_base64: bool = Field(False, description=SWITCH)
    hmac_message_id_header: str | None = Field(
        None, pattern=HEADER, description=f"{_HEADER} svix-id"
    )
    hmac_tolerance_s: int = Field(300, ge=1, description="a whole number of seconds, such as 300")
    bearer_header: str = Field(
        "Authorization", pattern=HEADER, description=f"{_HEADER} Authorization"
    )
    api_key: SecretStr | None = Field(
        None, description="the private API key of Vapi's dashboard, a UUID"
    )
    credential_id: str | None = Field(
        None, description="the id of the credential in Vapi's dashboard, a UUID"
    )
    base_url: BaseUrl = Field(
        "https://api.vapi.ai",
        description="an https address without a path, such as https://api.vapi.ai",
    )
    assistant_id: str | None = Field(
        None, description="the id that `provision apply` printed, a UUID"
    )
    control_hosts: str = Field(
        "*.vapi.ai", description="host names with a comma between them, such as *.vapi.ai"
    )
    tell_by: Literal["add-message", "say"] = Field("add-message", description="add-message or say")

    @cached_property
    def server_secrets(self) -> tuple[str, ...]:
        """The secrets a webhook may be signed with: the current one, then the previous one."""
        secrets = (self.server_secret, self.server_secret_previous)
        return tuple(secret.get_secret_value() for secret in secrets if secret)

    @field_validator("control_hosts")
    @classmethod
    def _are_hosts(cls, patterns: str) -> str:
        if wrong := wrong_with_hosts(patterns):
            raise ValueError(wrong)
        return patterns

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.hmac_secret_is_base64:
            for secret in self.server_secrets:
                _check_base64(secret)
        unknown = set(re.findall(r"\{[^{}]*\}", self.hmac_payload_format)) - HMAC_PLACEHOLDERS
        if unknown:
            raise ValueError(
                f"VAPI_HMAC_PAYLOAD_FORMAT has the unknown placeholder {min(unknown)}; it may use "
                f"{' '.join(sorted(HMAC_PLACEHOLDERS))}"
            )
        if "{body}" not in self.hmac_payload_format:
            raise ValueError(
                "VAPI_HMAC_PAYLOAD_FORMAT does not sign the {body}; it must be "
                f"{self.must_be('hmac_payload_format')}"
            )
        if "{svix-id}" in self.hmac_payload_format and not self.hmac_message_id_header:
            raise ValueError(
                "VAPI_HMAC_MESSAGE_ID_HEADER is missing: VAPI_HMAC_PAYLOAD_FORMAT signs {svix-id}; "
                f"it must be {self.must_be('hmac_message_id_header')}"
            )
        return self


def _check_base64(secret: str) -> None:
    try:
        base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError(
            "VAPI_SERVER_SECRET must be base64, as VAPI_HMAC_SECRET_IS_BASE64 says; set it to a "
            "text such as the one printed by: openssl rand -base64 32"
        ) from None
