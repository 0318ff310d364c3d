"""Orgs that are set up otherwise than the seed: controls that take a right, a value or a field."""

import pytest

from tests.simulator.org.harness import LocalOrg, error


def test_a_denied_record_refuses_alone(org: LocalOrg) -> None:
    """As the contact of a person account does: its neighbours in the same request go through."""
    jane, luis = (org.contact(name)["Id"] for name in ("Jane Miller", "Luis Garcia"))
    org.faults(deny_records=[jane[:15]])
    assert error(org.patch(f"/sobjects/Contact/{jane}", {"Phone": "1"})) == (
        400,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    )
    records = [
        {"attributes": {"type": "Contact"}, "Id": one, "MobilePhone": "2"} for one in (jane, luis)
    ]
    items = org.patch("/composite/sobjects", {"records": records}).json()
    assert [one["success"] for one in items] == [False, True]
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
    values = next(one for one in fields if one["name"] == "Status")["picklistValues"]
    assert [(one["value"], one["defaultValue"]) for one in values] == [
        ("Open", True),
        ("Done", False),
    ]
    listed = org.query("SELECT ApiName, IsClosed FROM TaskStatus ORDER BY SortOrder")
    assert [(one["ApiName"], one["IsClosed"]) for one in listed] == [
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
    assert [one["MasterLabel"] for one in listed] == ["Solved", "Void"]
    assert org.row("Case", org.create("Case", Status="Solved"))["IsClosed"] is True
    assert org.row("Case", org.create("Case", Subject="x"))["Status"] == "In"


def test_the_seeded_org_lists_its_own_statuses(org: LocalOrg) -> None:
    closed = org.query("SELECT ApiName FROM CaseStatus WHERE IsClosed = true")
    assert [one["ApiName"] for one in closed] == ["Closed"]
    usual = org.query("SELECT ApiName FROM TaskStatus WHERE IsDefault = true")
    assert [one["ApiName"] for one in usual] == ["Not Started"]


@pytest.mark.parametrize(
    ("faults", "key"),
    [
        ({"deny_records": ["Jane"]}, "deny_records"),
        ({"refuse_fields": ["Contact.Nonsense"]}, "refuse_fields"),
        ({"picklists": {"Task.Subject2": ["x"]}}, "picklists"),
        ({"picklists": {"Task.Description": ["x"]}}, "picklists"),
        ({"picklists": {"Task.Status": []}}, "picklists"),
    ],
)
def test_a_setup_that_is_not_understood_is_refused_by_name(
    org: LocalOrg, faults: dict[str, object], key: str
) -> None:
    answer = org.http.put(f"{org.url}/_org/faults", json=faults, timeout=10)
    assert (answer.status_code, answer.json()["keys"]) == (400, [key])
