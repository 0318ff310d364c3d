"""composite/batch: up to 25 independent requests, each of which counts as a request."""

from typing import Any

from simulator.org.errors import OrgError
from simulator.org.message import Answer, Call, split_target
from simulator.org.rest.request import Request
from simulator.org.rest.resources import resource_of
from simulator.org.shapes import a_flag, a_list, a_string, an_object

MAX_SUBREQUESTS = 25
KEYS = frozenset({"method", "url", "richInput", "binaryPartName", "binaryPartNameAlias"})


def batch(request: Request) -> Answer:
    """POST /composite/batch {"batchRequests": [{"method", "url", "richInput"}], "haltOnError"}."""
    given = an_object(request.call.json(), "the body", ("batchRequests", "haltOnError"))
    listed = a_list(given.get("batchRequests"), "batchRequests")
    subs = [an_object(sub, "a subrequest", KEYS) for sub in listed]
    if len(subs) > MAX_SUBREQUESTS:
        raise OrgError(
            400, "LIMIT_EXCEEDED", f"The request exceeds the limit of {MAX_SUBREQUESTS} subrequests"
        )
    halt = a_flag(given.get("haltOnError"), "haltOnError")
    results: list[dict[str, Any]] = []
    failed = False
    for sub in subs:
        if failed and halt:
            error = {
                "errorCode": "BATCH_PROCESSING_HALTED",
                "message": "Batch processing halted per request",
            }
            results.append({"statusCode": 412, "result": [error]})
            continue
        answer = _run_one(request, sub)
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(200, {"hasErrors": failed, "results": results})


def _run_one(request: Request, sub: dict[str, Any]) -> Answer:
    url = a_string(sub.get("url"), "url")
    # Urls here start at the version: `v68.0/sobjects/…`.
    path, params = split_target(f"/services/data/{url}")
    stats = request.org.stats
    stats.received(resource_of(path))
    if path.split("/")[4:5] == ["composite"]:
        refused = OrgError(400, "INVALID_INPUT", f"Unsupported resource in a batch: {url}")
        stats.answered(400)
        return Answer(400, refused.body())
    try:
        request.org.limits.admit()
    except OrgError as refusal:
        stats.answered(refusal.status)
        return Answer(refusal.status, refusal.body())
    body = sub.get("richInput")
    call = Call(
        str(sub.get("method", "")).upper(),
        path,
        params,
        {"content-type": "application/json"},
        b"" if body is None else body,
        request.call.base_url,
    )
    answer = request.dispatch(request.context, call)
    stats.answered(answer.status)
    return answer
