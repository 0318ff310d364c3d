"""How a message reaches people: by a webhook, or by mail."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import urlsplit

import requests

from shared.errors import ServiceError
from shared.operators.alarms.wording import Wording
from shared.settings import AlarmSettings
from shared.settings.alarms import MailServer

WEBHOOK_TIMEOUT_S = (3.0, 7.0)
SMTP_TIMEOUT_S = 8.0
"""For each answer of the server; a mail takes six or so."""

SLACK = "hooks.slack.com"


class NotSentError(ServiceError):
    """The text is a code, without the address, which may be a secret."""


class Channel(Protocol):
    def send(self, wording: Wording) -> None:
        """Raises NotSentError; the message may have arrived all the same."""


class Webhook:
    """Posts JSON with a `text`, which Slack, Mattermost and Google Chat show, and with the parts of
    the message for other programs. Slack documents no other fields of that name, and it is not
    confirmed that it ignores unknown ones, so that it gets the text alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_slack = urlsplit(url).hostname == SLACK

    def send(self, wording: Wording) -> None:
        body = {"text": wording.text} if self._is_slack else wording.as_json()
        try:
            with requests.post(
                self._url, json=body, timeout=WEBHOOK_TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:  # stream: the body is not read
                status = answer.status_code
        except requests.RequestException as trouble:
            raise NotSentError(type(trouble).__name__) from None
        if status >= 300:
            raise NotSentError(f"HTTP_{status}")


class Mail:
    """A mail in plain text. A password is only sent over TLS, or on this machine."""

    def __init__(self, server: MailServer, sender: str, recipients: list[str]) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients

    def send(self, wording: Wording) -> None:
        message = EmailMessage()
        message["Subject"] = wording.title
        message["From"] = self._sender
        message["To"] = ", ".join(self._recipients)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody on holiday answers
        message.set_content(wording.text)
        try:
            self._send(message)
        except (smtplib.SMTPException, OSError) as trouble:
            code = getattr(trouble, "smtp_code", "")
            raise NotSentError(f"{type(trouble).__name__}{f'_{code}' if code else ''}") from None

    def _send(self, message: EmailMessage) -> None:
        server = self._server
        tls = ssl.create_default_context()
        if server.is_tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=SMTP_TIMEOUT_S, context=tls
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=SMTP_TIMEOUT_S)
        with client:
            if not server.is_tls:
                client.ehlo_or_helo_if_needed()
                if client.has_extn("starttls"):
                    client.starttls(context=tls)
                elif not server.may_be_plain:
                    raise NotSentError("NO_TLS")
            if server.user:
                client.login(server.user, server.password)
            client.send_message(message)


def channels_of(settings: AlarmSettings) -> dict[str, Channel]:
    """By name; none while no setting names any."""
    channels: dict[str, Channel] = {}
    if settings.webhook_url:
        channels["webhook"] = Webhook(settings.webhook_url.get_secret_value())
    if settings.smtp_url:
        server = MailServer.read(settings.smtp_url.get_secret_value())
        channels["mail"] = Mail(server, settings.sender, settings.recipients)
    return channels
