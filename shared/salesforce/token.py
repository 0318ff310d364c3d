"""The access token: shared through Redis, encrypted, and renewed by one process at a time (single
flight).

No expiry is computed: token responses carry no `expires_in`, and a token lives as long as its
session is in use (docs/vendors.md S1). It is replaced when Salesforce refuses it.
"""

import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import redis
import requests

from shared.domain.reading import UnreadableError, read_json
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.grants import RefreshTokens, token_form
from shared.salesforce.namespace import keys_of
from shared.salesforce.token_cipher import for_access_token
from shared.scripts import load
from shared.settings import SalesforceSettings
from shared.store import allowed_when_full, translated

TOKEN_TIMEOUT_S = (3.05, 10.0)
LOCK_MS = 15_000
TTL_S = 7 * 24 * 3600
"""How long a token is stored at most, so that the token of an abandoned org goes after a week."""
POLL_S = 0.05

_RETRIABLE = {"rate_limit_exceeded", "server_error", "temporarily_unavailable"}


@dataclass(frozen=True)
class Token:
    """access_token is a secret. issued_at_ms: when this service received it, epoch ms."""

    access_token: str = field(repr=False)
    instance_url: str
    issued_at_ms: int = 0


class TokenStore:
    """Hands out the fleet's token. Raises SalesforceError when it can't get one in time."""

    def __init__(self, settings: SalesforceSettings, store: redis.Redis) -> None:
        self._settings = settings
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._key = f"{keys_of(settings)}access_token"
        self._lock_key = f"{keys_of(settings)}token:lock"
        self._cipher = for_access_token(settings)
        self._refresh_tokens = RefreshTokens(settings, store)
        self._release_lock = load(store, "salesforce", "release_lock")

    def current(self, *, give_up_at: float) -> Token:
        """The token in use, or a first one. give_up_at: time.monotonic() of the deadline."""
        return self._stored() or self._single_flight(None, give_up_at)

    def replace(self, spent: Token, *, give_up_at: float) -> Token:
        """A token other than the spent one: another process's newer token, or a new one."""
        return self._single_flight(spent, give_up_at)

    def renew(self, *, give_up_at: float) -> Token:
        """A new token, whatever is stored."""
        stored = self._stored()
        return self._single_flight(stored, give_up_at)

    def age_s(self) -> float | None:
        """The age of the stored token in seconds; None without one."""
        stored = self._stored()
        return time.time() - stored.issued_at_ms / 1000 if stored else None

    def _stored(self) -> Token | None:
        with translated():
            stored = self._store.get(self._key)
        text = self._cipher.decrypt(stored) if stored and self._cipher else None
        try:
            return read_json(Token, text) if text else None
        except UnreadableError:
            return None  # another version's; a new token replaces it

    def _single_flight(self, spent: Token | None, give_up_at: float) -> Token:
        while True:
            stored = self._stored()
            if stored and (spent is None or stored.access_token != spent.access_token):
                return stored
            owner = secrets.token_hex(8)
            if self._take_lock(owner):
                try:
                    # Another process may have finished between our look and our lock.
                    newer = self._stored()
                    if newer and newer != stored:
                        return newer
                    return self._ask()
                finally:
                    with translated():
                        self._release_lock(args=[self._lock_key, owner])
            if time.monotonic() >= give_up_at:
                raise away("TOKEN_WAIT", ambiguous=False)
            time.sleep(POLL_S)

    def _ask(self) -> Token:
        settings = self._settings
        form = token_form(settings, self._refresh_tokens)
        try:
            answer = requests.post(
                f"{settings.instance_url.rstrip('/')}/services/oauth2/token",
                data=form,
                # Not the caller's deadline: an answer that nobody reads may hold the only valid
                # refresh token. A caller without time left has stopped waiting already.
                timeout=TOKEN_TIMEOUT_S,
                allow_redirects=False,  # a redirect turns POST into GET and loses the form
            )
        except requests.RequestException as trouble:
            raise away(f"TOKEN_{type(trouble).__name__}", ambiguous=False) from None
        body = _body(answer)
        if answer.status_code != 200 or "access_token" not in body:
            raise _refused(answer.status_code, body)
        if body.get("refresh_token"):
            # With rotation on, the old refresh token is dead now: store the new one first.
            self._refresh_tokens.keep(str(body["refresh_token"]))
        token = self.token_of(body)
        self.keep(token)
        return token

    def token_of(self, body: dict[str, Any]) -> Token:
        """The token in the body of a token response."""
        return Token(
            access_token=str(body["access_token"]),
            instance_url=self._trusted(str(body.get("instance_url") or "")),
            issued_at_ms=int(time.time() * 1000),
        )

    def keep(self, token: Token) -> None:
        """Store a token. From now on the whole fleet uses it."""
        if not self._cipher:
            raise SalesforceError(FailureClass.LOGIN_REFUSED, "TOKEN_ENCRYPTION_KEY", whole=True)
        with translated():
            stored = self._cipher.encrypt(json.dumps(asdict(token)))
            allowed_when_full(self._store, "SET", self._key, stored, "EX", TTL_S)
            # Version 0.2.0 stored its token here, in the clear.
            self._store.delete(self._lock_key.removesuffix(":lock"))

    def _trusted(self, instance_url: str) -> str:
        """Where the token may be sent: https, or the configured loopback address."""
        configured = self._settings.instance_url.rstrip("/")
        if instance_url.startswith("https://") and not configured.startswith("http://"):
            return instance_url.rstrip("/")
        return configured

    def _take_lock(self, owner: str) -> bool:
        with translated():
            taken = allowed_when_full(
                self._store, "SET", self._lock_key, owner, "NX", "PX", LOCK_MS
            )
            return bool(taken)


def _body(answer: requests.Response) -> dict[str, Any]:
    """The answer's JSON object; {} if it has none.

    Behind a rate limit the endpoint answers with a list, as the API does: its first object counts.
    """
    try:
        parsed = answer.json()
    except ValueError:
        return {}
    if isinstance(parsed, list):
        parsed = parsed[0] if parsed else {}
    return parsed if isinstance(parsed, dict) else {}


def _refused(status: int, body: dict[str, object]) -> SalesforceError:
    code = str(body.get("error") or body.get("errorCode") or f"HTTP_{status}")
    description = str(body.get("error_description") or "")
    if status >= 500 or status in {406, 420, 429} or code in _RETRIABLE:
        return away(f"TOKEN_{code}", ambiguous=False)
    if code == "REQUEST_LIMIT_EXCEEDED":
        return SalesforceError(FailureClass.DAILY_LIMIT, f"TOKEN_{code}", whole=True)
    if description == "login rate exceeded":
        return SalesforceError(FailureClass.LOGIN_LIMIT, "TOKEN_login_rate_exceeded", whole=True)
    return SalesforceError(FailureClass.LOGIN_REFUSED, f"TOKEN_{code}", whole=True)
