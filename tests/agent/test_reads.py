"""Whatever a tool's file and its arguments say, a read reaches the caller's own records only."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from demo.stack import ROOT
from shared.agent.arguments import ArgumentSchema, BadArgumentsError, Given, schema_of
from shared.agent.own_records import own_records_query
from shared.agent.tool_files import ArgumentFile, ArgumentType, ReadFile
from shared.agent.tools import tool_of
from shared.salesforce.customers import Customer
from shared.salesforce.soql import at
from simulator.org.errors import OrgError
from simulator.org.soql.compiler import compile_query
from simulator.org.soql.parser import parse
from simulator.org.soql.runner import Paging, raw_rows, shape
from simulator.org.source.data import plant
from simulator.org.source.learn import learn
from simulator.org.world import Org

RUNS = 5_000
CALLERS = ["Jane Miller", "Luis Garcia"]
SOURCE = learn([ROOT / "examples" / "orders" / "salesforce"])

FIELDS = {
    "Customer_Order__c": (
        "Id", "Name", "Status__c", "Placed_On__c", "Total__c", "Tracking_Number__c", "CreatedDate",
        "Contact__r.Name", "Account__r.Name", "Contact__r.Account.Name",
    ),
    "Return_Request__c": (
        "Id", "Name", "Status__c", "Reason__c", "Preferred_Day__c", "Customer_Order__r.Name",
        "Customer_Order__r.Status__c", "Customer_Order__r.Contact__r.Email",
    ),
    "Task": ("Id", "Subject", "Status", "Priority", "ActivityDate"),
}  # fmt: skip
FILTERS = {
    "Customer_Order__c": ("Name", "Status__c", "Tracking_Number__c", "Contact__r.Name"),
    "Return_Request__c": ("Name", "Status__c", "Reason__c", "Customer_Order__r.Name"),
    "Task": ("Subject", "Status", "Priority"),
}
OWNERS = {
    "Customer_Order__c": (("Contact__c", "Account__c"), ("Contact__c", None), (None, "Account__c")),
    "Return_Request__c": (
        ("Contact__c", None), ("Customer_Order__r.Contact__c", None),
        (None, "Customer_Order__r.Account__c"), ("Contact__c", "Customer_Order__r.Account__c"),
    ),
    "Task": (("WhoId", None), ("WhoId", "WhatId")),
}  # fmt: skip

SPOKEN = st.one_of(
    st.sampled_from(
        [
            "O-00001", "o 0 0 0 0 4", "O-0000_", "%", "_", "O%", "Shipped", "Placed", "Damaged",
            "' OR Id != '", "x') OR (Name LIKE '%", "\\' OR Name != \\'", "{contact}", "{value0}",
            "null", "Jane Miller", "Luis Garcia", "003Dn0000000001IAA", "\u0000", "a\nb",
        ]
    ),
    st.text(max_size=30),
    st.integers(),
    st.lists(st.text(max_size=3), max_size=2),
)  # fmt: skip


@pytest.fixture(scope="module")
def org() -> Org:
    return Org(schema=SOURCE.schema, plant=lambda org: plant(org, records=SOURCE.records))


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    sobject = draw(st.sampled_from(sorted(FIELDS)))
    contact, account = draw(st.sampled_from(OWNERS[sobject]))
    names = draw(st.lists(st.sampled_from(FIELDS[sobject]), min_size=1, max_size=4, unique=True))
    filters = draw(st.lists(st.sampled_from(FILTERS[sobject]), max_size=3, unique=True))
    templates = ("{first}", "{second}", "{first}[ {second}]", "Shipped", "Placed")
    return {
        "verb": "read",
        "object": sobject,
        "description": "Reads.",
        "contact": contact,
        "account": account,
        "fields": {f"value{nth}": name for nth, name in enumerate(names)},
        "where": {name: draw(st.sampled_from(templates)) for name in filters},
        "order": draw(st.sampled_from(FIELDS[sobject])) + draw(st.sampled_from(["", " DESC"])),
        "show": draw(st.sampled_from(["one", "list"])),
        "arguments": {
            "first": {"type": draw(st.sampled_from(["text", "identifier"]))},
            "second": {"type": "text"},
        },
    }


@cache
def customers(org: Org) -> dict[str, Customer]:
    rows = query(org, "SELECT Id, Name, AccountId FROM Contact")
    return {
        row["Name"]: Customer(contact_id=row["Id"], name=row["Name"], account_id=row["AccountId"])
        for row in rows
    }


def select(file: ReadFile, spoken: Given, caller: Customer) -> str:
    return own_records_query(
        file, spoken.stored(), contact_id=caller.contact_id, account_id=caller.account_id
    )


def query(org: Org, statement: str) -> list[dict[str, Any]]:
    plan = compile_query(parse(statement, 1), org.view, datetime.now(UTC), False)
    paging = Paging(2000, lambda plan, rows: "")
    return shape(org.store, plan, raw_rows(org.store, plan), "", paging)


@pytest.mark.timeout(900)
@settings(
    max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    file=files(), first=SPOKEN, second=SPOKEN, name=st.sampled_from(["Jane Miller", "Luis Garcia"])
)
def test_no_tool_and_no_argument_reaches_a_foreign_row(
    org: Org, file: dict[str, Any], first: Any, second: Any, name: str
) -> None:
    caller = customers(org)[name]
    tool = ReadFile.model_validate(file)
    arguments = schema(tool.arguments["first"].type)
    try:
        spoken = arguments.read({"first": first, "second": second}, "US")
    except BadArgumentsError:
        return
    statement = select(tool, spoken, caller)
    try:
        rows = query(org, statement)
    except OrgError:
        return  # refused as a whole, for example a condition on a field of another type
    ids = {row["Id"] for row in rows}
    assert ids <= own(org, tool.object, tool.contact, tool.account, caller.contact_id)


@cache
def own(
    org: Org, sobject: str, contact: str | None, account: str | None, contact_id: str
) -> frozenset[str]:
    """The records that the lookups lead from to the caller, found without conditions."""
    caller = next(entry for entry in customers(org).values() if entry.contact_id == contact_id)
    paths = {contact: caller.contact_id, account: caller.account_id}
    wanted = {path: owner for path, owner in paths.items() if path}
    rows = query(org, f"SELECT Id, {', '.join(wanted)} FROM {sobject}")
    return frozenset(
        row["Id"] for row in rows if any(at(row, path) == owner for path, owner in wanted.items())
    )


@cache
def schema(first: ArgumentType) -> ArgumentSchema:
    return schema_of({"first": ArgumentFile(type=first), "second": ArgumentFile()})


def test_the_generated_reads_find_something(org: Org) -> None:
    """The property above would hold for reads that find nothing."""
    jane = customers(org)["Jane Miller"]
    file = ReadFile(
        verb="read", object="Customer_Order__c", description="x", contact="Contact__c",
        fields={"number": "Name"},
    )  # fmt: skip
    tool = tool_of("found", file, "")
    assert len(query(org, select(file, tool.arguments.read({}, "US"), jane))) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": {"x": "Name FROM Account"}},
        {"contact": "Contact__c OR Id"},
        {"where": {"Name = '' OR Id": "x"}},
        {"order": "Name LIMIT 1 OFFSET 0"},
        {"object": "Account WHERE"},
    ],
)
def test_soql_in_a_name_is_refused_by_the_form_of_the_file(wrong: dict[str, Any]) -> None:
    file = {
        "verb": "read", "object": "Customer_Order__c", "description": "x", "contact": "Contact__c",
        "fields": {"number": "Name"},
    }  # fmt: skip
    with pytest.raises(ValidationError):
        ReadFile.model_validate(file | wrong)
