"""`identify.toml`: what it says, and every mistake of it with its line and what would be right."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.stack import ROOT
from shared.agent.agents import agents_of
from shared.agent.errors import AgentError
from shared.agent.folder import load_agent
from shared.agent.identify import Identify, read_identify
from shared.agent.languages import AGENT_FOLDER
from shared.salesforce.caller_rules import DEFAULT
from shared.settings import Settings

RIGHT = """\
phone_fields = ["MobilePhone", "Work_Phone__c"]
first_field_decides = true

[account]
phone_fields = ["Phone", "Service_Line__c"]
contact = "Primary_Contact__c"

[household]
acting_field = "Guardian__c"
roles = ["Parent", "Legal Guardian"]
flag = "May_Act__c"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, copy)
    (copy / "identify.toml").write_text(RIGHT)
    return copy


def mistakes(folder: Path) -> list[str]:
    load_agent.cache_clear()
    with pytest.raises(AgentError) as refused:
        load_agent(str(folder))
    return [str(mistake) for mistake in refused.value.mistakes]


def test_a_folder_without_the_file_knows_callers_as_before(tmp_path: Path) -> None:
    assert read_identify(tmp_path).rules == DEFAULT


def test_the_file_of_the_default_folder_names_the_defaults() -> None:
    assert read_identify(ROOT / "agent") == Identify()


def test_the_file_says_what_counts(folder: Path) -> None:
    rules = load_agent(str(folder)).identify.rules
    assert rules.phone_fields == ("MobilePhone", "Work_Phone__c")
    assert rules.first_field_decides
    assert (rules.account_fields, rules.account_contact) == (
        ("Phone", "Service_Line__c"), "Primary_Contact__c",
    )  # fmt: skip
    assert (rules.acting_field, rules.roles, rules.flag) == (
        "Guardian__c", ("Parent", "Legal Guardian"), "May_Act__c",
    )  # fmt: skip


def test_other_rules_have_other_keys_and_the_defaults_keep_theirs(folder: Path) -> None:
    rules = load_agent(str(folder)).identify.rules
    assert DEFAULT.keys("vs:salesforce:abc:") == "vs:salesforce:abc:"
    assert rules.keys("vs:salesforce:abc:").startswith("vs:salesforce:abc-")
    assert rules.keys("vs:salesforce:abc:").count(":") == 3


@dataclass(frozen=True)
class Broken:
    """old → new: the change of the file. line: of the mistake."""

    old: str
    new: str
    line: int
    problem: str
    remedy: str


BROKEN: dict[str, Broken] = {
    "no TOML": Broken("= true", "= yes", 2, "is not TOML", 'name = "value"'),
    "an unknown key": Broken(
        "first_field_decides", "first_field", 2, "first_field is unknown", "first_field_decides"
    ),
    "an unknown table": Broken("[household]", "[households]", 8, "households is unknown", "use"),
    "an unknown key of a table": Broken(
        "acting_field", "guardian", 9, "household.guardian is unknown", "use acting_field or roles"
    ),
    "a table that is none": Broken(
        RIGHT, "household = 3\n", 1, "household has another form", "write a table [household]"
    ),
    "no list": Broken(
        '["MobilePhone", "Work_Phone__c"]', '"MobilePhone"', 1,
        "phone_fields has another form", "write a list of up to 8 fields",
    ),
    "no field": Broken(
        '["MobilePhone", "Work_Phone__c"]', "[]", 1,
        "phone_fields has another form", "write a list of up to 8 fields",
    ),
    "too many fields": Broken(
        '"MobilePhone"', ", ".join(f'"F{nth}__c"' for nth in range(8)), 1,
        "phone_fields has another form", "up to 8",
    ),
    "no name of a field": Broken(
        '"Work_Phone__c"', "\"Work_Phone__c LIKE '%' OR Name\"", 1,
        "phone_fields has another form", '"Work_Phone__c"',
    ),
    "a path": Broken(
        '"Work_Phone__c"', '"Account.Phone"', 1, "phone_fields has another form", "a list",
    ),
    "a field that holds no number": Broken(
        '"Work_Phone__c"', '"Email"',
        1, "Email is not a phone field of Contact", "a field of yours",
    ),
    "a field of another object": Broken(
        '"Service_Line__c"', '"MobilePhone"', 5, "MobilePhone is not a phone field of Account",
        "use Phone, Fax, or a field",
    ),
    "a field in other letters": Broken(
        '"MobilePhone"', '"Mobilephone"', 1, "Mobilephone is spelled otherwise",
        "write MobilePhone",
    ),
    "a field that is there twice": Broken(
        '"Work_Phone__c"]', '"Work_Phone__c", "work_phone__C"]', 1,
        "work_phone__C is there twice", "remove one",
    ),
    "a word for a choice": Broken(
        "first_field_decides = true", 'first_field_decides = "yes"', 2,
        "first_field_decides has another form", "write true or false",
    ),
    "a contact without a line": Broken(
        'phone_fields = ["Phone", "Service_Line__c"]\n', "", 5, "account.contact has no line",
        "phone_fields",
    ),
    "a contact by a path": Broken(
        '"Primary_Contact__c"', '"Primary_Contact__r.Id"', 6, "account.contact has another form",
        "a lookup field of Account",
    ),
    "a lookup that can be none": Broken(
        '"Guardian__c"', '"Guardian"', 9, "household.acting_field has another form",
        "a lookup field of Contact",
    ),
    "no list of roles": Broken(
        '["Parent", "Legal Guardian"]', '"Parent"', 10, "household.roles has another form",
        "a list of up to 20 roles",
    ),
    "two roles in one": Broken(
        '"Legal Guardian"', '"Legal; Guardian"', 10, "household.roles has another form",
        "a list of up to 20 roles",
    ),
    "a role that is there twice": Broken(
        '"Legal Guardian"', '"parent"', 10, "parent is there twice", "remove one",
    ),
    "a checkbox of Salesforce's own": Broken(
        '"May_Act__c"', '"IsActive"', 11, "household.flag has another form", "a checkbox",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_named_with_its_line_and_what_would_be_right(folder: Path, name: str) -> None:
    broken = BROKEN[name]
    assert broken.old in RIGHT
    (folder / "identify.toml").write_text(RIGHT.replace(broken.old, broken.new, 1))
    (mistake,) = mistakes(folder)
    assert mistake.startswith(f"identify.toml:{broken.line}: {broken.problem}")
    assert broken.remedy in mistake.partition("; ")[2]


def test_every_mistake_is_named(folder: Path) -> None:
    text = RIGHT.replace('"Work_Phone__c"', '"Email"').replace('"Service_Line__c"', '"Name"')
    (folder / "identify.toml").write_text(text)
    assert [mistake.split(": ")[0] for mistake in mistakes(folder)] == [
        "identify.toml:1", "identify.toml:5",
    ]  # fmt: skip


UPDATE = "tools/updateContact.toml"


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy"),
    [
        (
            'Phone = "{phone}"', 'Work_Phone__c = "{mailingCity}"\nPhone = "{phone}"',
            "Work_Phone__c makes callers known, but its argument is not a phone number",
            'write type = "phone"',
        ),
        (
            'Phone = "{phone}"', 'work_phone__c = "{phone}"',
            "work_phone__c is spelled otherwise", "write Work_Phone__c",
        ),
        (
            'MobilePhone = "{mobilePhone}"', 'Mobilephone = "{mobilePhone}"',
            "Mobilephone is spelled otherwise", "write MobilePhone",
        ),
    ],
)  # fmt: skip
def test_a_tool_writes_nothing_but_a_number_into_a_field_that_makes_callers_known(
    folder: Path, old: str, new: str, problem: str, remedy: str
) -> None:
    text = (folder / UPDATE).read_text()
    assert old in text
    (folder / UPDATE).write_text(text.replace(old, new, 1))
    (mistake,) = mistakes(folder)
    assert mistake.startswith(f"{UPDATE}:")
    assert problem in mistake
    assert remedy in mistake


def test_a_field_of_another_brand_is_guarded_as_well(folder: Path, settings: Settings) -> None:
    """A caller of one brand must not become somebody else's caller at the other."""
    nord = folder.parent / "nord"
    shutil.copytree(AGENT_FOLDER, nord)
    assistant = (nord / "assistant.toml").read_text()
    (nord / "assistant.toml").write_text(assistant.replace('"vapi-salesforce"', '"nord"', 1))
    (nord / "calls.toml").write_text('numbers = ["+493012345678"]\n')
    text = (nord / UPDATE).read_text()
    (nord / UPDATE).write_text(
        text.replace("[fields]", '[arguments.work]\n\n[fields]\nWork_Phone__c = "{work}"', 1)
    )
    calls = settings.calls.model_copy(update={"agent_dir": f"{folder}:{nord}"})
    with pytest.raises(AgentError, match="Work_Phone__c makes callers known"):
        agents_of(settings.model_copy(update={"calls": calls}))
