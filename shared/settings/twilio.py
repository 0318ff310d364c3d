"""Settings of the Twilio account that has the number which callers dial."""

from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings.environment import NUMBER, BaseUrl, Group, PhoneNumber


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

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.phone_number and not (self.account_sid and self.auth_token):
            raise ValueError(
                "TWILIO_PHONE_NUMBER needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN as well; "
                "Twilio's console shows both"
            )
        return self
