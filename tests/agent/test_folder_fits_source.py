"""`agent check` compares a folder with the SFDX source that it brings, without an org and Redis.

Each row breaks a copy of examples/orders, which fits, in one place.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import cli
from cli.agent.comparison import misfits_with
from cli.org.source import SourceObjects, source_of
from demo.agents import check
from demo.stack import ROOT
from shared.agent.folder import load_agent

EXAMPLE = ROOT / "examples" / "orders"


@pytest.fixture(scope="module")
def source() -> SourceObjects:
    found = source_of(EXAMPLE)
    assert found
    return found


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "orders"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@dataclass(frozen=True)
class Misfit:
    """old → new: the change of the file. line: how the line of the mistake begins."""

    file: str
    old: str
    new: str
    line: str
    problem: str
    remedy: str


MISFITS: dict[str, Misfit] = {
    "a misspelt object": Misfit(
        "tools/orderStatus.toml", '"Customer_Order__c"', '"Custmer_Order__c"', "object =",
        "salesforce/ has no object Custmer_Order__c", "write Customer_Order__c",
    ),
    "an object that the source lacks": Misfit(
        "tools/orderStatus.toml", '"Customer_Order__c"', '"Warranty__c"', "object =",
        "salesforce/ has no object Warranty__c", "sf project retrieve start",
    ),
    "a misspelt field that is written": Misfit(
        "tools/requestReturn.toml", "Details__c =", "Detials__c =", "Detials__c =",
        "Return_Request__c has no field Detials__c in salesforce/", "write Details__c",
    ),
    "a field without its ending": Misfit(
        "tools/requestReturn.toml", "Details__c =", "Details =", "Details =",
        "Return_Request__c has no field Details", "write Details__c",
    ),
    "a misspelt field that is read": Misfit(
        "tools/orderStatus.toml", '"Tracking_Number__c"', '"Tracking_Nr__c"', "tracking =",
        "Customer_Order__c has no field Tracking_Nr__c", "write Tracking_Number__c",
    ),
    "a misspelt field to sort by": Misfit(
        "tools/orderStatus.toml", '"Placed_On__c DESC"', '"Placed__c DESC"', "order =",
        "Customer_Order__c has no field Placed__c", "write Placed_On__c",
    ),
    "a misspelt field of a change": Misfit(
        "tools/changeReturn.toml", "Details__c =", "Detail__c =", "Detail__c =",
        "Return_Request__c has no field Detail__c", "write Details__c",
    ),
    "a custom field of a standard object": Misfit(
        "tools/orderStatus.toml", '"Tracking_Number__c"', '"Contact__r.Level__c"', "tracking =",
        "Contact has no field Level__c in salesforce/", "add its field-meta.xml",
    ),
    "a stored value that the source does not list": Misfit(
        "tools/requestReturn.toml", 'damaged = "Damaged"', 'damaged = "Broken"', "Reason__c =",
        'Return_Request__c.Reason__c has no value "Broken" of reason', "Damaged, Wrong item",
    ),
    "a constant that the source does not list": Misfit(
        "tools/cancelReturn.toml", '"Cancelled"', '"Canceled"', "Status__c =",
        'Return_Request__c.Status__c has no value "Canceled"', "Cancelled",
    ),
    "a condition that no record can meet": Misfit(
        "tools/orderStatus.toml", 'Name = "{orderNumber}"',
        'Name = "{orderNumber}"\nStatus__c = "Sent"', "Status__c =",
        'Customer_Order__c.Status__c has no value "Sent"', "Shipped",
    ),
    "no field for the key": Misfit(
        "tools/requestReturn.toml", 'key = "Call_Key__c"', 'key = "Voice_Key__c"', "key =",
        "Return_Request__c has no field Voice_Key__c", "python -m cli agent source",
    ),
    "a key that is not unique": Misfit(
        "tools/requestReturn.toml",
        'key = "Call_Key__c"\nreference = "Voice_Reference__c"', 'key = "Voice_Reference__c"',
        "key =", "Voice_Reference__c is not unique", "python -m cli agent source",
    ),
    "no field for the reference": Misfit(
        "tools/requestReturn.toml", '"Voice_Reference__c"', '"Voice_Ref__c"', "reference =",
        "Return_Request__c has no field Voice_Ref__c", "python -m cli agent source",
    ),
    "a lookup of another object": Misfit(
        "tools/requestReturn.toml", 'contact = "Contact__c"', 'contact = "Customer_Order__c"',
        "contact =", "leads to Customer_Order__c and not to Contact", "a lookup field for Contact",
    ),
    "a path that leads nowhere": Misfit(
        "tools/changeReturn.toml", 'contact = "Contact__c"', 'contact = "Order__r.Contact__c"',
        "contact =", "Return_Request__c has no relationship Order__r", "such as Contact__r",
    ),
    "a link to an object that the source lacks": Misfit(
        "tools/requestReturn.toml", 'object = "Customer_Order__c"', 'object = "Order__c"',
        "object =", "salesforce/ has no object Order__c", "correct its API name",
    ),
    "an argument of another type": Misfit(
        "tools/requestReturn.toml", 'type = "date"', 'type = "datetime"', "Preferred_Day__c =",
        "is a date, and preferredDay is of type datetime", 'type = "date"',
    ),
    "a text that is too long": Misfit(
        "tools/requestReturn.toml", "max_length = 4000", "max_length = 40000", "Details__c =",
        "holds 32000 characters", "max_length = 32000",
    ),
    "a field that nobody can write": Misfit(
        "tools/requestReturn.toml", "Details__c =", "Name =", "Name =",
        "Return_Request__c.Name can't be written", "leave it out",
    ),
    "a queue that the source lacks": Misfit(
        "salesforce.toml", "", '[case]\nowner = "queue:Support"\n', "owner =",
        "case.owner: the org has no queue Support", "correct the name",
    ),
    "a mapped field that the source lacks": Misfit(
        "salesforce.toml", "", '[outcome]\n"Task.Mood__c" = "structured.Mood"\n', '"Task.Mood__c"',
        "Task.Mood__c is missing", "create what is missing",
    ),
    "a phone field that the source lacks": Misfit(
        "identify.toml", "", 'phone_fields = ["MobilePhone", "Work_Phone__c"]\n', "phone_fields =",
        "Contact has no field Work_Phone__c in salesforce/", "add its field-meta.xml",
    ),
    "a field of the VIPs that the source lacks": Misfit(
        "transfer.toml", "",
        'owner = true\n[vip]\nfield = "Contact.Level__c"\nvalues = ["A"]\n'
        'number = "+14155550180"\n',
        "field =", "Contact has no field Level__c in salesforce/", "add its field-meta.xml",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_a_misfit_is_named_with_file_line_and_remedy(
    name: str, orders: Path, source: SourceObjects
) -> None:
    misfit = MISFITS[name]
    path = orders / misfit.file
    path.touch()
    change(path, misfit.old, misfit.new)
    (mistake,) = misfits_with(load_agent(str(orders)), source)
    assert mistake.file == misfit.file
    assert path.read_text().splitlines()[mistake.line - 1].startswith(misfit.line)
    assert misfit.problem in mistake.problem
    assert misfit.remedy in mistake.remedy


STANDARD = {
    "a standard field that the local org lacks": ('"Tracking_Number__c"', '"Contact__r.Birthdate"'),
    "a standard relationship": ('"Tracking_Number__c"', '"Contact__r.ReportsTo.Jigsaw"'),
    "a standard field of a custom object": ('"Tracking_Number__c"', '"CurrencyIsoCode"'),
    "a field of a package": ('"Tracking_Number__c"', '"Contact__r.dlrs__Sum__c"'),
    "a standard object": ('"Customer_Order__c"', '"WorkOrder"'),
    "an object of a package": ('"Customer_Order__c"', '"fscp__Order__c"'),
}


@pytest.mark.parametrize("name", STANDARD)
def test_what_no_source_describes_is_not_a_mistake(
    name: str, orders: Path, source: SourceObjects
) -> None:
    old, new = STANDARD[name]
    if "Customer_Order__c" in old:
        for path, part in (("contact", "ContactId"), ("order", "StartDate DESC")):
            text = (orders / "tools/orderStatus.toml").read_text()
            line = next(line for line in text.splitlines() if line.startswith(f"{path} ="))
            change(orders / "tools/orderStatus.toml", line, f'{path} = "{part}"')
        for field in ("Status__c", "Placed_On__c", "Tracking_Number__c"):
            change(orders / "tools/orderStatus.toml", f'"{field}"', '"Description"')
    change(orders / "tools/orderStatus.toml", old, new)
    found = misfits_with(load_agent(str(orders)), source)
    assert found == []


def test_a_field_that_the_local_org_leaves_out_is_not_a_mistake(orders: Path) -> None:
    fields = orders / "salesforce/force-app/main/default/objects/Customer_Order__c/fields"
    (fields / "Card__c.field-meta.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Card__c</fullName>'
        "<label>Card</label><length>20</length><type>EncryptedText</type></CustomField>\n"
    )
    change(orders / "tools/orderStatus.toml", '"Tracking_Number__c"', '"Card__c"')
    assert run(orders) == (0, [])


# -- the command -----------------------------------------------------------------------------------


def run(folder: Path) -> tuple[int, list[str]]:
    """The exit code, and the lines about mistakes without the folder."""
    done = CliRunner().invoke(cli, ["agent", "check", str(folder)])
    lines = done.output.splitlines()
    return done.exit_code, [line.replace(f"{folder}/", "", 1) for line in lines if done.exit_code]


def test_the_example_fits_its_source() -> None:
    done = CliRunner().invoke(cli, ["agent", "check", str(EXAMPLE)])
    assert done.exit_code == 0
    assert f"OK: {EXAMPLE} has 6 tools, which fit {EXAMPLE}/salesforce" in done.output


def test_every_misfit_of_files_source_and_calls_is_said_at_once(orders: Path) -> None:
    change(orders / "tools/orderStatus.toml", '"Placed_On__c DESC"', '"Placed__c DESC"')
    change(orders / "calls/2-return.toml", 'write = "requestReturn"', 'write = "requestReturns"')
    code, said = run(orders)
    assert code == 1
    assert said == [
        "calls/2-return.toml:12: the folder has no tool requestReturns; write requestReturn",
        "tools/orderStatus.toml:8: Customer_Order__c has no field Placed__c in salesforce/; "
        "write Placed_On__c",
    ]
    with pytest.raises(SystemExit, match="no tool requestReturns"):
        check(orders, sorted((orders / "calls").glob("*.toml")))


def test_a_value_must_be_listed_also_where_the_picklist_accepts_others(orders: Path) -> None:
    fields = orders / "salesforce/force-app/main/default/objects/Return_Request__c/fields"
    for field in ("Status__c", "Reason__c"):
        change(fields / f"{field}.field-meta.xml", "<restricted>true", "<restricted>false")
    change(orders / "tools/cancelReturn.toml", '"Cancelled"', '"Canceled"')
    free = 'choices = { damaged = "Damaged", "wrong item" = "Wrong item", '
    text = (orders / "tools/requestReturn.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith(free))
    choice = f'type = "choice"\nrequired = true\n{line}'
    change(orders / "tools/requestReturn.toml", choice, "required = true\nmax_length = 40")
    code, (said,) = run(orders)
    assert code == 1
    assert said.startswith("tools/cancelReturn.toml:23: Return_Request__c.Status__c has no value ")


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        (
            "orderNumber",
            "orderNumbr",
            13,
            "requestReturn has no argument orderNumbr; write orderNumber",
        ),
        ("reason =", "note =", 13, "requestReturn has no argument note; use one of orderNumber, "),
        ('write = "', "write = ", 12, "is not TOML: invalid value; "),
    ],
)
def test_a_wrong_call_is_named(old: str, new: str, line: int, problem: str, orders: Path) -> None:
    change(orders / "calls/2-return.toml", old, new)
    code, (said,) = run(orders)
    assert code == 1
    assert said.startswith(f"calls/2-return.toml:{line}: {problem}")


def test_arguments_that_the_service_adds_may_be_given(orders: Path) -> None:
    change(orders / "calls/2-return.toml", "reason =", 'replaces = "K7M 2QX", reason =')
    assert run(orders) == (0, [])


def test_a_mistake_in_the_source_is_named_with_its_file(orders: Path) -> None:
    objects = orders / "salesforce/force-app/main/default/objects"
    change(objects / "Customer_Order__c/fields/Total__c.field-meta.xml", "Currency", "Money")
    code, said = run(orders)
    assert (code, len(said)) == (1, 1)
    assert "Total__c.field-meta.xml: <type> Money is not a type of custom fields" in said[0]


def test_a_mistake_in_the_records_is_named_with_its_file(orders: Path) -> None:
    data = orders / "salesforce/data/Customer_Order__c.json"
    content = json.loads(data.read_text())
    content["records"][0]["Staus__c"] = "Shipped"
    data.write_text(json.dumps(content))
    code, said = run(orders)
    assert (code, len(said)) == (1, 1)
    assert "data/Customer_Order__c.json: record " in said[0]
    assert "Staus__c" in said[0]


def test_without_the_local_org_the_command_says_that_it_did_not_compare(
    orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.org.source.PROJECT", orders)  # as in a container
    change(orders / "tools/orderStatus.toml", '"Placed_On__c DESC"', '"Placed__c DESC"')
    done = CliRunner().invoke(cli, ["agent", "check", str(orders)])
    assert done.exit_code == 0
    assert "6 tools; " in done.output
    assert "salesforce was not compared: the local org is not installed here" in done.output
