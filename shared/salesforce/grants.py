"""The ways to get a token from Salesforce, and the refresh token that some of them need.

Which grant works at which host: docs/vendors.md S1.
"""

import hashlib
import time
from typing import Any
from urllib.parse import urlsplit

import jwt
import redis

from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.namespace import keys_of
from shared.salesforce.token_cipher import SEALED, for_refresh_token
from shared.scripts import load
from shared.settings import SalesforceSettings
from shared.store import allowed_when_full, translated

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_S = 180
"""Salesforce accepts assertions of at most three minutes."""

TTL_S = 90 * 24 * 3600
"""How long a refresh token is stored after its last use, so that the token of an abandoned org does
not stay for ever."""

BY_LOGIN = "login"
"""The origin of a stored refresh token that an operator authorised at /oauth/login."""


class RefreshTokens:
    """The refresh token in use: an operator's, a rotated one, or the configured one.

    Stored encrypted (see token_cipher.py). Every method raises StoreUnavailableError.
    """

    def __init__(self, settings: SalesforceSettings, store: redis.Redis) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._key = f"{keys_of(settings)}refresh_token"
        configured = settings.refresh_token
        self._configured = configured.get_secret_value() if configured else ""
        self._cipher = for_refresh_token(settings)
        self._reseal = load(store, "salesforce", "reseal")

    def current(self) -> str:
        """Raises SalesforceError when there is no token, or when it can't be decrypted.

        A token under an older key is encrypted again with the newest one.
        """
        with translated():
            stored = self._store.hgetall(self._key)
            self._store.expire(self._key, TTL_S)
        origin = stored.get("from")
        if origin != BY_LOGIN and origin != _digest(self._configured):
            stored = {}  # an operator has configured another token since
        if not stored.get("token"):
            stored = {}
        if not stored and not self._configured:
            raise SalesforceError(FailureClass.LOGIN_REFUSED, "NOT_AUTHORISED", whole=True)
        if not stored:
            return self._configured
        if not stored["token"].startswith(SEALED):
            return str(stored["token"])  # stored by an earlier version; the next rotation encrypts
        token = self._cipher.decrypt(stored["token"]) if self._cipher else None
        if self._cipher is None or token is None:
            raise SalesforceError(FailureClass.LOGIN_REFUSED, "TOKEN_ENCRYPTION_KEY", whole=True)
        if not self._cipher.is_current(stored["token"]):
            with translated():
                self._reseal(args=[self._key, stored["token"], self._cipher.encrypt(token)])
        return token

    def needs_older_key(self) -> bool:
        """The stored token is not encrypted with the newest key yet."""
        with translated():
            stored = str(self._store.hget(self._key, "token") or "")
        return bool(stored and self._cipher and not self._cipher.is_current(stored))

    def keep(self, token: str, *, by_login: bool = False) -> None:
        """Store a new token. It replaces the one before, which no longer works."""
        with translated():
            earlier = self._store.hget(self._key, "from")
            is_by_login = by_login or earlier == BY_LOGIN
            if not self._cipher:
                raise SalesforceError(
                    FailureClass.LOGIN_REFUSED, "TOKEN_ENCRYPTION_KEY", whole=True
                )
            stored = self._cipher.encrypt(token)
            origin = BY_LOGIN if is_by_login else _digest(self._configured)
            allowed_when_full(self._store, "HSET", self._key, "token", stored, "from", origin)
            self._store.expire(self._key, TTL_S)


def token_form(settings: SalesforceSettings, refresh_tokens: RefreshTokens) -> dict[str, str]:
    """The body of a token request. Raises SalesforceError without a refresh token."""
    if settings.grant_type == "jwt":
        return {"grant_type": JWT_BEARER, "assertion": assertion(settings)}
    form = {"grant_type": settings.grant_type, "client_id": settings.client_id}
    if settings.client_secret:
        form["client_secret"] = settings.client_secret.get_secret_value()
    if settings.grant_type == "refresh_token":
        form["refresh_token"] = refresh_tokens.current()
    return form


def assertion(settings: SalesforceSettings) -> str:
    """Signed with SALESFORCE_JWT_KEY for SALESFORCE_USERNAME; valid for ASSERTION_S."""
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        "aud": audience(settings.instance_url),
        "exp": int(time.time()) + ASSERTION_S,
    }
    return jwt.encode(claims, settings.jwt_key_pem, algorithm="RS256")


def audience(instance_url: str) -> str:
    """Sandboxes and scratch orgs belong to test.salesforce.com, everything else to login."""
    host = urlsplit(instance_url).hostname or ""
    is_test = host == "test.salesforce.com" or any(
        part in host for part in (".sandbox.", ".scratch.")
    )
    return f"https://{'test' if is_test else 'login'}.salesforce.com"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
