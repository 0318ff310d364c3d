"""Logging in by a password, and logging out."""

import threading
from collections.abc import Callable
from typing import TypeVar

import gevent
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from gevent import monkey

from shared.logs import log
from shared.operators.users import NOBODY
from web.console.access import (
    COOKIE,
    begin_session,
    blueprint,
    sentence_page,
    sessions,
    settings,
    users,
)
from web.console.rendering import page

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
    address = request.remote_addr or ""
    if not sessions().may_guess(name, address):
        log.warning("console_login_refused", reason="guesses")
        return _again("Too many wrong passwords. Try again in 15 minutes.", 429)
    user = users().named(name)
    with _hashing:
        is_right = _in_native_thread(lambda: (user or NOBODY).has_password(password))
    if user is None or not is_right:
        log.warning("console_login_refused", reason="password")
        return _again("Name or password is wrong.", 403)
    sessions().guessed_right(name, address)
    begin_session(user)
    return redirect(_way_back())


def _again(problem: str, status: int) -> ResponseReturnValue:
    return page("login", to=_way_back(), problem=problem, has_users=True), status


def _in_native_thread(work: Callable[[], T]) -> T:
    """Under gevent a hash would stop all requests of this process."""
    if monkey.is_module_patched("threading"):
        done: T = gevent.get_hub().threadpool.apply(work)
        return done
    return work()


def _way_back() -> str:
    """The page that was asked for before the login. Only a page of the console."""
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
