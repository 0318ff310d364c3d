"""The access token: shared through Redis, and asked for by one process at a time.

No expiry is computed: token responses carry no `expires_in`, a token lives as long as its session
is used (facts/salesforce.md 1.1). It is replaced when Salesforce says it is no longer good.
"""

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import redis
import requests
from cryptography.fernet import Fernet, InvalidToken

from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.settings import REDIS_PREFIX, Settings
from shared.store import translated

TOKEN_TIMEOUT_S = (3.05, 10.0)
LOCK_MS = 15_000
POLL_S = 0.05

_RETRIABLE = {"rate_limit_exceeded", "server_error", "temporarily_unavailable"}


@dataclass(frozen=True)
class Token:
    """access_token is a secret. issued_at_ms: when this service got it, epoch ms."""

    access_token: str
    instance_url: str
    issued_at_ms: int


class TokenStore:
    """Hands out the fleet's token. Raises SalesforceError when none is to be had in time."""

    def __init__(self, settings: Settings, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._settings = settings
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._key = f"{prefix}salesforce:token"
        self._lock_key = f"{prefix}salesforce:token:lock"
        self._refresh_key = f"{prefix}salesforce:refresh_token"
        key = settings.token_encryption_key
        self._cipher = Fernet(key.get_secret_value()) if key else None

    def current(self, *, give_up_at: float) -> Token:
        """The token in use, or a first one. give_up_at: time.monotonic() of the deadline."""
        return self._kept() or self._one_refresher(None, give_up_at)

    def replace(self, spent: Token, *, give_up_at: float) -> Token:
        """A token other than the spent one: somebody's newer one, or one asked for now."""
        return self._one_refresher(spent, give_up_at)

    def age_s(self) -> float | None:
        """How old the kept token is; None without one."""
        kept = self._kept()
        return time.time() - kept.issued_at_ms / 1000 if kept else None

    def _kept(self) -> Token | None:
        with translated():
            text = self._store.get(self._key)
        return Token(**json.loads(text)) if text else None

    def _one_refresher(self, spent: Token | None, give_up_at: float) -> Token:
        while True:
            kept = self._kept()
            if kept and (spent is None or kept.access_token != spent.access_token):
                return kept
            owner = secrets.token_hex(8)
            if self._take_lock(owner):
                try:
                    # Somebody may have finished between our look and our lock.
                    newer = self._kept()
                    if newer and newer != kept:
                        return newer
                    return self._ask()
                finally:
                    self._release_lock(owner)
            if time.monotonic() >= give_up_at:
                raise away("TOKEN_WAIT", ambiguous=False)
            time.sleep(POLL_S)

    def _ask(self) -> Token:
        settings = self._settings
        form = {"grant_type": settings.grant, "client_id": settings.salesforce_client_id}
        if settings.salesforce_client_secret:
            form["client_secret"] = settings.salesforce_client_secret.get_secret_value()
        if settings.grant == "refresh_token":
            form["refresh_token"] = self._refresh_token()
        try:
            answer = requests.post(
                f"{settings.salesforce_instance_url.rstrip('/')}/services/oauth2/token",
                data=form,
                # Not the asker's deadline: an answer that nobody reads may hold the only good
                # refresh token. Who has no time left has stopped waiting for this already.
                timeout=TOKEN_TIMEOUT_S,
                allow_redirects=False,  # a redirect turns POST into GET and loses the form
            )
        except requests.RequestException as trouble:
            raise away(f"TOKEN_{type(trouble).__name__}", ambiguous=False) from None
        body = _body(answer)
        if answer.status_code != 200 or "access_token" not in body:
            raise _refused(answer.status_code, body)
        if body.get("refresh_token"):
            # With rotation on, the old one is dead from now on: keep the new one before using it.
            self._keep_refresh_token(str(body["refresh_token"]))
        token = Token(
            access_token=str(body["access_token"]),
            instance_url=self._trusted(str(body.get("instance_url") or "")),
            issued_at_ms=int(time.time() * 1000),
        )
        with translated():
            self._store.set(self._key, json.dumps(asdict(token)))
        return token

    def _trusted(self, instance_url: str) -> str:
        """Where the token may be sent: https, or the configured loopback address."""
        configured = self._settings.salesforce_instance_url.rstrip("/")
        if instance_url.startswith("https://") and not configured.startswith("http://"):
            return instance_url.rstrip("/")
        return configured

    def _refresh_token(self) -> str:
        """The rotated one that is kept, as long as the setting it came from is the same."""
        configured = self._configured_refresh_token()
        with translated():
            kept = self._store.hgetall(self._refresh_key)
        if kept.get("from") != _digest(configured):
            return configured  # an operator has authorised anew
        if not self._cipher:
            return str(kept["token"])
        try:
            return self._cipher.decrypt(kept["token"].encode()).decode()
        except InvalidToken:
            raise SalesforceError(
                FailureClass.MISCONFIGURED, "TOKEN_ENCRYPTION_KEY", whole=True
            ) from None

    def _keep_refresh_token(self, token: str) -> None:
        kept = self._cipher.encrypt(token.encode()).decode() if self._cipher else token
        origin = _digest(self._configured_refresh_token())
        with translated():
            self._store.hset(self._refresh_key, mapping={"token": kept, "from": origin})

    def _configured_refresh_token(self) -> str:
        configured = self._settings.salesforce_refresh_token
        return configured.get_secret_value() if configured else ""

    def _take_lock(self, owner: str) -> bool:
        with translated():
            return bool(self._store.set(self._lock_key, owner, nx=True, px=LOCK_MS))

    def _release_lock(self, owner: str) -> None:
        script = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
        with translated():
            self._store.eval(script, 1, self._lock_key, owner)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _body(answer: requests.Response) -> dict[str, object]:
    """The token endpoint answers an object; behind a limit it answers a list as the API does."""
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
    return SalesforceError(FailureClass.MISCONFIGURED, f"TOKEN_{code}", whole=True)
