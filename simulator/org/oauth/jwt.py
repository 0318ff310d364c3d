"""The assertion of the jwt-bearer flow: its claims, and its RS256 signature when a key is known."""

import base64
import hashlib
import json
from typing import Any

from simulator.org.oauth.tokens import OAuthError

AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
# DER prefix of a SHA-256 digest in PKCS#1 v1.5.
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def read_assertion(
    assertion: str, now: float, base_url: str, public_key: str = ""
) -> tuple[str, str]:
    """(client id, username) of an assertion. now: seconds since the epoch. Raises OAuthError."""
    parts = assertion.split(".")
    if len(parts) != 3:
        raise OAuthError("invalid_grant", "invalid assertion")
    header, claims = _json(parts[0]), _json(parts[1])
    if header.get("alg") != "RS256":
        raise OAuthError("invalid_grant", "invalid assertion")
    issuer, subject = claims.get("iss"), claims.get("sub") or claims.get("prn")
    if not isinstance(issuer, str) or not isinstance(subject, str):
        raise OAuthError("invalid_grant", "invalid assertion")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(str(item).rstrip("/") in (*AUDIENCES, base_url) for item in audiences):
        raise OAuthError("invalid_grant", "audience is invalid")
    expires = _seconds(claims.get("exp"))
    if expires is None:
        raise OAuthError("invalid_grant", "invalid assertion")
    # The documents ask for three minutes at most, but orgs take any time ahead: the sf CLI sends
    # milliseconds, an expiry far beyond this millennium, and signs in everywhere [F].
    if not now < expires:
        # simple-salesforce#371, #491 [F].
        raise OAuthError("invalid_grant", "expired authorization code")
    if public_key and not verify(f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]), public_key):
        raise OAuthError("invalid_grant", "invalid assertion")
    return issuer, subject


def _seconds(claim: object) -> float | None:
    """An `exp` claim: a number, or one as text, as Salesforce's own sample has it [D]."""
    if isinstance(claim, bool) or not isinstance(claim, int | float | str):
        return None
    try:
        return float(claim)
    except ValueError:
        return None


def verify(message: bytes, signature: bytes, pem: str) -> bool:
    """Whether the RS256 signature fits. pem: a `PUBLIC KEY` block (SubjectPublicKeyInfo)."""
    modulus, exponent = _public_numbers(pem)
    size = (modulus.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    opened = pow(int.from_bytes(signature), exponent, modulus).to_bytes(size)
    digest = SHA256_PREFIX + hashlib.sha256(message).digest()
    return opened == b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest


def _public_numbers(pem: str) -> tuple[int, int]:
    lines = [line for line in pem.strip().splitlines() if not line.startswith("-")]
    outer = _der(base64.b64decode("".join(lines)))
    # SEQUENCE { SEQUENCE algorithm, BIT STRING { SEQUENCE { INTEGER n, INTEGER e } } }
    bits = outer[0][1]
    numbers = _der(bits[1:])[0]
    return int.from_bytes(numbers[0]), int.from_bytes(numbers[1])


def _der(data: bytes) -> list[Any]:
    """The elements of DER data: lists for sequences, bytes for the rest."""
    found: list[Any] = []
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[at : at + count])
            at += count
        inside = data[at : at + length]
        found.append(_der(inside) if tag == 0x30 else inside)
        at += length
    return found


def _json(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(part))
    except ValueError as problem:
        raise OAuthError("invalid_grant", "invalid assertion") from problem
    if not isinstance(value, dict):
        raise OAuthError("invalid_grant", "invalid assertion")
    return value


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as problem:
        raise OAuthError("invalid_grant", "invalid assertion") from problem
