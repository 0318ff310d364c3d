"""Access and refresh tokens, and their revocation. No token says when it expires."""

import base64
import hashlib
import hmac
import secrets
import time
from collections import deque
from dataclasses import dataclass

DEMO_CLIENT = "demo-client"
DEMO_SECRET = "demo-secret"
DEMO_REFRESH_TOKEN = "demo-refresh-token"
SESSION_S = 7200
LOGIN_WINDOW_S = 3600
CODE_S = 900


class OAuthError(Exception):
    """An OAuth refusal: `{"error": code, "error_description": text}` with a status."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Session:
    """What an access token stands for. family: of the refresh token it came from, if any."""

    user_id: str
    client_id: str
    issued_at: float
    family: str = ""


@dataclass(slots=True)
class Grant:
    """A refresh token. spent: rotated away; its reuse revokes the whole family."""

    family: str
    user_id: str
    client_id: str
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that can be exchanged once."""

    client_id: str
    redirect_uri: str
    challenge: str
    issued_at: float


class Tokens:
    """All tokens of one org. Unless strict, any client and any refresh token is accepted."""

    def __init__(self, strict: bool, organization_id: str, user_id: str) -> None:
        self.strict = strict
        self.organization_id = organization_id
        self.user_id = user_id
        self.sessions: dict[str, Session] = {}
        self.grants: dict[str, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.revoked: set[str] = set()
        self.logins: deque[float] = deque()
        self.restore_refresh_tokens()

    def restore_refresh_tokens(self) -> None:
        """Delete every refresh token and every revocation. The seeded token is valid again."""
        self.grants = {DEMO_REFRESH_TOKEN: Grant("demo", self.user_id, DEMO_CLIENT)}
        self.revoked.clear()

    def check_client(self, client_id: str, secret: str | None, secret_needed: bool = True) -> None:
        """Raises OAuthError for an unknown client."""
        if not client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if secret_needed and not secret:
            raise OAuthError("invalid_client", "invalid client credentials")
        if not self.strict:
            return
        if client_id != DEMO_CLIENT:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if secret is not None and not hmac.compare_digest(secret, DEMO_SECRET):
            raise OAuthError("invalid_client", "invalid client credentials")

    def check_rate(self, allowed: int | None) -> None:
        """Count a login; raises when more than `allowed` were made in the last hour."""
        now = time.monotonic()
        while self.logins and self.logins[0] <= now - LOGIN_WINDOW_S:
            self.logins.popleft()
        if allowed is not None and len(self.logins) >= allowed:
            raise OAuthError("invalid_grant", "login rate exceeded")
        self.logins.append(now)

    def issue(self, client_id: str, user_id: str, family: str = "") -> str:
        """A new access token."""
        token = f"{self.organization_id[:15]}!AQ{secrets.token_urlsafe(60)}"
        self.sessions[token] = Session(user_id, client_id, time.time(), family)
        return token

    def issue_refresh(self, client_id: str, user_id: str, family: str = "") -> str:
        """A new refresh token, at the head of a new family unless one is given."""
        token = f"5Aep{secrets.token_urlsafe(48)}"
        self.grants[token] = Grant(family or secrets.token_hex(8), user_id, client_id)
        return token

    def spend_refresh(self, token: str, client_id: str, rotate: bool) -> tuple[Grant, str | None]:
        """The grant behind a refresh token, and its successor when tokens rotate.

        Reuse of a rotated token revokes the current one and all its access tokens.
        """
        grant = self.grants.get(token)
        if grant is None and not self.strict and token and token not in self.revoked:
            grant = self.grants[token] = Grant(secrets.token_hex(8), self.user_id, client_id)
        if grant is None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if grant.spent:
            self.revoke_family(grant.family)
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if not rotate:
            return grant, None
        grant.spent = True
        return grant, self.issue_refresh(client_id, grant.user_id, grant.family)

    def revoke_family(self, family: str) -> None:
        for token, grant in list(self.grants.items()):
            if grant.family == family:
                del self.grants[token]
                self.revoked.add(token)
        for token, session in list(self.sessions.items()):
            if family and session.family == family:
                del self.sessions[token]

    def revoke(self, token: str) -> None:
        """Revoke an access token, or a refresh token with all that came from it."""
        grant = self.grants.get(token)
        if grant is not None:
            self.revoke_family(grant.family)
        self.revoked.add(token)
        self.sessions.pop(token, None)

    def issue_code(self, client_id: str, redirect_uri: str, challenge: str) -> str:
        code = f"aPrx{secrets.token_urlsafe(32)}"
        self.codes[code] = Code(client_id, redirect_uri, challenge, time.time())
        return code

    def spend_code(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> None:
        """Exchange a code once. Raises for a code unknown, spent, old or made for someone else."""
        known = self.codes.pop(code, None)
        if known is None or time.time() - known.issued_at > CODE_S:
            raise OAuthError("invalid_grant", "expired authorization code")
        if known.client_id != client_id or known.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri mismatch")
        if known.challenge and known.challenge != challenge_of(verifier):
            raise OAuthError("invalid_grant", "invalid code verifier")

    def session(self, authorization: str) -> Session | None:
        """The session of an `Authorization: Bearer …` (or `OAuth …`) header."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() not in ("bearer", "oauth"):
            return None
        return self.sessions.get(token.strip())

    def expire_all(self) -> None:
        """Revoke every access token issued so far. Refresh tokens stay valid."""
        self.sessions.clear()


def challenge_of(verifier: str) -> str:
    """PKCE S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
