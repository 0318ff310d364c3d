"""Operators sign in: by OPS_TOKEN for figures, by OPERATOR_BASIC_AUTH for /oauth/login, by a form
for the console.

Wrong attempts are limited (shared/operators/sign_ins.py), counted and logged, without what was
given. While the store is away they are not limited: an operator needs the figures then.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flask import request

from shared.logs import log
from shared.operators.sign_ins import client_address
from shared.store import StoreUnavailableError
from web.metrics import SIGN_INS_REFUSED
from web.service import Service

Route = Literal["/health", "/metrics", "/oauth", "/console"]


@dataclass(frozen=True)
class SignIn:
    """is_operator: the credentials are right and count. retry_after_s: above 0 when the address has
    to wait, whatever it sent."""

    is_operator: bool
    retry_after_s: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


NO_ATTEMPT = SignIn(is_operator=False)


def by_token(service: Service, route: Route) -> SignIn:
    """Nobody has a token that is not set."""
    token = service.settings.ops.token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token is None or scheme.lower() != "bearer" or not given:
        return NO_ATTEMPT
    return _attempt(service, route, is_right=_same(given.strip(), token.get_secret_value()))


def by_password(service: Service, route: Route) -> SignIn:
    """Nobody has a password that is not set."""
    wanted = service.settings.ops.operator_basic_auth
    try:
        given = request.authorization
    except ValueError:  # from werkzeug, for credentials beyond ASCII
        return NO_ATTEMPT
    if wanted is None or given is None or given.type != "basic":
        return NO_ATTEMPT
    said = f"{given.username}:{given.password}"
    return _attempt(service, route, is_right=_same(said, wanted.get_secret_value()))


def by_form(service: Service, route: Route, compare: Callable[[], bool]) -> SignIn:
    """compare: costs much time, so an address that has to wait is refused without it. Raises
    StoreUnavailableError: without the store there is nothing to log in to."""
    asked = service.sign_ins.attempt(_client(service), is_right=True)  # counts no wrong attempt
    if asked.wait_s:
        return _too_many(route, asked.wait_s)
    return _attempt(service, route, is_right=compare())


def _attempt(service: Service, route: Route, *, is_right: bool) -> SignIn:
    try:
        verdict = service.sign_ins.attempt(_client(service), is_right=is_right)
    except StoreUnavailableError:
        return _answered(route, is_right=is_right)
    if verdict.wait_s:
        return _too_many(route, verdict.wait_s)
    return _answered(route, is_right=is_right, wrong=verdict.wrong)


def _client(service: Service) -> str:
    """The address of who signs in, behind the proxies of ours."""
    proxies = service.settings.web.trusted_proxy_count
    forwarded_for = request.headers.get("X-Forwarded-For", "")
    return client_address(request.remote_addr or "", forwarded_for, proxies)


def _too_many(route: Route, wait_s: int) -> SignIn:
    SIGN_INS_REFUSED.labels(route=route, reason="too_many").inc()
    return SignIn(is_operator=False, retry_after_s=wait_s)


def _answered(route: Route, *, is_right: bool, wrong: int = 0) -> SignIn:
    """wrong: attempts of the address in this window, 0 when they were not counted."""
    if not is_right:
        SIGN_INS_REFUSED.labels(route=route, reason="wrong").inc()
        log.warning("sign_in_refused", route=route, count=wrong)
    return SignIn(is_right)


def _same(given: str, wanted: str) -> bool:
    """In constant time, whatever their lengths are."""
    return hmac.compare_digest(_digest(given), _digest(wanted))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
