"""query, queryAll, tooling/query and the pages after the first."""

from typing import Any

from simulator.org.cursors import Cursor
from simulator.org.errors import OrgError
from simulator.org.message import Answer
from simulator.org.rest.columns import column_metadata
from simulator.org.rest.request import Request
from simulator.org.schema.catalog import View
from simulator.org.soql.compiler import compile_query
from simulator.org.soql.parser import MAX_LEVELS_DOWN, parse
from simulator.org.soql.runner import count, raw_rows, shape

PAGE = 2000
MIN_PAGE = 200
# Before this version child subqueries have no children of their own.
DEEP_CHILDREN_SINCE = 58.0


def query(request: Request) -> Answer:
    """GET /query?q=…"""
    return _run(request, request.org.view, all_rows=False)


def query_all(request: Request) -> Answer:
    """GET /queryAll?q=…: deleted records too."""
    return _run(request, request.org.view, all_rows=True)


def tooling_query(request: Request) -> Answer:
    """GET /tooling/query?q=…: the objects of the Tooling API."""
    return _run(request, request.org.tooling_view, all_rows=False)


def query_more(request: Request, locator: str) -> Answer:
    """GET /query/<locator>: the page that starts where the locator says."""
    name, cursor, offset = request.org.cursors.find(locator)
    return _page(request, cursor, offset, name)


def _run(request: Request, view: View, all_rows: bool) -> Answer:
    text = request.call.params.get("q", "")
    if not text:
        raise OrgError(400, "MALFORMED_QUERY", "A query string has to be specified")
    parsed = parse(text, MAX_LEVELS_DOWN if request.version >= DEEP_CHILDREN_SINCE else 1)
    plan = compile_query(parsed, view, request.org.clock.now(), all_rows)
    if request.call.params.get("columns", "").lower() == "true":
        return Answer(200, column_metadata(plan))
    if plan.kind == "count":
        total = count(request.org.store, plan)
        return Answer(200, {"totalSize": total, "done": True, "records": []})
    cursor = Cursor(plan, raw_rows(request.org.store, plan), page_size(request))
    name = request.org.cursors.add(cursor) if len(cursor.rows) > cursor.batch_size else ""
    return _page(request, cursor, 0, name)


def page_size(request: Request) -> int:
    """`Sforce-Query-Options: batchSize=n`, held to 200..2000."""
    for part in request.call.headers.get("sforce-query-options", "").split(","):
        key, _, number = part.strip().partition("=")
        if key.lower() == "batchsize" and number.isdigit():
            return max(MIN_PAGE, min(PAGE, int(number)))
    return PAGE


def _page(request: Request, cursor: Cursor, offset: int, name: str) -> Answer:
    end = offset + cursor.batch_size
    body: dict[str, Any] = {"totalSize": len(cursor.rows), "done": end >= len(cursor.rows)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{request.base}/query/{name}-{end}"
    body["records"] = shape(request.org.store, cursor.plan, cursor.rows[offset:end], request.base)
    return Answer(200, body)
