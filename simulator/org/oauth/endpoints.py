"""The addresses under /services/oauth2, and the identity URL. Error texts: facts in oauth docs,
each a `{"error", "error_description"}` object.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from simulator.org.message import Answer, Call
from simulator.org.oauth.jwt import read_assertion
from simulator.org.oauth.tokens import DEMO_SECRET, SESSION_S, OAuthError, Session
from simulator.org.store import Row
from simulator.org.world import Org

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# The shared login hosts. client_credentials works only on an org's own My Domain.
SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")
SCOPE = "api"


def answer(org: Org, call: Call) -> Answer:
    """Answer a request to /services/oauth2/… or /id/…."""
    try:
        if call.segments[0] == "id":
            return identity(org, call)
        handler = HANDLERS.get(call.segments[-1] if len(call.segments) == 3 else "")
        if handler is None:
            return Answer(404, b"", content_type="text/html")
        return handler(org, call)
    except OAuthError as refusal:
        return Answer(refusal.status, {"error": refusal.code, "error_description": refusal.text})


def token(org: Org, call: Call) -> Answer:
    """POST /services/oauth2/token."""
    if call.method != "POST":
        raise OAuthError("invalid_request", "must use HTTP POST")
    form = call.form()
    client_id, secret = _client(call, form)
    grant = GRANTS.get(form.get("grant_type", ""))
    if not form.get("grant_type"):
        raise OAuthError("invalid_request", "missing required parameter: grant_type")
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    return grant(org, call, form, client_id, secret)


def client_credentials(
    org: Org, call: Call, form: dict[str, str], client_id: str, secret: str | None
) -> Answer:
    if _is_shared(call):
        raise OAuthError("invalid_grant", "request not supported on this domain")
    org.tokens.check_client(client_id, secret)
    org.tokens.check_rate(org.faults.login_rate)
    return _granted(org, call, client_id, secret, org.tokens.user_id)


def refresh(
    org: Org, call: Call, form: dict[str, str], client_id: str, secret: str | None
) -> Answer:
    org.tokens.check_client(client_id, secret, secret_needed=False)
    org.tokens.check_rate(org.faults.login_rate)
    grant, successor = org.tokens.spend_refresh(
        form.get("refresh_token", ""), client_id, org.faults.rotate_refresh_tokens
    )
    return _granted(org, call, client_id, secret, grant.user_id, grant.family, successor)


def jwt_bearer(
    org: Org, call: Call, form: dict[str, str], client_id: str, secret: str | None
) -> Answer:
    issuer, username = read_assertion(
        form.get("assertion", ""),
        org.clock.now().timestamp(),
        call.base_url,
        org.faults.jwt_public_key,
    )
    org.tokens.check_client(issuer, None, secret_needed=False)
    user = _user_by(org, "Username", username)
    if user is None and org.tokens.strict:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    org.tokens.check_rate(org.faults.login_rate)
    user_id = org.tokens.user_id if user is None else str(user["Id"])
    return _granted(org, call, issuer, None, user_id)


def authorization_code(
    org: Org, call: Call, form: dict[str, str], client_id: str, secret: str | None
) -> Answer:
    org.tokens.check_client(client_id, secret, secret_needed=False)
    org.tokens.spend_code(
        form.get("code", ""),
        client_id,
        form.get("redirect_uri", ""),
        form.get("code_verifier", ""),
    )
    org.tokens.check_rate(org.faults.login_rate)
    family = secrets.token_hex(8)
    successor = org.tokens.issue_refresh(client_id, org.tokens.user_id, family)
    return _granted(org, call, client_id, secret, org.tokens.user_id, family, successor)


def authorize(org: Org, call: Call) -> Answer:
    """GET /services/oauth2/authorize: the user always approves; redirects back with a code."""
    form = call.form()
    redirect_uri = form.get("redirect_uri", "")
    org.tokens.check_client(form.get("client_id", ""), None, secret_needed=False)
    if not redirect_uri:
        raise OAuthError("redirect_uri_missing", "redirect_uri is required")
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    code = org.tokens.issue_code(form["client_id"], redirect_uri, form.get("code_challenge", ""))
    query = {"code": code} | ({"state": form["state"]} if "state" in form else {})
    joint = "&" if "?" in redirect_uri else "?"
    return Answer(302, None, {"Location": f"{redirect_uri}{joint}{urlencode(query)}"})


def userinfo(org: Org, call: Call) -> Answer:
    session = _bearer(org, call)
    if session is None:
        return Answer(403, b"Bad_OAuth_Token", content_type="text/html;charset=UTF-8")
    user = _user_by(org, "Id", session.user_id) or {}
    base = call.base_url
    return Answer(
        200,
        {
            "sub": _identity_url(org, call, session.user_id),
            "user_id": session.user_id,
            "organization_id": org.tokens.organization_id,
            "preferred_username": user.get("Username"),
            "nickname": user.get("Alias"),
            "name": user.get("Name"),
            "email": user.get("Email"),
            "email_verified": True,
            "given_name": user.get("FirstName"),
            "family_name": user.get("LastName"),
            "zoneinfo": user.get("TimeZoneSidKey"),
            "user_type": "STANDARD",
            "active": True,
            "urls": {
                "rest": f"{base}/services/data/v{{version}}/",
                "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
                "query": f"{base}/services/data/v{{version}}/query/",
                "custom_domain": base,
            },
        },
    )


def identity(org: Org, call: Call) -> Answer:
    """GET /id/<organization>/<user>: the address in the token response's `id`."""
    session = _bearer(org, call)
    if session is None or call.segments[1:] != [org.tokens.organization_id, session.user_id]:
        return Answer(403, b"Bad_OAuth_Token", content_type="text/html;charset=UTF-8")
    user = _user_by(org, "Id", session.user_id) or {}
    return Answer(
        200,
        {
            "id": _identity_url(org, call, session.user_id),
            "asserted_user": True,
            "user_id": session.user_id,
            "organization_id": org.tokens.organization_id,
            "username": user.get("Username"),
            "display_name": user.get("Name"),
            "email": user.get("Email"),
            "user_type": "STANDARD",
            "active": True,
        },
    )


def introspect(org: Org, call: Call) -> Answer:
    form = call.form()
    client_id, secret = _client(call, form)
    org.tokens.check_client(client_id, secret)
    session = org.tokens.sessions.get(form.get("token", ""))
    if session is None:
        return Answer(200, {"active": False})
    user = _user_by(org, "Id", session.user_id) or {}
    issued = int(session.issued_at)
    return Answer(
        200,
        {
            "active": True,
            "scope": SCOPE,
            "client_id": session.client_id,
            "username": user.get("Username"),
            "sub": _identity_url(org, call, session.user_id),
            "token_type": "access_token",
            "exp": issued + SESSION_S,
            "iat": issued,
            "nbf": issued,
        },
    )


def revoke(org: Org, call: Call) -> Answer:
    given = call.form().get("token", "")
    if given not in org.tokens.sessions and given not in org.tokens.grants:
        raise OAuthError("unsupported_token_type", "this token type is not supported")
    org.tokens.revoke(given)
    return Answer(200)


def _granted(
    org: Org,
    call: Call,
    client_id: str,
    secret: str | None,
    user_id: str,
    family: str = "",
    refresh_token: str | None = None,
) -> Answer:
    """A token response. It never carries expires_in, and its instance_url is the org's My Domain,
    whatever host took the login [D].
    """
    issued_at = str(int(org.clock.now().timestamp() * 1000))
    identity_url = _identity_url(org, call, user_id)
    key = (secret or DEMO_SECRET).encode()
    signature = hmac.new(key, (identity_url + issued_at).encode(), hashlib.sha256).digest()
    body = {
        "access_token": org.tokens.issue(client_id, user_id, family),
        "signature": base64.b64encode(signature).decode(),
        "scope": SCOPE,
        "instance_url": org.my_domain if _is_shared(call) else call.base_url,
        "id": identity_url,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }
    if refresh_token is not None:
        body["refresh_token"] = refresh_token
    return Answer(200, body, {"Cache-Control": "no-store"})


def _is_shared(call: Call) -> bool:
    return urlsplit(call.base_url).hostname in SHARED_HOSTS


def _identity_url(org: Org, call: Call, user_id: str) -> str:
    return f"{call.base_url}/id/{org.tokens.organization_id}/{user_id}"


def _client(call: Call, form: dict[str, str]) -> tuple[str, str | None]:
    """Client id and secret, from a Basic header or the form."""
    scheme, _, packed = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(packed).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError("invalid_client", "invalid client credentials") from None
        return name, secret
    return form.get("client_id", ""), form.get("client_secret")


def _bearer(org: Org, call: Call) -> Session | None:
    given = call.headers.get("authorization") or f"Bearer {call.form().get('access_token', '')}"
    return org.tokens.session(given)


def _user_by(org: Org, column: str, value: str) -> Row | None:
    user = org.schema.objects["user"]
    found = org.store.matching(user, user.by_name[column.lower()], value, limit=1)
    return org.store.row(user, found[0]) if found else None


Grant = Callable[[Org, Call, dict[str, str], str, str | None], Answer]
GRANTS: dict[str, Grant] = {
    "client_credentials": client_credentials,
    "refresh_token": refresh,
    JWT_BEARER: jwt_bearer,
    "authorization_code": authorization_code,
}
HANDLERS: dict[str, Callable[[Org, Call], Answer]] = {
    "token": token,
    "authorize": authorize,
    "userinfo": userinfo,
    "introspect": introspect,
    "revoke": revoke,
}
