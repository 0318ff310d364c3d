"""What Salesforce does when certain objects are written."""

import base64

import pytest

from tests.simulator.org.harness import LocalOrg, error


def test_case_numbers_count_up_from_1001_in_eight_digits(org: LocalOrg) -> None:
    assert org.records("Case")[0]["CaseNumber"] == "00001001"
    first = org.row("Case", org.create("Case", Subject="x"))["CaseNumber"]
    second = org.row("Case", org.create("Case", Subject="x"))["CaseNumber"]
    assert (first, second) == ("00001008", "00001009")


def test_a_case_has_its_defaults(org: LocalOrg) -> None:
    case = org.row("Case", org.create("Case"))
    assert (case["Status"], case["Priority"]) == ("New", "Medium")
    assert (case["IsClosed"], case["IsEscalated"], case["ClosedDate"]) == (False, False, None)
    assert case["OwnerId"] == case["CreatedById"] == case["LastModifiedById"]


def test_a_case_gets_its_contacts_account_unless_one_is_given(org: LocalOrg) -> None:
    jane, other = org.contact("Jane Miller"), org.contact("Luis Garcia")
    case = org.create("Case", ContactId=jane["Id"])
    assert org.row("Case", case)["AccountId"] == jane["AccountId"]
    org.patch(f"/sobjects/Case/{case}", {"ContactId": other["Id"]})
    assert org.row("Case", case)["AccountId"] == jane["AccountId"]
    given = org.create("Case", ContactId=jane["Id"], AccountId=other["AccountId"])
    assert org.row("Case", given)["AccountId"] == other["AccountId"]


def test_the_status_closes_and_reopens_a_case(org: LocalOrg) -> None:
    case = org.create("Case", Subject="x")
    org.patch(f"/sobjects/Case/{case}", {"Status": "Closed"})
    closed = org.row("Case", case)
    assert closed["IsClosed"] is True
    assert closed["ClosedDate"] is not None
    org.patch(f"/sobjects/Case/{case}", {"Status": "Working"})
    reopened = org.row("Case", case)
    assert (reopened["IsClosed"], reopened["ClosedDate"]) == (False, None)


def test_a_case_mirrors_its_contacts_numbers_and_can_be_found_by_them(org: LocalOrg) -> None:
    luis = org.contact("Luis Garcia")
    case = org.create("Case", ContactId=luis["Id"])
    row = org.row("Case", case)
    assert row["ContactPhone"] == luis["Phone"]
    assert row["ContactMobile"] == luis["MobilePhone"]
    assert row["ContactEmail"] == luis["Email"]
    org.patch(f"/sobjects/Contact/{luis['Id']}", {"Phone": "415-555-0999"})
    found = org.query("SELECT Id FROM Case WHERE ContactPhone = '415-555-0999'")
    assert case in [item["Id"] for item in found]


def test_comments_of_a_new_case_become_a_case_comment(org: LocalOrg) -> None:
    case = org.create("Case", Subject="x", Comments="from the caller")
    found = org.query(f"SELECT CommentBody FROM CaseComment WHERE ParentId = '{case}'")
    assert [item["CommentBody"] for item in found] == ["from the caller"]
    assert org.row("Case", case)["Comments"] is None


def test_unrestricted_picklists_store_unknown_values(org: LocalOrg) -> None:
    case = org.row("Case", org.create("Case", Origin="Carrier Pigeon", Type="Novel"))
    assert (case["Origin"], case["Type"]) == ("Carrier Pigeon", "Novel")


def test_a_comment_is_limited_in_bytes_not_characters(org: LocalOrg) -> None:
    case = org.records("Case")[0]["Id"]
    org.create("CaseComment", ParentId=case, CommentBody="é" * 2000)
    refused = org.post("/sobjects/CaseComment", {"ParentId": case, "CommentBody": "é" * 2001})
    assert error(refused)[1] == "STRING_TOO_LONG"
    assert "(max length=4000)" in error(refused)[2]


@pytest.mark.parametrize(
    ("sign", "takes"), [("&", 5), ("<", 4), (">", 4), ('"', 6), ("'", 5), ("x", 1), ("é", 2)]
)
def test_a_comment_is_counted_as_html(org: LocalOrg, sign: str, takes: int) -> None:
    case = org.records("Case")[0]["Id"]
    limit = sign * (4000 // takes)
    org.create("CaseComment", ParentId=case, CommentBody=limit)
    refused = org.post("/sobjects/CaseComment", {"ParentId": case, "CommentBody": limit + sign})
    assert error(refused)[1] == "STRING_TOO_LONG"


def test_a_comment_can_be_found_and_sorted_by_its_text(org: LocalOrg) -> None:
    first, second = (record["CommentBody"] for record in org.records("CaseComment"))
    found = org.query("SELECT CommentBody FROM CaseComment ORDER BY CommentBody DESC")
    assert [entry["CommentBody"] for entry in found] == sorted([first, second], reverse=True)
    found = org.query("SELECT Id FROM CaseComment WHERE CommentBody LIKE '%Thursday morning.'")
    assert len(found) == 1


def test_a_comment_can_be_published_but_not_reworded(org: LocalOrg) -> None:
    comment = org.records("CaseComment")[0]["Id"]
    assert org.patch(f"/sobjects/CaseComment/{comment}", {"IsPublished": True}).status_code == 204
    assert org.row("CaseComment", comment)["IsPublished"] is True
    refused = org.patch(f"/sobjects/CaseComment/{comment}", {"CommentBody": "x"})
    assert error(refused)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_links_of_documents_are_found_by_what_they_link(org: LocalOrg) -> None:
    case = org.records("Case")[0]["Id"]
    data = base64.b64encode(b"x").decode()
    org.create(
        "ContentVersion", PathOnClient="x.txt", VersionData=data, FirstPublishLocationId=case
    )
    for where in ("", " WHERE ShareType = 'V'", f" WHERE LinkedEntityId != '{case}'",
                  f" WHERE LinkedEntityId = '{case}' OR ShareType = 'V'",
                  " WHERE LinkedEntityId IN (SELECT Id FROM Case)"):  # fmt: skip
        refused = org.soql(f"SELECT Id FROM ContentDocumentLink{where}")
        assert error(refused)[1] == "MALFORMED_QUERY"
        assert "requires a filter by a single Id on ContentDocumentId" in error(refused)[2]
    for where in (
        f"LinkedEntityId = '{case}'",
        f"ShareType = 'V' AND LinkedEntityId IN ('{case}')",
    ):
        assert len(org.query(f"SELECT Id FROM ContentDocumentLink WHERE {where}")) == 1
    found = org.query(f"SELECT (SELECT Id FROM ContentDocumentLinks) FROM Case WHERE Id = '{case}'")
    assert found[0]["ContentDocumentLinks"]["totalSize"] == 1


def test_a_contacts_name_is_first_and_last_name(org: LocalOrg) -> None:
    contact = org.create("Contact", FirstName="Ann", LastName="Other")
    assert org.row("Contact", contact)["Name"] == "Ann Other"
    org.patch(f"/sobjects/Contact/{contact}", {"LastName": "Else"})
    assert org.row("Contact", contact)["Name"] == "Ann Else"


def test_a_mailing_address_is_shown_whole_and_in_parts(org: LocalOrg) -> None:
    row = org.row("Contact", org.contact("Jane Miller")["Id"])
    assert row["MailingCity"] == "San Francisco"
    assert row["MailingAddress"]["city"] == "San Francisco"
    assert row["MailingAddress"]["street"] == "12 Harbor Street"
    assert row["OtherAddress"] is None


def test_a_logged_call_is_closed_and_belongs_to_an_account(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")
    task = org.create(
        "Task",
        Subject="Call",
        Status="Completed",
        TaskSubtype="Call",
        CallType="Inbound",
        CallDurationInSeconds=95,
        CallDisposition="customer-ended-call",
        CallObject="vapi:1",
        WhoId=jane["Id"],
        Call_Key__c="log-1",
    )
    row = org.row("Task", task)
    assert (row["IsClosed"], row["AccountId"]) == (True, jane["AccountId"])
    assert row["CompletedDateTime"] is not None
    assert row["Priority"] == "Normal"


def test_a_task_about_a_case_belongs_to_its_contacts_account(org: LocalOrg) -> None:
    """The case's account does not count, only an account itself does."""
    case, tom = org.records("Case")[0], org.contact("Grace Lee")
    task = org.create("Task", Subject="Call", WhatId=case["Id"])
    assert org.row("Task", task)["AccountId"] is None
    task = org.create("Task", Subject="Call", WhatId=case["Id"], WhoId=tom["Id"])
    assert org.row("Task", task)["AccountId"] == tom["AccountId"] != case["AccountId"]
    task = org.create("Task", Subject="Call", WhatId=case["AccountId"], WhoId=tom["Id"])
    assert org.row("Task", task)["AccountId"] == case["AccountId"]


def test_a_task_subtype_can_only_be_set_on_create(org: LocalOrg) -> None:
    task = org.create("Task", TaskSubtype="Call")
    refused = org.patch(f"/sobjects/Task/{task}", {"TaskSubtype": "Email"})
    assert error(refused)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert org.patch("/sobjects/Task/Call_Key__c/t1", {"TaskSubtype": "Call"}).status_code == 201


def test_a_lead_forbids_a_related_record(org: LocalOrg) -> None:
    lead = org.create("Lead", LastName="Lee", Company="Lee Ltd")
    account = org.records("Account")[0]["Id"]
    refused = org.post("/sobjects/Task", {"WhoId": lead, "WhatId": account})
    assert error(refused)[1] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_file_gets_a_document_and_hangs_where_it_was_published(org: LocalOrg) -> None:
    case = org.records("Case")[0]["Id"]
    text = "transcript " * 5000
    version = org.create(
        "ContentVersion",
        Title="Call transcript",
        PathOnClient="call-1.txt",
        VersionData=base64.b64encode(text.encode()).decode(),
        FirstPublishLocationId=case,
        Call_Key__c="file-1",
    )
    row = org.row("ContentVersion", version)
    assert row["ContentDocumentId"].startswith("069")
    assert (row["ContentSize"], row["FileExtension"]) == (len(text), "txt")
    assert org.get(row["VersionData"]).content == text.encode()
    document = row["ContentDocumentId"]
    links = org.query(
        "SELECT LinkedEntityId, ShareType FROM ContentDocumentLink "
        f"WHERE ContentDocumentId = '{document}'"
    )
    assert {link["LinkedEntityId"]: link["ShareType"] for link in links}[case] == "V"
    assert org.row("ContentDocument", document)["LatestPublishedVersionId"] == version


def test_a_file_is_not_rewritten_but_gets_a_new_version(org: LocalOrg) -> None:
    first = org.create("ContentVersion", PathOnClient="a.txt", VersionData="YQ==")
    refused = org.patch(f"/sobjects/ContentVersion/{first}", {"VersionData": "Yg=="})
    assert error(refused)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    document = org.row("ContentVersion", first)["ContentDocumentId"]
    second = org.create(
        "ContentVersion", PathOnClient="a.txt", VersionData="Yg==", ContentDocumentId=document
    )
    assert org.row("ContentVersion", first)["IsLatest"] is False
    newest = org.row("ContentVersion", second)
    assert (newest["IsLatest"], newest["VersionNumber"]) == (True, "2")


def test_a_deleted_document_takes_its_versions_and_links_with_it(org: LocalOrg) -> None:
    case = org.create("Case", Subject="x")
    stored = org.create("ContentVersion", PathOnClient="b.txt", VersionData="Yg==")
    version = org.create(
        "ContentVersion", PathOnClient="a.txt", VersionData="YQ==", FirstPublishLocationId=case
    )
    document = org.row("ContentVersion", version)["ContentDocumentId"]
    assert org.delete(f"/sobjects/ContentDocument/{document}").status_code == 204
    assert [row["Id"] for row in org.records("ContentVersion")] == [stored]
    assert org.query(f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case}'") == []


def test_a_deleted_case_takes_its_comments_and_links_with_it_but_no_task(org: LocalOrg) -> None:
    case = org.create("Case", Subject="x")
    org.create("CaseComment", ParentId=case, CommentBody="x")
    task = org.create("Task", Subject="x", WhatId=case)
    comments = len(org.records("CaseComment"))
    assert org.delete(f"/sobjects/Case/{case}").status_code == 204
    assert len(org.records("CaseComment")) == comments - 1
    assert org.row("Task", task)["Subject"] == "x"


def test_a_document_is_linked_to_a_record_once(org: LocalOrg) -> None:
    version = org.create("ContentVersion", PathOnClient="a.txt", VersionData="YQ==")
    document = org.row("ContentVersion", version)["ContentDocumentId"]
    link = {"ContentDocumentId": document, "LinkedEntityId": org.records("Account")[0]["Id"]}
    org.create("ContentDocumentLink", **link)
    refused = org.post("/sobjects/ContentDocumentLink", link)
    assert error(refused)[1] == "DUPLICATE_VALUE"


def test_a_file_that_is_no_base64_is_refused(org: LocalOrg) -> None:
    refused = org.post("/sobjects/ContentVersion", {"PathOnClient": "a", "VersionData": "?"})
    assert error(refused)[1] == "JSON_PARSER_ERROR"


def test_a_contact_is_related_to_an_account_once_and_directly_to_its_own(org: LocalOrg) -> None:
    jane = org.contact("Jane Miller")
    (other,) = (
        account for account in org.records("Account") if account["Name"] == "Bluebird Bakery"
    )
    relations = {
        account_id: org.create(
            "AccountContactRelation", AccountId=account_id, ContactId=jane["Id"], IsActive=True
        )
        for account_id in (jane["AccountId"], other["Id"])
    }
    direct = {
        account_id: org.row("AccountContactRelation", relation)["IsDirect"]
        for account_id, relation in relations.items()
    }
    assert direct == {jane["AccountId"]: True, other["Id"]: False}
    again = {"AccountId": other["Id"], "ContactId": jane["Id"]}
    assert error(org.post("/sobjects/AccountContactRelation", again))[1] == "DUPLICATE_VALUE"
    moved = org.patch(
        f"/sobjects/AccountContactRelation/{relations[other['Id']]}",
        {"AccountId": jane["AccountId"]},
    )
    assert error(moved)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_the_members_of_an_account_are_found_by_a_role_that_one_of_them_has(org: LocalOrg) -> None:
    """What the service asks: accounts in which a contact with a number has a role now."""
    (bakery,) = org.query("SELECT Id FROM Account WHERE Name = 'Bluebird Bakery'")
    for name, roles in (("Jane Miller", "Other;Decision Maker"), ("Luis Garcia", "Other")):
        org.create(
            "AccountContactRelation",
            AccountId=bakery["Id"], ContactId=org.contact(name)["Id"], IsActive=True, Roles=roles,
        )  # fmt: skip

    def members(phone: str) -> list[str]:
        found = org.query(
            "SELECT Id, (SELECT Contact.Name FROM AccountContactRelations WHERE IsActive = true "
            "AND (EndDate = null OR EndDate >= TODAY) ORDER BY Id) FROM Account "
            "WHERE Id IN (SELECT AccountId FROM AccountContactRelation WHERE IsActive = true "
            "AND Roles INCLUDES ('Decision Maker', 'Evaluator') "
            f"AND (Contact.Phone LIKE '{phone}' OR Contact.MobilePhone LIKE '{phone}'))"
        )
        return [
            row["Contact"]["Name"]
            for account in found
            for row in account["AccountContactRelations"]["records"]
        ]

    assert members("%555-0101") == ["Jane Miller", "Luis Garcia"]
    assert members("%555-0103") == []
