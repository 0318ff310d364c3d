"""GET /oauth/login and /oauth/callback: a signed-in operator authorises the service in Salesforce.

Operators sign in with the user and password of OPERATOR_BASIC_AUTH.
"""

import hmac

from flask import Blueprint, Response, current_app, request

from shared.logs import log
from shared.salesforce.authorisation import AuthorisationRefusedError
from shared.store import StoreUnavailableError
from web.operators import SignIn, by_password
from web.service import Service

blueprint = Blueprint("oauth", __name__)

COOKIE = "vs_oauth_state"


@blueprint.get("/oauth/login")
def login() -> Response:
    service: Service = current_app.extensions["service"]
    sign_in = by_password(service, "/oauth")
    if not sign_in.is_operator:
        return _refused(sign_in)
    try:
        url, state = service.authorisation.begin()
    except AuthorisationRefusedError as refused:
        return _page(str(refused), 409)
    except StoreUnavailableError:
        return _page("The store does not answer", 503)
    answer = Response(status=302, headers={"Location": url, "Cache-Control": "no-store"})
    # Ties the way back to this browser: a state that somebody else began is refused.
    answer.set_cookie(
        COOKIE, state, max_age=600, httponly=True, samesite="Lax", path="/oauth",
        secure=(service.settings.salesforce.redirect_uri or "").startswith("https://"),
    )  # fmt: skip
    return answer


@blueprint.get("/oauth/callback")
def callback() -> Response:
    service: Service = current_app.extensions["service"]
    sign_in = by_password(service, "/oauth")
    if not sign_in.is_operator:
        return _refused(sign_in)
    state, code = request.args.get("state", ""), request.args.get("code", "")
    if not code or not hmac.compare_digest(
        state.encode(), request.cookies.get(COOKIE, "").encode()
    ):
        return _page("This login was not begun here, or was refused in Salesforce", 400)
    try:
        org_id = service.authorisation.finish(state, code)
    except AuthorisationRefusedError as refused:
        log.warning("authorisation_refused", reason=type(refused).__name__)
        return _page(str(refused), 409)
    except StoreUnavailableError:
        return _page("The store does not answer", 503)
    log.info("authorised")
    answer = _page(f"Authorised for org {org_id}. You can close this page.", 200)
    answer.delete_cookie(COOKIE, path="/oauth")
    return answer


def _refused(sign_in: SignIn) -> Response:
    if sign_in.retry_after_s:
        return Response(status=429, headers=sign_in.headers)
    return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="operators"'})


def _page(text: str, status: int) -> Response:
    return Response(f"{text}\n", status=status, mimetype="text/plain")
