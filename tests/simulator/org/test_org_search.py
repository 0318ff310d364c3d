"""SOSL and parameterised search."""

from typing import Any

import pytest

from tests.simulator.org.harness import LocalOrg, error


def sosl(org: LocalOrg, query: str) -> list[dict[str, Any]]:
    answer = org.get("/search", params={"q": query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["searchRecords"])


def names(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["Name"] for row in rows)


@pytest.mark.parametrize(
    ("digits", "found"),
    [
        ("4155550101", ["Jane Miller"]),
        ("4155550102", ["Paula Novak", "Peter Novak"]),
        ("4155550105", ["Tom O'Brien"]),
        ("4155550106", ["Grace Lee"]),
        ("14155550107", ["Henrik Sørensen"]),
        ("4155550108", ["Mei Chen"]),
        ("4155550109", ["Robert Brown"]),
        ("4155559999", []),
    ],
)
def test_digits_find_numbers_in_every_spelling(
    org: LocalOrg, digits: str, found: list[str]
) -> None:
    query = f"FIND {{{digits}}} IN PHONE FIELDS RETURNING Contact(Id, Name)"
    assert names(sosl(org, query)) == found


def test_several_objects_are_returned_in_the_order_asked(org: LocalOrg) -> None:
    rows = sosl(org, "FIND {acme} RETURNING Contact(Name), Account(Name, AccountNumber)")
    assert [row["attributes"]["type"] for row in rows][-1] == "Account"
    assert rows[-1]["AccountNumber"] == "ACC-12345"
    assert len(rows) == 3


def test_returning_takes_conditions_order_and_limit(org: LocalOrg) -> None:
    rows = sosl(
        org,
        "FIND {novak} IN NAME FIELDS RETURNING "
        "Contact(Name WHERE MobilePhone != null ORDER BY Name LIMIT 5)",
    )
    assert names(rows) == ["Paula Novak"]
    assert len(sosl(org, "FIND {novak} RETURNING Contact(Name) LIMIT 1")) == 1


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("novak AND paula", ["Paula Novak"]),
        ("paula OR mei", ["Mei Chen", "Paula Novak"]),
        ("novak AND NOT paula", ["Peter Novak"]),
        ("(paula OR peter) AND novak", ["Paula Novak", "Peter Novak"]),
        ('"jane miller"', ["Jane Miller"]),
        ("mill*", ["Jane Miller"]),
        ("m?i", ["Mei Chen"]),
        ("ångström", ["Zoë Ångström"]),
        ("o\\'brien", ["Tom O'Brien"]),
    ],
)
def test_expressions_combine_words(org: LocalOrg, expression: str, found: list[str]) -> None:
    query = f"FIND {{{expression}}} IN NAME FIELDS RETURNING Contact(Name)"
    assert names(sosl(org, query)) == found


@pytest.mark.parametrize(
    "query",
    [
        "FIND acme",
        "FIND {acme",
        "FIND {a}",
        "FIND {+14155550101} IN PHONE FIELDS",
        "FIND {acme} RETURNING Contact(Name) garbage",
        "SELECT Id FROM Contact",
        'FIND {"acme}',
    ],
)
def test_what_is_not_sosl_is_refused(org: LocalOrg, query: str) -> None:
    status, code, _ = error(org.get("/search", params={"q": query}))
    assert status == 400
    assert code in ("MALFORMED_SEARCH", "MALFORMED_QUERY")


def test_parameterised_search_needs_no_escaping(org: LocalOrg) -> None:
    body = {
        "q": "+1 (415) 555-0101",
        "in": "PHONE",
        "sobjects": [{"name": "Contact", "fields": ["Id", "Name", "Phone"], "limit": 10}],
    }
    rows = org.post("/parameterizedSearch", body).json()["searchRecords"]
    assert [(row["Name"], row["Phone"]) for row in rows] == [("Jane Miller", "(415) 555-0101")]
    params = {"q": "novak", "sobject": "Contact", "Contact.fields": "Id,Name", "in": "NAME"}
    rows = org.get("/parameterizedSearch", params=params).json()["searchRecords"]
    assert names(rows) == ["Paula Novak", "Peter Novak"]


def test_parameterised_search_refuses_what_it_does_not_know(org: LocalOrg) -> None:
    for body in ({"q": "novak", "nonsense": 1}, {"in": "PHONE"}, {"q": "novak", "in": "FEET"}):
        assert org.post("/parameterizedSearch", body).status_code == 400
    nonsense = {"q": "novak", "sobjects": [{"name": "Nonsense"}]}
    assert error(org.post("/parameterizedSearch", nonsense))[1] == "INVALID_TYPE"


def test_a_deleted_or_changed_record_is_found_by_what_it_is_now(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    find = "FIND {4155550101} IN PHONE FIELDS RETURNING Contact(Id)"
    org.patch(f"/sobjects/Contact/{jane}", {"Phone": "415-555-0777"})
    assert sosl(org, find) == []
    found = sosl(org, "FIND {4155550777} IN PHONE FIELDS RETURNING Contact(Id)")
    assert [row["Id"] for row in found] == [jane]
    org.delete(f"/sobjects/Contact/{jane}")
    assert sosl(org, "FIND {4155550777} IN PHONE FIELDS RETURNING Contact(Id)") == []
