"""Sessions of the console.

A session is a random token in a cookie; the store has only the token's digest. So a session ends
everywhere at once: by logging out, after 30 minutes without a request, after 12 hours, and as soon
as the user's line in the file changes. A user has so many sessions at a time; one more ends the one
that began first. Otherwise who never sends a cookie back could fill the store.
"""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import redis

from shared.domain.reading import UnreadableError, read_json
from shared.operators.users import User
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

IDLE_MS = 30 * 60 * 1000
MAX_AGE_MS = 12 * 3600 * 1000
MAX_SESSIONS = 20
"""Of a user, at a time."""


@dataclass(frozen=True)
class Session:
    """user: the name. fingerprint: of the user's line when the session began. form_token: what each
    form must send back. began_ms: epoch ms."""

    user: str
    fingerprint: str
    form_token: str
    began_ms: int

    def has_form_token(self, given: str) -> bool:
        return hmac.compare_digest(self.form_token.encode(), given.encode())


class Sessions:
    """Works although the store's memory is used up. Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._begin = load(store, "operators", "begin_session")

    def begin(self, user: User) -> tuple[str, Session]:
        """Returns the token for the cookie, and the session."""
        token = secrets.token_urlsafe(32)
        with translated():
            session = Session(
                user.name, user.fingerprint, secrets.token_urlsafe(24), now_ms(self._store)
            )
            name, text = _digest(user.name), json.dumps(asdict(session))
            self._begin(
                args=[self._prefix, _digest(token), name, text, IDLE_MS, MAX_AGE_MS, MAX_SESSIONS]
            )
        return token, session

    def find(self, token: str, *, extend: bool) -> Session | None:
        """None for a session that has ended. extend: lets it last another IDLE_MS."""
        if not token:
            return None
        with translated():
            key = self._key(token)
            text = self._store.getex(key, px=IDLE_MS) if extend else self._store.get(key)
            if not text:
                return None
            try:
                session = read_json(Session, text)
            except UnreadableError:
                return None
            if now_ms(self._store) - session.began_ms > MAX_AGE_MS:
                self._store.delete(key)
                return None
        return session

    def end(self, token: str) -> None:
        with translated():
            self._store.delete(self._key(token))

    def _key(self, token: str) -> str:
        return f"{self._prefix}console:session:{_digest(token)}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
