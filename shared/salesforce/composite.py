"""Composite requests: up to 25 subrequests that count as one request (docs/vendors.md S3).

`post` sends one. `SharedRequests` combines the subrequests of threads that wait for a permit.

In every string of a subrequest, Salesforce replaces `@{reference.field}` with what an earlier
subrequest read or wrote (docs/vendors.md S19). So all text is neutralised here, except a Reference.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from urllib.parse import quote

from shared.deadline import Deadline
from shared.salesforce.api_budget import Permit
from shared.salesforce.client import SalesforceClient, WithdrawnError
from shared.salesforce.failures import SalesforceError, away, read_failure
from shared.salesforce.pages import NextPage, all_records
from shared.store import StoreUnavailableError

MAX_SUBREQUESTS = 25
MAX_HEAVY = 5
"""This many of the subrequests may be queries or collections."""

PERMIT_WITHIN_S = 30.0
"""How long writes wait for the window before they go back to the journal."""

TOKEN_S = 30.0
"""Additional time for getting a token in between."""

Subrequest = dict[str, Any]
Answer = dict[str, Any]


class Reference(str):
    """Text of ours that refers to an earlier subrequest on purpose. Never a caller's words."""


def as_text(value: Any) -> Any:
    """The value without references in its strings, at any depth. Salesforce documents no escape.

    The replacement is as long as the original: what fitted into a field still does.
    """
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, str):
        return value.replace("@{", "@(")
    if isinstance(value, list | tuple):
        return [as_text(inner) for inner in value]
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items()}
    return value


def query(reference_id: str, statement: str, *, deleted_too: bool = False) -> Subrequest:
    resource = "queryAll" if deleted_too else "query"
    url = f"{resource}?q={quote(as_text(statement), safe='')}"
    return {"method": "GET", "url": url, "referenceId": reference_id}


def rows_of(answer: Answer, next_page: NextPage) -> list[dict[str, Any]]:
    """All records of a query, from the answer with its first page. Raises SalesforceError."""
    if answer["httpStatusCode"] != 200:
        raise subrequest_error(answer, whole=True)
    return all_records(answer["body"], next_page)


def subrequest_error(answer: Answer, *, whole: bool) -> SalesforceError:
    """The failure of one subrequest. whole: it concerns every record of the subrequest."""
    return read_failure(int(answer["httpStatusCode"]), answer.get("body"), whole=whole)


def post(
    salesforce: SalesforceClient,
    subrequests: Sequence[Subrequest],
    deadline: Deadline,
    permit: Permit | None = None,
    *,
    all_or_none: bool = False,
) -> list[Answer]:
    """Runs subrequests in their order (collating would let Salesforce change it).

    all_or_none: the first failure undoes what was done and halts the rest (REST guide, Composite).
    """
    answer = salesforce.post(
        "composite", lambda: _body(salesforce, subrequests, all_or_none), deadline, permit
    )
    return _answers(answer, len(subrequests))


def _body(
    salesforce: SalesforceClient, subrequests: Sequence[Subrequest], all_or_none: bool = False
) -> dict[str, Any]:
    base = salesforce.api_path
    return {
        "allOrNone": all_or_none,
        "collateSubrequests": False,
        "compositeRequest": [
            (text := as_text(subrequest)) | {"url": base + text["url"]}
            for subrequest in subrequests
        ],
    }


def _answers(answer: Any, expected: int) -> list[Answer]:
    answers = answer.get("compositeResponse") if isinstance(answer, dict) else None
    if not isinstance(answers, list) or len(answers) != expected:
        raise away("UNEXPECTED_BODY", ambiguous=True)
    return answers


StillWanted = Callable[[], bool]
"""Called right before sending. May raise StoreUnavailableError; then nothing is sent either."""


def always() -> bool:
    """The default: the request is still wanted."""
    return True


@dataclass(eq=False)
class _Part:
    """The subrequests of one sender, and their answers once they arrive."""

    subrequests: list[Subrequest]
    still_wanted: StillWanted
    answers: Future[list[Answer]] = field(default_factory=Future)


@dataclass(eq=False)
class _Load:
    """The parts that one request carries. token: starts its reference ids; nobody can guess it."""

    parts: list[_Part] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def subrequests(self) -> list[Subrequest]:
        return [subrequest for part in self.parts for subrequest in part.subrequests]

    def fits(self, more: Sequence[Subrequest]) -> bool:
        both = [*self.subrequests, *more]
        return len(both) <= MAX_SUBREQUESTS and sum(map(_is_heavy, both)) <= MAX_HEAVY

    def take(self, more: Sequence[Subrequest], still_wanted: StillWanted) -> _Part:
        """Adds a part. Renames its reference ids, which must be unique within a request."""
        start = sum(len(part.subrequests) for part in self.parts)
        renamed = [
            subrequest | {"referenceId": f"r{self.token}_{start + nth}"}
            for nth, subrequest in enumerate(more)
        ]
        part = _Part(renamed, still_wanted)
        self.parts.append(part)
        return part

    def drop_unwanted(self) -> None:
        """Raises WithdrawnError when no part is left."""
        for part in list(self.parts):
            try:
                trouble: Exception | None = None if part.still_wanted() else WithdrawnError()
            except StoreUnavailableError as unavailable:
                trouble = unavailable
            if trouble:
                self.parts.remove(part)
                part.answers.set_exception(trouble)
        if not self.parts:
            raise WithdrawnError


class SharedRequests:
    """Composite requests that the threads of a process share.

    While one thread waits for its permit, others add their subrequests, as long as these fit. The
    fuller the window, the more writes share a request; with a permit at once each goes alone.
    """

    def __init__(self, salesforce: SalesforceClient, *, timeout_s: float) -> None:
        self._salesforce = salesforce
        self._timeout_s = timeout_s
        self._boarding: _Load | None = None
        self._lock = threading.Lock()

    def send(self, *subrequests: Subrequest, still_wanted: StillWanted = always) -> list[Answer]:
        """The answers, in order. Raises SalesforceError when the whole request failed, and
        WithdrawnError when still_wanted said no right before sending."""
        with self._lock:
            load = self._boarding
            first = load is None or not load.fits(subrequests)
            if load is None or first:
                load = self._boarding = _Load()
            mine = load.take(subrequests, still_wanted)
        if first:
            self._send_when_permitted(load)
        try:
            return mine.answers.result(PERMIT_WITHIN_S + 2 * self._timeout_s + TOKEN_S)
        except TimeoutError:
            raise away("SHARED_REQUEST", ambiguous=True) from None
        except SalesforceError as error:
            raise replace(error) from None  # each sender gets an exception of its own

    def _send_when_permitted(self, load: _Load) -> None:
        try:
            try:
                permit = self._salesforce.permit(
                    Deadline.after(PERMIT_WITHIN_S), lasts_s=self._timeout_s
                )
            finally:
                with self._lock:
                    if self._boarding is load:
                        self._boarding = None
            self._send(load, permit)
        except BaseException as error:
            for part in load.parts:
                part.answers.set_exception(error)

    def _send(self, load: _Load, permit: Permit) -> None:
        def body() -> dict[str, Any]:
            load.drop_unwanted()
            return _body(self._salesforce, load.subrequests)

        deadline = Deadline.after(self._timeout_s)
        answer = self._salesforce.post("composite", body, deadline, permit)
        answers = iter(_answers(answer, len(load.subrequests)))
        for part in load.parts:
            part.answers.set_result(list(islice(answers, len(part.subrequests))))


def _is_heavy(subrequest: Subrequest) -> bool:
    return str(subrequest["url"]).startswith(("query", "composite/sobjects"))
