"""Settings of alarms: who gets them, and from when on something is one."""

import re
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.addresses import is_loopback, wrong_with_web
from shared.settings.environment import Group

MAX_RECIPIENTS = 20

_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+")
"""In printable ASCII, with one @."""


class AlarmSettings(Group):
    model_config = SettingsConfigDict(env_prefix="ALARM_")

    webhook_url: SecretStr | None = Field(
        None,
        description="an https address, such as the one that Slack shows for an incoming webhook",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="smtp:// or smtps://, with a user and a password if the server wants them, "
        "such as smtp://user:password@mail.example.com:587",
    )
    mail_to: str = Field(
        "",
        description="addresses with a comma between them, such as oncall@example.com",
    )
    mail_from: str = Field("", description="an address, such as voice@example.com")
    org_away_min: float = Field(
        5, ge=0.1, le=24 * 60, description="a number of minutes from 0.1 to 1440, such as 5"
    )
    oldest_due_min: float = Field(
        15, ge=0.1, le=24 * 60, description="a number of minutes from 0.1 to 1440, such as 15"
    )
    refused_per_min: float = Field(
        10,
        ge=0,
        le=1_000_000,
        description="a number of requests, or 0 for no such alarm, such as 10",
    )

    @property
    def recipients(self) -> list[str]:
        return [part.strip() for part in self.mail_to.split(",") if part.strip()]

    @property
    def sender(self) -> str:
        return self.mail_from or self.recipients[0]

    @field_validator("webhook_url")
    @classmethod
    def _is_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            # Some services sign the address with a query.
            address = url.get_secret_value().partition("?")[0]
            if wrong := wrong_with_web(address, path=True):
                raise ValueError(wrong)
        return url

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            MailServer.read(url.get_secret_value())
        return url

    @field_validator("mail_to", "mail_from")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        for part in parts:
            name, address = parseaddr(part)
            if name or address != part or not _ADDRESS.fullmatch(part):
                raise ValueError("must contain addresses only")
        if len(parts) > MAX_RECIPIENTS:
            raise ValueError(f"must not name more than {MAX_RECIPIENTS} addresses")
        return text

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.smtp_url and not self.recipients:
            raise ValueError(
                "ALARM_MAIL_TO is missing: ALARM_SMTP_URL says how to send mail, and not to whom; "
                f"it must be {self.must_be('mail_to')}"
            )
        if self.recipients and not self.smtp_url:
            raise ValueError(
                "ALARM_SMTP_URL is missing: ALARM_MAIL_TO names who gets alarms by mail; it must "
                f"be {self.must_be('smtp_url')}"
            )
        return self


@dataclass(frozen=True)
class MailServer:
    """What an address of a mail server says. user: "" for a server that wants none.

    is_tls: from the first byte on; elsewhere TLS is begun by STARTTLS.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls: bool

    @classmethod
    def read(cls, url: str) -> Self:
        """Raises ValueError, whose text follows the name of a setting."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("must be the address of a mail server") from None
        if parts.scheme not in ("smtp", "smtps"):
            raise ValueError("must begin with smtp:// or smtps://")
        if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must name a host and nothing after it")
        if bool(parts.username) != bool(parts.password):
            raise ValueError("must have both a user and a password, or neither")
        is_tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            port or (465 if is_tls else 587),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            is_tls,
        )

    @property
    def may_be_plain(self) -> bool:
        """Mail may go there without TLS: on this machine, or where no password would show."""
        return is_loopback(self.host) or not self.user
