"""The account at Twilio and the number that callers dial, through Twilio's own library.

For operators' commands, never in a call. Importing a number into Vapi hands its voice URL to Vapi;
its fallback URL and its status callback are ours (web/twilio.py). Vapi's import sets a status
callback of its own, which ours replaces; what Vapi does without it is unconfirmed.
"""

from typing import Any

from requests import RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from shared.settings import Settings

TIMEOUT_S = 20.0
URLS = (
    "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method",
    "status_callback", "status_callback_method",
)  # fmt: skip
"""Of a number, by Twilio's names (IncomingPhoneNumber resource)."""

OVERRIDES = ("voice_application_sid", "trunk_sid")
"""With one of these a number's URLs count for nothing (IncomingPhoneNumber resource)."""


class TwilioRefusedError(Exception):
    """Twilio did not do it. The text has status and Twilio's own words, and no secret of ours.

    status: HTTP's, 0 where there was no answer.
    """

    def __init__(self, said: str, status: int = 0) -> None:
        super().__init__(said)
        self.status = status


class TwilioApi:
    """Every method raises TwilioRefusedError."""

    def __init__(self, settings: Settings) -> None:
        token = settings.twilio_auth_token
        if not settings.twilio_account_sid or not token:
            raise TwilioRefusedError("TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set")
        self._client = Client(
            settings.twilio_account_sid,
            token.get_secret_value(),
            http_client=TwilioHttpClient(timeout=TIMEOUT_S),
        )
        self._client.api.base_url = settings.twilio_base_url
        self._number = settings.twilio_phone_number

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
        raise TwilioRefusedError("TWILIO_PHONE_NUMBER is no number of this account")

    def has(self, id_: str) -> bool:
        """Whether that id is still a number of the account."""
        try:
            self._asked(lambda: self._client.incoming_phone_numbers(id_).fetch())
        except TwilioRefusedError as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def change(self, id_: str, body: dict[str, Any]) -> None:
        """body: some of URLS; None empties one."""
        fields = {name: value or "" for name, value in body.items()}
        self._asked(lambda: self._client.incoming_phone_numbers(id_).update(**fields))

    @staticmethod
    def _asked(work: Any) -> Any:
        try:
            return work()
        except TwilioRestException as refused:
            said = f"HTTP {refused.status}: {refused.msg}"
            if refused.status == 401:
                said += " (TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN)"
            raise TwilioRefusedError(said, refused.status) from None
        except (RequestException, ValueError) as trouble:  # ValueError: what is no JSON
            raise TwilioRefusedError(f"not reached ({type(trouble).__name__})") from None
        except TwilioException:  # how its lists tell of any refusal
            said = "refused (TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN)"
            raise TwilioRefusedError(said) from None


def wanted_urls(settings: Settings) -> dict[str, str]:
    """What the number should have of our own: the fallback, and who is told how a call ended."""
    base = f"{(settings.public_url or '').rstrip('/')}/twilio"
    return {
        "voice_fallback_url": f"{base}/voice",
        "voice_fallback_method": "POST",
        "status_callback": f"{base}/status",
        "status_callback_method": "POST",
    }
