"""composite and composite/graph: several requests in one. Later ones can use earlier results.

The answer is HTTP 200 with a result for each subrequest. It counts as one API request.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from simulator.org.errors import OrgError
from simulator.org.message import Answer, Call, split_target
from simulator.org.rest.references import REFERENCE_ID, MissingReferenceError, resolve
from simulator.org.rest.request import Request
from simulator.org.shapes import a_flag, a_list, a_string, an_object

MAX_SUBREQUESTS = 25
# Of those, queries and collections.
MAX_HEAVY = 5
MAX_GRAPHS = 75
MAX_NODES = 500
FORBIDDEN_HEADERS = frozenset({"accept", "authorization", "content-type"})
HALTED = "The transaction was rolled back since another operation in the same transaction failed."
COMPOSITE_KEYS = frozenset({"allOrNone", "collateSubrequests", "compositeRequest"})
KEYS = frozenset({"method", "url", "referenceId", "body", "httpHeaders"})

Sub = dict[str, Any]


class _UndoError(Exception):
    """Aborts a transaction."""


def resources(request: Request) -> Answer:
    """GET /composite: the resources below it. A real org has `tree` too, which we do not offer."""
    names = ("batch", "sobjects", "graph")
    return Answer(200, {name: f"{request.base}/composite/{name}" for name in names})


def composite(request: Request) -> Answer:
    """POST /composite."""
    given = an_object(request.call.json(), "the body", COMPOSITE_KEYS)
    subs = a_list(given.get("compositeRequest"), "compositeRequest")
    all_or_none = a_flag(given.get("allOrNone"), "allOrNone")
    a_flag(given.get("collateSubrequests"), "collateSubrequests", default=True)
    if len(subs) > MAX_SUBREQUESTS:
        raise _too_many(f"{MAX_SUBREQUESTS} subrequests")
    _check(request, subs)
    if sum(map(_is_heavy, subs)) > MAX_HEAVY:
        raise _too_many(f"{MAX_HEAVY} query, queryAll and sObject Collections subrequests")
    responses, _ = run(request, subs, all_or_none)
    return Answer(200, {"compositeResponse": responses})


def graphs(request: Request) -> Answer:
    """POST /composite/graph: each graph is all or nothing, its nodes are sObject requests only."""
    given = an_object(request.call.json(), "the body", ("graphs",))
    listed = a_list(given.get("graphs"), "graphs")
    if len(listed) > MAX_GRAPHS:
        raise _too_many(f"{MAX_GRAPHS} graphs")
    answers = []
    nodes = 0
    for graph in listed:
        graph = an_object(graph, "a graph", ("graphId", "compositeRequest"))
        graph_id = a_string(graph.get("graphId"), "graphId")
        subs = a_list(graph.get("compositeRequest"), "compositeRequest")
        nodes += len(subs)
        if nodes > MAX_NODES:
            raise _too_many(f"{MAX_NODES} nodes")
        _check(request, subs)
        for sub in subs:
            if _resource(sub)[:1] != ["sobjects"]:
                raise OrgError(
                    400, "INVALID_INPUT", f"Unsupported resource in a graph: {sub['url']}"
                )
        responses, done = run(request, subs, all_or_none=True)
        answers.append(
            {
                "graphId": graph_id,
                "graphResponse": {"compositeResponse": responses},
                "isSuccessful": done,
            }
        )
    return Answer(200, {"graphs": answers})


def run(request: Request, subs: list[Sub], all_or_none: bool) -> tuple[list[Sub], bool]:
    """The elements of compositeResponse, and whether all succeeded.

    all_or_none: the first failure undoes earlier subrequests and halts later ones. It
    overrides the flag of a collection inside: a single bad record undoes everything [D].
    """
    results: dict[str, Any] = {}
    responses: list[Sub] = []
    failed_at: int | None = None
    stats = request.org.stats
    before = stats.effects()
    try:
        with _transaction(request, all_or_none):
            for at, sub in enumerate(subs):
                answer = _run_one(request, sub, results, all_or_none)
                if _is_done(answer, all_or_none):
                    results[sub["referenceId"]] = answer.body
                elif failed_at is None:
                    failed_at = at
                responses.append(_entry(sub, answer))
                if all_or_none and failed_at is not None:
                    raise _UndoError
    except _UndoError:
        stats.take_back(before)
        halted = Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": HALTED}])
        responses = [
            responses[at] if at == failed_at else _entry(sub, halted) for at, sub in enumerate(subs)
        ]
    return responses, failed_at is None


def _is_done(answer: Answer, all_or_none: bool) -> bool:
    """Whether a subrequest succeeded. A collection answers 200 also when it was rolled back."""
    if answer.status >= 300 or not all_or_none or not isinstance(answer.body, list):
        return answer.status < 300
    results = [result for result in answer.body if isinstance(result, dict)]
    return all(result.get("success", True) for result in results)


@contextmanager
def _transaction(request: Request, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with request.org.store.transaction():
        yield


def _run_one(request: Request, sub: Sub, results: dict[str, Any], all_or_none: bool) -> Answer:
    try:
        target = resolve(sub["url"], results)
        body = resolve(sub.get("body"), results)
    except MissingReferenceError as missing:
        return Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": str(missing)}])
    path, params = split_target(str(target))
    # A subrequest inherits only the outer headers that it may not set itself [D].
    headers = {name.lower(): str(value) for name, value in (sub.get("httpHeaders") or {}).items()}
    headers["content-type"] = "application/json"
    call = Call(
        str(sub["method"]).upper(),
        path,
        params,
        headers,
        b"" if body is None else body,
        request.call.base_url,
    )
    return request.dispatch(replace(request.context, all_or_none=all_or_none), call)


def _entry(sub: Sub, answer: Answer) -> Sub:
    return {
        "body": answer.body,
        "httpHeaders": {
            name: value for name, value in answer.headers.items() if name in ("Location", "ETag")
        },
        "httpStatusCode": answer.status,
        "referenceId": sub["referenceId"],
    }


def _check(request: Request, subs: list[Any]) -> None:
    """Raises for a malformed subrequest, which refuses the whole request."""
    seen: set[str] = set()
    for sub in subs:
        sub = an_object(sub, "a subrequest", KEYS)
        url = a_string(sub.get("url"), "url")
        headers = an_object(sub.get("httpHeaders") or {}, "httpHeaders")
        reference = sub.get("referenceId")
        if not isinstance(reference, str) or not REFERENCE_ID.match(reference):
            raise OrgError(
                400,
                "INVALID_INPUT",
                f"Provided referenceId ('{reference}') must start with a letter or a number, and "
                "it can contain only letters, numbers and underscores ('_').",
            )
        if reference in seen:
            raise OrgError(400, "INVALID_INPUT", f"Duplicate referenceId: {reference}")
        seen.add(reference)
        if str(sub.get("method", "")).upper() not in (
            "GET",
            "POST",
            "PATCH",
            "PUT",
            "DELETE",
            "HEAD",
        ):
            raise OrgError(400, "INVALID_INPUT", f"Unknown method: {sub.get('method')}")
        for name in headers:
            if name.lower() in FORBIDDEN_HEADERS:
                raise OrgError(400, "INVALID_INPUT", f"Header not allowed in a subrequest: {name}")
        resource = _resource(sub)
        allowed = resource[:1] in (["sobjects"], ["query"], ["queryAll"])
        if not allowed and resource[:2] != ["composite", "sobjects"]:
            # Which other resources a real org allows is not confirmed [K].
            raise OrgError(400, "INVALID_INPUT", f"Unsupported resource in a subrequest: {url}")
        if _is_blob(request, resource):
            # That it is refused is documented, code and text are not confirmed [K].
            raise OrgError(400, "INVALID_INPUT", f"Unsupported resource in a subrequest: {url}")


def _is_blob(request: Request, resource: list[str]) -> bool:
    """sObject Blob Retrieve: `sobjects/ContentVersion/<id>/VersionData`."""
    if len(resource) != 4:
        return False
    sobject = request.org.view.sobject(resource[1])
    field = request.org.view.field(sobject, resource[3]) if sobject else None
    return field is not None and field.kind == "base64"


def _resource(sub: Sub) -> list[str]:
    """The path below the version: `["sobjects", "Case"]`."""
    path, _ = split_target(sub["url"])
    parts = path.split("/")[1:]
    return parts[3:] if parts[:2] == ["services", "data"] else []


def _is_heavy(sub: Sub) -> bool:
    return _resource(sub)[0] in ("query", "queryAll", "composite")


def _too_many(what: str) -> OrgError:
    # Code and text of the limit are not confirmed [K].
    return OrgError(400, "LIMIT_EXCEEDED", f"The request exceeds the limit of {what}")
