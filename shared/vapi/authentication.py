"""Verifies that a webhook comes from Vapi: every option of Vapi's server credential, on raw bytes.

Vapi has no fixed signature. HMAC is what the customer configured on the credential, with Vapi's own
defaults (docs/vendors.md V9); a plain secret and a bearer token are the alternatives. Two secrets
are valid at a time, because Vapi rotates a credential without an overlap of its own.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from typing import Protocol

from shared.errors import ServiceError
from shared.settings import Settings

SECRET_HEADER = "X-Vapi-Secret"

_PLACEHOLDER = re.compile(r"(\{body\}|\{timestamp\}|\{method\}|\{url\}|\{svix-id\})")
_EPOCH = re.compile(r"\d{9,14}")


class NotAuthenticatedError(ServiceError):
    """The request does not prove that Vapi sent it. The text is for our log, not for the sender."""


class Headers(Protocol):
    def get(self, key: str, /) -> str | None: ...


@dataclass(frozen=True)
class Request:
    """What the signature covers. headers: anything with a `get` that ignores case."""

    method: str
    url: str
    headers: Headers
    body: bytes


def check_head(headers: Headers, settings: Settings) -> None:
    """Check what can be checked before the body is read. Raises NotAuthenticatedError.

    For secret and bearer that is everything; for hmac, that the signature is well-formed and the
    timestamp recent.
    """
    match settings.vapi_auth:
        case "hmac":
            _sent_digest(headers, settings)
        case "secret":
            _check_token(headers.get(SECRET_HEADER), settings)
        case "bearer":
            sent = headers.get(settings.vapi_bearer_header)
            scheme, _, token = (sent or "").partition(" ")
            _check_token(token if scheme.lower() == "bearer" else sent, settings)


def authenticate(request: Request, settings: Settings) -> bytes:
    """Raises NotAuthenticatedError unless the request carries what the settings require.

    Returns the message's identity, which is the same however the signature is spelled: the decoded
    signature, or for secret and bearer the digest of the body.
    """
    if settings.vapi_auth != "hmac":
        check_head(request.headers, settings)
        return hashlib.sha256(request.body).digest()
    digest, timestamp = _sent_digest(request.headers, settings)
    payload = signed_payload(request, timestamp, settings)
    for secret in settings.server_secrets:
        if hmac.compare_digest(sign(payload, secret, settings), digest):
            return digest
    raise NotAuthenticatedError("a signature made with another secret or over other bytes")


def _check_token(sent: str | None, settings: Settings) -> None:
    if not sent:
        raise NotAuthenticatedError("no secret sent")
    if not any(_same(sent.strip(), secret) for secret in settings.server_secrets):
        raise NotAuthenticatedError("another secret")


def _sent_digest(headers: Headers, settings: Settings) -> tuple[bytes, str]:
    """The decoded signature, and the timestamp, which is recent if the signature covers it."""
    sent = headers.get(settings.vapi_hmac_signature_header)
    if not sent:
        raise NotAuthenticatedError("no signature sent")
    timestamp = (headers.get(settings.vapi_hmac_timestamp_header) or "").strip()
    if "{timestamp}" in settings.vapi_hmac_payload_format:
        _check_fresh(timestamp, settings.vapi_hmac_tolerance_s)
    signature = sent.strip()
    if settings.vapi_hmac_prefix:
        if not signature.startswith(settings.vapi_hmac_prefix):
            raise NotAuthenticatedError("a signature without the configured prefix")
        signature = signature.removeprefix(settings.vapi_hmac_prefix)
    try:
        return decode_digest(signature, settings), timestamp
    except (ValueError, binascii.Error):
        raise NotAuthenticatedError("a signature in another encoding") from None


def _check_fresh(timestamp: str, tolerance_s: int) -> None:
    if not _EPOCH.fullmatch(timestamp):
        raise NotAuthenticatedError("no usable timestamp sent")
    value = int(timestamp)
    # The unit is not documented (docs/vendors.md V9). Too large for seconds means milliseconds.
    seconds = value / 1000 if value > 1e11 else value
    if abs(time.time() - seconds) > tolerance_s:
        raise NotAuthenticatedError("a timestamp out of tolerance")


def signed_payload(request: Request, timestamp: str, settings: Settings) -> bytes:
    """The bytes that are signed: the payload format with its placeholders filled in."""
    message_id_header = settings.vapi_hmac_message_id_header
    values = {
        "{body}": request.body,
        "{timestamp}": timestamp.encode(),
        "{method}": request.method.encode(),
        "{url}": request.url.encode(),
        "{svix-id}": (request.headers.get(message_id_header or "") or "").encode(),
    }
    parts = _PLACEHOLDER.split(settings.vapi_hmac_payload_format)
    return b"".join(values.get(part, part.encode()) for part in parts)


def sign(payload: bytes, secret: str, settings: Settings) -> bytes:
    """The digest of the payload under a secret."""
    key = base64.b64decode(secret) if settings.vapi_hmac_secret_is_base64 else secret.encode()
    return hmac.digest(key, payload, settings.vapi_hmac_algorithm)


def decode_digest(text: str, settings: Settings) -> bytes:
    """The digest from its header text. Hex may be in either case.

    Accepts one spelling only. Python's decoders also accept white space in hex, and any value of
    the unused last bits in base64. Raises ValueError or binascii.Error.
    """
    if settings.vapi_hmac_encoding == "hex":
        digest = bytes.fromhex(text)
        canonical = digest.hex() == text.lower()
    else:
        digest = base64.b64decode(text, validate=True)
        canonical = base64.b64encode(digest).decode() == text
    if not canonical or len(digest) != hashlib.new(settings.vapi_hmac_algorithm).digest_size:
        raise ValueError("must be a digest")
    return digest


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
