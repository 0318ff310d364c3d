"""Encrypts Salesforce's tokens before they are stored in Redis.

The keys of TOKEN_ENCRYPTION_KEY come first: the first of them encrypts, and all of them decrypt, so
that a key can be replaced. Without that setting a key is derived from the secret with which the
service logs in, which every process has as well. Whoever can read Redis alone gets no token.
"""

import base64
import hmac
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.settings import SalesforceSettings

SEALED = "gAAAA"
"""Every Fernet token begins with this: its version, and a time of this century."""

_FOR_ACCESS, _FOR_REFRESH = b"access token, stored", b"refresh token, kept"


class TokenCipher:
    """keys: Fernet keys, one at least."""

    def __init__(self, keys: list[str]) -> None:
        self._first: Final = Fernet(keys[0])
        self._all: Final = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, text: str) -> str:
        return self._first.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str | None:
        """None for what none of the keys has encrypted."""
        try:
            return self._all.decrypt(stored.encode()).decode()
        except InvalidToken:
            return None

    def is_current(self, stored: str) -> bool:
        """The first key has encrypted it."""
        try:
            self._first.decrypt(stored.encode())
        except InvalidToken:
            return False
        return True


def for_access_token(settings: SalesforceSettings) -> TokenCipher | None:
    """None only where an operator has to log in first, and TOKEN_ENCRYPTION_KEY is missing."""
    match settings.grant_type:
        case "jwt":
            secret = settings.jwt_key_pem
        case "client_credentials":
            secret = _text(settings.client_secret)
        case "refresh_token":
            secret = _text(settings.refresh_token or settings.client_secret)
    return _cipher(settings, secret, _FOR_ACCESS)


def for_refresh_token(settings: SalesforceSettings) -> TokenCipher | None:
    """None without TOKEN_ENCRYPTION_KEY and SALESFORCE_REFRESH_TOKEN."""
    return _cipher(settings, _text(settings.refresh_token), _FOR_REFRESH)


def _cipher(settings: SalesforceSettings, secret: str, purpose: bytes) -> TokenCipher | None:
    keys = [*settings.token_encryption_keys, *([_derived(secret, purpose)] if secret else [])]
    return TokenCipher(keys) if keys else None


def _derived(secret: str, purpose: bytes) -> str:
    """A Fernet key. It can't be computed from a digest of the secret, which may be stored."""
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), purpose, "sha256")).decode()


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
