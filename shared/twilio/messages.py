"""Text messages from SMS_FROM.

Twilio has no idempotency key for messages, so a message whose answer was lost may be on its way: it
must not be sent again (docs/vendors.md T6).
"""

from shared.deadline import Deadline
from shared.settings import TwilioSettings
from shared.twilio.client import TwilioError, post

TIMEOUT_S = 10.0


def send(settings: TwilioSettings, number: str, text: str, deadline: Deadline | None = None) -> str:
    """Send a text to the number (E.164), once. Returns the message's id. Raises TwilioError.

    deadline: TIMEOUT_S from now when None.
    """
    assert settings.sms_from
    url = f"{settings.base_url}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"
    form = {"To": number, "From": settings.sms_from, "Body": text}
    sent = post(settings, url, form, deadline or Deadline.after(TIMEOUT_S))
    sid = sent.get("sid")
    if not isinstance(sid, str) or not sid:
        raise TwilioError("UNEXPECTED_BODY", may_be_done=True)
    return sid
