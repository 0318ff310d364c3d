"""Settings for operators: what they log in with, and the file that a health check watches."""

from pydantic import Field, SecretStr, field_validator

from shared.settings.environment import SECRET, Group, StrongSecret, check_strength

LEAST_PASSWORD = 12
"""Minimum characters of an operator's password."""


class OpsSettings(Group):
    flower_basic_auth: SecretStr | None = Field(
        None,
        description=f"a user and a password of {LEAST_PASSWORD} characters at least, such as "
        "operator:the-password-that-you-chose",
    )
    token: StrongSecret | None = Field(None, validation_alias="OPS_TOKEN", description=SECRET)
    pulse_file: str | None = Field(
        None, description="the path of a file that can be written, such as /tmp/pulse"
    )

    @field_validator("flower_basic_auth")
    @classmethod
    def _is_user_and_password(cls, auth: SecretStr | None) -> SecretStr | None:
        if auth is not None:
            user, _, password = auth.get_secret_value().partition(":")
            if not user or not password:
                raise ValueError("must have both a user and a password")
            check_strength(password, LEAST_PASSWORD)
        return auth
