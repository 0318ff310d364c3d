"""Orgs whose setup differs from the seed: faults that remove a right, a value or a field."""

import base64
import re

import pytest

from tests.simulator.org.harness import LocalOrg, error


def test_a_denied_record_refuses_alone(org: LocalOrg) -> None:
    """As the contact of a person account does: the other records of the request succeed."""
    jane, luis = (org.contact(name)["Id"] for name in ("Jane Miller", "Luis Garcia"))
    org.faults(deny_records=[jane[:15]])
    assert error(org.patch(f"/sobjects/Contact/{jane}", {"Phone": "1"})) == (
        400,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    )
    records = [
        {"attributes": {"type": "Contact"}, "Id": contact_id, "MobilePhone": "2"}
        for contact_id in (jane, luis)
    ]
    items = org.patch("/composite/sobjects", {"records": records}).json()
    assert [result["success"] for result in items] == [False, True]
    assert items[0]["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert org.row("Contact", jane)["Name"] == "Jane Miller"
    org.create("Case", Subject="x", ContactId=jane)


def test_a_field_outside_the_orgs_states_is_refused_by_name(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    org.faults(refuse_fields=["Contact.MailingState"])
    refused = org.patch(f"/sobjects/Contact/{jane}", {"MailingState": "Mass.", "Phone": "1"})
    assert error(refused)[:2] == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert refused.json()[0]["fields"] == ["MailingState"]
    assert org.contact("Jane Miller")["Phone"] == "(415) 555-0101"
    rest = {"Phone": "1", "MailingState": None}
    assert org.patch(f"/sobjects/Contact/{jane}", rest).status_code == 204


def test_an_org_may_have_other_statuses(org: LocalOrg) -> None:
    org.faults(picklists={"Task.Status": ["Open", "Done"]})
    fields = org.get("/sobjects/Task/describe").json()["fields"]
    values = next(field for field in fields if field["name"] == "Status")["picklistValues"]
    assert [(value["value"], value["defaultValue"]) for value in values] == [
        ("Open", True),
        ("Done", False),
    ]
    listed = org.query("SELECT ApiName, IsClosed FROM TaskStatus ORDER BY SortOrder")
    assert [(row["ApiName"], row["IsClosed"]) for row in listed] == [
        ("Open", False),
        ("Done", True),
    ]
    refused = org.post("/sobjects/Task", {"Status": "Completed"})
    assert error(refused)[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert refused.json()[0]["fields"] == ["Status"]
    assert org.row("Task", org.create("Task", Subject="x"))["Status"] == "Open"
    assert org.row("Task", org.create("Task", Subject="x", Status="Done"))["IsClosed"] is True
    org.faults()
    assert org.row("Task", org.create("Task", Subject="x"))["Status"] == "Not Started"


def test_which_statuses_close_can_be_said(org: LocalOrg) -> None:
    statuses = ["In", {"value": "Solved", "closed": True}, {"value": "Void", "closed": True}]
    org.faults(picklists={"Case.Status": statuses})
    listed = org.query("SELECT MasterLabel FROM CaseStatus WHERE IsClosed = true")
    assert [row["MasterLabel"] for row in listed] == ["Solved", "Void"]
    assert org.row("Case", org.create("Case", Status="Solved"))["IsClosed"] is True
    assert org.row("Case", org.create("Case", Subject="x"))["Status"] == "In"


def test_the_seeded_org_lists_its_own_statuses(org: LocalOrg) -> None:
    closed = org.query("SELECT ApiName FROM CaseStatus WHERE IsClosed = true")
    assert [row["ApiName"] for row in closed] == ["Closed"]
    usual = org.query("SELECT ApiName FROM TaskStatus WHERE IsDefault = true")
    assert [row["ApiName"] for row in usual] == ["Not Started"]


def test_an_org_without_call_center_has_no_call_fields(org: LocalOrg) -> None:
    names = ("CallType", "CallDisposition", "CallDurationInSeconds", "CallObject")
    org.faults(hide_fields=[f"Task.{name}" for name in names])
    fields = [row["name"] for row in org.get("/sobjects/Task/describe").json()["fields"]]
    assert "TaskSubtype" in fields
    assert not set(names) & set(fields)
    unknown = "No such column 'CallType' on sobject of type Task"
    refused = org.post("/sobjects/Task", {"CallType": "Inbound"})
    assert error(refused) == (400, "INVALID_FIELD", unknown)
    assert "fields" not in refused.json()[0]
    record = {"attributes": {"type": "Task"}, "CallType": "Inbound"}
    (item,) = org.post("/composite/sobjects", {"records": [record]}).json()
    assert item["errors"] == [{"statusCode": "INVALID_FIELD", "message": unknown, "fields": []}]
    asked = error(org.soql("SELECT CallObject FROM Task"))
    assert asked[1] == "INVALID_FIELD"
    assert "No such column 'CallObject' on entity 'Task'" in asked[2]


def test_an_external_id_may_be_unique_or_not(org: LocalOrg) -> None:
    """That of files is not, as salesforce/ ships it."""
    file = {"PathOnClient": "x.txt", "VersionData": base64.b64encode(b"x").decode()}
    for _ in range(2):
        org.create("ContentVersion", Call_Key__c="k", **file)
    org.faults(unique={"ContentVersion.Call_Key__c": True, "Case.Call_Key__c": False})
    refused = org.post("/sobjects/ContentVersion", {"Call_Key__c": "k", **file})
    assert error(refused)[1] == "DUPLICATE_VALUE"
    for _ in range(2):
        org.create("Case", Call_Key__c="k")
    assert org.patch("/sobjects/Case/Call_Key__c/k", {"Subject": "x"}).status_code == 300
    fields = org.get("/sobjects/Case/describe").json()["fields"]
    assert next(field for field in fields if field["name"] == "Call_Key__c")["unique"] is False


def test_a_lock_may_be_met_in_a_trigger(org: LocalOrg) -> None:
    org.faults(lock_rows_s=30, lock_in_trigger=True)
    case = org.create("Case", Subject="x")
    code, name, message = error(org.patch(f"/sobjects/Case/{case}", {"Subject": "y"}))
    assert (code, name) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    assert "System.QueryException: Record Currently Unavailable: " in message
    assert "UNABLE_TO_LOCK_ROW" not in message


def test_a_query_may_be_too_complicated_below_the_limit_of_its_length(org: LocalOrg) -> None:
    org.faults(max_query_chars=100)
    long = "SELECT Id FROM Case WHERE Subject IN ('" + "x" * 100 + "')"
    assert error(org.soql(long))[:2] == (400, "QUERY_TOO_COMPLICATED")
    part = {"method": "GET", "url": f"/services/data/v68.0/query?q={long}", "referenceId": "q"}
    (inside,) = org.post("/composite", {"compositeRequest": [part]}).json()["compositeResponse"]
    assert inside["body"][0]["errorCode"] == "QUERY_TOO_COMPLICATED"
    assert len(org.query("SELECT Id FROM Case")) == 7


def test_line_breaks_may_be_stored_and_counted_as_two(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")["Id"]
    org.patch(f"/sobjects/Contact/{jane}", {"MailingStreet": "1 A\n2 B"})
    assert org.contact("Jane Miller")["MailingStreet"] == "1 A\n2 B"
    org.faults(crlf_text=True)
    org.patch(f"/sobjects/Contact/{jane}", {"MailingStreet": "1 A\n2 B\r\n3 C\r4 D"})
    assert org.contact("Jane Miller")["MailingStreet"] == "1 A\r\n2 B\r\n3 C\r\n4 D"
    text = "ab\n" * 8000 + "end"
    refused = org.post("/sobjects/Task", {"Description": text})
    assert error(refused)[1] == "STRING_TOO_LONG"
    org.faults()
    org.create("Task", Description=text)


def test_child_rows_take_capacity_in_a_page(org: LocalOrg) -> None:
    """A page, and a list of children, may be smaller than requested."""
    jane = org.contact("Jane Miller")["Id"]
    org.faults(max_page_rows=2)
    query = f"SELECT Name, (SELECT CaseNumber FROM Cases) FROM Contact WHERE Id = '{jane}'"
    page = org.soql(query).json()
    assert (page["totalSize"], page["done"]) == (1, True)
    cases = page["records"][0]["Cases"]
    assert (cases["totalSize"], cases["done"], len(cases["records"])) == (3, False, 2)
    rest = org.get(cases["nextRecordsUrl"]).json()
    assert (rest["totalSize"], rest["done"], len(rest["records"])) == (3, True, 1)
    numbers = [row["CaseNumber"] for row in (*cases["records"], *rest["records"])]
    assert sorted(numbers) == ["00001001", "00001002", "00001003"]
    seen, sizes = [], []
    org.faults(max_page_rows=4)
    page = org.soql("SELECT Name, (SELECT Id FROM Cases) FROM Contact").json()
    while True:
        seen += [row["Name"] for row in page["records"]]
        sizes.append(len(page["records"]))
        if page["done"]:
            break
        page = org.get(page["nextRecordsUrl"]).json()
    assert len(seen) == len(set(seen)) == page["totalSize"] == 13
    assert sizes[0] == 1  # Jane and her three cases
    assert max(sizes) <= 4


def test_cases_may_be_numbered_otherwise(org: LocalOrg) -> None:
    org.reset(case_number_format="CS-{00000}")
    assert org.records("Case")[0]["CaseNumber"] == "CS-01001"
    assert org.row("Case", org.create("Case", Subject="x"))["CaseNumber"] == "CS-01008"
    refused = org.http.delete(f"{org.url}/_org?case_number_format=CS", timeout=10)
    assert (refused.status_code, refused.json()["keys"]) == (400, ["case_number_format"])
    org.reset()
    assert org.records("Case")[0]["CaseNumber"] == "00001001"


def test_a_case_may_have_been_renumbered(org: LocalOrg) -> None:
    case = org.records("Case")[0]["Id"]
    url = f"{org.url}/_org/records/Case/{case}"
    assert org.http.patch(url, json={"CaseNumber": "CS-7"}, timeout=10).status_code == 200
    assert org.row("Case", case)["CaseNumber"] == "CS-7"
    refused = org.patch(f"/sobjects/Case/{case}", {"CaseNumber": "8"})
    assert error(refused)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_org_may_be_started_with_another_numbering() -> None:
    other = LocalOrg("--case-number-format", "{0}-{YYYY}")
    try:
        for _ in range(2):
            assert re.fullmatch(r"1001-\d{4}", other.records("Case")[0]["CaseNumber"])
            other.reset()
    finally:
        other.close()


@pytest.mark.parametrize(
    ("faults", "key"),
    [
        ({"deny_records": ["Jane"]}, "deny_records"),
        ({"refuse_fields": ["Contact.Nonsense"]}, "refuse_fields"),
        ({"picklists": {"Task.Subject2": ["x"]}}, "picklists"),
        ({"picklists": {"Task.Description": ["x"]}}, "picklists"),
        ({"picklists": {"Task.Status": []}}, "picklists"),
        ({"unique": {"Case.Subject": True}}, "unique"),
        ({"unique": {"Case.Call_Key__c": 1}}, "unique"),
        ({"lock_in_trigger": True}, "lock_in_trigger"),
        ({"max_page_rows": 0}, "max_page_rows"),
        ({"max_query_chars": "few"}, "max_query_chars"),
        ({"crlf_text": "yes"}, "crlf_text"),
    ],
)
def test_a_setup_that_is_not_understood_is_refused_by_name(
    org: LocalOrg, faults: dict[str, object], key: str
) -> None:
    answer = org.http.put(f"{org.url}/_org/faults", json=faults, timeout=10)
    assert (answer.status_code, answer.json()["keys"]) == (400, [key])
