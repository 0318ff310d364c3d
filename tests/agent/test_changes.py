"""Whatever a tool's file, its arguments and a draft say, only the caller's own records are found to
be changed."""

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.agent.own_records import as_read, own_records_query
from shared.agent.tool_files import UpdateFile
from shared.agent.tools import tool_of
from simulator.org.errors import OrgError
from simulator.org.source.data import plant
from simulator.org.world import Org
from tests.agent.test_reads import CALLERS, RUNS, SOURCE, customers, own, query
from workers.delivery.edit_protection import Reader
from workers.delivery.own_records import Wanted, find_own

OWNERS = {
    "Customer_Order__c": (("Contact__c", "Account__c"), ("contact__C", None), (None, "Account__c")),
    "Return_Request__c": (
        ("Contact__c", None), ("Customer_Order__r.Contact__c", None),
        (None, "Customer_Order__r.Account__c"), ("Contact__c", "Customer_Order__r.Account__c"),
    ),
    "Task": (("WhoId", None), ("WhoId", "WhatId")),
}  # fmt: skip
NAMES = {
    "Customer_Order__c": ("Name", "Tracking_Number__c", "Status__c"),
    "Return_Request__c": ("Name", "Reason__c"),
    "Task": ("Subject", "Status"),
}
CHANGED = {"Customer_Order__c": "Status__c", "Return_Request__c": "Status__c", "Task": "Subject"}

SPOKEN = st.one_of(
    st.sampled_from(
        [
            "O-00001", "o 0 0 0 0 4", "O 0 0 0 0 5", "R-00001", "r dash 1", "Shipped", "Placed",
            "Delivered", "Wrong item", "%", "_", "O%", "' OR Id != '", "x') OR (Name LIKE '%",
            "\\' OR Name != \\'", "{owner0}", "{name0}", "null", "1Z999AA10123456800", "\u0000",
        ]
    ),
    st.text(max_size=30),
)  # fmt: skip


@pytest.fixture(scope="module")
def org() -> Org:
    return Org(schema=SOURCE.schema, plant=lambda org: plant(org, records=SOURCE.records))


@st.composite
def files(draw: st.DrawFn) -> UpdateFile:
    sobject = draw(st.sampled_from(sorted(OWNERS)))
    contact, account = draw(st.sampled_from(OWNERS[sobject]))
    return UpdateFile.model_validate(
        {
            "verb": "update",
            "object": sobject,
            "description": "Changes.",
            "contact": contact,
            "account": account,
            "arguments": {"first": {}, "second": {}},
            "record": {
                "field": draw(st.sampled_from(NAMES[sobject])),
                "spoken": draw(st.sampled_from(("{first}", "{first}{second}", "O-0000{second}"))),
            },
            "fields": {CHANGED[sobject]: "{second}"},
        }
    )


@cache
def ids(org: Org) -> tuple[str, ...]:
    return tuple(row["Id"] for sobject in sorted(OWNERS) for row in rows_of(org, sobject))


@cache
def rows_of(org: Org, sobject: str) -> list[dict[str, Any]]:
    return query(org, f"SELECT Id FROM {sobject} ORDER BY Id")


def asked(org: Org) -> Any:
    """Records.query, answered by the local org's own engine."""
    return lambda *statements: [query(org, statement) for statement in statements]


@pytest.mark.timeout(900)
@settings(
    max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    file=files(), first=SPOKEN, second=SPOKEN,
    name=st.sampled_from(CALLERS), other=st.sampled_from(CALLERS), data=st.data(),
)  # fmt: skip
def test_no_tool_and_no_argument_finds_a_foreign_record_to_change(
    org: Org,
    file: UpdateFile,
    first: str,
    second: str,
    name: str,
    other: str,
    data: st.DataObject,
) -> None:
    """One batch: the caller's request by a name, one by an id, and one of another caller."""
    mapping = tool_of("change", file, "").change
    assert mapping
    known = customers(org)
    wanted = [
        Wanted(
            intent_id=f"{nth}",
            mapping=mapping,
            contact_id=known[who].contact_id,
            account_id=known[who].account_id,
            record_id=record_id,
            name=said,
        )
        for nth, (who, record_id, said) in enumerate(
            (
                (name, "", first),
                (name, data.draw(st.sampled_from(ids(org))), ""),
                (other, "", second),
            )
        )
    ]
    try:
        found = find_own(Reader(asked(org), file.object, {*mapping.owners, mapping.name}), wanted)
    except OrgError:
        return  # refused as a whole
    for item in wanted:
        row = found[item.intent_id]
        if isinstance(row, dict):
            assert item.contact_id
            assert row["Id"] in own(org, file.object, file.contact, file.account, item.contact_id)


@pytest.mark.timeout(900)
@settings(
    max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    file=files(), first=SPOKEN, second=SPOKEN, name=st.sampled_from(CALLERS), data=st.data()
)  # fmt: skip
def test_no_tool_and_no_argument_shows_a_foreign_record_at_acceptance(
    org: Org, file: UpdateFile, first: str, second: str, name: str, data: st.DataObject
) -> None:
    caller = customers(org)[name]
    record_id = data.draw(st.sampled_from(("", *ids(org))))
    arguments = {"first": first, "second": second}
    statement = own_records_query(
        as_read(file, record_id),
        arguments,
        contact_id=caller.contact_id,
        account_id=caller.account_id,
    )
    try:
        rows = query(org, statement)
    except OrgError:
        return
    found = {row["Id"] for row in rows}
    assert found <= own(org, file.object, file.contact, file.account, caller.contact_id)


@pytest.mark.parametrize("spoken", ["O-00001", "o 0 0 0 0 1"])
def test_the_generated_changes_find_something(org: Org, spoken: str) -> None:
    """The properties above would hold for changes that find nothing."""
    file = UpdateFile.model_validate(
        {
            "verb": "update", "object": "Customer_Order__c", "description": "x",
            "contact": "contact__C", "arguments": {"first": {}},
            "record": {"field": "Name", "spoken": "{first}"}, "fields": {"Status__c": "Placed"},
        }
    )  # fmt: skip
    mapping = tool_of("change", file, "").change
    assert mapping
    jane = customers(org)["Jane Miller"]
    reader = Reader(asked(org), file.object, {*mapping.owners, mapping.name})
    by_name = Wanted(intent_id="1", mapping=mapping, contact_id=jane.contact_id, name=spoken)
    found = find_own(reader, [by_name])["1"]
    assert isinstance(found, dict)
    by_id = Wanted(
        intent_id="2", mapping=mapping, contact_id=jane.contact_id, record_id=found["Id"]
    )
    assert find_own(reader, [by_id]) == {"2": found}
