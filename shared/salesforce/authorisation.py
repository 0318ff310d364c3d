"""The authorization-code flow: an operator authorises the service in the org, once.

State and PKCE verifier lie in Redis for ten minutes and work once. The refresh token is stored
encrypted. A token of another org than the current one is refused.
"""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

import redis
import requests

from shared.errors import ServiceError
from shared.salesforce.grants import TTL_S, RefreshTokens
from shared.salesforce.namespace import keys_of
from shared.salesforce.token import TOKEN_TIMEOUT_S, TokenStore
from shared.settings import SalesforceSettings
from shared.store import translated

BEGUN_S = 600
SCOPE = "api refresh_token"


class AuthorisationRefusedError(ServiceError):
    """The text tells the operator what was wrong, without any token."""


class Authorisation:
    """Every method raises AuthorisationRefusedError and StoreUnavailableError."""

    def __init__(self, settings: SalesforceSettings, store: redis.Redis) -> None:
        self._settings = settings
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._keys = keys_of(settings)
        self._refresh_tokens = RefreshTokens(settings, store)
        self._tokens = TokenStore(settings, store)

    def begin(self) -> tuple[str, str]:
        """The address for the operator's browser, and the state that must come back with it."""
        if not self._settings.redirect_uri or not self._settings.token_encryption_key:
            raise AuthorisationRefusedError(
                "Set SALESFORCE_REDIRECT_URI and TOKEN_ENCRYPTION_KEY to authorise by login"
            )
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        with translated():
            self._store.set(f"{self._keys}oauth:{state}", verifier, ex=BEGUN_S)
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "scope": SCOPE,
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        base = self._settings.instance_url.rstrip("/")
        return f"{base}/services/oauth2/authorize?{urlencode(query)}", state

    def finish(self, state: str, code: str) -> str:
        """Exchange the code for tokens. Returns the id of the org that is authorised now."""
        with translated():
            verifier = self._store.getdel(f"{self._keys}oauth:{state}") if state else None
        if not verifier:
            raise AuthorisationRefusedError("This login did not start here, or has expired")
        body = self._exchange(code, verifier)
        org_id = urlsplit(str(body.get("id", ""))).path.split("/")[-2:][0]
        with translated():
            known = self._store.get(f"{self._keys}org")
        if not org_id or (known and known != org_id):
            raise AuthorisationRefusedError("This is another org than the one in use")
        token = self._tokens.token_of(body)
        if not body.get("refresh_token"):
            raise AuthorisationRefusedError(
                "The app gives no refresh token. Add the scope refresh_token to it"
            )
        with translated():
            self._store.set(f"{self._keys}org", org_id, ex=TTL_S)
        self._refresh_tokens.keep(str(body["refresh_token"]), by_login=True)
        self._tokens.keep(token)
        return org_id

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "code_verifier": verifier,
        }
        if self._settings.client_secret:
            form["client_secret"] = self._settings.client_secret.get_secret_value()
        base = self._settings.instance_url.rstrip("/")
        try:
            answer = requests.post(
                f"{base}/services/oauth2/token",
                data=form,
                timeout=TOKEN_TIMEOUT_S,
                allow_redirects=False,
            )
            body = answer.json()
        except (requests.RequestException, json.JSONDecodeError) as trouble:
            raise AuthorisationRefusedError(
                f"Salesforce did not answer ({type(trouble).__name__})"
            ) from None
        if answer.status_code != 200 or not isinstance(body, dict) or "access_token" not in body:
            why = body.get("error") if isinstance(body, dict) else None
            raise AuthorisationRefusedError(f"Salesforce refused: {why or answer.status_code}")
        return body


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
