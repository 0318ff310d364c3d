"""Who may see a page of the console, and who may change something: decided here for all pages.

A request without a session gets the login page. Each form has to come from a page of ours (Origin)
and to send the session's token back. Only operators change something; a new form needs no check
of its own.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from shared.domain.reading import UnreadableError
from shared.logs import log
from shared.operators.actions import Actions
from shared.operators.audit import Audit
from shared.operators.sessions import IDLE_MS, MAX_AGE_MS, Session, Sessions
from shared.operators.users import Role, User, Users
from shared.settings import Settings
from shared.store import StoreUnavailableError
from web import body
from web.console.rendering import page, polled
from web.hosts import refuse_others
from web.service import Service

blueprint = Blueprint(
    "console",
    __name__,
    url_prefix="/console",
    template_folder="templates",
    static_folder="static",
)

COOKIE = "vs_console"
MAX_FORM_BYTES = 64 * 1024
MAX_LOGIN_BYTES = 4 * 1024

LOGGED_IN = "login"
"""The name of a login in the audit."""

LOGIN = "console.login"
LOGINS = frozenset({LOGIN, "console.login_post"})
FOR_READERS = frozenset({"console.logout", "console.find"})
"""The forms that change nothing."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would make the Origin of our own forms `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class Visitor:
    user: User
    session: Session

    @property
    def may_act(self) -> bool:
        return self.user.role is Role.OPERATOR


def service() -> Service:
    found: Service = current_app.extensions["service"]
    return found


def settings() -> Settings:
    return service().settings


def users() -> Users:
    path = Path(settings().console.users or "")
    found: Users = current_app.extensions.setdefault("console_users", Users(path))
    return found


def sessions() -> Sessions:
    return Sessions(service().store)


def visitor() -> Visitor:
    """Who sent this request, which `_admit` has let through."""
    found: Visitor = g.visitor
    return found


def actions() -> Actions:
    """The visitor's actions, which the audit stores with their name."""
    made = service()
    return Actions(made.journal, Audit(made.store), made.notifier.notify, visitor().user.name)


@blueprint.before_request
def _admit() -> ResponseReturnValue | None:
    g.visitor = None
    # Without PUBLIC_URL, web does not know its names. The process of OPS_PORT has looked already.
    if settings().web.public_url and (refused := refuse_others()):
        return refused
    if request.endpoint == "console.static":
        return None
    is_login = request.endpoint in LOGINS
    if request.method == "POST" and not comes_from_here():
        return sentence_page("This form was not sent by a page of the console.", 403)
    g.visitor = _visitor()
    if g.visitor is not None:
        body.authenticated(request.environ)
    if request.method == "POST":
        if g.visitor is None and not is_login:
            return sentence_page("Your session has ended. Log in, and try again.", 403)
        if unread := _read_form(MAX_LOGIN_BYTES if g.visitor is None else MAX_FORM_BYTES):
            return unread
    if g.visitor is None:
        return None if is_login else _to_login()
    if request.method == "POST" and not is_login:
        return _checked(g.visitor)
    return None


def _checked(who: Visitor) -> ResponseReturnValue | None:
    if not who.session.has_form_token(request.form.get("token", "")):
        return sentence_page("This form is of another session. Open the page again.", 403)
    if not who.may_act and request.endpoint not in FOR_READERS:
        log.warning("console_refused", reason="reader")
        return sentence_page("You are a reader. Only operators may do this.", 403)
    return None


def _to_login() -> ResponseReturnValue:
    if polled():
        return Response(status=401)
    return redirect(url_for(LOGIN, to=request.full_path.rstrip("?")))


def comes_from_here() -> bool:
    """Browsers send an Origin with every form."""
    scheme, _, host = request.headers.get("Origin", "").partition("://")
    ours = {request.host, urlsplit(settings().web.public_url or "").netloc}
    return scheme in ("http", "https") and host != "" and host in ours


def _read_form(max_bytes: int) -> ResponseReturnValue | None:
    if request.mimetype != "application/x-www-form-urlencoded":
        return Response(status=415)
    try:
        raw = body.read(request.environ, max_bytes)
    except body.BodyRefusedError as refused:
        return Response(status=refused.status)
    # `request.form` is parsed from these.
    request.environ.update({"wsgi.input": BytesIO(raw), "CONTENT_LENGTH": str(len(raw))})
    return None


def _visitor() -> Visitor | None:
    """The user of the session, if their line in the file has not changed since."""
    token = request.cookies.get(COOKIE, "")
    session = sessions().find(token, extend=not polled())
    user = users().named(session.user) if session else None
    is_same = user is not None and session is not None and session.fingerprint == user.fingerprint
    if settings().console.user_header:
        user = _named_by_proxy()
        if user is None:
            return None
        if not is_same or session is None or session.user != user.name:
            session = begin_session(user)
        return Visitor(user, session)
    return Visitor(user, session) if user and session and is_same else None


def _named_by_proxy() -> User | None:
    """The user whom a proxy of CONSOLE_PROXIES names. Nobody else's header counts."""
    console = settings().console
    if not console.is_proxy(request.remote_addr or ""):
        return None
    return users().named(request.headers.get(console.user_header or "", ""))


def begin_session(user: User) -> Session:
    """The answer to this request sets the cookie."""
    g.new_token, session = sessions().begin(user)
    _note_login(user, session.began_ms)
    return session


def _note_login(user: User, at_ms: int) -> None:
    """Note a login, unless the newest entry is a recent login of the same user: the audit is
    bounded, and logins must not push everything else out of it."""
    audit = Audit(service().store)
    for last in audit.newest(1):
        is_same = (last.who, last.what) == (user.name, LOGGED_IN)
        if is_same and at_ms - last.at_ms < IDLE_MS:
            return
    audit.note(user.name, LOGGED_IN)


@blueprint.after_request
def _protected(answer: Response) -> Response:
    answer.headers.update(HEADERS)
    if request.endpoint != "console.static":
        answer.headers["Cache-Control"] = "no-store"
    if token := g.pop("new_token", None):
        origin = request.headers.get("Origin", "") or settings().web.public_url or ""
        answer.set_cookie(
            COOKIE, token, max_age=MAX_AGE_MS // 1000, path="/console", httponly=True,
            samesite="Lax", secure=request.is_secure or origin.startswith("https://"),
        )  # fmt: skip
    return answer


@blueprint.errorhandler(StoreUnavailableError)
def _store_is_away(_: StoreUnavailableError) -> ResponseReturnValue:
    log.error("store_unavailable", reason="console")
    return sentence_page(
        "Not delivering, because the store does not answer. Callers hear that nothing can be "
        "saved. Bring Redis back; you need do nothing else.",
        503,
    )


@blueprint.errorhandler(UnreadableError)
def _unreadable(_: UnreadableError) -> ResponseReturnValue:
    """A URL whose id belongs to another kind of data, or a row that can't be read."""
    return sentence_page("There is nothing here that can be read.", 404)


def sentence_page(sentence: str, status: int) -> Response:
    """A page with a sentence and nothing else."""
    g.setdefault("visitor", None)
    return make_response(page("refusal", sentence=sentence), status)
