"""A signed message of our own, sent the way that Vapi's come: does it arrive as it was signed?"""

import base64
import hashlib
import hmac
import time
from urllib.parse import urlsplit

import requests

from shared.settings import Settings, is_loopback

TIMEOUT_S = (3.05, 10.0)

BODY = b'{ "message" : {"type": "doctor", "amount": 1.0, "text": "caf\\u00e9"} }'
"""A proxy that parses and writes JSON anew would change these bytes: spaces, 1.0, the escape."""


class ProbeFailedError(Exception):
    """What was seen, and in `mend` what to do about it."""

    def __init__(self, told: str, mend: str) -> None:
        super().__init__(told)
        self.mend = mend


def probe_webhook(url: str, settings: Settings) -> None:
    """A signed message has to be taken, an unsigned one refused. Raises ProbeFailedError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ProbeFailedError("PUBLIC_URL is not https", "Vapi's secrets must not travel open")
    unsigned = _post(url, {})
    if unsigned != 401:
        raise ProbeFailedError(
            f"an unsigned message got HTTP {unsigned} instead of 401",
            "whether PUBLIC_URL leads to this service",
        )
    signed = _post(url, proof(settings, url))
    if signed == 401:
        raise ProbeFailedError(
            "a signed message is refused",
            "VAPI_SERVER_SECRET of the running service, its clock, and a proxy that rewrites "
            "bodies, hosts or headers",
        )
    if signed != 200:
        raise ProbeFailedError(f"a signed message got HTTP {signed}", "the log of web")


def proof(settings: Settings, url: str) -> dict[str, str]:
    """The headers with which Vapi would prove that BODY is its own (facts/vapi.md 3.2)."""
    secret = settings.vapi_server_secret.get_secret_value()
    if settings.vapi_auth == "secret":
        return {"X-Vapi-Secret": secret}
    if settings.vapi_auth == "bearer":
        return {settings.vapi_bearer_header: f"Bearer {secret}"}
    timestamp = str(int(time.time()))
    given = {
        "timestamp": timestamp, "body": BODY.decode(), "method": "POST", "url": url,
        "svix-id": "doctor",
    }  # fmt: skip
    payload = settings.vapi_hmac_payload_format
    for name, value in given.items():
        payload = payload.replace("{" + name + "}", value)
    key = base64.b64decode(secret) if settings.vapi_hmac_secret_is_base64 else secret.encode()
    digest = hmac.new(key, payload.encode(), getattr(hashlib, settings.vapi_hmac_algorithm))
    signature = (
        digest.hexdigest()
        if settings.vapi_hmac_encoding == "hex"
        else base64.b64encode(digest.digest()).decode()
    )
    headers = {
        settings.vapi_hmac_signature_header: f"{settings.vapi_hmac_prefix}{signature}",
        settings.vapi_hmac_timestamp_header: timestamp,
    }
    if settings.vapi_hmac_message_id_header:
        headers[settings.vapi_hmac_message_id_header] = "doctor"
    return headers


def _post(url: str, headers: dict[str, str]) -> int:
    try:
        return requests.post(
            url,
            data=BODY,
            headers={"Content-Type": "application/json"} | headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        ).status_code
    except requests.RequestException as trouble:
        raise ProbeFailedError(
            f"not reached ({type(trouble).__name__})", "whether web runs behind PUBLIC_URL"
        ) from None
