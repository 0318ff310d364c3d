"""`--source DIR`: what the local org learns from SFDX source behaves like what it has built in."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.org.schema.catalog import STANDARD
from simulator.org.source.learn import Source, SourceMistakesError, learn
from tests.simulator.org.harness import ROOT, LocalOrg, error

ORDERS = ROOT / "examples/orders/salesforce"
SERVICE = ROOT / "salesforce"
JANE = "jane.miller@acme.example"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


@pytest.fixture(scope="module")
def running_orders() -> Iterator[LocalOrg]:
    org = LocalOrg("--source", str(SERVICE), "--source", str(ORDERS))
    yield org
    org.close()


@pytest.fixture
def orders(running_orders: LocalOrg) -> LocalOrg:
    running_orders.reset()
    return running_orders


def a_return(org: LocalOrg, **fields: Any) -> str:
    return org.create("Return_Request__c", **{"Reason__c": "Damaged", **fields})


def type_id(org: LocalOrg, developer_name: str) -> str:
    found = org.query(
        "SELECT Id FROM RecordType WHERE SobjectType = 'Return_Request__c' "
        f"AND DeveloperName = '{developer_name}'"
    )
    return str(found[0]["Id"])


class TestDescribe:
    def test_the_list_has_the_custom_objects_with_their_key_prefixes(
        self, orders: LocalOrg
    ) -> None:
        listed = {item["name"]: item for item in orders.get("/sobjects").json()["sobjects"]}
        shown = listed["Customer_Order__c"]
        assert (shown["custom"], shown["keyPrefix"]) == (True, "a00")
        assert (shown["label"], shown["labelPlural"]) == ("Customer Order", "Customer Orders")
        assert listed["Return_Request__c"]["keyPrefix"] == "a01"
        assert listed["Case"]["custom"] is False

    def test_a_field_has_the_properties_of_its_source(self, orders: LocalOrg) -> None:
        body = orders.get("/sobjects/Return_Request__c/describe").json()
        fields = {field["name"]: field for field in body["fields"]}
        key = fields["Call_Key__c"]
        assert (key["type"], key["length"], key["externalId"], key["unique"], key["idLookup"]) == (
            "string", 64, True, True, True,
        )  # fmt: skip
        assert fields["Details__c"]["length"] == 32000
        assert fields["Details__c"]["filterable"] is False
        assert fields["Contact__c"]["referenceTo"] == ["Contact"]
        assert fields["Contact__c"]["relationshipName"] == "Contact__r"
        assert [value["value"] for value in fields["Reason__c"]["picklistValues"]] == [
            "Damaged", "Wrong item", "Changed my mind",
        ]  # fmt: skip
        assert fields["Reason__c"]["restrictedPicklist"] is True
        assert fields["Name"]["autoNumber"] is True
        assert fields["RecordTypeId"]["referenceTo"] == ["RecordType"]

    def test_an_object_lists_the_children_that_the_source_gives_it(self, orders: LocalOrg) -> None:
        body = orders.get("/sobjects/Contact/describe").json()
        found = {
            (child["childSObject"], child["field"], child["relationshipName"])
            for child in body["childRelationships"]
        }
        assert ("Customer_Order__c", "Contact__c", "Customer_Orders__r") in found

    def test_an_object_lists_its_record_types(self, orders: LocalOrg) -> None:
        body = orders.get("/sobjects/Return_Request__c/describe").json()
        found = [info["developerName"] for info in body["recordTypeInfos"]]
        assert found == ["Complaint", "Withdrawal", "Master"]


class TestQueries:
    def test_parents_and_children_are_reached_by_their_relationships(
        self, orders: LocalOrg
    ) -> None:
        found = orders.query(
            "SELECT Name, Contact__r.Name, Contact__r.Account.Name FROM Customer_Order__c "
            f"WHERE Contact__r.Email = '{JANE}' ORDER BY Placed_On__c DESC"
        )
        assert [row["Name"] for row in found] == ["O-00003", "O-00002", "O-00001"]
        assert found[0]["Contact__r"]["Name"] == "Jane Miller"
        assert found[0]["Contact__r"]["Account"]["Name"] == "Acme Water Works"
        down = orders.query(
            "SELECT Name, (SELECT Name, Status__c FROM Customer_Orders__r "
            f"WHERE Status__c != 'Delivered') FROM Contact WHERE Email = '{JANE}'"
        )
        assert [row["Status__c"] for row in down[0]["Customer_Orders__r"]["records"]] == [
            "Shipped", "Placed",
        ]  # fmt: skip

    def test_custom_fields_can_be_grouped_and_summed(self, orders: LocalOrg) -> None:
        found = orders.query(
            "SELECT Contact__r.Name who, SUM(Total__c) total FROM Customer_Order__c "
            "GROUP BY Contact__r.Name ORDER BY SUM(Total__c) DESC"
        )
        assert [(row["who"], row["total"]) for row in found] == [
            ("Luis Garcia", pytest.approx(398.2)),
            ("Jane Miller", pytest.approx(190.4)),
        ]

    def test_a_semi_join_over_a_custom_object_finds_its_parents(self, orders: LocalOrg) -> None:
        found = orders.query(
            "SELECT Name FROM Contact WHERE Id IN (SELECT Contact__c FROM Return_Request__c)"
        )
        assert [row["Name"] for row in found] == ["Luis Garcia"]

    def test_an_unknown_custom_field_is_refused_in_salesforces_words(
        self, orders: LocalOrg
    ) -> None:
        status, code, message = error(orders.soql("SELECT Colour__c FROM Customer_Order__c"))
        assert (status, code) == (400, "INVALID_FIELD")
        assert "No such column 'Colour__c' on entity 'Customer_Order__c'" in message

    def test_search_finds_an_object_that_has_search_enabled(self, orders: LocalOrg) -> None:
        body = {
            "q": "1Z999AA10123456792",
            "sobjects": [{"name": "Customer_Order__c", "fields": ["Name"]}],
        }
        found = orders.post("/parameterizedSearch", body).json()["searchRecords"]
        assert [row["Name"] for row in found] == ["O-00002"]


class TestWrites:
    def test_a_record_gets_its_number_its_defaults_and_its_owner(self, orders: LocalOrg) -> None:
        row = orders.row("Return_Request__c", a_return(orders))
        assert (row["Name"], row["Status__c"]) == ("R-00002", "New")
        assert row["OwnerId"].startswith("005")
        assert row["Id"].startswith("a01")

    @pytest.mark.parametrize(
        ("fields", "code", "message"),
        [
            ({"Reason__c": None}, "REQUIRED_FIELD_MISSING",
             "Required fields are missing: [Reason__c]"),
            ({"Reason__c": "Bored"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
             "Reason: bad value for restricted picklist field: Bored"),
            ({"Voice_Reference__c": "123456789"}, "STRING_TOO_LONG",
             "Voice Reference: data value too large: 123456789 (max length=8)"),
            ({"Colour__c": "x"}, "INVALID_FIELD",
             "No such column 'Colour__c' on sobject of type Return_Request__c"),
            ({"Name": "R-1"}, "INVALID_FIELD_FOR_INSERT_UPDATE",
             "Unable to create/update fields: Name."),
            ({"Contact__c": "003Dn00000000zzIAA"}, "INVALID_CROSS_REFERENCE_KEY",
             "invalid cross reference id"),
            ({"Contact__c": "001Dn0000000001IAA"}, "MALFORMED_ID",
             "Contact: id value of incorrect type: 001Dn0000000001IAA"),
            ({"Preferred_Day__c": "tomorrow"}, "JSON_PARSER_ERROR", "Cannot deserialize"),
        ],
    )  # fmt: skip
    def test_a_bad_value_is_refused_in_salesforces_words(
        self, orders: LocalOrg, fields: dict[str, Any], code: str, message: str
    ) -> None:
        answer = orders.post("/sobjects/Return_Request__c", {"Reason__c": "Damaged", **fields})
        assert error(answer)[:2] == (400, code)
        assert error(answer)[2].startswith(message)

    def test_an_upsert_by_external_id_makes_one_record(self, orders: LocalOrg) -> None:
        path = "/sobjects/Return_Request__c/Call_Key__c/k-1"
        first = orders.patch(path, {"Reason__c": "Damaged"})
        again = orders.patch(path.replace("k-1", "K-1"), {"Details__c": "The lid is cracked."})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"]
        found = orders.query("SELECT Id FROM Return_Request__c WHERE Call_Key__c = 'k-1'")
        assert len(found) == 1

    def test_a_second_record_with_a_unique_value_is_a_duplicate(self, orders: LocalOrg) -> None:
        first = a_return(orders, Call_Key__c="k-1")
        answer = orders.post(
            "/sobjects/Return_Request__c", {"Reason__c": "Damaged", "Call_Key__c": "K-1"}
        )
        assert error(answer) == (
            400,
            "DUPLICATE_VALUE",
            f"duplicate value found: Call_Key__c duplicates value on record with id: {first}",
        )

    def test_a_parent_may_be_named_by_its_own_key(self, orders: LocalOrg) -> None:
        made = a_return(
            orders,
            Contact__r={"Email": JANE},
            Customer_Order__r={"Tracking_Number__c": "1Z999AA10123456784"},
        )
        found = orders.query(
            "SELECT Contact__r.Name, Customer_Order__r.Name FROM Return_Request__c "
            f"WHERE Id = '{made}'"
        )
        assert found[0]["Contact__r"]["Name"] == "Jane Miller"
        assert found[0]["Customer_Order__r"]["Name"] == "O-00001"

    def test_a_composite_request_writes_and_reads_a_custom_record(self, orders: LocalOrg) -> None:
        base = "/services/data/v68.0/sobjects/Return_Request__c"
        body = {
            "allOrNone": True,
            "compositeRequest": [
                {"method": "PATCH", "url": f"{base}/Call_Key__c/k-2", "referenceId": "made",
                 "body": {"Reason__c": "Wrong item"}},
                {"method": "GET", "url": f"{base}/@{{made.id}}?fields=Name",
                 "referenceId": "read"},
            ],
        }  # fmt: skip
        parts = orders.post("/composite", body).json()["compositeResponse"]
        assert [part["httpStatusCode"] for part in parts] == [201, 200]
        assert parts[1]["body"]["Name"] == "R-00002"

    def test_a_collection_creates_upserts_and_deletes_custom_records(
        self, orders: LocalOrg
    ) -> None:
        kind = {"type": "Return_Request__c"}
        record = {"attributes": kind, "Reason__c": "Damaged"}
        made = orders.post("/composite/sobjects", {"records": [record, {"attributes": kind}]})
        assert [item["success"] for item in made.json()] == [True, False]
        assert made.json()[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
        upserted = {"records": [{**record, "Call_Key__c": "k-3"}]}
        for created in (True, False):
            answer = orders.patch("/composite/sobjects/Return_Request__c/Call_Key__c", upserted)
            assert answer.json()[0]["created"] is created
        gone = orders.delete("/composite/sobjects", params={"ids": made.json()[0]["id"]})
        assert gone.json()[0]["success"] is True

    def test_a_task_and_a_file_can_be_about_a_custom_record(self, orders: LocalOrg) -> None:
        made = a_return(orders)
        orders.create("Task", Subject="Call", WhatId=made)
        orders.create(
            "ContentVersion", PathOnClient="a.txt", VersionData="YQ==", FirstPublishLocationId=made
        )
        found = orders.query("SELECT What.Name, What.Type FROM Task")
        assert (found[0]["What"]["Name"], found[0]["What"]["Type"]) == (
            "R-00002", "Return_Request__c",
        )  # fmt: skip
        links = orders.query(f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{made}'")
        assert len(links) == 1


class TestRecordTypesAndQueues:
    def test_a_record_type_is_found_by_name_and_shown_on_its_records(
        self, orders: LocalOrg
    ) -> None:
        made = a_return(orders, RecordTypeId=type_id(orders, "Complaint"))
        found = orders.query(
            f"SELECT RecordType.DeveloperName, Status__c FROM Return_Request__c WHERE Id = '{made}'"
        )
        assert found[0]["RecordType"]["DeveloperName"] == "Complaint"

    def test_a_record_type_limits_restricted_picklists(self, orders: LocalOrg) -> None:
        body = {"Reason__c": "Damaged", "RecordTypeId": type_id(orders, "Withdrawal")}
        answer = orders.post("/sobjects/Return_Request__c", body)
        assert error(answer)[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"

    def test_a_queue_owns_records_of_its_objects_only(self, orders: LocalOrg) -> None:
        found = orders.query(
            "SELECT QueueId, Queue.Name FROM QueueSobject WHERE SobjectType = 'Return_Request__c'"
        )
        assert found[0]["Queue"]["Name"] == "Returns"
        queue = found[0]["QueueId"]
        groups = orders.query(
            "SELECT Id FROM Group WHERE Type = 'Queue' AND DeveloperName = 'Returns'"
        )
        assert groups[0]["Id"] == queue
        made = a_return(orders, OwnerId=queue)
        owned = orders.query(f"SELECT Owner.Name FROM Return_Request__c WHERE Id = '{made}'")
        assert owned[0]["Owner"]["Name"] == "Returns"
        answer = orders.post("/sobjects/Case", {"Subject": "x", "OwnerId": queue})
        assert error(answer)[1:] == (
            "INVALID_OPERATION", "Queue not associated with this SObject type",
        )  # fmt: skip


class TestControls:
    def test_the_control_lists_custom_records_and_a_reset_restores_them(
        self, orders: LocalOrg
    ) -> None:
        a_return(orders)
        assert len(orders.records("Return_Request__c")) == 2
        orders.reset()
        assert [row["Name"] for row in orders.records("Return_Request__c")] == ["R-00001"]
        assert [row["Name"] for row in orders.records("Customer_Order__c")][-1] == "O-00005"

    def test_faults_hide_and_deny_what_was_learned(self, orders: LocalOrg) -> None:
        orders.faults(
            hide_fields=["Customer_Order__c.Total__c"],
            deny=["Return_Request__c.create"],
            picklists={"Customer_Order__c.Status__c": ["Open", "Sent"]},
        )
        assert error(orders.soql("SELECT Total__c FROM Customer_Order__c"))[1] == "INVALID_FIELD"
        answer = orders.post("/sobjects/Return_Request__c", {"Reason__c": "Damaged"})
        assert error(answer)[1] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
        assert orders.row("Customer_Order__c", orders.create("Customer_Order__c"))[
            "Status__c"
        ] == "Open"  # fmt: skip

    def test_another_org_in_the_process_does_not_learn(self) -> None:
        source = learn([ORDERS])
        assert "customer_order__c" in source.schema.objects
        assert "customer_order__c" not in STANDARD.objects
        assert "customer_order__c" not in str(STANDARD.children).lower()


class TestStandardObjects:
    def test_the_fields_of_this_repository_are_those_built_in(self) -> None:
        learned = learn([SERVICE]).schema
        for name in ("Case.Call_Key__c", "Task.Call_Key__c", "ContentVersion.Call_Key__c"):
            built_in, found = STANDARD.field(name), learned.field(name)
            assert built_in is not None
            assert found == built_in, name

    def test_a_field_of_the_source_replaces_one_that_is_built_in(self) -> None:
        before = STANDARD.field("Case.Voice_Reference__c")
        after = learn([SERVICE]).schema.field("Case.Voice_Reference__c")
        assert before is not None
        assert after is not None
        assert (before.external_id, after.external_id) == (False, True)


class Project:
    """A folder of source that a test writes file by file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, kind: str, body: str) -> None:
        target = self.root / "force-app" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f'<?xml version="1.0"?><{kind} xmlns="{NAMESPACE}">{body}</{kind}>')

    def add_object(self, name: str, body: str = "", name_field: str = "<type>Text</type>") -> None:
        self.write(
            f"objects/{name}/{name}.object-meta.xml",
            "CustomObject",
            f"<label>{name}</label><nameField><label>Name</label>{name_field}</nameField>{body}",
        )

    def field(self, sobject: str, name: str, kind: str, body: str = "") -> None:
        self.write(
            f"objects/{sobject}/fields/{name}.field-meta.xml",
            "CustomField",
            f"<fullName>{name}</fullName><label>{name}</label><type>{kind}</type>{body}",
        )

    def data(self, name: str, content: object) -> None:
        (self.root / "data").mkdir(exist_ok=True)
        (self.root / "data" / name).write_text(json.dumps(content))

    def learn(self) -> Source:
        return learn([self.root])

    def mistakes(self) -> list[str]:
        with pytest.raises(SourceMistakesError) as refused:
            self.learn()
        return str(refused.value).splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.add_object("Visit__c")
    return made


@pytest.fixture
def started(project: Project) -> Iterator[Callable[[], LocalOrg]]:
    """Starts an org with the project as its source."""
    orgs: list[LocalOrg] = []

    def start() -> LocalOrg:
        orgs.append(LocalOrg("--source", str(project.root)))
        return orgs[-1]

    yield start
    for org in orgs:
        org.close()


def value_set(*values: str, restricted: bool = True) -> str:
    entries = "".join(
        f"<value><fullName>{value}</fullName><label>{value} label</label></value>"
        for value in values
    )
    return (
        f"<valueSet><restricted>{str(restricted).lower()}</restricted>"
        f"<valueSetDefinition>{entries}</valueSetDefinition></valueSet>"
    )


class TestFieldTypes:
    def test_every_type_is_written_and_read(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.field("Visit__c", "Title__c", "Text", "<length>20</length>")
        project.field("Visit__c", "Notes__c", "TextArea")
        project.field("Visit__c", "Rich__c", "Html", "<length>4000</length>")
        project.field("Visit__c", "Mail__c", "Email", "<unique>true</unique>")
        project.field("Visit__c", "Call__c", "Phone")
        project.field("Visit__c", "Link__c", "Url")
        project.field("Visit__c", "Size__c", "Number", "<precision>4</precision><scale>1</scale>")
        project.field("Visit__c", "Cost__c", "Currency", "<precision>18</precision>")
        project.field("Visit__c", "Share__c", "Percent", "<defaultValue>50</defaultValue>")
        project.field("Visit__c", "Day__c", "Date")
        project.field("Visit__c", "At__c", "DateTime")
        project.field("Visit__c", "Hour__c", "Time")
        project.field("Visit__c", "Done__c", "Checkbox", "<defaultValue>true</defaultValue>")
        project.field("Visit__c", "Tags__c", "MultiselectPicklist", value_set("A", "B", "C"))
        project.field("Visit__c", "Double__c", "Number", "<formula>Size__c * 2</formula>")
        project.field("Visit__c", "Nr__c", "AutoNumber", "<displayFormat>V-{000}</displayFormat>")
        org = started()
        given = {
            "Title__c": "First", "Notes__c": "n", "Rich__c": "<b>r</b>", "Mail__c": "a@b.example",
            "Call__c": "1", "Link__c": "https://a.example", "Size__c": 99.5, "Cost__c": 3,
            "Day__c": "2026-01-02", "At__c": "2026-01-02T03:04:05.000+0000",
            "Hour__c": "10:30:00.000Z", "Tags__c": "A;C",
        }  # fmt: skip
        made = org.create("Visit__c", **given)
        row = org.row("Visit__c", made)
        assert {name: row[name] for name in given} == given
        rest = [row[name] for name in ("Share__c", "Done__c", "Double__c", "Nr__c", "Name")]
        assert rest == [50, True, None, "V-001", made[:15]]

        for condition in (
            "Tags__c INCLUDES ('A;C', 'B')", "Tags__c EXCLUDES ('B')", "Hour__c > 09:00:00.000Z",
            "Size__c >= 99.5", "Done__c = true", "At__c < TODAY",
        ):  # fmt: skip
            assert len(org.query(f"SELECT Id FROM Visit__c WHERE {condition}")) == 1, condition
        assert org.query("SELECT Id FROM Visit__c WHERE Tags__c INCLUDES ('A;B')") == []

        refused = {
            "Size__c": (1000, "NUMBER_OUTSIDE_VALID_RANGE"),
            "Tags__c": ("A;D", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
            "Hour__c": ("25:00", "JSON_PARSER_ERROR"),
            "Mail__c": ("nobody", "INVALID_EMAIL_ADDRESS"),
            "Double__c": (1, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        }
        for name, (value, code) in refused.items():
            assert error(org.post("/sobjects/Visit__c", {name: value}))[1] == code

    def test_a_case_sensitive_key_tells_capitals_apart(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.field(
            "Visit__c", "Key__c", "Text",
            "<length>20</length><unique>true</unique><externalId>true</externalId>"
            "<caseSensitive>true</caseSensitive>",
        )  # fmt: skip
        org = started()
        for key in ("a", "A"):
            assert org.patch(f"/sobjects/Visit__c/Key__c/{key}", {}).status_code == 201
        assert len(org.query("SELECT Id FROM Visit__c WHERE Key__c = 'a'")) == 1

    def test_a_detail_has_no_owner_and_goes_with_its_master(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.add_object("Stop__c")
        project.field(
            "Stop__c", "Visit__c", "MasterDetail",
            "<referenceTo>Visit__c</referenceTo><relationshipName>Stops</relationshipName>",
        )  # fmt: skip
        org = started()
        assert error(org.post("/sobjects/Stop__c", {"Name": "x"}))[1] == "REQUIRED_FIELD_MISSING"
        visit = org.create("Visit__c", Name="v")
        stop = org.create("Stop__c", Name="s", Visit__c=visit)
        assert "OwnerId" not in org.row("Stop__c", stop)
        assert org.delete(f"/sobjects/Visit__c/{visit}").status_code == 204
        assert org.query("SELECT Id FROM Stop__c") == []

    def test_labels_are_shown_by_to_label_and_describe(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.field("Visit__c", "Kind__c", "Picklist", value_set("In", "Out"))
        org = started()
        org.create("Visit__c", Kind__c="In")
        assert org.query("SELECT toLabel(Kind__c) FROM Visit__c")[0]["Kind__c"] == "In label"
        fields = org.get("/sobjects/Visit__c/describe").json()["fields"]
        kind = next(field for field in fields if field["name"] == "Kind__c")
        assert kind["picklistValues"][1]["label"] == "Out label"

    def test_a_record_type_on_a_standard_object_has_defaults_of_its_own(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.write(
            "objects/Case/recordTypes/Phone.recordType-meta.xml",
            "RecordType",
            "<fullName>Phone</fullName><active>true</active><label>By phone</label>"
            "<picklistValues><picklist>Priority</picklist><values><fullName>High</fullName>"
            "<default>true</default></values></picklistValues>",
        )
        project.write(
            "objects/Case/recordTypes/Fax.recordType-meta.xml",
            "RecordType",
            "<fullName>Fax</fullName><active>false</active><label>By fax</label>",
        )
        org = started()
        found = org.query("SELECT Id, Name FROM RecordType WHERE SobjectType = 'Case'")
        ids = {row["Name"]: row["Id"] for row in found}
        case = org.create("Case", Subject="x", RecordTypeId=ids["By phone"])
        assert org.row("Case", case)["Priority"] == "High"
        assert org.row("Case", org.create("Case", Subject="x"))["Priority"] == "Medium"
        answer = org.post("/sobjects/Case", {"RecordTypeId": ids["By fax"]})
        assert error(answer) == (
            400,
            "INVALID_CROSS_REFERENCE_KEY",
            f"Record Type ID: this ID value isn't valid for the user: {ids['By fax']}",
        )

    def test_standard_and_global_value_sets_give_their_values(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.write(
            "standardValueSets/CaseStatus.standardValueSet-meta.xml", "StandardValueSet",
            "<sorted>false</sorted>"
            "<standardValue><fullName>Open</fullName><default>true</default></standardValue>"
            "<standardValue><fullName>Solved</fullName><closed>true</closed></standardValue>",
        )  # fmt: skip
        project.write(
            "globalValueSets/Colours.globalValueSet-meta.xml", "GlobalValueSet",
            "<masterLabel>Colours</masterLabel>"
            "<customValue><fullName>Red</fullName><default>true</default></customValue>",
        )  # fmt: skip
        project.field(
            "Case", "Colour__c", "Picklist",
            "<valueSet><valueSetName>Colours</valueSetName></valueSet>",
        )  # fmt: skip
        org = started()
        found = org.query("SELECT ApiName, IsClosed, IsDefault FROM CaseStatus")
        assert [(row["ApiName"], row["IsClosed"], row["IsDefault"]) for row in found] == [
            ("Open", False, True), ("Solved", True, False),
        ]  # fmt: skip
        case = org.create("Case", Subject="x")
        assert org.row("Case", case)["Status"] == "Open"
        assert org.row("Case", case)["Colour__c"] == "Red"
        org.patch(f"/sobjects/Case/{case}", {"Status": "Solved"})
        assert org.row("Case", case)["IsClosed"] is True
        answer = org.post("/sobjects/Case", {"Colour__c": "Pink"})
        assert error(answer)[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"

    def test_what_is_left_out_is_said(self, project: Project) -> None:
        project.field("Visit__c", "Deal__c", "Lookup", "<referenceTo>Opportunity</referenceTo>")
        project.field("Visit__c", "Double__c", "Number", "<formula>1</formula>")
        project.field("Opportunity", "A__c", "Text", "<length>5</length>")
        source = project.learn()
        assert source.schema.field("Visit__c.Deal__c") is None
        assert [note.partition(": ")[0] for note in source.notes] == [
            "left out, because the local org has no object Opportunity",
            "a formula is never evaluated, its value is null",
        ]
        assert source.notes[0].endswith("and 1 more")


class TestMistakes:
    @pytest.mark.parametrize(
        ("kind", "body", "said"),
        [
            ("Text", "", "<length> is missing"),
            ("Text", "<length>300</length>", "<length> must be a whole number from 1 to 255"),
            ("Textt", "<length>3</length>", "<type> Textt is not a type of custom fields"),
            ("Picklist", "", "<valueSet> is missing"),
            ("Picklist", "<valueSet><valueSetName>X</valueSetName></valueSet>",
             "<valueSetName> X is not a value set of the source"),
            ("Picklist", value_set("A", "a"), "has the picklist value A twice"),
            ("Lookup", "<referenceTo>Vsit__c</referenceTo>",
             "<referenceTo> Vsit__c is not an object of the source"),
            ("Checkbox", "<unique>true</unique>", "can't be an External Id or unique"),
            ("Text", "<length>3</length><required>yes</required>", "must be true or false"),
            ("AutoNumber", "<displayFormat>V-0</displayFormat>", "<displayFormat> must be"),
        ],
    )  # fmt: skip
    def test_a_mistake_in_a_field_names_the_file_and_what_is_wrong(
        self, project: Project, kind: str, body: str, said: str
    ) -> None:
        project.field("Visit__c", "Bad__c", kind, body)
        found = project.mistakes()
        assert len(found) == 1
        assert "objects/Visit__c/fields/Bad__c.field-meta.xml: " in found[0]
        assert said in found[0]

    def test_all_mistakes_are_named_at_once(self, project: Project) -> None:
        project.field("Visit__c", "A__c", "Text")
        project.field("Vist__c", "B__c", "Date")
        project.write("queues/Q.queue-meta.xml", "Queue", "<name>Q</name><queueSobject>"
                      "<sobjectType>Contact</sobjectType></queueSobject>")  # fmt: skip
        said = "\n".join(project.mistakes())
        assert "<length> is missing" in said
        assert "Vist__c has no Vist__c.object-meta.xml in the source" in said
        assert "a queue can't own records of Contact" in said

    def test_a_relationship_name_is_taken_once(self, project: Project) -> None:
        up = "<referenceTo>Contact</referenceTo><relationshipName>Visits</relationshipName>"
        project.field("Visit__c", "A__c", "Lookup", up)
        project.field("Visit__c", "B__c", "Lookup", up)
        (said,) = project.mistakes()
        assert said.endswith(
            "B__c.field-meta.xml: <relationshipName> Visits is taken by Visit__c.A__c"
        )

    def test_a_mistake_in_an_object_is_not_repeated_for_its_fields(self, project: Project) -> None:
        project.field("Visit__c", "A__c", "Date")
        project.write("objects/Visit__c/Visit__c.object-meta.xml", "CustomObjekt", "")
        assert len(project.mistakes()) == 1

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("<CustomField>", "is not well-formed XML"),
            ("<Wrong/>", "must be a <CustomField>, not a <Wrong>"),
            ('<!DOCTYPE a [<!ENTITY e "x">]><CustomField>&e;</CustomField>',
             "has a document type"),
        ],
    )  # fmt: skip
    def test_a_file_that_is_not_source_is_refused(
        self, project: Project, content: str, said: str
    ) -> None:
        project.field("Visit__c", "A__c", "Date")
        (project.root / "force-app/objects/Visit__c/fields/A__c.field-meta.xml").write_text(content)
        assert said in project.mistakes()[0]

    def test_a_project_file_says_where_the_source_is(self, project: Project) -> None:
        settings = project.root / "sfdx-project.json"
        settings.write_text('{"packageDirectories": [{"path": "elsewhere"}]}')
        assert "names elsewhere, which is not a directory" in project.mistakes()[0]

    def test_a_folder_without_source_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceMistakesError, match="SFDX source format"):
            learn([tmp_path])

    def test_a_mistake_stops_the_start(self, project: Project) -> None:
        project.data("v.json", {"records": [{"attributes": {"type": "Visit__c",
                     "referenceId": "V1"}, "Colour__c": "red"}]})  # fmt: skip
        command = [sys.executable, "-m", "simulator", "org", "--port", "0"]
        ended = subprocess.run(
            [*command, "--source", str(project.root)],
            cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == (
            f"org: {project.root}/data/v.json: record V1: INVALID_FIELD: "
            "No such column 'Colour__c' on sobject of type Visit__c\n"
        )


class TestData:
    def test_children_and_references_are_linked(
        self, project: Project, started: Callable[[], LocalOrg]
    ) -> None:
        project.field(
            "Visit__c", "Contact__c", "Lookup",
            "<referenceTo>Contact</referenceTo><relationshipName>Visits</relationshipName>",
        )  # fmt: skip
        project.data("a.json", {"records": [
            {"attributes": {"type": "Contact", "referenceId": "C1"}, "LastName": "New",
             "Visits__r": {"records": [
                 {"attributes": {"type": "Visit__c", "referenceId": "V1"}, "Name": "nested"}]}},
            {"attributes": {"type": "Visit__c"}, "Name": "@home", "Contact__c": "@C1"},
            {"attributes": {"type": "Visit__c"}, "Name": "seeded",
             "Contact__c": "003Dn0000000001IAA"},
        ]})  # fmt: skip
        org = started()
        found = org.query("SELECT Name, Contact__r.Name FROM Visit__c ORDER BY Name")
        assert [(row["Name"], row["Contact__r"]["Name"]) for row in found] == [
            ("@home", "New"), ("nested", "New"), ("seeded", "Jane Miller"),
        ]  # fmt: skip

    def test_records_in_a_file_are_kept_over_a_restart(
        self, project: Project, tmp_path: Path
    ) -> None:
        project.data("a.json", {"records": [{"attributes": {"type": "Visit__c"}, "Name": "v"}]})
        options = ("--db", str(tmp_path / "org.db"), "--source", str(project.root))
        first = LocalOrg(*options)
        first.close()
        project.field("Visit__c", "Late__c", "Text", "<length>9</length>")
        second = LocalOrg(*options)
        try:
            second.create("Visit__c", Late__c="x")
            assert len(second.records("Visit__c")) == 2
        finally:
            second.close()
