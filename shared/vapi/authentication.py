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
from functools import cache, lru_cache
from typing import Final, NamedTuple, Protocol

from shared.errors import ServiceError
from shared.settings import VapiSettings

SECRET_HEADER = "X-Vapi-Secret"

_PLACEHOLDER = re.compile(r"(\{body\}|\{timestamp\}|\{method\}|\{url\}|\{svix-id\})")
_AT_ONCE = 2047
"""Bytes. For more at once hashlib releases the GIL; under a server with threads, to get it back
takes longer than the hash."""

_EPOCH = re.compile(r"\d{9,14}")


class NotAuthenticatedError(ServiceError):
    """The request does not prove that Vapi sent it. The text is for our log, not for the sender.

    code: the reason in a word, for /metrics."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code: Final = code


class Headers(Protocol):
    def get(self, key: str, /) -> str | None: ...


class Authenticated(NamedTuple):
    """identity: the message's, which is the same however the signature is spelled: the decoded
    signature, or for secret and bearer the digest of the body. by_previous: the secret was
    VAPI_SERVER_SECRET_PREVIOUS."""

    identity: bytes
    by_previous: bool


class Head(NamedTuple):
    """What the headers of a request prove. digest: the signature that the body has to match; None
    if the headers are the whole proof. timestamp: the one that the signature may cover.
    by_previous: as in Authenticated."""

    digest: bytes | None
    timestamp: str
    by_previous: bool


@dataclass(frozen=True)
class Request:
    """What the signature covers. headers: anything with a `get` that ignores case."""

    method: str
    url: str
    headers: Headers
    body: bytes


def check_head(headers: Headers, settings: VapiSettings) -> Head:
    """Check what can be checked before the body is read. Raises NotAuthenticatedError.

    For secret and bearer that is everything; for hmac, that the signature is well-formed and the
    timestamp recent.
    """
    match settings.auth:
        case "hmac":
            return _sent_digest(headers, settings)
        case "secret":
            by_previous = _check_token(headers.get(SECRET_HEADER), settings)
        case "bearer":
            sent = headers.get(settings.bearer_header)
            scheme, _, token = (sent or "").partition(" ")
            by_previous = _check_token(token if scheme.lower() == "bearer" else sent, settings)
    return Head(None, "", by_previous)


def check_body(request: Request, head: Head, settings: VapiSettings) -> Authenticated:
    """Check the signature, if there is one. head: what `check_head` returned for the same request.
    Raises NotAuthenticatedError."""
    if head.digest is None:
        return Authenticated(hashlib.sha256(request.body).digest(), head.by_previous)
    payload = signed_payload(request, head.timestamp, settings)
    for nth, secret in enumerate(settings.server_secrets):
        if hmac.compare_digest(sign(payload, secret, settings), head.digest):
            return Authenticated(head.digest, by_previous=nth > 0)
    raise NotAuthenticatedError(
        "other_signature", "a signature made with another secret or over other bytes"
    )


def _check_token(sent: str | None, settings: VapiSettings) -> bool:
    """Whether it is the previous secret."""
    if not sent:
        raise NotAuthenticatedError("no_secret", "no secret sent")
    same = [_same(sent.strip(), secret) for secret in settings.server_secrets]
    if not any(same):
        raise NotAuthenticatedError("other_secret", "another secret")
    return not same[0]


def _sent_digest(headers: Headers, settings: VapiSettings) -> Head:
    """The decoded signature, and the timestamp, which is recent if the signature covers it."""
    sent = headers.get(settings.hmac_signature_header)
    if not sent:
        raise NotAuthenticatedError("no_signature", "no signature sent")
    timestamp = (headers.get(settings.hmac_timestamp_header) or "").strip()
    if "{timestamp}" in settings.hmac_payload_format:
        _check_fresh(timestamp, settings.hmac_tolerance_s)
    signature = sent.strip()
    if settings.hmac_prefix:
        if not signature.startswith(settings.hmac_prefix):
            raise NotAuthenticatedError("no_prefix", "a signature without the configured prefix")
        signature = signature.removeprefix(settings.hmac_prefix)
    try:
        return Head(decode_digest(signature, settings), timestamp, by_previous=False)
    except (ValueError, binascii.Error):
        raise NotAuthenticatedError("other_encoding", "a signature in another encoding") from None


def _check_fresh(timestamp: str, tolerance_s: int) -> None:
    if not _EPOCH.fullmatch(timestamp):
        raise NotAuthenticatedError("no_timestamp", "no usable timestamp sent")
    value = int(timestamp)
    # The unit is not documented (docs/vendors.md V9). Too large for seconds means milliseconds.
    seconds = value / 1000 if value > 1e11 else value
    if abs(time.time() - seconds) > tolerance_s:
        raise NotAuthenticatedError("old_timestamp", "a timestamp out of tolerance")


def signed_payload(request: Request, timestamp: str, settings: VapiSettings) -> bytes:
    """The bytes that are signed: the payload format with its placeholders filled in."""

    def filled(part: str) -> bytes:
        match part:
            case "{body}":
                return request.body
            case "{timestamp}":
                return timestamp.encode()
            case "{method}":
                return request.method.encode()
            case "{url}":
                return request.url.encode()
            case "{svix-id}":
                header = settings.hmac_message_id_header
                return (request.headers.get(header or "") or "").encode()
        return part.encode()

    return b"".join(map(filled, _parts(settings.hmac_payload_format)))


@cache
def _parts(payload_format: str) -> list[str]:
    return [part for part in _PLACEHOLDER.split(payload_format) if part]


def sign(payload: bytes, secret: str, settings: VapiSettings) -> bytes:
    """The digest of the payload under a secret."""
    with_key = _with_key(secret, settings.hmac_algorithm, is_base64=settings.hmac_secret_is_base64)
    signature = with_key.copy()
    for start in range(0, len(payload), _AT_ONCE):
        signature.update(payload[start : start + _AT_ONCE])
    return signature.digest()


@lru_cache(maxsize=8)
def _with_key(secret: str, algorithm: str, *, is_base64: bool) -> hmac.HMAC:
    """To be copied. To set a key takes as long as to sign a short payload."""
    key = base64.b64decode(secret) if is_base64 else secret.encode()
    return hmac.new(key, digestmod=algorithm)


def decode_digest(text: str, settings: VapiSettings) -> bytes:
    """The digest from its header text. Hex may be in either case.

    Accepts one spelling only. Python's decoders also accept white space in hex, and any value of
    the unused last bits in base64. Raises ValueError or binascii.Error.
    """
    if settings.hmac_encoding == "hex":
        digest = bytes.fromhex(text)
        canonical = digest.hex() == text.lower()
    else:
        digest = base64.b64decode(text, validate=True)
        canonical = base64.b64encode(digest).decode() == text
    if not canonical or len(digest) != _digest_size(settings.hmac_algorithm):
        raise ValueError("must be a digest")
    return digest


@cache
def _digest_size(algorithm: str) -> int:
    return hashlib.new(algorithm).digest_size


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
