"""Whatever a client sends, the org answers as Salesforce would: never with an error of its own."""

import json
import signal
import socket
import time
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.org.schema.catalog import STANDARD
from tests.simulator.org.harness import LocalOrg, error

JSON = {"Content-Type": "application/json"}
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=6,
)
FIELD_NAMES = sorted(
    {item.name for sobject in STANDARD.objects.values() for item in sobject.fields}
)
RELATIONSHIPS = sorted(
    {item.relationship for sobject in STANDARD.objects.values() for item in sobject.fields} - {""}
)
BODIES = st.dictionaries(
    st.sampled_from(FIELD_NAMES + RELATIONSHIPS),
    ANY_JSON | st.dictionaries(st.sampled_from(FIELD_NAMES), ANY_JSON, max_size=2),
    max_size=4,
)
WORDS = [
    "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "GROUP", "BY", "HAVING", "ORDER",
    "NULLS", "FIRST", "LIMIT", "OFFSET", "TYPEOF", "WHEN", "THEN", "ELSE", "END", "COUNT", "MAX",
    "FIELDS", "ALL", "Id", "Name", "Contact", "Case", "Cases", "Account", "Owner", "Who", "Status",
    "CreatedDate", "IsClosed", "TODAY", "LAST_N_DAYS", ":", "(", ")", ",", ".", "=", "!=", "<", ">",
    "'x'", "5", "-1", "2026-01-01", "2026-01-01T00:00:00Z", "true", "null", "USING", "SCOPE", "FOR",
    "VIEW", "INCLUDES", "DAY_ONLY", "CALENDAR_YEAR", "toLabel", "a", "b",
]  # fmt: skip
ONLY_THIS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ONLY_THIS
@given(st.sampled_from(sorted(item.name for item in STANDARD.objects.values())), BODIES)
def test_any_body_is_stored_or_refused(org: LocalOrg, sobject: str, body: dict[str, Any]) -> None:
    for answer in (
        org.request("POST", f"/sobjects/{sobject}", data=json.dumps(body), headers=JSON),
        org.request(
            "PATCH", f"/sobjects/{sobject}/Call_Key__c/x", data=json.dumps(body), headers=JSON
        ),
    ):
        assert answer.status_code in (200, 201, 400, 404), (body, answer.text)


@ONLY_THIS
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_any_words_are_a_query_or_refused(org: LocalOrg, words: list[str]) -> None:
    for query in (" ".join(words), "SELECT Id FROM Case WHERE " + " ".join(words)):
        answer = org.soql(query)
        assert answer.status_code in (200, 400), (query, answer.text)


@ONLY_THIS
@given(st.text(max_size=40))
def test_any_text_is_a_search_or_refused(org: LocalOrg, text: str) -> None:
    for search in (text, f"FIND {{{text}}}", f"FIND {{acme}} {text}"):
        answer = org.get("/search", params={"q": search.encode("utf-8", "replace")})
        assert answer.status_code in (200, 400), (search, answer.text)
    assert org.post("/parameterizedSearch", {"q": text}).status_code in (200, 400)


def some(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of the known keys, each with a fitting value or with anything."""
    return st.fixed_dictionaries(
        {}, optional={key: entry | ANY_JSON for key, entry in known.items()}
    )


URLS = st.sampled_from(
    ["sobjects/Case", "sobjects/Case/@{a.id}", "query?q=x", "composite/sobjects", "limits", ""]
).map("/services/data/v68.0/".__add__)
SUBREQUESTS = some(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    url=URLS,
    referenceId=st.sampled_from("ab"),
    body=BODIES,
    httpHeaders=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    richInput=BODIES,
    graphId=st.text(max_size=3),
    compositeRequest=st.lists(st.nothing()),
    attributes=st.just({"type": "Case"}),
    Call_Key__c=st.text(max_size=5),
    id=st.just("500Dn0000000001IAA"),
    name=st.sampled_from(["Case", "Contact"]),
    fields=st.lists(st.sampled_from(FIELD_NAMES), max_size=2),
    where=st.sampled_from(["Id != null", "x", "LastName = 'Miller'"]),
    limit=st.integers(-1, 5),
)


@ONLY_THIS
@given(SUBREQUESTS | ANY_JSON)
def test_any_json_is_a_composite_or_refused(org: LocalOrg, value: Any) -> None:
    for path, body in (
        ("/composite", value),
        ("/composite", {"compositeRequest": value}),
        ("/composite", {"compositeRequest": [value]}),
        ("/composite/batch", {"batchRequests": [value]}),
        ("/composite/graph", {"graphs": [value]}),
        ("/composite/sobjects", {"records": [value]}),
        ("/composite/sobjects/Case/Call_Key__c", {"records": [{"Call_Key__c": value}]}),
        ("/composite/sobjects/Case", {"ids": value, "fields": ["Id"]}),
        ("/composite/sobjects/Case", {"ids": [value], "fields": value}),
        ("/parameterizedSearch", {"q": "acme", "sobjects": [value]}),
        ("/parameterizedSearch", {"q": "acme", "sobjects": value, "overallLimit": value}),
        ("/parameterizedSearch", {"q": "acme", "in": value, "fields": value}),
    ):
        answer = org.request("POST", path, data=json.dumps(body), headers=JSON)
        if path.endswith("Call_Key__c"):
            answer = org.request("PATCH", path, data=json.dumps(body), headers=JSON)
        assert answer.status_code in (200, 400), (path, body, answer.text)


@ONLY_THIS
@given(ANY_JSON)
def test_any_json_is_a_set_of_faults_or_refused(org: LocalOrg, value: Any) -> None:
    for key in ("latency_ms", "window", "validation_rules", "hide_fields", "resources"):
        body = json.dumps({key: value})
        answer = org.http.put(f"{org.url}/_org/faults", data=body, timeout=10)
        assert answer.status_code in (200, 400), answer.text
        org.faults()


@pytest.mark.parametrize("path", ["/%00", "/%ff%fe", "/sobjects/Case/Call_Key__c/" + quote("\x00")])
def test_odd_addresses_are_answered(org: LocalOrg, path: str) -> None:
    assert org.get(path).status_code in (400, 404)


def test_bodies_without_bottom_are_refused(org: LocalOrg) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    answer = org.request("POST", "/composite", data=deep, headers=JSON)
    assert error(answer)[:2] == (400, "JSON_PARSER_ERROR")
    deep = "(" * 4_900 + "acme" + ")" * 4_900
    assert error(org.post("/parameterizedSearch", {"q": deep}))[1] == "MALFORMED_SEARCH"


def test_the_process_stops_promptly_while_requests_hang() -> None:
    org = LocalOrg()
    org.request("GET", "/services/data")
    org.faults(hang=True)
    address = urlsplit(org.url)
    with socket.create_connection((address.hostname, address.port)) as waiting:
        waiting.sendall(b"GET /services/data HTTP/1.1\r\nHost: x\r\n\r\n")
        started = time.monotonic()
        org.process.send_signal(signal.SIGTERM)
        assert org.process.wait(timeout=5) == 0
        assert time.monotonic() - started < 4
    org.close()
