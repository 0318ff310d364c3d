"""Twilio Verify: sends a one-time code by SMS, and says whether a code is the right one.

Verify chooses the code and the language of the message, and checks it; the code never comes here
before a caller says it. Fraud Guard stays on, which is the default. See docs/vendors.md T3, T4, T5.
"""

from shared.deadline import Deadline
from shared.settings import TwilioSettings
from shared.twilio.client import TwilioError, post

NOT_PENDING, MAX_CHECKS_REACHED = 404, 60202


class Verify:
    """Safe to share between threads. Every method raises TwilioError."""

    def __init__(self, settings: TwilioSettings) -> None:
        self._settings = settings
        service = settings.verify_service_sid
        self._url = f"{settings.verify_base_url}/v2/Services/{service}"

    def start(self, number: str, deadline: Deadline) -> str:
        """Send a code to the number (E.164). Returns the verification's id.

        While an earlier code for the number is valid, Verify sends the same again.
        """
        form = {"To": number, "Channel": "sms"}
        sent = post(self._settings, f"{self._url}/Verifications", form, deadline)
        sid = sent.get("sid")
        if not isinstance(sid, str) or not sid:
            raise TwilioError("UNEXPECTED_BODY", may_be_done=True)
        return sid

    def is_right(self, verification: str, code: str, deadline: Deadline) -> bool:
        """Whether this is the code of the verification. A right one is right once.

        False as well for a verification that expired or was checked too often.
        """
        form = {"VerificationSid": verification, "Code": code}
        try:
            checked = post(self._settings, f"{self._url}/VerificationCheck", form, deadline)
        except TwilioError as error:
            if error.status == NOT_PENDING or error.code == MAX_CHECKS_REACHED:
                return False
            raise
        return checked.get("status") == "approved"
