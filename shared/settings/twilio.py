"""Settings of the Twilio account: the number that callers dial, one-time codes, text messages."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings.environment import (
    COUNTRIES,
    NUMBER,
    SWITCH,
    BaseUrl,
    Countries,
    Group,
    PhoneNumber,
    countries_in,
)


class TwilioSettings(Group):
    model_config = SettingsConfigDict(env_prefix="TWILIO_")

    account_sid: str | None = Field(
        None,
        pattern=r"^AC[0-9a-f]{32}$",
        description="AC and 32 hexadecimal digits, as Twilio's console shows it",
    )
    auth_token: SecretStr | None = Field(
        None, description="the auth token that Twilio's console shows"
    )
    phone_number: PhoneNumber | None = Field(None, description=NUMBER)
    base_url: BaseUrl = Field(
        "https://api.twilio.com",
        description="an https address without a path, such as https://api.twilio.com",
    )
    verify_service_sid: str | None = Field(
        None,
        pattern=r"^VA[0-9a-f]{32}$",
        description="VA and 32 hexadecimal digits, as Twilio's console shows it under Verify",
    )
    verify_base_url: BaseUrl = Field(
        "https://verify.twilio.com",
        description="an https address without a path, such as https://verify.twilio.com",
    )
    sms_from: PhoneNumber | None = Field(None, validation_alias="SMS_FROM", description=NUMBER)
    send_references: bool = Field(False, validation_alias="SEND_REFERENCES", description=SWITCH)
    sms_regions: Countries = Field("", validation_alias="SMS_REGIONS", description=COUNTRIES)
    code_number_age_h: float = Field(
        72,
        ge=1,
        le=720,
        validation_alias="CODE_NUMBER_AGE_H",
        description="a number of hours from 1 to 720, such as 72",
    )
    max_codes_per_hour: int = Field(
        100,
        ge=1,
        le=100_000,
        validation_alias="MAX_CODES_PER_HOUR",
        description="a whole number from 1 to 100000, such as 100",
    )

    max_messages_per_hour: int = Field(
        100,
        ge=1,
        le=100_000,
        validation_alias="MAX_MESSAGES_PER_HOUR",
        description="a whole number from 1 to 100000, such as 100",
    )

    @property
    def regions(self) -> frozenset[str]:
        """The countries of SMS_REGIONS; empty when it is not set."""
        return countries_in(self.sms_regions)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.send_references and not self.sms_from:
            raise ValueError(
                "SMS_FROM is missing: SEND_REFERENCES sends text messages from it; it must be "
                f"{self.must_be('sms_from')}"
            )
        if self.account_sid and self.auth_token:
            return self
        for name in ("phone_number", "verify_service_sid", "sms_from"):
            if getattr(self, name):
                raise ValueError(
                    f"{self.variable(name)} needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN as "
                    "well; Twilio's console shows both"
                )
        return self
