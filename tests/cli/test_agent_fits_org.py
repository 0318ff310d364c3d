"""The doctor compares the tools of an agent folder with the org, and names each misfit once.

Each row changes a file that fits, or the org, and says which misfits are found: the line of the
file, what does not fit, and what would.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.checks.context import CheckContext
from cli.org.tool_fit import misfits
from demo.stack import ROOT, Org
from shared.agent.errors import Mistake
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.settings import load_settings

LEAVE_NOTE = """\
verb = "create"
object = "Task"
description = "Leave a note for the team."
contact = "WhoId"
reference = "CallDisposition"
optional = ["CallObject"]

[arguments.note]
required = true
max_length = 200

[arguments.due]
type = "date"

[arguments.seconds]
type = "integer"

[arguments.direction]
type = "choice"
choices = { in = "Inbound", out = "Outbound" }

[arguments.remind]
type = "boolean"

[fields]
Subject = { value = "Note: {note}", max_length = 255 }
Description = "{note}[ ({direction})]"
ActivityDate = "{due}"
CallDurationInSeconds = "{seconds}"
CallType = "{direction}"
IsReminderSet = "{remind}"
CallObject = "{caller.number}"
Status = "Not Started"
"""

LINK = """\
[links.WhatId]
object = "Case"
contact = "ContactId"
field = "CaseNumber"
spoken = "{note}"

"""

OPEN_TASKS = """\
verb = "read"
object = "Task"
description = "Tell what the team still has to do for the caller."
contact = "WhoId"
order = "ActivityDate DESC"

[arguments.direction]
type = "choice"
choices = { in = "Inbound", out = "Outbound" }

[fields]
subject = "Subject"
account = "Account.Name"
owner = "Owner.Name"

[where]
CallType = "{direction}"
IsClosed = false
"""

CHANGE_TASK = """\
verb = "update"
object = "Task"
description = "Change what the team has to do for the caller."
contact = "WhoId"

[arguments.subject]
type = "identifier"

[arguments.due]
type = "date"

[arguments.direction]
type = "choice"
choices = { in = "Inbound", out = "Outbound" }

[record]
field = "Subject"
spoken = "{subject}"

[fields]
ActivityDate = "{due}"
CallType = "{direction}"
"""

END_TASK = """\
verb = "close"
object = "Task"
description = "Take back what the team has to do for the caller."
account = "AccountId"

[arguments.reference]
type = "reference"

[fields]
Status = "Completed"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, copy)
    (copy / "tools" / "leaveNote.toml").write_text(LEAVE_NOTE)
    (copy / "tools" / "openTasks.toml").write_text(OPEN_TASKS)
    (copy / "tools" / "changeTask.toml").write_text(CHANGE_TASK)
    (copy / "tools" / "endTask.toml").write_text(END_TASK)
    return copy


@pytest.fixture
def broken_org(org: Org) -> Iterator[Org]:
    yield org
    org.fault()


def found_in(folder: Path) -> list[Mistake]:
    load_settings.cache_clear()
    load_agent.cache_clear()
    check_context = CheckContext(load_settings())
    return misfits(load_agent(str(folder)), check_context.org, has_key_fields=True)


@dataclass(frozen=True)
class Misfit:
    """changes: old → new in the file. fault: of the org.

    line: the text of the line that is named. also: the other tools with a misfit.
    """

    line: str
    problem: str
    remedy: str
    changes: dict[str, str] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)
    file: str = "leaveNote"
    also: tuple[str, ...] = ()


MISFITS: dict[str, Misfit] = {
    # -- objects
    "an object that the org lacks": Misfit(
        'object = "Taks"', "the org has no object Taks", "correct its API name",
        {'object = "Task"': 'object = "Taks"'},
    ),
    "an object that a read misses": Misfit(
        'object = "Order__c"', "the org has no object Order__c", "or deploy it",
        {'object = "Task"': 'object = "Order__c"'}, file="openTasks",
    ),
    "an object that can't be created": Misfit(
        'object = "Task"', "the user can't create Task", "let the service's user create Task",
        fault={"deny": ["Task.create"]}, also=("requestCallback",),
    ),
    "an object that nobody can create": Misfit(
        'object = "User"', "the user can't create User", "create User",
        {'object = "Task"': 'object = "User"'},
    ),
    "a contact that can't be changed": Misfit(
        'object = "Contact"', "the user can't change Contact", "edit Contact",
        fault={"deny": ["Contact.update"]}, file="updateContact",
    ),
    "comments that can't be created": Misfit(
        'verb = "comment"', "the user lacks rights to CaseComment: not creatable",
        "Voice_Integration", fault={"deny": ["CaseComment.create"]}, file="addCaseComment",
    ),
    "cases that can't be closed": Misfit(
        'verb = "close"', "the user lacks rights to Case: not changeable",
        "Voice_Integration", fault={"deny": ["Case.update"]}, file="cancelCase",
    ),
    "call-backs without a date": Misfit(
        'verb = "call_back"', "ActivityDate is missing or hidden", "Voice_Integration",
        {'ActivityDate = "{due}"\n': "", "[arguments.due]\ntype = \"date\"\n": "",
         'order = "ActivityDate DESC"': ""},
        fault={"hide_fields": ["Task.ActivityDate"]}, file="requestCallback",
        also=("leaveNote", "openTasks", "changeTask"),
    ),
    "callers who can't be found": Misfit(
        'verb = "identify"', "AccountId is missing or hidden", "Voice_Integration",
        fault={"hide_fields": ["Contact.AccountId"]}, file="lookupCustomer",
    ),
    # -- fields
    "a field that the org lacks": Misfit(
        'Urgency__c = "{seconds}"', "Task has no field Urgency__c", "correct its API name",
        {"CallDurationInSeconds =": "Urgency__c ="},
    ),
    "a misspelt field": Misfit(
        'ActivityDat = "{due}"', "Task has no field ActivityDat", "write ActivityDate",
        {"ActivityDate =": "ActivityDat ="},
    ),
    "a field that the user can't see": Misfit(
        'CallType = "{direction}"', "or the user can't see it", "grant it in the permission set",
        fault={"hide_fields": ["Task.CallType"]}, also=("openTasks", "changeTask"),
    ),
    "a field that Salesforce fills": Misfit(
        'CreatedDate = "{due}"', "Task.CreatedDate is read-only", "leave it out",
        {"ActivityDate =": "CreatedDate ="},
    ),
    "a contact's field that is hidden": Misfit(
        'MobilePhone = "{mobilePhone}"', "Contact has no field MobilePhone", "grant it",
        fault={"hide_fields": ["Contact.MobilePhone"]}, file="updateContact",
    ),
    "a contact's field that is read-only": Misfit(
        'Name = "{email}"', "Contact.Name is read-only", "let the service's user edit it",
        {"Email = ": "Name = "}, file="updateContact",
    ),
    "a field that a read misses": Misfit(
        'subject = "Subjekt"', "Task has no field Subjekt", "write Subject",
        {'"Subject"': '"Subjekt"'}, file="openTasks",
    ),
    "a field at the end of a path": Misfit(
        'account = "Account.Nam"', "Account has no field Nam", "write Name",
        {'"Account.Name"': '"Account.Nam"'}, file="openTasks",
    ),
    "a relationship that does not exist": Misfit(
        'account = "Carrier__r.Name"', "Task has no relationship Carrier__r", "Contact__r",
        {'"Account.Name"': '"Carrier__r.Name"'}, file="openTasks",
    ),
    "a field that the targets of a relationship do not share": Misfit(
        'owner = "Owner.DeveloperName"', "do not share DeveloperName", "write Name",
        {'"Owner.Name"': '"Owner.DeveloperName"'}, file="openTasks",
    ),
    "a condition on a field that does not exist": Misfit(
        "IsOpen = true", "Task has no field IsOpen", "correct its API name",
        {"IsClosed = false": "IsOpen = true"}, file="openTasks",
    ),
    "a condition on a long text": Misfit(
        'Description = "{direction}"', "can't search Task by Description", "another field",
        {"CallType =": "Description ="}, file="openTasks",
    ),
    "an order by a field that does not exist": Misfit(
        'order = "Due DESC"', "Task has no field Due", "correct its API name",
        {"ActivityDate DESC": "Due DESC"}, file="openTasks",
    ),
    "an order by a long text": Misfit(
        'order = "Description"', "can't sort Task by Description", "choose another",
        {"ActivityDate DESC": "Description"}, file="openTasks",
    ),
    # -- types
    "a text for a date": Misfit(
        'ActivityDate = "{due}"', "is a date, and due is of type text", 'type = "date"',
        {'[arguments.due]\ntype = "date"': "[arguments.due]"},
    ),
    "a fraction for a whole number": Misfit(
        'CallDurationInSeconds = "{seconds}"', "is a whole number, and seconds is of type number",
        'type = "integer"', {'type = "integer"': 'type = "number"'},
    ),
    "a text for a checkbox": Misfit(
        'IsReminderSet = "{remind}"', "is a checkbox, and remind is of type text",
        'type = "boolean"', {'type = "boolean"': 'type = "text"'},
    ),
    "words for a checkbox": Misfit(
        'IsClosed = "no"', 'is a checkbox, and its value is "no"', "true or false",
        {"IsClosed = false": 'IsClosed = "no"'}, file="openTasks",
    ),
    "a text around a date": Misfit(
        'ActivityDate = "on {due}"', "is a date, and its value is a text", '"{due}" alone',
        {'"{due}"': '"on {due}"'},
    ),
    "a constant that is no date": Misfit(
        'ActivityDate = "tomorrow"', 'is a date, and its value is "tomorrow"', '"2026-12-31"',
        {'"{due}"': '"tomorrow"', "[arguments.due]\ntype = \"date\"\n": ""},
    ),
    "a number for a text": Misfit(
        "Status = 3", "is a picklist, and its value is 3", "a text in quotes",
        {'"Not Started"': "3"},
    ),
    "stored values that are no numbers": Misfit(
        'CallDurationInSeconds = "{direction}"',
        'is a whole number, and direction can be "Inbound"', "a number without quotes",
        {'CallDurationInSeconds = "{seconds}"': 'CallDurationInSeconds = "{direction}"',
         '[arguments.seconds]\ntype = "integer"\n': ""},
    ),
    "a text for an email address": Misfit(
        'Email = "{email}"', "is an email address, and email is of type text", 'type = "email"',
        {'type = "email"': 'type = "text"'}, file="updateContact",
    ),
    "what a caller says for a lookup": Misfit(
        'OwnerId = "{note}"', "is a lookup, and a caller's words can't be a record id",
        "leave it out",
        {"Status = \"Not Started\"": 'OwnerId = "{note}"'},
    ),
    "a name for a lookup": Misfit(
        'OwnerId = "Support"', 'is a lookup, and its value is "Support"', "record id",
        {"Status = \"Not Started\"": 'OwnerId = "Support"'},
    ),
    # -- lengths
    "a text that is longer than its field": Misfit(
        'Subject = "Note: {note}"', "holds 255 characters, and its value can have 32006",
        "max_length = 255 in [arguments.note]",
        {"max_length = 200\n": "",
         '{ value = "Note: {note}", max_length = 255 }': '"Note: {note}"',
         'Description = "{note}[ ({direction})]"\n': ""},
    ),
    "a cut that is longer than the field": Misfit(
        'Subject = { value = "Note: {note}", max_length = 300 }',
        "holds 255 characters, and max_length is 300", "max_length = 255",
        {"max_length = 255": "max_length = 300"},
    ),
    "an argument that is longer than a contact's field": Misfit(
        'MailingCity = "{mailingCity}"', "holds 40 characters, and its value can have 60",
        "max_length = 40 in [arguments.mailingCity]",
        {"[arguments.mailingCity]\nmax_length = 40": "[arguments.mailingCity]\nmax_length = 60"},
        file="updateContact",
    ),
    "a long text that is longer than its field": Misfit(
        "Description = ", "holds 32000 characters, and its value can have 32011",
        "max_length = 32000", {"max_length = 200\n": ""},
    ),
    # -- values of picklists
    "a stored value that a picklist lacks": Misfit(
        'CallType = "{direction}"', 'has no value "Outgoing" of direction',
        "Internal, Inbound, Outbound", {'out = "Outbound"': 'out = "Outgoing"'},
    ),
    "a stored value that a condition lacks": Misfit(
        'CallType = "{direction}"', 'has no value "Outgoing" of direction', "Outbound",
        {'out = "Outbound"': 'out = "Outgoing"'}, file="openTasks",
    ),
    "a constant that a picklist lacks": Misfit(
        'TaskSubtype = "Phone"', 'Task.TaskSubtype has no value "Phone"', "Task, Email",
        {'Status = "Not Started"': 'TaskSubtype = "Phone"'},
    ),
    "any text for a restricted picklist": Misfit(
        'CallType = "{note}"', "is a restricted picklist, and note is of type text",
        "make note a choice among Internal", {'CallType = "{direction}"': 'CallType = "{note}"'},
    ),
    "a text around a value of a picklist": Misfit(
        'CallType = "{direction} call"', "its value is any text", "a choice alone",
        {'CallType = "{direction}"': 'CallType = "{direction} call"'},
    ),
    # -- lookups
    "a lookup that leads elsewhere": Misfit(
        'contact = "WhatId"', "Task.WhatId leads to Account, Case and not to Contact",
        "a lookup field for Contact", {'contact = "WhoId"': 'contact = "WhatId"'},
    ),
    "a lookup that is none": Misfit(
        'contact = "Subject"', "Task.Subject is not a lookup field", "a lookup field for Contact",
        {'contact = "WhoId"': 'contact = "Subject"'}, file="openTasks",
    ),
    "a lookup that does not exist": Misfit(
        'account = "Account__c"', "Task has no field Account__c", "correct its API name",
        {'contact = "WhoId"': 'contact = "WhoId"\naccount = "Account__c"'},
    ),
    "a lookup that can't be filled": Misfit(
        'account = "AccountId"', "Task.AccountId is read-only", "leave it out",
        {'contact = "WhoId"': 'contact = "WhoId"\naccount = "AccountId"'},
    ),
    # -- links to other records of the caller's
    "a link to an object that the org lacks": Misfit(
        'object = "Order__c"', "the org has no object Order__c", "correct its API name",
        {"[fields]": LINK.replace('"Case"', '"Order__c"') + "[fields]"},
    ),
    "a link by a field that leads elsewhere": Misfit(
        "[links.WhatId]", "Task.WhatId leads to Account, Case and not to Contact",
        "a lookup field for Contact",
        {"[fields]": LINK.replace('"Case"', '"Contact"').replace("ContactId", "ReportsToId")
         .replace("CaseNumber", "Name") + "[fields]"},
    ),
    "a link by a field that does not exist": Misfit(
        "[links.Order__c]", "Task has no field Order__c", "correct its API name",
        {"[fields]": LINK.replace("WhatId", "Order__c") + "[fields]"},
    ),
    "a link to records that do not lead to the caller": Misfit(
        'contact = "AccountId"', "Case.AccountId leads to Account and not to Contact",
        "a lookup field for Contact",
        {"[fields]": LINK.replace("ContactId", "AccountId") + "[fields]"},
    ),
    "a link by a name that does not exist": Misfit(
        'field = "Number"', "Case has no field Number", "correct its API name",
        {"[fields]": LINK.replace("CaseNumber", "Number") + "[fields]"},
    ),
    "a link by a long text": Misfit(
        'field = "Description"', "can't search Case by Description", "another field",
        {"[fields]": LINK.replace("CaseNumber", "Description") + "[fields]"},
    ),
    # -- changes of records
    "an object that a change misses": Misfit(
        'object = "Order__c"', "the org has no object Order__c", "or deploy it",
        {'object = "Task"': 'object = "Order__c"'}, file="changeTask",
    ),
    "an object that can't be changed": Misfit(
        'object = "Task"', "the user can't change Task", "edit Task",
        fault={"deny": ["Task.update"]}, file="changeTask", also=("endTask",),
    ),
    "a changed field that is read-only": Misfit(
        'CreatedDate = "{due}"', "Task.CreatedDate is read-only", "let the service's user edit it",
        {"ActivityDate =": "CreatedDate ="}, file="changeTask",
    ),
    "a changed field that the org lacks": Misfit(
        'Due__c = "{due}"', "Task has no field Due__c", "correct its API name",
        {"ActivityDate =": "Due__c ="}, file="changeTask",
    ),
    "a text for a changed date": Misfit(
        'ActivityDate = "{due}"', "is a date, and due is of type text", 'type = "date"',
        {'[arguments.due]\ntype = "date"': "[arguments.due]"}, file="changeTask",
    ),
    "a stored value that a changed picklist lacks": Misfit(
        'CallType = "{direction}"', 'has no value "Outgoing" of direction', "Outbound",
        {'out = "Outbound"': 'out = "Outgoing"'}, file="changeTask",
    ),
    "a value of a closed record that the picklist lacks": Misfit(
        'CallType = "Closed"', 'Task.CallType has no value "Closed"', "Internal, Inbound",
        {'Status = "Completed"': 'CallType = "Closed"'}, file="endTask",
    ),
    "a number for the status of a closed record": Misfit(
        "Status = 3", "is a picklist, and its value is 3", "a text in quotes",
        {'"Completed"': "3"}, file="endTask",
    ),
    "a changed record whose lookup leads elsewhere": Misfit(
        'contact = "WhatId"', "Task.WhatId leads to Account, Case and not to Contact",
        "a lookup field for Contact", {'contact = "WhoId"': 'contact = "WhatId"'},
        file="changeTask",
    ),
    "a closed record with a path that does not exist": Misfit(
        'account = "Order__r.AccountId"', "Task has no relationship Order__r", "Contact__r",
        {'"AccountId"': '"Order__r.AccountId"'}, file="endTask",
    ),
    "a record's name that does not exist": Misfit(
        'field = "Name"', "Task has no field Name", "correct its API name",
        {'field = "Subject"': 'field = "Name"'}, file="changeTask",
    ),
    "a record's name that can't be searched": Misfit(
        'field = "Description"', "can't search Task by Description", "another field",
        {'field = "Subject"': 'field = "Description"'}, file="changeTask",
    ),
    "a record's name that is a date": Misfit(
        'field = "ActivityDate"', "Task.ActivityDate is a date, and no name", "a text field",
        {'field = "Subject"': 'field = "ActivityDate"'}, file="changeTask",
    ),
    # -- the service's own fields
    "a key that is hidden": Misfit(
        'verb = "create"', "Task has no field Call_Key__c", "python -m cli agent source",
        fault={"hide_fields": ["Task.Call_Key__c"]},
    ),
    "a key that is not unique": Misfit(
        'verb = "create"', "Task.Call_Key__c is not unique", "python -m cli agent source",
        fault={"unique": {"Task.Call_Key__c": False}},
    ),
    "a key that is not an External Id": Misfit(
        'key = "CallObject"', "Task.CallObject is not an External Id", "python -m cli agent source",
        {'contact = "WhoId"': 'contact = "WhoId"\nkey = "CallObject"',
         'CallObject = "{caller.number}"\n': "", 'optional = ["CallObject"]\n': ""},
    ),
    "a key that is no text": Misfit(
        'key = "ActivityDate"', "Task.ActivityDate is not a text field",
        "agent source",
        {'contact = "WhoId"': 'contact = "WhoId"\nkey = "ActivityDate"',
         'ActivityDate = "{due}"\n': "", "[arguments.due]\ntype = \"date\"\n": ""},
    ),
    "a reference that is no text": Misfit(
        'reference = "ReminderDateTime"', "Task.ReminderDateTime is not a text field",
        "agent source",
        {'"CallDisposition"': '"ReminderDateTime"'},
    ),
    "a reference that does not exist": Misfit(
        'reference = "Voice_Reference__c"', "Task has no field Voice_Reference__c", "agent source",
        {'"CallDisposition"': '"Voice_Reference__c"'},
    ),
    # -- required fields
    "a required field that is not filled": Misfit(
        "[fields]", "Contact.LastName is required, and this tool does not fill it", "LastName =",
        {LEAVE_NOTE: LEAVE_NOTE[: LEAVE_NOTE.index("[arguments.due]")]
         .replace('"Task"', '"Contact"').replace('"WhoId"', '"ReportsToId"\nkey = ""')
         .replace('reference = "CallDisposition"\noptional = ["CallObject"]\n', "")
         + '[fields]\nDescription = "{note}"\n'},
    ),
    "a required field that may be missing": Misfit(
        'LastName = "{note}"', "Contact.LastName is required, and note may be missing",
        "required = true in [arguments.note]",
        {LEAVE_NOTE: LEAVE_NOTE[: LEAVE_NOTE.index("[arguments.due]")]
         .replace('"Task"', '"Contact"').replace('"WhoId"', '"ReportsToId"\nkey = ""')
         .replace('reference = "CallDisposition"\noptional = ["CallObject"]\n', "")
         .replace("required = true\nmax_length = 200", "max_length = 80")
         + '[fields]\nLastName = "{note}"\n'},
    ),
}  # fmt: skip


def test_the_default_folder_fits_an_org_with_the_package(folder: Path, broken_org: Org) -> None:
    before = broken_org.stats()["requests"]
    assert found_in(folder) == []
    assert broken_org.stats()["requests"] - before <= 4  # a token, and two rounds of describes


@pytest.mark.parametrize("name", MISFITS)
def test_a_misfit_is_named_with_file_line_and_remedy(
    name: str, folder: Path, broken_org: Org
) -> None:
    misfit = MISFITS[name]
    path = folder / "tools" / f"{misfit.file}.toml"
    text = path.read_text()
    for old, new in misfit.changes.items():
        if old in text:
            text = text.replace(old, new, 1)
    path.write_text(text)
    broken_org.fault(**misfit.fault)
    found = found_in(folder)
    assert {mistake.file for mistake in found} == {
        f"tools/{tool}.toml" for tool in (misfit.file, *misfit.also)
    }
    (mistake,) = (mistake for mistake in found if mistake.file == f"tools/{misfit.file}.toml")
    assert text.splitlines()[mistake.line - 1].startswith(misfit.line)
    assert misfit.problem in mistake.problem
    assert misfit.remedy in mistake.remedy


def test_optional_fields_may_be_missing(folder: Path, broken_org: Org) -> None:
    broken_org.fault(hide_fields=["Task.CallObject", "Case.Type", "Case.SuppliedPhone"])
    found = found_in(folder)
    assert [mistake.file for mistake in found] == ["tools/retrieveCustomerCase.toml"]


def test_an_org_without_the_package_needs_none_of_its_fields(folder: Path, broken_org: Org) -> None:
    broken_org.fault(
        hide_fields=["Task.Call_Key__c", "Case.Call_Key__c", "Case.Voice_Reference__c"]
    )
    load_settings.cache_clear()
    load_agent.cache_clear()
    context = CheckContext(load_settings())
    assert misfits(load_agent(str(folder)), context.org, has_key_fields=False) == []


# -- objects of one's own --------------------------------------------------------------------------

EXAMPLE = ROOT / "examples" / "orders"


@pytest.fixture(scope="module")
def orders_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    server = Org(tmp_path_factory.mktemp("orders"), source=EXAMPLE / "salesforce")
    server.start()
    yield server
    server.process.stop()


@pytest.fixture
def orders(orders_org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, with its org set up."""
    monkeypatch.setenv("SALESFORCE_INSTANCE_URL", orders_org.url)
    return Path(shutil.copytree(EXAMPLE, tmp_path / "orders"))


def test_the_example_fits_the_org_of_its_source(orders: Path) -> None:
    assert found_in(orders) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "requestReturn", 'damaged = "Damaged"', 'damaged = "Broken"',
            'Return_Request__c.Reason__c has no value "Broken" of reason',
        ),
        (
            "requestReturn", 'contact = "Contact__c"', 'contact = "Customer_Order__c"',
            "Return_Request__c.Customer_Order__c leads to Customer_Order__c and not to Contact",
        ),
        (
            "requestReturn", 'type = "date"', 'type = "datetime"',
            "Return_Request__c.Preferred_Day__c is a date, and preferredDay is of type datetime",
        ),
        (
            "orderStatus", '"Tracking_Number__c"', '"Tracking__c"',
            "Customer_Order__c has no field Tracking__c",
        ),
        (
            "orderStatus", '"Tracking_Number__c"', '"Contact__r.Nickname__c"',
            "Contact has no field Nickname__c",
        ),
    ],
)  # fmt: skip
def test_a_misfit_with_an_object_of_ones_own_is_named(
    file: str, old: str, new: str, problem: str, orders: Path
) -> None:
    path = orders / "tools" / f"{file}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    (mistake,) = found_in(orders)
    assert mistake.file == f"tools/{file}.toml"
    assert problem in mistake.problem


VIP = """\
owner = true
[vip]
field = "{field}"
values = [{value}]
number = "+14155550180"
"""


@pytest.mark.parametrize(
    ("field", "value", "line", "problem"),
    [
        ("Account.Rating", '"Hot"', 0, ""),
        ("Account.Ratings", '"Hot"', 3, "Account has no field Ratings"),
        ("Contact.DoNotCall", "true", 0, ""),
        ("Contact.DoNotCall", '"yes"', 4, "Contact.DoNotCall is a checkbox"),
    ],
)
def test_the_field_of_the_vips_is_compared_as_well(
    folder: Path, field: str, value: str, line: int, problem: str
) -> None:
    rules = VIP.replace("{field}", field).replace("{value}", value)
    (folder / "transfer.toml").write_text(rules)
    found = found_in(folder)
    assert [(mistake.file, mistake.line) for mistake in found] == (
        [("transfer.toml", line)] if problem else []
    )
    assert all(problem in mistake.problem for mistake in found)
