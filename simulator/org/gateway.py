"""Handles an HTTP request: a control, or latency, faults, token, limits, work and answer.

The work is synchronous: the org works on one request at a time.
"""

import asyncio
import gzip
from typing import NoReturn
from urllib.parse import urlsplit

from aiohttp import web

from simulator.org import control
from simulator.org.errors import OrgError, invalid_session, not_found
from simulator.org.faults import Faults
from simulator.org.message import Answer, Call, split_target
from simulator.org.meters import NO_ANSWER
from simulator.org.oauth import endpoints
from simulator.org.oauth.tokens import Session
from simulator.org.rest import router
from simulator.org.rest.resources import resource_of
from simulator.org.world import Context, Org

# Longer addresses are 414; address and headers together, 431 [D].
MAX_TARGET_BYTES = 16_384
MIN_GZIP_BYTES = 1024
# How often a hanging request checks whether its client is still connected.
HANG_POLL_S = 0.2
# Resources that need no token and are not counted against the limits.
FREE = frozenset({"token", "identity", "versions", "outside"})
HTML = (
    "<html><head><title>{0}</title></head><body><h1>{0}</h1>"
    "<p>We are down for maintenance. Sorry for the inconvenience.</p></body></html>"
)


class UnansweredError(Exception):
    """The connection is closed without an answer."""


class Gateway:
    """Takes requests from aiohttp for one org."""

    def __init__(self, org: Org) -> None:
        self.org = org

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, or close its connection, or leave it hanging."""
        path, params = split_target(request.raw_path)
        call = Call(
            request.method,
            path,
            params,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            base_url(request.headers.get("Host", "localhost")),
        )
        if path == "/_org" or path.startswith("/_org/"):
            return self.respond(call, control.answer(self.org, call), counted=False)
        response = await self.serve(request, call)
        if trace := call.headers.get("traceparent"):
            print(f"org: {call.method} {path} {response.status} traceparent {trace}", flush=True)
        return response

    async def serve(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        """The response to a request of the API, and its place in the counts."""
        resource = resource_of(call.path)
        is_batch = call.path.endswith("/composite/batch")
        stats = self.org.stats
        if not is_batch:
            stats.received(resource)
        try:
            answer = await self.answer(request, call, resource, is_batch)
        except UnansweredError:
            if not is_batch:
                stats.answered(NO_ANSWER)
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=499)
        if not is_batch or answer.status != 200:
            stats.answered(answer.status)
        return self.respond(call, answer, counted=resource not in FREE)

    async def answer(
        self, request: web.BaseRequest, call: Call, resource: str, is_batch: bool
    ) -> Answer:
        """The answer, after latency and faults.

        The work goes on when the client disconnects, as at Salesforce.
        """
        counted = resource not in FREE
        limits = self.org.limits
        limits.at_work += counted
        try:
            if counted:
                limits.check_concurrent()
            # The faults at the start of a request apply until its end, even if they are cleared
            # in the meantime.
            faults = self.org.faults if self.org.faults.touches(resource) else Faults()
            dice = self.org.dice
            delay_s = faults.delay_s(dice)
            if delay_s:
                await asyncio.sleep(delay_s)
            if faults.refuse and dice.random() < faults.refuse:
                raise UnansweredError
            if faults.hang and dice.random() < faults.hang:
                await hang(request)
            if faults.status is not None and dice.random() < faults.probability:
                return faulty(faults, resource)
            answer = self.work(call, resource, is_batch, len(request.raw_path))
            if faults.hang_after and dice.random() < faults.hang_after:
                await hang(request)
            if faults.lose_answer and dice.random() < faults.lose_answer:
                raise UnansweredError
            return answer
        except OrgError as refusal:
            return Answer(refusal.status, refusal.body())
        finally:
            limits.at_work -= counted

    def work(self, call: Call, resource: str, is_batch: bool, target_bytes: int) -> Answer:
        """Do what the request asks. Raises OrgError for a bad token or an exhausted limit."""
        if target_bytes > MAX_TARGET_BYTES:
            raise OrgError(414, "URI_TOO_LONG", "The URI is too long")
        size = target_bytes + sum(len(name) + len(value) for name, value in call.headers.items())
        if size > MAX_TARGET_BYTES:
            raise OrgError(431, "REQUEST_HEADER_TOO_LARGE", "The URI and headers are too long")
        if resource in ("token", "identity"):
            return endpoints.answer(self.org, call)
        if resource == "outside":
            raise not_found()
        user_id = "" if resource == "versions" else self.session(call).user_id
        if resource not in FREE and not is_batch:
            self.org.limits.admit()
        context = Context(self.org, user_id, call.headers, next(self.org.requests))
        return router.answer(context, call)

    def session(self, call: Call) -> Session:
        session = self.org.tokens.session(call.headers.get("authorization", ""))
        if session is None:
            raise invalid_session()
        return session

    def respond(self, call: Call, answer: Answer, counted: bool) -> web.Response:
        """The HTTP response with Date and the usage header, gzipped for clients that accept it."""
        headers = {"Date": self.org.clock.http_date(), **answer.headers}
        if counted:
            headers["Sforce-Limit-Info"] = self.org.limits.header
        if answer.status == 401:
            headers["WWW-Authenticate"] = "Token"
        payload = answer.payload()
        if payload or answer.body is not None:
            headers["Content-Type"] = answer.content_type
        if len(payload) >= MIN_GZIP_BYTES and "gzip" in call.headers.get("accept-encoding", ""):
            payload = gzip.compress(payload, 1)
            headers["Content-Encoding"] = "gzip"
        return web.Response(status=answer.status, body=payload, headers=headers)


async def hang(request: web.BaseRequest) -> NoReturn:
    """Never answers. Raises UnansweredError when the client disconnects."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(HANG_POLL_S)
    raise UnansweredError


def faulty(faults: Faults, resource: str) -> Answer:
    """The answer of the `status` fault.

    An error_code in capitals gives the REST API's array, also at the token endpoint (as seen on
    real orgs). Any other code gives OAuth's object there.
    """
    status = faults.status or 500
    if faults.body == "empty":
        return Answer(status, b"", content_type="text/html")
    if faults.body == "html":
        page = HTML.format(f"{status} Service Unavailable").encode()
        return Answer(status, page, content_type="text/html;charset=UTF-8")
    if resource == "token" and not faults.error_code.isupper():
        code = faults.error_code or "server_error"
        return Answer(status, {"error": code, "error_description": code.replace("_", " ")})
    code = faults.error_code or ("SERVER_UNAVAILABLE" if status == 503 else "UNKNOWN_EXCEPTION")
    return Answer(status, OrgError(status, code, MESSAGES.get(code, code)).body())


MESSAGES = {
    "REQUEST_LIMIT_EXCEEDED": "TotalRequests Limit exceeded.",
    "INVALID_SESSION_ID": "Session expired or invalid",
    "SERVER_UNAVAILABLE": "Server is too busy",
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record",
    "UNKNOWN_EXCEPTION": "An unexpected error occurred. Please include this ErrorId if you contact "
    "support: 1234567890-12345 (1234567890)",
    "QUERY_TIMEOUT": "Your query request was running for too long.",
    "TXN_SECURITY_METERING_ERROR": "enabled transaction security policies took too long to "
    "complete",
}


def base_url(host: str) -> str:
    """Scheme and host of the instance: http on loopback, https for any other name, such as a My
    Domain that leads here through an adapter."""
    name = urlsplit(f"//{host}").hostname or ""
    local = name in ("localhost", "::1") or name.startswith("127.") or "." not in name
    return f"{'http' if local else 'https'}://{host}"
