"""The commands about an agent folder: they need neither Redis nor any setting."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from cli.__main__ import cli
from cli.agent.schema import SCHEMA_FILE, schema_text
from demo.stack import ROOT
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.agent.tool_files import ArgumentFile
from shared.settings import Settings
from tests.agent.conftest import CANCEL_RETURN, MOVE_RETURN, ORDER_STATUS, RETURN_ITEM


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is set, not even where Redis is."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    load_agent.cache_clear()
    yield
    load_agent.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "acme"
    assert run("new", str(copy)).exit_code == 0
    (copy / "tools" / "returnItem.toml").write_text(RETURN_ITEM)
    (copy / "tools" / "orderStatus.toml").write_text(ORDER_STATUS)
    return copy


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["agent", *words])


# -- check -----------------------------------------------------------------------------------------


def test_check_lists_the_tools_with_verb_and_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = run("check")
    assert found.exit_code == 0, found.output
    first, *tools = found.output.splitlines()
    assert first == "OK: agent has 9 tools"
    assert [line.split() for line in tools] == [
        ["addCaseComment", "comment", "Case"],
        ["cancelCase", "close", "Case"],
        ["createSalesforceCase", "create", "Case"],
        ["getCaseStatus", "read", "Case"],
        ["lookupCustomer", "identify"],
        ["requestCallback", "call_back", "Task"],
        ["retrieveCustomerCase", "read", "Case"],
        ["updateContact", "update", "Contact"],
        ["verifyCaller", "verify", "Contact"],
    ]


def test_check_prints_every_mistake_with_its_line_and_fails(folder: Path) -> None:
    item = folder / "tools" / "returnItem.toml"
    item.write_text(RETURN_ITEM.replace("minimum = 1", "minimum = 11"))
    (folder / "tools" / "orderStatus.toml").write_text(ORDER_STATUS.replace("limit = 3", "limit ="))
    found = run("check", str(folder))
    assert found.exit_code == 1
    assert found.output.splitlines() == [
        f"{folder}/tools/orderStatus.toml:7: is not TOML: invalid value; "
        'write name = value, with text in quotes: name = "value"',
        f"{item}:21: minimum 11 is above maximum 10; swap the two",
    ]


def test_check_takes_the_folder_of_the_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_DIR", str(folder))
    assert run("check").output.startswith(f"OK: {folder} has 11 tools")
    monkeypatch.setenv("AGENT_DIR", f"{folder}/nowhere")
    found = run("check")
    assert found.exit_code == 1
    assert found.output.startswith(f"{folder}/nowhere: is no agent folder")


def test_a_folder_that_is_typed_is_relative_to_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert run("check").output.startswith("OK: agent has 9 tools")  # the project's own
    assert run("check", "acme").output.startswith("OK: acme has 11 tools")
    assert run("check", "agent").output.startswith("agent: is no agent folder")


# -- schema ----------------------------------------------------------------------------------------


def test_the_schema_that_ships_is_the_one_of_the_models() -> None:
    """Else run: python -m cli agent schema"""
    assert (AGENT_FOLDER / SCHEMA_FILE).read_text() == schema_text()


def test_schema_writes_it_into_a_folder(folder: Path, tmp_path: Path) -> None:
    file = folder / SCHEMA_FILE
    file.unlink()
    assert run("schema", str(folder)).output == f"{file} written\n"
    assert file.read_text() == schema_text()
    refused = run("schema", str(tmp_path / "nowhere"))
    assert refused.exit_code == 1
    assert "must be a folder" in refused.output


TOOLS = sorted((AGENT_FOLDER / "tools").glob("*.toml"))
TEXTS = {path.stem: path.read_text() for path in TOOLS} | {
    "returnItem": RETURN_ITEM,
    "orderStatus": ORDER_STATUS,
    "moveReturn": MOVE_RETURN,
    "cancelReturn": CANCEL_RETURN,
}
SCHEMA = json.loads(schema_text())


@pytest.mark.parametrize("name", TEXTS)
def test_the_schema_accepts_what_the_loader_accepts(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(tomllib.loads(TEXTS[name]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('verb = "create"', 'verb = "creat"'),
        ("optional =", "optionel ="),
        ("required = true", 'required = "yes"'),
        ('type = "identifier"', 'type = "txt"'),
        ("Items__c =", '"Items to return" ='),
        ('object = "Return_Request__c"', ""),
        ("max_length = 20", "max_length = 0"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    assert old in RETURN_ITEM
    content = tomllib.loads(RETURN_ITEM.replace(old, new))
    assert not Draft202012Validator(SCHEMA).is_valid(content)


def test_everything_that_a_file_can_say_is_described() -> None:
    lacking = [
        f"{model}.{name}"
        for model, body in SCHEMA["$defs"].items()
        for name, field in body.get("properties", {}).items()
        if not field.get("description")
    ]
    assert lacking == []
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(SCHEMA["$defs"]["ArgumentFile"]["properties"]) == set(ArgumentFile.model_fields)


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.stem)
def test_each_default_tool_names_the_schema_for_editors(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first == f"#:schema ../{SCHEMA_FILE}"
    assert (path.parent / first.removeprefix("#:schema ")).resolve().is_file()


NAMES = "orderNumber, number, status, carrier".replace(",", "-name,") + "-name"


def test_check_says_which_names_a_language_lacks(folder: Path) -> None:
    (folder / "tools" / "returnItem.toml").unlink()
    notes = [line for line in run("check", str(folder)).output.splitlines() if "Note: " in line]
    assert notes == [
        "Note: tools/orderStatus.toml: callers may hear names in English in a sentence of another "
        f"language; add {NAMES} to [sentences.de] and [sentences.es]"
    ]


def test_check_asks_for_no_name_that_a_language_has_or_never_says(folder: Path) -> None:
    (folder / "tools" / "returnItem.toml").unlink()
    path = folder / "tools" / "orderStatus.toml"
    german = '[sentences.de]\none = "Bestellung { $number }."\norderNumber-name = "Bestellnummer"\n'
    path.write_text(ORDER_STATUS + german)
    notes = [line for line in run("check", str(folder)).output.splitlines() if "Note: " in line]
    assert notes == [
        "Note: tools/orderStatus.toml: callers may hear names in English in a sentence of another "
        f"language; add {NAMES} to [sentences.es]"
    ]


def test_the_default_folder_lacks_no_name() -> None:
    assert "Note: " not in run("check").output


# -- new -------------------------------------------------------------------------------------------


def test_new_copies_the_default_folder_and_says_what_comes_next(tmp_path: Path) -> None:
    copy = tmp_path / "teams" / "acme"
    made = run("new", str(copy))
    assert made.exit_code == 0
    names = {path.relative_to(AGENT_FOLDER) for path in AGENT_FOLDER.rglob("*")}
    assert {path.relative_to(copy) for path in copy.rglob("*")} == names
    commands = re.findall(r"python -m cli ((?:agent \w+|doctor|provision plan).*)", made.output)
    assert commands == [
        f"agent check {copy}",
        f"agent explain TOOL --dir {copy}",
        "doctor",
        "provision plan",
    ]
    assert run("check", str(copy)).exit_code == 0


@pytest.mark.parametrize("what", ["a folder with a file", "a file"])
def test_new_overwrites_nothing(what: str, tmp_path: Path) -> None:
    target = tmp_path / "acme"
    if what == "a file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    refused = run("new", str(target))
    assert refused.exit_code == 1
    assert "exists already; name a new folder, or an empty one" in refused.output
    assert sorted(tmp_path.rglob("*")) == before


def test_new_takes_an_empty_folder(tmp_path: Path) -> None:
    assert run("new", str(tmp_path)).exit_code == 0
    assert run("check", str(tmp_path)).exit_code == 0


# -- explain ---------------------------------------------------------------------------------------


def explained(tool: str, folder: Path) -> dict[str, list[str]]:
    """Section → its lines; the first section is ""."""
    said = run("explain", tool, "--dir", str(folder))
    assert said.exit_code == 0, said.output
    sections: dict[str, list[str]] = {"": []}
    for part in said.output.strip().split("\n\n"):
        title, *lines = part.splitlines()
        name = "" if not sections[""] else title
        sections[name] = [title, *lines] if not name else [line.strip() for line in lines]
    return sections


def test_explain_says_what_a_create_writes_and_promises(folder: Path) -> None:
    said = explained("returnItem", folder)
    version = load_agent(str(folder)).tools["returnItem"].version
    assert said[""][0] == (
        "returnItem creates a Return_Request__c record that belongs to the caller."
    )
    assert f"version {version}, verb create" in said[""][1]
    assert [re.sub(" +", " ", line) for line in said["Arguments"]] == [
        "orderNumber required; letters and digits, said aloud in any grouping; at most 20 "
        "characters",
        "reason optional; one of broken (stored as Defect), late (stored as Delivered late)",
        "items optional; a whole number; at least 1; at most 10",
        "replaces the service adds it; optional; a reference such as K7M 2QX",
        "onExisting the service adds it; optional; one of ask, new",
    ]
    assert said["Whose records"] == [
        "Contact__c is the caller's contact.",
        "A caller who is not known gets no record.",
    ]
    assert [re.sub(" +", " ", line) for line in said["What it writes"]] == [
        "Order_Number__c {orderNumber}",
        "Reason__c {reason} (left out if Salesforce refuses it)",
        "Items__c {items}",
        "Notes__c By phone[, from {caller.number}], cut to 255 characters",
        "Contact__c the caller's contact, whatever the arguments say",
        "Voice_Reference__c the reference that the caller gets",
        "Call_Key__c the idempotency key",
    ]
    assert [re.sub(" +", " ", line) for line in said["With example values"]] == [
        "Order_Number__c AB123456",
        "Reason__c Defect",
        "Items__c 1",
        "Notes__c By phone, from +14155550101",
    ]
    repeats = " ".join(said["When it is asked again"])
    assert "with the same orderNumber is about the same" in repeats
    assert "Call_Key__c (unique) keeps a delivery" in repeats
    assert said["API requests to Salesforce"][0].startswith("1 for up to 200 records")


def test_explain_says_what_happens_without_a_key(folder: Path) -> None:
    text = RETURN_ITEM.replace('key = "Call_Key__c"', 'key = ""').replace(
        'same_if = ["orderNumber"]', ""
    )
    (folder / "tools" / "returnItem.toml").write_text(text)
    repeats = " ".join(explained("returnItem", folder)["When it is asked again"])
    assert "Records have no idempotency key." in repeats
    assert "is created twice" in repeats
    assert "creates another record, without a question" in repeats


def test_explain_shows_the_query_of_a_read(folder: Path) -> None:
    said = explained("orderStatus", folder)
    assert said["What it asks Salesforce, with example values"] == [
        "SELECT Id, Name, Status__c, Carrier__r.Name, Cancelled__c FROM Order__c "
        "WHERE (Contact__c = '003000000000001AAA') AND Name LIKE 'a%b%1%2%3%4%5%6' "
        "AND Cancelled__c = false ORDER BY Ordered_On__c DESC NULLS LAST LIMIT 200"
    ]
    assert said["Whose records"] == ["Only records whose Contact__c is the caller's contact."]
    assert said["What it reads"][-3:] == [
        "Only where Name is {orderNumber}, if orderNumber is given.",
        "Only where Cancelled__c is false.",
        "Ordered by Ordered_On__c DESC, 3 at most.",
    ]
    assert said["API requests to Salesforce"][0].startswith("1 each time")


def test_explain_says_which_record_a_change_is_for_and_what_it_writes(folder: Path) -> None:
    (folder / "tools" / "moveReturn.toml").write_text(MOVE_RETURN)
    said = explained("moveReturn", folder)
    assert said[""][0] == "moveReturn changes a Return_Request__c record of the caller's own."
    assert said["Whose records"] == [
        "Only a record whose Order__r.Contact__c is the caller's contact: the one with this "
        "reference, else the one whose Name is {returnNumber}, else the one that this call created "
        "last."
    ]
    assert [re.sub(" +", " ", line) for line in said["What it writes"]] == [
        "Day__c {day}",
        "Moved__c always true",
        "A field that a person has changed since the caller asked is left as it is.",
    ]
    assert said["What it asks Salesforce, with example values"] == [
        "SELECT Id, Day__c, Moved__c, Name FROM Return_Request__c "
        "WHERE (Order__r.Contact__c = '003000000000001AAA') AND Name LIKE 'a%b%1%2%3%4%5%6' "
        "ORDER BY Id ASC NULLS LAST LIMIT 200"
    ]
    assert said["API requests to Salesforce"][0].startswith("2 (a read and a write)")


def test_explain_says_that_a_close_takes_back_first(folder: Path) -> None:
    (folder / "tools" / "cancelReturn.toml").write_text(CANCEL_RETURN)
    said = explained("cancelReturn", folder)
    assert said["Whose records"] == [
        "Only a record whose Account__c is the account of the caller's contact: the one that this "
        "call created last.",
        "What was asked for in this call and not passed on yet is never created.",
    ]
    assert "What it asks Salesforce, with example values" not in said


@pytest.mark.parametrize("tool", [path.stem for path in TOOLS])
def test_explain_knows_every_default_tool(tool: str, folder: Path) -> None:
    said = explained(tool, folder)
    assert said[""][0].startswith(f"{tool} ")
    assert {"When it is asked again", "API requests to Salesforce"} <= said.keys()
    assert any(line.strip().startswith("Who may use it: ") for line in said[""])


def test_explain_names_the_tools_that_exist(folder: Path) -> None:
    refused = run("explain", "nothing", "--dir", str(folder))
    assert refused.exit_code == 1
    assert "has no tool nothing; it has addCaseComment, cancelCase" in refused.output


def test_explain_of_a_broken_folder_names_its_mistakes_and_not_the_settings(folder: Path) -> None:
    (folder / "tools" / "orderStatus.toml").write_text("")
    refused = run("explain", "returnItem", "--dir", str(folder))
    assert refused.exit_code == 1
    assert "orderStatus.toml:1: verb is missing" in refused.output
    assert ".env" not in refused.output


# -- source ----------------------------------------------------------------------------------------

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
MAIN = Path("salesforce") / "force-app" / "main" / "default"


def elements(path: Path) -> dict[str, str | None]:
    root = ElementTree.parse(path).getroot()
    return {child.tag.removeprefix(NAMESPACE): child.text for child in root}


def rights_of(folder: Path, tool: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Of the permission set that is written: by field whether it may be edited, and by object what
    is allowed."""
    (path,) = (folder / MAIN / "permissionsets").glob(f"Voice_{tool}.*")
    root = ElementTree.parse(path).getroot()
    plain = [[(child.tag.removeprefix(NAMESPACE), child.text or "") for child in part]
             for part in root]  # fmt: skip
    entries = [dict(part) for part in plain if part]
    fields = {entry["field"]: entry["editable"] for entry in entries if "field" in entry}
    return fields, {entry["object"]: entry for entry in entries if "object" in entry}


def test_source_writes_the_object_and_the_fields_that_a_tool_implies(folder: Path) -> None:
    made = run("source", "returnItem", "--dir", str(folder), "--write")
    assert made.exit_code == 0, made.output
    home = folder / MAIN / "objects" / "Return_Request__c"
    fields = {path.name.partition(".")[0]: elements(path) for path in home.glob("fields/*.xml")}
    key, reference = fields.pop("Call_Key__c"), fields.pop("Voice_Reference__c")
    assert {name: field["type"] for name, field in fields.items()} == {
        "Contact__c": "Lookup", "Items__c": "Number", "Notes__c": "Text",
        "Order_Number__c": "Text", "Reason__c": "Picklist",
    }  # fmt: skip
    assert {
        "fullName": "Call_Key__c", "label": "Call Key", "type": "Text", "length": "64",
        "externalId": "true", "unique": "true", "caseSensitive": "false", "required": "false",
    }.items() <= key.items()  # fmt: skip
    assert {"fullName": "Voice_Reference__c", "type": "Text", "length": "8"}.items() <= (
        reference.items()
    )
    assert "trackTrending" not in reference  # of some standard objects only
    assert elements(home / "Return_Request__c.object-meta.xml")["label"] == "Return Request"
    values = ElementTree.parse(home / "fields/Reason__c.field-meta.xml").iter(f"{NAMESPACE}value")
    assert [value.findtext(f"{NAMESPACE}fullName") for value in values] == [
        "Defect", "Delivered late",
    ]  # fmt: skip


def test_what_source_writes_fits_the_tool(folder: Path) -> None:
    (folder / "tools" / "orderStatus.toml").unlink()
    assert run("source", "returnItem", "--dir", str(folder), "--write").exit_code == 0
    checked = run("check", str(folder))
    assert f"which fit {folder}/salesforce" in checked.output


def test_source_writes_nothing_twice(folder: Path) -> None:
    run("source", "returnItem", "--dir", str(folder), "--write")
    again = run("source", "returnItem", "--dir", str(folder), "--write")
    assert again.exit_code == 0
    assert "Every file is there already." in again.output


def test_source_overwrites_no_other_contents_and_writes_nothing_then(folder: Path) -> None:
    mine = folder / MAIN / "permissionsets" / "Voice_returnItem.permissionset-meta.xml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    (folder / MAIN / "queues").mkdir()
    queue = (ROOT / "examples/orders" / MAIN / "queues/Returns.queue-meta.xml").read_text()
    (folder / MAIN / "queues" / "Returns.queue-meta.xml").write_text(
        re.sub(r"<queueSobject>.*</queueSobject>", "", queue, flags=re.S)
    )
    before = sorted(folder.rglob("*"))
    refused = run("source", "returnItem", "--dir", str(folder), "--write")
    assert refused.exit_code == 1
    assert f"{mine}: has other contents" in refused.output
    assert sorted(folder.rglob("*")) == before
    assert mine.read_text() == "mine"


def test_source_prints_only_what_the_folder_does_not_have_yet() -> None:
    made = run("source", "requestReturn", "--dir", str(ROOT / "examples" / "orders"))
    assert re.findall(r"^--- (.*)$", made.output, re.M) == [
        "permissionsets/Voice_requestReturn.permissionset-meta.xml"
    ]


def test_source_says_what_a_permission_set_cannot_have() -> None:
    made = run("source", "requestReturn", "--dir", str(ROOT / "examples" / "orders"))
    assert "Return_Request__c.Reason__c is required" in made.output
    assert "<field>Return_Request__c.Reason__c</field>" not in made.output


def test_source_grants_a_checkbox_that_the_folder_has(folder: Path) -> None:
    (folder / "tools" / "moveReturn.toml").write_text(MOVE_RETURN.replace("Order__r.", ""))
    for _ in range(2):
        made = run("source", "moveReturn", "--dir", str(folder), "--write")
        assert made.exit_code == 0, made.output
    assert "is required" not in made.output
    assert rights_of(folder, "moveReturn")[0]["Return_Request__c.Moved__c"] == "true"


def test_source_says_which_fields_it_does_not_know(folder: Path) -> None:
    made = run("source", "orderStatus", "--dir", str(folder)).output
    assert "does not say what Order__c.Status__c is: add its source" in made
    assert "retrieve it instead: sf project retrieve start --metadata CustomObject:Order__c" in made


def test_source_brings_the_objects_that_links_lead_to(folder: Path) -> None:
    example = ROOT / "examples" / "orders" / "tools" / "requestReturn.toml"
    (folder / "tools" / example.name).write_text(example.read_text())
    assert run("source", "requestReturn", "--dir", str(folder), "--write").exit_code == 0
    order = folder / MAIN / "objects" / "Customer_Order__c"
    assert elements(order / "fields" / "Contact__c.field-meta.xml")["referenceTo"] == "Contact"
    fields, objects = rights_of(folder, "requestReturn")
    assert fields["Customer_Order__c.Contact__c"] == "false"
    assert objects["Customer_Order__c"]["allowCreate"] == "false"
    assert objects["Customer_Order__c"]["allowRead"] == "true"


def test_source_grants_what_a_create_writes(folder: Path) -> None:
    run("source", "returnItem", "--dir", str(folder), "--write")
    fields, objects = rights_of(folder, "returnItem")
    names = (
        "Call_Key__c", "Contact__c", "Items__c", "Notes__c", "Order_Number__c", "Reason__c",
        "Voice_Reference__c",
    )  # fmt: skip
    assert fields == {f"Return_Request__c.{name}": "true" for name in names}
    rights = objects["Return_Request__c"]
    assert [rights[f"allow{right}"] for right in ("Create", "Read", "Edit", "Delete")] == [
        "true", "true", "false", "false",
    ]  # fmt: skip


def test_source_of_a_change_grants_editing_what_it_writes(folder: Path) -> None:
    (folder / "tools" / "cancelReturn.toml").write_text(CANCEL_RETURN)
    run("source", "cancelReturn", "--dir", str(folder), "--write")
    fields, objects = rights_of(folder, "cancelReturn")
    assert fields == {
        "Return_Request__c.Account__c": "false",
        "Return_Request__c.Status__c": "true",
        "Return_Request__c.Why__c": "true",
    }
    assert objects["Return_Request__c"]["allowEdit"] == "true"
    assert objects["Return_Request__c"]["allowCreate"] == "false"


def test_source_of_a_read_grants_only_reading(folder: Path) -> None:
    run("source", "orderStatus", "--dir", str(folder), "--write")
    fields, objects = rights_of(folder, "orderStatus")
    assert set(fields.values()) == {"false"}
    assert "Order__c.Ordered_On__c" in fields
    assert objects["Order__c"]["allowCreate"] == "false"


def test_source_adds_nothing_to_what_the_package_has(folder: Path) -> None:
    made = run("source", "addCaseComment", "--dir", str(folder)).output
    assert "needs nothing besides the package in salesforce/" in made
    made = run("source", "createSalesforceCase", "--dir", str(folder)).output
    assert re.findall(r"^--- (.*)$", made, re.M) == [
        "permissionsets/Voice_createSalesforceCase.permissionset-meta.xml"
    ]
