"""What the SFDX source adds to an org is well-formed, and is what the service relies on.

`make clients` has the Salesforce CLI convert it.
"""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import simple_salesforce
from lxml import etree

from demo.stack import ROOT
from shared.salesforce.records import KEY_FIELD, MARKERS

SOURCE = ROOT / "salesforce" / "force-app" / "main" / "default"
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


FILES = sorted(
    file for folder in ("examples", "salesforce") for file in (ROOT / folder).rglob("*-meta.xml")
)
XSD = "http://www.w3.org/2001/XMLSchema"


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """Salesforce's own Metadata types (v63), with an element for each kind of file of ours."""
    wsdl = etree.parse(Path(simple_salesforce.__file__).parent / "metadata.wsdl")
    (types,) = (
        schema for schema in wsdl.iter(f"{{{XSD}}}schema")
        if f"{{{schema.get('targetNamespace')}}}" == NAMESPACE
    )  # fmt: skip
    for kind in {etree.parse(file).getroot().tag.removeprefix(NAMESPACE) for file in FILES}:
        prefix = {"ours": NAMESPACE[1:-1]}
        etree.SubElement(types, f"{{{XSD}}}element", nsmap=prefix, name=kind, type=f"ours:{kind}")
    return etree.XMLSchema(etree.fromstring(etree.tostring(types)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.name}")
def test_every_file_is_valid_by_salesforces_schema(file: Path, schema: etree.XMLSchema) -> None:
    schema.assertValid(etree.parse(file))


def test_the_schema_refuses_what_it_does_not_know(schema: etree.XMLSchema) -> None:
    text = (SOURCE / "objects/Case/fields/Call_Key__c.field-meta.xml").read_bytes()
    assert not schema.validate(etree.fromstring(text.replace(b"externalId>", b"externalIdd>")))


def read(path: str) -> dict[str, str]:
    root = ElementTree.parse(SOURCE / path).getroot()
    return {child.tag.removeprefix(NAMESPACE): child.text or "" for child in root}


@pytest.mark.parametrize(
    ("owner", "unique"), [("Case", "true"), ("Activity", "true"), ("ContentVersion", "false")]
)
def test_the_key_is_an_external_id_that_ignores_case(owner: str, unique: str) -> None:
    """On files it is not unique: nobody knows whether that deploys."""
    field = read(f"objects/{owner}/fields/{KEY_FIELD}.field-meta.xml")
    wanted = {"fullName": KEY_FIELD, "externalId": "true", "unique": unique, "type": "Text",
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


def test_the_list_view_shows_fields_that_there_are_and_has_the_name_that_readme_says() -> None:
    path = SOURCE / "objects" / "Case" / "listViews" / "Voice_Cases.listView-meta.xml"
    root = ElementTree.parse(path).getroot()
    label = root.findtext(f"{NAMESPACE}label")
    for readme in (ROOT / "README.md", ROOT / "salesforce" / "README.md"):
        assert f"*{label}*" in readme.read_text()
    columns = {node.text or "" for node in root.findall(f"{NAMESPACE}columns")}
    ours = {name for name in columns if name.endswith("__c")}
    assert ours == {"Voice_Reference__c"}
    # Standard fields have names of their own here ("CASES.SUBJECT"), never the API's.
    assert {name.partition(".")[0] for name in columns - ours} == {"CASES", "NAME"}
