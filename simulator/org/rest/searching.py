"""search and parameterizedSearch."""

from typing import Any

from simulator.org.message import Answer
from simulator.org.rest.request import Request
from simulator.org.search import sosl as searches
from simulator.org.search.expression import malformed_search


def sosl(request: Request) -> Answer:
    """GET /search?q=FIND {…} …"""
    text = request.call.params.get("q", "")
    if not text:
        raise malformed_search("A search string has to be specified")
    found = searches.run(request.org, searches.read_sosl(text), request.base)
    return Answer(200, {"searchRecords": found})


def by_body(request: Request) -> Answer:
    """POST /parameterizedSearch."""
    search = searches.read_parameters(request.call.json())
    return Answer(200, {"searchRecords": searches.run(request.org, search, request.base)})


def by_address(request: Request) -> Answer:
    """GET /parameterizedSearch?q=…&sobject=Contact&Contact.fields=Id,Name&in=PHONE."""
    given: dict[str, Any] = {}
    specs: dict[str, dict[str, Any]] = {}
    for key, value in request.call.params.items():
        name, dot, option = key.partition(".")
        if key == "sobject":
            for part in value.split(","):
                specs.setdefault(part.strip(), {})
        elif key == "fields":
            given["fields"] = value.split(",")
        elif dot:
            specs.setdefault(name, {})[option] = value.split(",") if option == "fields" else value
        else:
            given[key] = value
    given["sobjects"] = [{"name": name, **spec} for name, spec in specs.items()]
    search = searches.read_parameters(given)
    return Answer(200, {"searchRecords": searches.run(request.org, search, request.base)})
