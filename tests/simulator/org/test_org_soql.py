"""SOQL: which statements are valid, what they find, and how invalid ones are refused."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.org.harness import LocalOrg, error


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["Name"] for row in rows]


def contacts(org: LocalOrg, where: str) -> list[str]:
    return sorted(names(org.query(f"SELECT Name FROM Contact WHERE {where}")))


def test_rows_carry_attributes_and_the_fields_in_order(org: LocalOrg) -> None:
    body = org.soql("SELECT Name, Id FROM Contact WHERE Name = 'Jane Miller'").json()
    jane = org.contact("Jane Miller")["Id"]
    url = f"/services/data/v68.0/sobjects/Contact/{jane}"
    assert body == {
        "totalSize": 1,
        "done": True,
        "records": [
            {"attributes": {"type": "Contact", "url": url}, "Name": "Jane Miller", "Id": jane}
        ],
    }
    assert list(body["records"][0]) == ["attributes", "Name", "Id"]


def test_parents_come_nested_and_missing_ones_as_null(org: LocalOrg) -> None:
    org.create("Case", Subject="orphan")
    query = "SELECT Contact.Account.Name, Contact.Name FROM Case WHERE Subject = "
    case = org.query(query + "'Invoice shows last month twice'")[0]
    assert case["Contact"]["Name"] == "Jane Miller"
    assert case["Contact"]["Account"]["Name"] == "Acme Water Works"
    assert case["Contact"]["Account"]["attributes"]["type"] == "Account"
    assert org.query(query + "'orphan'")[0]["Contact"] is None


def test_children_come_as_a_result_of_their_own_or_null(org: LocalOrg) -> None:
    rows = org.query(
        "SELECT Name, (SELECT CaseNumber, Owner.Name FROM Cases WHERE IsClosed = false "
        "ORDER BY CreatedDate DESC LIMIT 1) FROM Contact WHERE Name IN ('Jane Miller', 'Mei Chen')"
        " ORDER BY Name"
    )
    jane, mei = rows
    assert jane["Cases"]["totalSize"] == 1
    assert jane["Cases"]["done"] is True
    assert jane["Cases"]["records"][0]["CaseNumber"] == "00001002"
    assert jane["Cases"]["records"][0]["Owner"]["Name"] == "Sam Okafor"
    assert mei["Cases"] is None


def test_children_have_children_down_to_the_fifth_level(org: LocalOrg) -> None:
    query = (
        "SELECT Name, (SELECT Name, (SELECT CaseNumber, (SELECT CommentBody FROM CaseComments) "
        "FROM Contact.Cases ORDER BY CaseNumber) FROM Contacts WHERE LastName = 'Miller') "
        "FROM Account WHERE AccountNumber = 'ACC-12345'"
    )
    jane = org.query(query)[0]["Contacts"]["records"][0]
    first, second, third = jane["Cases"]["records"]
    assert first["CaseComments"]["totalSize"] == 1
    assert (second["CaseComments"]["done"], third["CaseComments"]) == (True, None)
    too_deep = "SELECT Id FROM Tasks"
    for source in ("Cases", "Contacts", "Cases", "Contacts", "Account"):
        too_deep = f"SELECT Id, ({too_deep}) FROM {source}"
    assert "more than 4 level away" in error(org.soql(too_deep))[2]


def test_before_version_58_children_have_no_children(org: LocalOrg) -> None:
    nested = "SELECT Id, (SELECT Id, (SELECT Id FROM Cases) FROM Contacts) FROM Account"
    path = "/services/data/v{}/query"
    assert org.get(path.format("58.0"), params={"q": nested}).status_code == 200
    _, code, message = error(org.get(path.format("57.0"), params={"q": nested}))
    assert code == "MALFORMED_QUERY"
    assert "more than 1 level away from the root entity object" in message


def test_the_org_has_every_child_relationship_that_the_product_needs(org: LocalOrg) -> None:
    account = org.query(
        "SELECT (SELECT Id FROM Contacts), (SELECT Id FROM Cases), (SELECT Id FROM Tasks) "
        "FROM Account WHERE AccountNumber = 'ACC-12345'"
    )[0]
    assert account["Contacts"]["totalSize"] == 3
    case = org.query(
        "SELECT (SELECT CommentBody FROM CaseComments), (SELECT Id FROM Tasks), "
        "(SELECT ContentDocumentId FROM ContentDocumentLinks) FROM Case ORDER BY CaseNumber LIMIT 1"
    )[0]
    assert case["CaseComments"]["records"][0]["CommentBody"].startswith("Billing is")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'jane MILLER'", ["Jane Miller"]),
        ("LastName = 'SØRENSEN'", ["Henrik Sørensen"]),
        ("LastName = 'O\\'Brien'", ["Tom O'Brien"]),
        ("Name LIKE '%novak'", ["Paula Novak", "Peter Novak"]),
        ("Name LIKE 'p_t% novak'", ["Peter Novak"]),
        ("Name LIKE '\\%%'", []),
        ("Name IN ('Mei Chen', 'Ivan Petrov')", ["Ivan Petrov", "Mei Chen"]),
        ("Phone = null AND MobilePhone = null", ["Ivan Petrov"]),
        ("Email = ''", ["Robert Brown"]),
        ("Email = NULL", ["Robert Brown"]),
        ("MailingState != 'CA' AND MailingState != null", ["Henrik Sørensen", "Ivan Petrov"]),
        ("NOT Name LIKE '%a%'", ["Mei Chen", "Peter Novak", "Tom O'Brien"][:0]),
        ("Account.AccountNumber = 'ACC-77777' AND (FirstName = 'Grace' OR FirstName = 'Ivan')",
         ["Grace Lee", "Ivan Petrov"]),
        ("Phone LIKE '%0101' OR MobilePhone LIKE '%0111'", ["Carla Rossi", "Jane Miller"]),
        ("Name > 'T' AND Name < 'U'", ["Tom O'Brien"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'Bluebird%')",
         ["Mei Chen", "Paula Novak", "Peter Novak"]),
        ("Id IN (SELECT ContactId FROM Case WHERE IsClosed = true)", ["Aisha Khan", "Jane Miller"]),
    ],
)  # fmt: skip
def test_conditions_find_what_they_say(org: LocalOrg, where: str, found: list[str]) -> None:
    if where.startswith("NOT Name"):
        found = [row["Name"] for row in org.records("Contact") if "a" not in row["Name"].lower()]
    assert contacts(org, where) == sorted(found)


def test_a_negation_finds_empty_fields_too(org: LocalOrg) -> None:
    everyone = len(org.records("Contact"))
    assert len(contacts(org, "Email != 'jane.miller@acme.example'")) == everyone - 1
    assert len(contacts(org, "NOT Email = 'jane.miller@acme.example'")) == everyone - 1
    assert len(contacts(org, "Email NOT IN ('jane.miller@acme.example')")) == everyone - 1
    assert len(contacts(org, "Id NOT IN (SELECT ContactId FROM Case)")) == everyone - 5


def test_dates_are_compared_as_dates(org: LocalOrg) -> None:
    org.create("Task", Subject="due", ActivityDate="2026-05-01")
    for where in (
        "ActivityDate = 2026-05-01",
        "ActivityDate > 2026-04-30 AND ActivityDate < 2026-05-02",
        "CALENDAR_YEAR(ActivityDate) = 2026 AND CALENDAR_MONTH(ActivityDate) = 5",
        "CreatedDate = TODAY",
        "CreatedDate >= LAST_N_DAYS:2",
        "CreatedDate > 2020-01-01t00:00:00z AND CreatedDate < 2999-01-01T00:00:00+02:00",
        "DAY_ONLY(CreatedDate) = TODAY",
        "CreatedDate = THIS_MONTH",
        "CreatedDate != YESTERDAY",
    ):
        found = org.query(f"SELECT Subject FROM Task WHERE {where}")
        assert [row["Subject"] for row in found] == ["due"], where
    assert org.query("SELECT Id FROM Task WHERE CreatedDate < TODAY") == []


def test_recent_cases_are_found_by_age(org: LocalOrg) -> None:
    assert len(org.query("SELECT Id FROM Case WHERE CreatedDate = LAST_N_DAYS:3")) == 3
    assert len(org.query("SELECT Id FROM Case WHERE CreatedDate < LAST_N_DAYS:30")) == 1
    assert len(org.query("SELECT Id FROM Case WHERE CreatedDate = N_DAYS_AGO:4")) == 1


def test_order_by_puts_nulls_first_or_last(org: LocalOrg) -> None:
    first = org.query("SELECT Name, Email FROM Contact ORDER BY Email LIMIT 1")[0]
    assert first["Email"] is None
    first = org.query("SELECT Name, Email FROM Contact ORDER BY Email NULLS LAST LIMIT 1")[0]
    assert first["Email"] == "aisha.khan@cobalt.example"
    last = org.query("SELECT Email FROM Contact ORDER BY Email DESC NULLS FIRST LIMIT 1")[0]
    assert last["Email"] is None
    by_account = org.query("SELECT Name FROM Contact ORDER BY Account.Name DESC, LastName LIMIT 2")
    assert names(by_account) == ["Grace Lee", "Carla Rossi"]


def test_limit_and_offset_page_through(org: LocalOrg) -> None:
    everyone = names(org.query("SELECT Name FROM Contact ORDER BY Name"))
    some = names(org.query("SELECT Name FROM Contact ORDER BY Name LIMIT 3 OFFSET 2"))
    assert some == everyone[2:5]
    refused = org.soql("SELECT Name FROM Contact OFFSET 2001")
    assert error(refused)[1] == "NUMBER_OUTSIDE_VALID_RANGE"


def test_count_stands_alone(org: LocalOrg) -> None:
    body = org.soql("SELECT COUNT() FROM Contact WHERE Account.AccountNumber = 'ACC-12345'").json()
    assert body == {"totalSize": 3, "done": True, "records": []}


def test_aggregates_group_and_filter(org: LocalOrg) -> None:
    rows = org.query(
        "SELECT Status, COUNT(Id), MAX(CreatedDate) newest FROM Case GROUP BY Status "
        "HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC, Status"
    )
    assert [row["Status"] for row in rows] == ["Closed", "New", "Working"]
    assert rows[0]["attributes"] == {"type": "AggregateResult"}
    assert rows[0]["expr0"] == 2
    assert rows[0]["newest"].endswith("+0000")
    total = org.query("SELECT COUNT(Id) n, COUNT_DISTINCT(ContactId) people FROM Case")
    assert (total[0]["n"], total[0]["people"]) == (7, 5)
    per_account = org.query(
        "SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name ORDER BY Account.Name"
    )
    assert per_account[0]["Name"] == "Acme Water Works"
    assert per_account[0]["n"] == 3


def test_fields_selects_groups_of_fields(org: LocalOrg) -> None:
    row = org.query("SELECT FIELDS(ALL) FROM Case LIMIT 1")[0]
    assert {"CaseNumber", "Call_Key__c", "SystemModstamp"} <= set(row)
    assert set(org.query("SELECT FIELDS(CUSTOM) FROM Case LIMIT 200")[0]) == {
        "attributes",
        "Call_Key__c",
        "Voice_Reference__c",
    }
    assert error(org.soql("SELECT FIELDS(ALL) FROM Case"))[1] == "MALFORMED_QUERY"
    assert "Call_Key__c" not in org.query("SELECT FIELDS(STANDARD) FROM Case")[0]


def test_a_polymorphic_parent_shows_its_name_and_type(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    account = org.records("Account")[0]["Id"]
    org.create("Task", Subject="Call", WhoId=jane, WhatId=account)
    task = org.query("SELECT Who.Name, Who.Type, What.Name FROM Task WHERE Who.Type = 'Contact'")[0]
    assert (task["Who"]["Name"], task["Who"]["Type"]) == ("Jane Miller", "Contact")
    assert task["Who"]["attributes"]["url"].endswith(f"/sobjects/Contact/{jane}")
    typed = org.query("SELECT TYPEOF What WHEN Account THEN AccountNumber ELSE Name END FROM Task")[
        0
    ]
    assert typed["What"]["AccountNumber"] == "ACC-12345"
    assert typed["What"]["attributes"]["type"] == "Account"


def test_aliases_of_objects_work(org: LocalOrg) -> None:
    rows = org.query("SELECT c.Name, a.Name FROM Contact c, c.Account a WHERE a.Name LIKE 'Acme%'")
    assert len(rows) == 3
    assert rows[0]["Account"]["Name"] == "Acme Water Works"
    assert len(org.query("SELECT c.Id FROM Contact AS c WHERE c.LastName = 'Novak'")) == 2


def test_large_results_come_in_pages(org: LocalOrg) -> None:
    for chunk in range(11):
        records = [
            {"attributes": {"type": "Case"}, "Subject": f"bulk {chunk}-{n}"} for n in range(200)
        ]
        assert org.post("/composite/sobjects", {"records": records}).status_code == 200
    query = "SELECT Id FROM Case WHERE Subject LIKE 'bulk%'"
    first = org.soql(query).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (2200, False, 2000)
    second = org.get(first["nextRecordsUrl"]).json()
    assert (second["totalSize"], second["done"], len(second["records"])) == (2200, True, 200)
    seen = {row["Id"] for row in first["records"] + second["records"]}
    assert len(seen) == 2200
    small = org.get(
        "/query", params={"q": query}, headers={"Sforce-Query-Options": "batchSize=500"}
    )
    assert len(small.json()["records"]) == 500
    refused = org.get("/query/01gDn0000000zzzAAA-2000")
    assert error(refused)[1] == "INVALID_QUERY_LOCATOR"


def test_columns_describe_a_query_without_running_it(org: LocalOrg) -> None:
    params = {"q": "SELECT Id, Account.Name FROM Contact", "columns": "true"}
    body = org.get("/query", params=params).json()
    assert [column["columnName"] for column in body["columnMetadata"]] == ["Id", "Account"]
    assert body["entityName"] == "Contact"


def test_an_error_points_at_its_place(org: LocalOrg) -> None:
    assert error(org.soql("SELECT Id FROM Contact WHERE")) == (
        400,
        "MALFORMED_QUERY",
        "\nSELECT Id FROM Contact WHERE\n                            ^\n"
        "ERROR at Row:1:Column:29\nunexpected token: <EOF>",
    )
    assert error(org.soql("SELECT Id, Nonsense FROM Contact")) == (
        400,
        "INVALID_FIELD",
        "\nSELECT Id, Nonsense FROM Contact\n           ^\nERROR at Row:1:Column:12\n"
        "No such column 'Nonsense' on entity 'Contact'. If you are attempting to use a custom "
        "field, be sure to append the '__c' after the custom field name. Please reference your "
        "WSDL or the describe call for the appropriate names.",
    )
    assert "ERROR at Row:2:Column:6" in error(org.soql("SELECT Id\nFROM Nonsense"))[2]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM Contact WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = 'a' AND NOT (Name = 'b')", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = 'a' AND NOT Name = 'b'", "MALFORMED_QUERY"),
        ('SELECT Id FROM Contact WHERE Name = "a"', "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = 'a\\x'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = 'a", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = a", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT 5 garbage", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT -1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact FOR UPDATE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact ALL ROWS", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact USING SCOPE mine", "MALFORMED_QUERY"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY"),
        ("SELECT FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Limit FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Not = 1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact first", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact AS", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = 'a\\%'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = 1e5", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = 5.", "MALFORMED_QUERY"),
        ("UPDATE Contact SET Name = 'x'", "MALFORMED_QUERY"),
        ("SELECT Id; DROP TABLE Contact", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Name n FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Name, COUNT(Id) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT COUNT(), Id FROM Contact", "MALFORMED_QUERY"),
        ("SELECT COUNT() FROM Contact ORDER BY Name", "MALFORMED_QUERY"),
        ("SELECT NONSENSE(Name) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE COUNT(Id) > 1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name IN ()", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name NOT LIKE 'a'", "MALFORMED_QUERY"),
        (
            "SELECT Id FROM Contact WHERE Name = 'a' OR Id IN (SELECT ContactId FROM Case)",
            "MALFORMED_QUERY",
        ),
        (
            "SELECT Id FROM Contact WHERE AccountId IN (SELECT AccountId FROM Contact)",
            "MALFORMED_QUERY",
        ),
        (
            "SELECT Id FROM Contact WHERE Name = 'a' AND (Name = 'b' AND Id IN "
            "(SELECT ContactId FROM Case))",
            "MALFORMED_QUERY",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN "
            "(SELECT ContactId FROM Case))",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM AccountContactRelation WHERE Roles LIKE 'P%'",
         "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM AccountContactRelation WHERE IsActive = 'true'", "INVALID_FIELD"),
        ("SELECT (SELECT Name FROM AccountContactRelations) FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE Description LIKE 'x%'", "INVALID_FIELD"),
        ("SELECT Id FROM Case ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Description, COUNT(Id) FROM Case GROUP BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE IsClosed = 'false'", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE Subject = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE Subject = true", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE CreatedDate = '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE CreatedDate > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE ActivityDate > 2026-01-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Case WHERE Nonsense = 'x'", "INVALID_FIELD"),
        ("SELECT Nonsense.Name FROM Case", "INVALID_FIELD"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
        ("SELECT (SELECT Id FROM Nonsense) FROM Contact", "INVALID_TYPE"),
        ("SELECT Id FROM Case WHERE Id = '12345'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Case WHERE CreatedDate LIKE '2026%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Case WHERE Status INCLUDES ('New')", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)  # fmt: skip
def test_what_is_not_soql_is_refused_never_skipped(org: LocalOrg, query: str, code: str) -> None:
    status, name, _ = error(org.soql(query))
    assert (status, name) == (400, code)


def test_a_query_without_text_is_refused(org: LocalOrg) -> None:
    assert error(org.get("/query"))[1] == "MALFORMED_QUERY"


def test_long_conditions_work_and_bottomless_ones_are_too_complicated(org: LocalOrg) -> None:
    long = " OR ".join(f"Fax = '{n}'" for n in range(1200))
    assert sub_query(org, f"SELECT Id FROM Contact WHERE {long}")["totalSize"] == 0
    for opening, end_of_call in (("(", ")"), ("(NOT ", ")")):
        deep = opening * 3000 + "Name = 'x'" + end_of_call * 3000
        refused = sub_query(org, f"SELECT Id FROM Contact WHERE {deep}")
        assert refused[0]["errorCode"] == "QUERY_TOO_COMPLICATED"


def sub_query(org: LocalOrg, query: str) -> Any:
    """The body of a query inside a composite, where no address limit cuts it short."""
    url = f"/services/data/v68.0/query?q={quote(query)}"
    sub = {"method": "GET", "url": url, "referenceId": "q"}
    return org.post("/composite", {"compositeRequest": [sub]}).json()["compositeResponse"][0][
        "body"
    ]


ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


def escape(text: str) -> str:
    return "".join(ESCAPES.get(char, char) for char in text)


# No surrogates and no NUL (JSON and SQLite can't store them); trimmed as Salesforce trims.
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
).filter(lambda text: text.strip() == text and text.strip() != "")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ANY_TEXT)
def test_any_text_survives_the_way_through_soql_and_back(org: LocalOrg, text: str) -> None:
    case_id = org.create("Case", Subject=text)
    found = org.query(f"SELECT Id, Subject FROM Case WHERE Subject = '{escape(text)}'")
    assert (case_id, text) in [(row["Id"], row["Subject"]) for row in found]
    pattern = escape(text).replace("%", "\\%").replace("_", "\\_")
    liked = org.query(f"SELECT Id FROM Case WHERE Subject LIKE '{pattern}'")
    assert case_id in [row["Id"] for row in liked]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.sampled_from("'\\%_ab()=ORnull "), max_size=20))
def test_no_escaped_text_breaks_out_of_its_quotes(org: LocalOrg, text: str) -> None:
    answer = org.soql(f"SELECT Id FROM Contact WHERE LastName = 'zz{escape(text)}'")
    assert answer.json()["totalSize"] == 0
