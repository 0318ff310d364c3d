"""Logging in by a password, and logging out."""

import threading
from collections.abc import Callable
from math import ceil
from typing import TypeVar

import gevent
from flask import Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from gevent import monkey

from shared.operators.users import NOBODY
from web.console.access import (
    COOKIE,
    begin_session,
    blueprint,
    sentence_page,
    service,
    sessions,
    settings,
    users,
)
from web.console.rendering import page
from web.operators import by_form

T = TypeVar("T")

_hashing = threading.Lock()
"""A process compares one password at a time, so that guesses take at most one processor."""


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    if settings().console.user_header:
        return sentence_page("Your proxy names no user of the console.", 403)
    return page("login", to=_way_back(), problem="", has_users=bool(users().all()))


@blueprint.post("/login", endpoint="login_post")
def log_in() -> ResponseReturnValue:
    if settings().console.user_header:
        return sentence_page("Your proxy logs you in. The console asks for no password.", 403)
    name, password = request.form.get("name", ""), request.form.get("password", "")
    user = users().named(name)
    with _hashing:
        sign_in = by_form(
            service(),
            "/console",
            lambda: _in_native_thread(lambda: (user or NOBODY).has_password(password)),
        )
    if sign_in.retry_after_s:
        minutes = ceil(sign_in.retry_after_s / 60)
        answer = _again(f"Too many wrong passwords. Try again in {minutes} minutes.", 429)
        answer.headers.update(sign_in.headers)
        return answer
    if user is None or not sign_in.is_operator:
        return _again("Name or password is wrong.", 403)
    begin_session(user)
    return redirect(_way_back())


def _again(problem: str, status: int) -> Response:
    html = page("login", to=_way_back(), problem=problem, has_users=True)
    return make_response(html, status)


def _in_native_thread(work: Callable[[], T]) -> T:
    """Under gevent a hash would stop all requests of this process."""
    if monkey.is_module_patched("threading"):
        done: T = gevent.get_hub().threadpool.apply(work)
        return done
    return work()


def _way_back() -> str:
    """The page that was asked for before the login, if the console has it; else the page *Now*."""
    to = request.values.get("to", "")
    if to.startswith("/console/") and not any(char in to for char in "\\\r\n"):
        return to
    return url_for("console.now")


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    sessions().end(request.cookies.get(COOKIE, ""))
    answer = redirect(url_for("console.login"))
    answer.delete_cookie(COOKIE, path="/console")
    return answer
