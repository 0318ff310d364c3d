"""One request to Twilio: authenticated, within a deadline, sent once, never redirected.

The library `twilio` has a time-out for each read alone and takes long to import, so requests are
sent without it. Twilio's own words may quote a number and are never passed on.
"""

import json
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.settings import TwilioSettings

CONNECT_TIMEOUT_S = 2.0
MAX_BODY_BYTES = 64 * 1024


class TwilioError(ServiceError):
    """The request did not go through. The text is a code without numbers and words.

    status: of HTTP, 0 without an answer. code: Twilio's error code, 0 without one. may_be_done:
    Twilio may have done what was asked.
    """

    def __init__(self, text: str, *, status: int = 0, code: int = 0, may_be_done: bool = False):
        super().__init__(text)
        self.status: Final = status
        self.code: Final = code
        self.may_be_done: Final = may_be_done


def post(
    settings: TwilioSettings, url: str, form: dict[str, str], deadline: Deadline
) -> dict[str, Any]:
    """The answer's JSON object. Raises TwilioError."""
    assert settings.account_sid
    assert settings.auth_token
    left_s = deadline.left_s
    if left_s <= 0:
        raise TwilioError("DEADLINE")
    try:
        with requests.post(
            url,
            data=form,
            auth=(settings.account_sid, settings.auth_token.get_secret_value()),
            headers={"Accept": "application/json"},
            timeout=(min(CONNECT_TIMEOUT_S, left_s), left_s),
            allow_redirects=False,
            stream=True,
        ) as answer:
            status, body = answer.status_code, _read(answer, deadline)
    except (requests.ConnectTimeout, requests.exceptions.SSLError) as trouble:
        raise TwilioError(type(trouble).__name__) from None
    except (requests.RequestException, HTTPError) as trouble:
        raise TwilioError(type(trouble).__name__, may_be_done=True) from None
    found = _object(body)
    if status >= 300:
        code = found.get("code")
        number = code if isinstance(code, int) else 0
        text = f"HTTP_{status}_{number}" if number else f"HTTP_{status}"
        raise TwilioError(text, status=status, code=number, may_be_done=status >= 500)
    return found


def _read(answer: requests.Response, deadline: Deadline) -> bytes:
    """The body. The socket's own time-out starts anew with every byte."""
    body = b""
    while part := answer.raw.read1(decode_content=True):
        body += part
        if deadline.left_s <= 0 or len(body) > MAX_BODY_BYTES:
            raise requests.ReadTimeout("body")
    return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
