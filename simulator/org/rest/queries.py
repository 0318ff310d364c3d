"""query, queryAll, tooling/query and the pages after the first."""

from typing import Any

from simulator.org.cursors import Cursor
from simulator.org.errors import OrgError, too_complicated
from simulator.org.message import Answer
from simulator.org.rest.columns import column_metadata
from simulator.org.rest.request import Request
from simulator.org.schema.catalog import View
from simulator.org.soql.compiler import compile_query
from simulator.org.soql.parser import MAX_LEVELS_DOWN, parse
from simulator.org.soql.runner import Paging, count, raw_rows, shape
from simulator.org.soql.tree import Comparison, Condition, Literal, Logical, Path, Query

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
    max_chars = request.org.faults.max_query_chars
    if max_chars is not None and len(text) > max_chars:
        raise too_complicated()
    parsed = parse(text, MAX_LEVELS_DOWN if request.version >= DEEP_CHILDREN_SINCE else 1)
    _check_links(parsed)
    plan = compile_query(parsed, view, request.org.clock.now(), all_rows)
    if request.call.params.get("columns", "").lower() == "true":
        return Answer(200, column_metadata(plan))
    if plan.kind == "count":
        total = count(request.org.store, plan)
        return Answer(200, {"totalSize": total, "done": True, "records": []})
    return _page(request, Cursor(plan, raw_rows(request.org.store, plan), page_size(request)), 0)


LINK_FIELDS = ("contentdocumentid", "linkedentityid")


def _check_links(query: Query) -> None:
    """ContentDocumentLink is found by what it links only (dlrs#433 [F])."""
    is_link = [name.lower() for name in query.source.names] == ["contentdocumentlink"]
    if is_link and (query.where is None or not _names_ids(query.where)):
        raise OrgError(
            400,
            "MALFORMED_QUERY",
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
            "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using "
            "the IN operator.",
        )


def _names_ids(condition: Condition) -> bool:
    if isinstance(condition, Logical):
        return condition.operator == "AND" and any(map(_names_ids, condition.conditions))
    if not isinstance(condition, Comparison) or not isinstance(condition.left, Path):
        return False
    is_single = condition.operator == "=" and isinstance(condition.value, Literal)
    several = condition.operator == "IN" and isinstance(condition.value, tuple)
    return condition.left.names[-1].lower() in LINK_FIELDS and (is_single or several)


def page_size(request: Request) -> int:
    """`Sforce-Query-Options: batchSize=n`, held to 200..2000; the org may make it less."""
    return min(_wanted_page_size(request), request.org.faults.max_page_rows or PAGE)


def _wanted_page_size(request: Request) -> int:
    for part in request.call.headers.get("sforce-query-options", "").split(","):
        key, _, number = part.strip().partition("=")
        if key.lower() == "batchsize" and number.isdigit():
            return max(MIN_PAGE, min(PAGE, int(number)))
    return PAGE


def _page(request: Request, cursor: Cursor, offset: int, name: str = "") -> Answer:
    """The rows from an offset on that fit a page; child rows count as well [D]."""
    cursors, store, limit = request.org.cursors, request.org.store, cursor.batch_size
    paging = Paging(limit, lambda plan, rows: cursors.add(Cursor(plan, rows, limit)))
    records: list[dict[str, Any]] = []
    taken = 0
    for at in range(offset, len(cursor.rows)):
        record = shape(store, cursor.plan, cursor.rows[at : at + 1], request.base, paging)[0]
        taken += _row_count(record)
        if records and taken > limit:
            break
        records.append(record)
    end = offset + len(records)
    body: dict[str, Any] = {"totalSize": len(cursor.rows), "done": end >= len(cursor.rows)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{request.base}/query/{name or cursors.add(cursor)}-{end}"
    body["records"] = records
    return Answer(200, body)


def _row_count(record: dict[str, Any]) -> int:
    """A record and its children, and theirs."""
    lists = (value["records"] for value in record.values() if _is_list(value))
    return 1 + sum(_row_count(child) for children in lists for child in children)


def _is_list(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)
