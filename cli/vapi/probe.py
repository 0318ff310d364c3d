"""Sends a signed message to our own webhook, the way that Vapi does, to see whether it is accepted.

If it is refused, more messages find out why: a proxy that rewrites bodies, a service with another
scheme, a clock that is wrong.
"""

import time
from base64 import b64encode
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlsplit

import requests

from shared.addresses import is_loopback
from shared.errors import ServiceError
from shared.settings import VapiSettings
from shared.vapi.authentication import SECRET_HEADER, Request, sign, signed_payload

TIMEOUT_S = (3.05, 10.0)

Scheme = Literal["hmac", "secret", "bearer"]

BODY = b'{ "message" : {"type": "doctor", "amount": 1.0, "text": "caf\\u00e9"} }'
"""A proxy that parses and rewrites JSON would change these bytes: the spaces, 1.0, the escape."""

REWRITTEN = (b'{"message": {"type": "doctor"}}', b'{"message":{"type":"doctor"}}')
"""Bytes as such a proxy would write them."""


class ProbeFailedError(ServiceError):
    """The text says what was seen, `remedy` what to do about it."""

    def __init__(self, seen: str, remedy: str) -> None:
        super().__init__(seen)
        self.remedy: Final = remedy


@dataclass(frozen=True)
class _Seen:
    """clock: by how many seconds the Date header is ahead of us; 0 without one."""

    status: int
    clock: float


def probe_webhook(url: str, settings: VapiSettings) -> None:
    """A signed message must be accepted, an unsigned one refused. Raises ProbeFailedError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ProbeFailedError(
            "PUBLIC_URL is not https",
            "set PUBLIC_URL to an https address: Vapi sends secrets to it",
        )
    unsigned = _post(url, {}).status
    if unsigned != 401:
        raise ProbeFailedError(
            f"an unsigned message got HTTP {unsigned} instead of 401",
            "check that PUBLIC_URL leads to this service",
        )
    signed = _post(url, proof(settings, url))
    if signed.status == 401:
        seen, remedy = _why_refused(url, settings, signed)
        raise ProbeFailedError(f"a signed message is refused: {seen}", remedy)
    if signed.status != 200:
        raise ProbeFailedError(f"a signed message got HTTP {signed.status}", "read the log of web")


def _why_refused(url: str, settings: VapiSettings, refused: _Seen) -> tuple[str, str]:
    for body in REWRITTEN:
        if _post(url, proof(settings, url, body=body), body).status == 200:
            return "a proxy on the way rewrites bodies", "make it pass on the bytes unchanged"
    # A signature reveals nothing. Any other scheme would send the secret itself to whatever server
    # answers at that address, so hmac is the only scheme that is tried.
    if settings.auth != "hmac" and _post(url, proof(settings, url, "hmac")).status == 200:
        seen = f"the service takes hmac, and this environment says {settings.auth}"
        return seen, "set VAPI_AUTH in both to the scheme of Vapi's credential"
    if settings.auth == "hmac" and abs(refused.clock) > settings.hmac_tolerance_s:
        way = "ahead of" if refused.clock > 0 else "behind"
        seen = f"the clock there is {abs(refused.clock) / 60:.0f} minutes {way} this machine"
        return seen, "synchronise both clocks by NTP"
    return "the secret or the scheme differs, or headers are lost", (
        "compare VAPI_AUTH, VAPI_SERVER_SECRET and the VAPI_HMAC_ settings with those of the "
        "running service, and look for a proxy that changes hosts or drops headers"
    )


def proof(
    settings: VapiSettings, url: str, scheme: Scheme | None = None, body: bytes = BODY
) -> dict[str, str]:
    """The headers by which Vapi would prove that a body is its own."""
    secret = settings.server_secret.get_secret_value()
    scheme = scheme or settings.auth
    if scheme == "secret":
        return {SECRET_HEADER: secret}
    if scheme == "bearer":
        return {settings.bearer_header: f"Bearer {secret}"}
    timestamp = str(int(time.time()))
    headers = {settings.hmac_timestamp_header: timestamp}
    if settings.hmac_message_id_header:
        headers[settings.hmac_message_id_header] = "doctor"
    payload = signed_payload(Request("POST", url, headers, body), timestamp, settings)
    digest = sign(payload, secret, settings)
    encoded = digest.hex() if settings.hmac_encoding == "hex" else b64encode(digest).decode()
    return headers | {settings.hmac_signature_header: settings.hmac_prefix + encoded}


def _post(url: str, headers: dict[str, str], body: bytes = BODY) -> _Seen:
    try:
        answer = requests.post(
            url,
            data=body,
            headers={"Content-Type": "application/json"} | headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.RequestException as trouble:
        raise ProbeFailedError(
            f"not reached ({type(trouble).__name__})", "check that web runs behind PUBLIC_URL"
        ) from None
    return _Seen(answer.status_code, _ahead_s(answer.headers.get("Date", "")))


def _ahead_s(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return 0.0
