"""Every query is read to its end, however small its pages are, or else refused."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from cli.org.rules import active_rules
from demo.stack import Org
from shared.deadline import Deadline
from shared.salesforce import pages
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.case_numbers import CaseNumbers
from shared.salesforce.client import SalesforceClient
from shared.salesforce.contact_resolver import ContactResolver
from shared.salesforce.customers import Customers
from shared.salesforce.failures import SalesforceError
from shared.salesforce.namespace import keys_of
from shared.salesforce.new_numbers import NewNumbers
from shared.salesforce.pages import MAX_PAGES, all_records
from shared.salesforce.records import Records
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN

ADDRESS = "/services/data/v66.0/query/01gDn0000000001IAA-2"


@pytest.fixture
def salesforce(settings: Settings, store: redis.Redis) -> SalesforceClient:
    api_budget = ApiBudget(settings.salesforce, store)
    return SalesforceClient(settings.salesforce, store, api_budget, Use.LOOKUP)


@pytest.fixture
def records(salesforce: SalesforceClient) -> Records:
    return Records(salesforce, timeout_s=10, has_key_fields=True)


def customers_of(salesforce: SalesforceClient) -> Customers:
    settings, store = salesforce._settings, salesforce.tokens._store
    return Customers(salesforce, CaseNumbers(store, keys_of(settings)), "US")


def soon() -> Deadline:
    return Deadline.after(10)


@pytest.mark.parametrize("max_rows", [1, 2, 5])
def test_a_query_is_read_page_by_page_with_all_children(
    salesforce: SalesforceClient, org: Org, max_rows: int
) -> None:
    statement = "SELECT Name, (SELECT CaseNumber FROM Cases) FROM Contact ORDER BY Name"
    whole = salesforce.query(statement, soon())
    assert len(whole) == 13
    org.fault(max_page_rows=max_rows)
    assert _values(salesforce.query(statement, soon())) == _values(whole)


def test_a_query_inside_a_composite_is_read_to_its_end(records: Records, org: Org) -> None:
    statements = (
        "SELECT Name, (SELECT CaseNumber FROM Cases) FROM Contact ORDER BY Name",
        "SELECT CaseNumber FROM Case ORDER BY CaseNumber",
    )
    whole = records.query(*statements)
    org.fault(max_page_rows=2)
    assert [_values(item) for item in records.query(*statements)] == [
        _values(item) for item in whole
    ]


def _values(rows: list[dict[str, Any]]) -> list[Any]:
    """Without the addresses and sizes that differ between page sizes."""
    return [
        {name: _value(value) for name, value in row.items() if name != "attributes"} for row in rows
    ]


def _value(value: Any) -> Any:
    return _values(value["records"]) if isinstance(value, dict) and "records" in value else value


@pytest.mark.parametrize("many", [False, True])
def test_callers_are_known_and_counted_however_small_a_page_is(
    salesforce: SalesforceClient, org: Org, many: bool
) -> None:
    """Half an answer could hide a caller, or one of two contacts who share a number."""
    customers = customers_of(salesforce)
    numbers = [KNOWN, SHARED, UNKNOWN]
    if many:  # a long statement goes as a composite's subrequest
        numbers += [f"+1415555{nth:04d}" for nth in range(20)]
    org.fault(max_page_rows=1)
    found = customers.by_phones(numbers, soon())
    assert [item.name for item in found[KNOWN].customers] == ["Jane Miller"]
    assert len(found[KNOWN].customers[0].cases) == 2
    assert {item.name for item in found[SHARED].customers} == {"Peter Novak", "Paula Novak"}
    assert found[UNKNOWN].customers == ()


def test_a_number_is_one_contacts_only_when_all_of_the_answer_says_so(
    settings: Settings, records: Records, org: Org, store: redis.Redis
) -> None:
    org.fault(max_page_rows=1)
    keys = keys_of(settings.salesforce)
    resolver = ContactResolver(records, store, "US", keys, NewNumbers(store, keys, age_h=72))
    contacts = resolver.resolve({KNOWN: 0, SHARED: 0})
    assert [len(contacts[item]) for item in (SHARED, KNOWN)] == [2, 1]


def test_what_was_created_is_read_back_to_its_end(records: Records, org: Org) -> None:
    org.fault(max_page_rows=2)
    keys = [f"k{nth}" for nth in range(7)]
    written, rows = records.create(
        "Case", [(key, {"Subject": key}) for key in keys], ("Id", "CaseNumber")
    )
    assert all(item.record_id for item in written)
    assert len({rows[key]["CaseNumber"] for key in keys}) == 7
    assert set(records.by_key("Case", keys, ("Id",))) == set(keys)


def test_rules_are_read_to_their_end(salesforce: SalesforceClient, org: Org) -> None:
    rules = [
        {"object": "Case", "when": "Subject = 'no'", "message": "No.", "name": f"Rule_{nth}"}
        for nth in range(3)
    ]
    org.fault(validation_rules=rules, max_page_rows=1)
    assert len(active_rules(salesforce).refusing) == 3


def test_an_answer_that_may_have_left_some_out_is_asked_in_parts(
    salesforce: SalesforceClient, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number with many contacts must not crowd out the only contact with another number."""
    monkeypatch.setattr("shared.salesforce.caller_query.MAX_HITS_OF_A_NUMBER", 4)
    org.create("Contact", [{"LastName": f"C{n}", "Phone": "1/628/555/0100"} for n in range(9)])
    org.create("Contact", [{"LastName": "Alone", "Phone": "1/628/555/0199"}])
    customers = customers_of(salesforce)
    found = customers.by_phones(["+16285550100", "+16285550199"], soon())
    assert [item.name for item in found["+16285550199"].customers] == ["Alone"]
    assert len(found["+16285550100"].customers) > 1


def test_whose_number_it_is_stays_open_while_the_answer_left_some_out(
    salesforce: SalesforceClient, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.salesforce.caller_query.MAX_HITS_OF_A_NUMBER", 4)
    near = [{"LastName": f"C{n}", "Phone": "+1 628 555 01 0099"} for n in range(9)]
    org.create("Contact", [*near, {"LastName": "Alone", "Phone": "+16285550199"}])
    with pytest.raises(SalesforceError, match="TOO_MANY_HITS"):
        customers_of(salesforce).by_phones(["+16285550199"], soon())


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"records": []},
        {"records": [], "done": "yes"},
        {"records": [], "done": False},
        {"records": [], "done": False, "nextRecordsUrl": 7},
        {
            "records": [],
            "done": False,
            "nextRecordsUrl": "@evil.example/services/data/v66.0/query/x",
        },
        {"records": [], "done": False, "nextRecordsUrl": "/services/oauth2/revoke"},
        {"records": [{"Cases": {"records": [], "done": False}}], "done": True},
    ],
)
def test_an_answer_that_does_not_say_how_it_goes_on_is_refused(body: Any) -> None:
    with pytest.raises(SalesforceError, match="UNEXPECTED_BODY"):
        all_records(body, _never)


def test_an_answer_without_end_is_refused() -> None:
    endless = {"records": [{"Id": "1"}], "done": False, "nextRecordsUrl": ADDRESS}
    asked = []

    def again(address: str) -> Any:
        asked.append(address)
        return endless

    with pytest.raises(SalesforceError, match="TOO_MANY_PAGES"):
        all_records(endless, again)
    assert len(asked) == MAX_PAGES


def test_pages_of_children_count_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_PAGES", 3)
    children = {"records": [], "done": False, "nextRecordsUrl": ADDRESS}
    body = {"records": [{"Cases": children} for _ in range(4)], "done": True}
    with pytest.raises(SalesforceError, match="TOO_MANY_PAGES"):
        all_records(body, lambda _: {"records": [], "done": True})


_never: Callable[[str], Any] = pytest.fail


def test_callers_are_asked_for_in_parts_where_the_query_is_too_complicated(
    salesforce: SalesforceClient, org: Org
) -> None:
    numbers = [KNOWN, *(f"+1415555{nth:04d}" for nth in range(1000, 1010)), SHARED]
    customers = customers_of(salesforce)
    together = customers.by_phones(numbers, soon())
    org.fault(max_query_chars=5_000)
    apart = customers.by_phones(numbers, soon())
    assert apart == together
    assert [len(apart[item].customers) for item in (KNOWN, SHARED)] == [1, 2]
