"""The Twilio account and the number that callers dial, through Twilio's own library.

For operators' commands, never during a call. Importing a number into Vapi points its voice URL to
Vapi; its fallback URL and its status callback are ours (web/twilio.py). Vapi's import sets a status
callback of its own, which ours replaces; whether Vapi needs it is unconfirmed.
"""

from typing import Any, Final

from requests import RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from shared.errors import ServiceError
from shared.settings import TwilioSettings, WebSettings

TIMEOUT_S = 20.0
URLS = (
    "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method",
    "status_callback", "status_callback_method",
)  # fmt: skip
"""A number's URLs, by Twilio's names (IncomingPhoneNumber resource)."""

OVERRIDES = ("voice_application_sid", "trunk_sid")
"""If one of these is set, Twilio ignores a number's URLs (IncomingPhoneNumber resource)."""


class TwilioRefusedError(ServiceError):
    """Twilio refused, or could not be reached. The text has Twilio's own words, no secret of ours.

    status: the HTTP status, 0 when there was no answer.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status: Final = status


class TwilioApi:
    """Every method raises TwilioRefusedError."""

    def __init__(self, settings: TwilioSettings) -> None:
        token = settings.auth_token
        if not settings.account_sid or not token:
            raise TwilioRefusedError("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
        self._client = Client(
            settings.account_sid,
            token.get_secret_value(),
            http_client=TwilioHttpClient(timeout=TIMEOUT_S),
        )
        self._client.api.base_url = settings.base_url
        self._client.verify.base_url = settings.verify_base_url
        self._number = settings.phone_number

    def standing(self) -> tuple[str, str]:
        """Status ("active", "suspended", "closed") and type ("Full", "Trial") of the account."""
        account = self._asked(lambda: self._client.api.v2010.account.fetch())
        return str(account.status), str(account.type)

    def number(self) -> dict[str, Any]:
        """TWILIO_PHONE_NUMBER: its id, URLS and OVERRIDES."""
        numbers = self._client.incoming_phone_numbers
        found = self._asked(lambda: numbers.list(phone_number=self._number, limit=50))
        for row in found:
            if row.phone_number == self._number:
                return {"id": row.sid} | {name: getattr(row, name) for name in URLS + OVERRIDES}
        raise TwilioRefusedError("TWILIO_PHONE_NUMBER must be a number of this account")

    def code_length(self, service_sid: str) -> int:
        """Digits of the codes of a Verify service."""
        service = self._asked(lambda: self._client.verify.v2.services(service_sid).fetch())
        return int(service.code_length or 0)

    def sends_messages(self, number: str) -> bool:
        """Whether a number of the account can send text messages."""
        found = self._asked(
            lambda: self._client.incoming_phone_numbers.list(phone_number=number, limit=50)
        )
        for row in found:
            if row.phone_number == number:
                return bool((row.capabilities or {}).get("sms"))
        raise TwilioRefusedError("SMS_FROM must be a number of this account")

    def has(self, id_: str) -> bool:
        """Whether the account still has the number with that id."""
        try:
            self._asked(lambda: self._client.incoming_phone_numbers(id_).fetch())
        except TwilioRefusedError as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def change(self, id_: str, body: dict[str, Any]) -> None:
        """body: some of URLS; None clears one."""
        fields = {name: value or "" for name, value in body.items()}
        self._asked(lambda: self._client.incoming_phone_numbers(id_).update(**fields))

    @staticmethod
    def _asked(work: Any) -> Any:
        try:
            return work()
        except TwilioRestException as refused:
            text = f"HTTP {refused.status}: {refused.msg}"
            if refused.status == 401:
                text += " (check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN)"
            raise TwilioRefusedError(text, refused.status) from None
        except (RequestException, ValueError) as trouble:  # ValueError: an answer that is not JSON
            raise TwilioRefusedError(f"not reached ({type(trouble).__name__})") from None
        except TwilioException:  # how the library reports a refused list
            text = "refused (check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN)"
            raise TwilioRefusedError(text) from None


def wanted_urls(settings: WebSettings) -> dict[str, str]:
    """The URLs that we set on the number: the fallback, and the callback when a call ends."""
    base = f"{(settings.public_url or '').rstrip('/')}/twilio"
    return {
        "voice_fallback_url": f"{base}/voice",
        "voice_fallback_method": "POST",
        "status_callback": f"{base}/status",
        "status_callback_method": "POST",
    }
