"""From a path to its resource, and from an error to its answer.

Versions v31.0 to v68.0 are answered alike, older ones are gone (410), newer ones not found (404).
"""

import re
from collections.abc import Callable
from dataclasses import replace

from simulator.org.errors import EmptyError, OrgError, method_not_allowed, not_found
from simulator.org.message import Answer, Call
from simulator.org.rest import (
    batch,
    collections,
    composite,
    describe,
    queries,
    retrieve,
    rows,
    searching,
    versions,
)
from simulator.org.rest.request import Request
from simulator.org.world import Context

Handler = Callable[..., Answer]
_VERSION = re.compile(r"v(\d+)\.(\d)\Z")

# "*" takes any one segment and hands it to the function.
ROUTES: list[tuple[tuple[str, ...], dict[str, Handler]]] = [
    ((), {"GET": versions.resources}),
    (("limits",), {"GET": versions.limits}),
    (("query",), {"GET": queries.query}),
    (("queryAll",), {"GET": queries.query_all}),
    (("query", "*"), {"GET": queries.query_more}),
    (("queryAll", "*"), {"GET": queries.query_more}),
    (("tooling", "query"), {"GET": queries.tooling_query}),
    (("search",), {"GET": searching.sosl}),
    (("parameterizedSearch",), {"GET": searching.by_address, "POST": searching.by_body}),
    (("sobjects",), {"GET": describe.global_describe}),
    (("sobjects", "*"), {"GET": describe.basic_information, "POST": rows.create}),
    (("sobjects", "*", "describe"), {"GET": describe.describe}),
    (
        ("sobjects", "*", "*"),
        {
            "GET": retrieve.row,
            "PATCH": rows.update,
            "DELETE": rows.delete,
            "POST": rows.create_once,
        },
    ),
    (
        ("sobjects", "*", "*", "*"),
        {
            "GET": retrieve.by_key,
            "PATCH": rows.upsert,
            "POST": rows.upsert,
            "DELETE": rows.delete_by_key,
        },
    ),
    (("composite",), {"GET": composite.resources, "POST": composite.composite}),
    (("composite", "batch"), {"POST": batch.batch}),
    (("composite", "graph"), {"POST": composite.graphs}),
    (
        ("composite", "sobjects"),
        {
            "POST": collections.create,
            "PATCH": collections.update,
            "DELETE": collections.delete,
        },
    ),
    (
        ("composite", "sobjects", "*"),
        {"GET": collections.retrieve_by_address, "POST": collections.retrieve_by_body},
    ),
    (("composite", "sobjects", "*", "*"), {"PATCH": collections.upsert}),
]


def answer(context: Context, call: Call) -> Answer:
    """Answer one call to /services/data/…; an OrgError becomes its JSON array."""
    try:
        return _dispatch(context, call)
    except EmptyError as refusal:
        return Answer(refusal.status)
    except OrgError as refusal:
        return Answer(refusal.status, refusal.body())


def _dispatch(context: Context, call: Call) -> Answer:
    segments = call.segments[2:]
    if not segments:
        return versions.versions(call)
    version = check_version(segments[0])
    method = call.params.get("_HttpMethod", call.method) if call.method == "POST" else call.method
    path = segments[1:]
    for pattern, methods in ROUTES:
        if len(pattern) == len(path) and _fits(pattern, path):
            handler = methods.get("GET" if method == "HEAD" else method)
            if handler is None:
                raise method_not_allowed(method, list(methods))
            if method in ("POST", "PATCH", "PUT"):
                _check_content_type(call)
            arguments = [
                part for segment, part in zip(pattern, path, strict=True) if segment == "*"
            ]
            base = f"/services/data/{segments[0]}"
            request = Request(call, replace(context, headers=call.headers), version, base, answer)
            return handler(request, *arguments)
    raise not_found()


def _fits(pattern: tuple[str, ...], path: list[str]) -> bool:
    return all(segment in ("*", part) for segment, part in zip(pattern, path, strict=True))


def check_version(segment: str) -> float:
    """68.0 for `v68.0`. Raises 404 for an unknown version, 410 for a retired one."""
    match = _VERSION.match(segment)
    if match is None:
        raise not_found()
    version = float(f"{match[1]}.{match[2]}")
    if version < versions.OLDEST:
        # The status is documented, the body is not confirmed [K].
        raise OrgError(
            410, "UNSUPPORTED_API_VERSION", "The requested resource is no longer available"
        )
    if version > versions.NEWEST or match[2] != "0":
        raise not_found()
    return version


def _check_content_type(call: Call) -> None:
    kind = call.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", "") and call.body:
        raise OrgError(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"Content type '{kind}' is not supported for this resource",
        )
