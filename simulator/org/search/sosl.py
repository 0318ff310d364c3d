"""SOSL statements and parameterised search, to one common request, and its execution."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.org.errors import OrgError
from simulator.org.schema.model import SObject
from simulator.org.search.expression import compile_expression, malformed_search
from simulator.org.search.index import GROUPS
from simulator.org.shapes import a_count, a_list, a_string, an_object, strings
from simulator.org.soql.compiler import compile_query
from simulator.org.soql.parser import Parser, parse
from simulator.org.soql.runner import raw_rows, shape
from simulator.org.soql.scope import unsupported_type
from simulator.org.soql.tree import Comparison, Item, Literal, Logical, Path, Query
from simulator.org.world import Org

MAX_STATEMENT = 100_000
DEFAULT_LIMIT = 200
MAX_LIMIT = 2000
PARAMETERS = frozenset({"q", "in", "fields", "sobjects", "overallLimit", "defaultLimit"})
SOBJECT_PARAMETERS = frozenset({"name", "fields", "where", "limit", "orderBy", "offset"})

_FIND = re.compile(r"\s*FIND\s*\{", re.IGNORECASE)


@dataclass(slots=True)
class Search:
    """What to look for: expression, group of fields, and one query per object to return."""

    expression: str
    group: str = "ALL"
    returning: list[Query] = field(default_factory=list)
    limit: int = DEFAULT_LIMIT
    strict: bool = False


def read_sosl(text: str) -> Search:
    """A FIND statement. Raises MALFORMED_SEARCH or, inside RETURNING, MALFORMED_QUERY."""
    if len(text) > MAX_STATEMENT:
        raise malformed_search("SOSL statements cannot be longer than 100000 characters.")
    start = _FIND.match(text)
    end = _closing_brace(text, start.end()) if start else -1
    if start is None or end < 0:
        raise malformed_search("line 1:1 expecting FIND {SearchQuery}")
    search = Search(text[start.end() : end], strict=True)
    parser = Parser(text, end + 1)
    if parser.accept("IN"):
        search.group = parser.expect(*GROUPS).text.upper()
        parser.expect("FIELDS")
    if parser.accept("RETURNING"):
        search.returning.append(_object_spec(parser))
        while parser.accept_mark(","):
            search.returning.append(_object_spec(parser))
    if parser.accept("LIMIT"):
        search.limit = min(parser.count(), MAX_LIMIT)
    parser.end()
    return search


def _closing_brace(text: str, at: int) -> int:
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "}":
            return at
        at += 1
    return -1


def _object_spec(parser: Parser) -> Query:
    query = Query(parser.text, source=parser.path())
    if not parser.accept_mark("("):
        return query
    query.items = [Item(parser.path())]
    while parser.accept_mark(","):
        query.items.append(Item(parser.path()))
    if parser.accept("WHERE"):
        query.where = parser.condition()
    parser.tail(query)
    parser.expect_mark(")")
    return query


def read_parameters(given: Any) -> Search:
    """The body of POST /parameterizedSearch (or the GET parameters brought into its shape)."""
    given = an_object(given, "the search", PARAMETERS)
    expression = a_string(given.get("q"), "q")
    group = a_string(given.get("in", "ALL"), "in").upper().removesuffix(" FIELDS")
    if group not in GROUPS:
        raise malformed_search(f"unknown search scope: {given['in']}")
    limit = min(a_count(given.get("overallLimit", DEFAULT_LIMIT), "overallLimit"), MAX_LIMIT)
    search = Search(expression, group, limit=limit)
    for spec in a_list(given.get("sobjects", []), "sobjects"):
        checked = an_object(spec, "an entry of sobjects", SOBJECT_PARAMETERS)
        search.returning.append(_spec_query(checked, given))
    return search


def _spec_query(spec: dict[str, Any], given: dict[str, Any]) -> Query:
    """An element of sobjects as a query. The whole search gives the defaults."""
    name = a_string(spec.get("name"), "name")
    fields = strings(spec.get("fields") or given.get("fields") or ["Id"], "fields")
    parts = [f"SELECT {', '.join(fields)} FROM {name}"]
    for keyword, key in (("WHERE", "where"), ("ORDER BY", "orderBy")):
        if spec.get(key):
            parts.append(f"{keyword} {a_string(spec[key], key)}")
    limit = spec.get("limit", given.get("defaultLimit"))
    if limit is not None:
        parts.append(f"LIMIT {a_count(limit, 'limit')}")
    if spec.get("offset"):
        parts.append(f"OFFSET {a_count(spec['offset'], 'offset')}")
    return parse(" ".join(parts))


def run(org: Org, search: Search, base: str) -> list[dict[str, Any]]:
    """The found records, object by object. base: `/services/data/vNN.0`."""
    test = compile_expression(search.expression, search.strict)
    org.index.catch_up()
    returning = search.returning or [
        Query("", source=Path((sobject.name,), 0))
        for sobject in org.schema.objects.values()
        if sobject.searchable and org.view.sobject(sobject.name)
    ]
    found: list[dict[str, Any]] = []
    for query in returning:
        sobject = org.view.sobject(".".join(query.source.names))
        if sobject is None:
            raise unsupported_type(query.text, query.source)
        if not sobject.searchable:
            raise OrgError(
                400, "INVALID_TYPE", f"entity type {sobject.name} does not support search"
            )
        matching = [
            record_id
            for record_id, known in org.index.entries_of(sobject, search.group)
            if test(known)
        ]
        if matching:
            found += _records(org, query, sobject, matching[:MAX_LIMIT], base)
    return found[: search.limit]


def _records(
    org: Org, query: Query, sobject: SObject, matching: list[str], base: str
) -> list[dict[str, Any]]:
    ids = Comparison(
        Path(("Id",), 0), "IN", tuple(Literal("string", item, 0) for item in matching), 0
    )
    where = ids if query.where is None else Logical("AND", (ids, query.where))
    items = query.items or [Item(Path(("Id",), 0))]
    plan = compile_query(replace(query, items=items, where=where), org.view, org.clock.now())
    if plan.kind != "records":
        raise malformed_search(f"RETURNING {sobject.name} takes fields only")
    return shape(org.store, plan, raw_rows(org.store, plan), base)
