"""The client of Salesforce: every request of the service goes through `SalesforceClient`.

simple-salesforce builds the requests, in its session mode and with our transport beneath it. The
library itself sets no time-outs, loses headers when it replays, hides the headers of a failure, and
speaks https only (docs/vendors.md S2).
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import redis
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util import Retry

from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.logs import log
from shared.salesforce.api_budget import ApiBudget, Permit, Use
from shared.salesforce.failures import FailureClass, SalesforceError, away, read_failure
from shared.salesforce.pages import NextPage, all_records
from shared.salesforce.token import Token, TokenStore
from shared.settings import SalesforceSettings
from shared.tracing import outgoing_headers

CONNECT_TIMEOUT_S = 3.05

HEADERS = {
    "Sforce-Call-Options": "client=vapi-salesforce",
    "Sforce-Mru": "updateMru=false",
    "X-PrettyPrint": "0",
}


class WithdrawnError(ServiceError):
    """The request was withdrawn right before it was sent. Nothing was sent."""


class _OnceMore(Retry):
    """Salesforce may close an idle connection: connecting, and a GET that was cut off, are tried
    once more. Never a write that may have arrived, nor a read that took all of its time."""

    def increment(self, *args: Any, **kwargs: Any) -> "_OnceMore":
        error = kwargs.get("error")
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(*args, **kwargs)


class _Transport(requests.Session):
    """Gives each request a time-out and turns each failure into a SalesforceError, headers read.

    A request of a trace has the header `traceparent`, for a gateway on its way. Salesforce
    documents no use of it, and that it ignores the header is not confirmed (docs/vendors.md S30).

    usage: the header Sforce-Limit-Info of the last answer, "" when it had none. dated: called with
    the header Date of each answer. For one thread.
    """

    def __init__(self, *, plain_http: bool, dated: Callable[[str], None]) -> None:
        super().__init__()
        self.usage = ""
        self._dated = dated
        once_more = _OnceMore(
            total=1, connect=1, read=1, status=0, redirect=0, other=0, allowed_methods={"GET"}
        )
        self.mount("https://", HTTPAdapter(max_retries=once_more))
        self.mount("http://", HTTPAdapter(max_retries=once_more))
        self._plain_http = plain_http

    def request(  # type: ignore[override]
        self, method: str, url: str, *, deadline: Deadline, **kwargs: Any
    ) -> requests.Response:
        if self._plain_http:
            url = url.replace("https://", "http://", 1)  # simple-salesforce builds https only
        headers = (
            HEADERS
            | outgoing_headers()
            | {
                name: value
                for name, value in kwargs.pop("headers", {}).items()
                if name != "X-PrettyPrint"
            }
        )
        self.usage = ""
        left_s = deadline.left_s
        if left_s <= 0:
            raise away("DEADLINE", ambiguous=False)
        try:
            answer = super().request(
                method,
                url,
                headers=headers,
                timeout=(min(CONNECT_TIMEOUT_S, left_s), left_s),
                allow_redirects=False,
                stream=True,
                **kwargs,
            )
            _read_body(answer, deadline)
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as trouble:
            raise away(type(trouble).__name__, ambiguous=False) from None
        except requests.RequestException as trouble:
            raise away(type(trouble).__name__, ambiguous=_was_sent(trouble)) from None
        except HTTPError as trouble:  # from the body
            raise away(type(trouble).__name__, ambiguous=True) from None
        self.usage = answer.headers.get("Sforce-Limit-Info", "")
        self._dated(answer.headers.get("Date", ""))
        if answer.status_code >= 300:
            raise _failure(answer)
        return answer


def _read_body(answer: requests.Response, deadline: Deadline) -> None:
    """Read the whole body, or time out: the socket's own time-out starts anew with every byte."""
    parts = []
    while part := answer.raw.read1(decode_content=True):
        parts.append(part)
        if deadline.left_s <= 0:
            answer.close()
            raise requests.ReadTimeout("body")
    answer._content = b"".join(parts)  # where requests itself stores what it has read


@dataclass(frozen=True)
class Fetched:
    body: Any
    headers: Mapping[str, str]


class SalesforceClient:
    """Safe to share between threads: each has its own connection. use: what the requests serve."""

    def __init__(
        self, settings: SalesforceSettings, store: redis.Redis, api_budget: ApiBudget, use: Use
    ) -> None:
        self.tokens = TokenStore(settings, store)
        self.api_budget = api_budget
        self.use = use
        self._settings = settings
        self._plain_http = settings.instance_url.startswith("http://")
        self._local = threading.local()
        self._ahead_s: float | None = None

    def now_ms(self) -> int | None:
        """Salesforce's own time (epoch ms), to a second or two; None before its first answer.

        It is the date of the last answer, and what has passed since by the monotonic clock.
        """
        return None if self._ahead_s is None else int((time.monotonic() + self._ahead_s) * 1000)

    def _dated(self, date: str) -> None:
        with suppress(ValueError):  # an edge in front of Salesforce may send none
            self._ahead_s = parsedate_to_datetime(date).timestamp() - time.monotonic()

    def permit(self, until: Deadline, *, lasts_s: float) -> Permit:
        """A permit for one request; waits until the deadline. Raises SalesforceError."""
        return self.api_budget.wait(self.use, until, lasts_s=lasts_s)

    # Each request uses the given permit, or waits for one within its deadline.

    def query(
        self, statement: str, deadline: Deadline, permit: Permit | None = None
    ) -> list[dict[str, Any]]:
        """All records of a SOQL query. Each page after the first waits for a permit of its own.

        Raises SalesforceError.
        """
        first = self._call(
            lambda session: session.query(statement, deadline=deadline), deadline, permit
        )
        return all_records(first, self.next_page(deadline))

    def next_page(self, deadline: Deadline) -> NextPage:
        """Returns a function that reads the page at an address that a query's answer gave."""
        return lambda address: self.fetch(address, deadline).body

    def post(
        self, path: str, body: Callable[[], Any], deadline: Deadline, permit: Permit | None = None
    ) -> Any:
        """body: called right before each sending, with permit and token in hand. It may raise
        WithdrawnError."""
        return self._call(
            lambda session: session.restful(path, method="POST", json=body(), deadline=deadline),
            deadline,
            permit,
        )

    def fetch(self, path: str, deadline: Deadline) -> "Fetched":
        """Any address of the instance. Raises SalesforceError."""

        def send(session: Salesforce) -> Fetched:
            url = f"https://{session.sf_instance}{path}"
            answer = self._transport.request("GET", url, headers=session.headers, deadline=deadline)
            return Fetched(answer.json(), answer.headers)

        fetched: Fetched = self._call(send, deadline, None)
        return fetched

    @property
    def api_path(self) -> str:
        """The prefix of the URLs of Composite's subrequests."""
        return f"/services/data/v{self._settings.api_version}/"

    def _call(
        self, send: Callable[[Salesforce], Any], deadline: Deadline, permit: Permit | None
    ) -> Any:
        """Send once; with an expired token, once more with a new one. Never a third time."""
        permit = permit or self.permit(deadline, lasts_s=deadline.left_s)
        token: Token | None = None
        try:
            with self._entered(permit):
                token = self.tokens.current(give_up_at=deadline.at)
                return _parsed(send, self._session(token))
        except SalesforceError as error:
            if error.failure is not FailureClass.SESSION or token is None:
                raise
        log.info("salesforce_token_spent", age_s=round(time.time() - token.issued_at_ms / 1000))
        again = self.api_budget.wait(self.use, deadline, lasts_s=deadline.left_s, forced=True)
        with self._entered(again):
            token = self.tokens.replace(token, give_up_at=deadline.at)
            return _parsed(send, self._session(token))

    @contextmanager
    def _entered(self, permit: Permit) -> Iterator[None]:
        """Reports the request inside to the API budget, however it ends."""
        self._transport.usage = ""
        error: SalesforceError | None = away("UNFORESEEN", ambiguous=True)
        sent = True
        try:
            yield
            error = None
        except WithdrawnError:
            sent = False
            raise
        except SalesforceError as failure:
            error = failure
            raise
        finally:
            if sent:
                self.api_budget.done(permit, error, self._transport.usage)
            else:
                self.api_budget.give_back(permit)

    @property
    def _transport(self) -> _Transport:
        if not hasattr(self._local, "transport"):
            self._local.transport = _Transport(plain_http=self._plain_http, dated=self._dated)
        transport: _Transport = self._local.transport
        return transport

    def _session(self, token: Token) -> Salesforce:
        if getattr(self._local, "token", None) != token:
            self._local.token = token
            self._local.session = Salesforce(
                session_id=token.access_token,
                instance_url=token.instance_url,
                session=self._transport,
                version=self._settings.api_version,
            )
        session: Salesforce = self._local.session
        return session


def _parsed(send: Callable[[Salesforce], Any], session: Salesforce) -> Any:
    try:
        return send(session)
    except ValueError:
        # A success that is not JSON: a page of a proxy, or a body that was cut off.
        raise away("NOT_JSON", ambiguous=True) from None


def _was_sent(trouble: requests.RequestException) -> bool:
    """False only where the connection was never made, so nothing can have been committed."""
    cause = trouble.args[0] if trouble.args else None
    return not isinstance(getattr(cause, "reason", cause), NewConnectionError)


def _failure(answer: requests.Response) -> SalesforceError:
    try:
        body = answer.json()
    except ValueError:
        body = None  # HTML of an edge in front of Salesforce, or nothing
    asked = answer.headers.get("Retry-After", "")
    retry_after_s = min(float(asked), 600.0) if asked.isdigit() else None
    return read_failure(answer.status_code, body, whole=True, retry_after_s=retry_after_s)
