"""What the SFDX source adds to an org is what the service relies on."""

from xml.etree import ElementTree

import pytest

from demo.stack import ROOT
from shared.salesforce.records import KEY_FIELD, MARKERS

SOURCE = ROOT / "salesforce" / "force-app" / "main" / "default"
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


def read(path: str) -> dict[str, str]:
    root = ElementTree.parse(SOURCE / path).getroot()
    return {child.tag.removeprefix(NAMESPACE): child.text or "" for child in root}


@pytest.mark.parametrize("owner", ["Case", "Activity", "ContentVersion"])
def test_the_key_is_a_unique_external_id_that_ignores_case(owner: str) -> None:
    field = read(f"objects/{owner}/fields/{KEY_FIELD}.field-meta.xml")
    wanted = {"fullName": KEY_FIELD, "externalId": "true", "unique": "true", "type": "Text",
              "caseSensitive": "false", "length": "64", "required": "false"}  # fmt: skip
    assert wanted.items() <= field.items()


def test_the_reference_is_indexed_but_not_unique() -> None:
    field = read("objects/Case/fields/Voice_Reference__c.field-meta.xml")
    wanted = {"externalId": "true", "unique": "false", "length": "8", "type": "Text"}
    assert wanted.items() <= field.items()


def test_the_permission_set_grants_every_field_of_ours_and_nothing_sweeping() -> None:
    path = SOURCE / "permissionsets" / "Voice_Integration.permissionset-meta.xml"
    root = ElementTree.parse(path).getroot()
    granted = {
        node.findtext(f"{NAMESPACE}field"): node.findtext(f"{NAMESPACE}editable")
        for node in root.findall(f"{NAMESPACE}fieldPermissions")
    }
    ours = {f"{sobject}.{KEY_FIELD}" for sobject in MARKERS} | {"Case.Voice_Reference__c"}
    assert {granted.get(field) for field in ours} == {"true"}
    text = path.read_text()
    assert "<modifyAllRecords>true" not in text
    assert "<allowDelete>true" not in text
    assert "ModifyAllData" not in text


def test_the_list_view_shows_fields_that_there_are() -> None:
    path = SOURCE / "objects" / "Case" / "listViews" / "Voice_Cases.listView-meta.xml"
    root = ElementTree.parse(path).getroot()
    columns = {node.text or "" for node in root.findall(f"{NAMESPACE}columns")}
    ours = {name for name in columns if name.endswith("__c")}
    assert ours == {"Voice_Reference__c"}
    # Standard fields have names of their own here ("CASES.SUBJECT"), never the API's.
    assert {name.partition(".")[0] for name in columns - ours} == {"CASES", "NAME"}
