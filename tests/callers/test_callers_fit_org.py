"""The doctor compares `identify.toml` with the org, and names each misfit once with its line."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.checks.context import CheckContext
from cli.org.caller_fit import caller_misfits
from demo.stack import Org, Store
from shared.agent.errors import Mistake
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from tests.conftest import make_settings

RIGHT = """\
phone_fields = ["MobilePhone", "Work_Phone__c"]

[account]
phone_fields = ["Phone", "Service_Line__c"]
contact = "Primary_Contact__c"

[household]
acting_field = "Guardian__c"
roles = ["Parent", "Decision Maker"]
flag = "May_Act__c"
"""


@pytest.fixture
def fitting_org(org: Org) -> Iterator[Org]:
    yield org
    org.fault()


@dataclass(frozen=True)
class Misfit:
    """changes: old → new in the file. fault: of the org. line: that is named."""

    line: int
    problem: str
    remedy: str
    changes: dict[str, str] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)


MISFITS: dict[str, Misfit] = {
    "a field that the org lacks": Misfit(
        1, "Contact has no field Third_Phone__c", "correct its API name",
        {"Work_Phone__c": "Third_Phone__c"},
    ),
    "a misspelt field": Misfit(
        1, "Contact has no field Work_Fone__c", "write Work_Phone__c",
        {"Work_Phone__c": "Work_Fone__c"},
    ),
    "a field in other letters": Misfit(
        1, "Contact has no field work_phone__c", "write Work_Phone__c",
        {"Work_Phone__c": "work_phone__c"},
    ),
    "a field that the user can't see": Misfit(
        1, "Contact has no field Work_Phone__c, or the user can't see it", "grant it",
        fault={"hide_fields": ["Contact.Work_Phone__c"]},
    ),
    "a lookup for a phone": Misfit(
        1, "Contact.Guardian__c is neither a phone field nor a text field", "one of these types",
        {'"Work_Phone__c"': '"Guardian__c"'},
    ),
    "a long text for a phone": Misfit(
        1, "Contact.Notes__c is neither a phone field nor a text field", "one of these types",
        {"Work_Phone__c": "Notes__c"},
    ),
    "a field of the account that the org lacks": Misfit(
        4, "Account has no field Sales_Line__c", "correct its API name",
        {"Service_Line__c": "Sales_Line__c"},
    ),
    "a line that the user can't see": Misfit(
        4, "Account has no field Phone, or the user can't see it", "grant it",
        fault={"hide_fields": ["Account.Phone"]},
    ),
    "an account's country that the user can't see": Misfit(
        4, "the user can't see Account.BillingCountry", "grant it",
        fault={"hide_fields": ["Account.BillingCountry"]},
    ),
    "a lookup that the org lacks": Misfit(
        5, "Account has no field Main_Contact__c", "correct its API name",
        {"Primary_Contact__c": "Main_Contact__c"},
    ),
    "a lookup of no contact": Misfit(
        5, "Account.ParentId is not a lookup of a contact", "name a lookup of Contact",
        {"Primary_Contact__c": "ParentId"},
    ),
    "a phone for a lookup": Misfit(
        5, "Account.Service_Line__c is not a lookup of a contact", "name a lookup of Contact",
        {'contact = "Primary_Contact__c"': 'contact = "Service_Line__c"'},
    ),
    "a guardian whom the org lacks": Misfit(
        8, "Contact has no field Guard__c", "write Guardian__c", {"Guardian__c": "Guard__c"},
    ),
    "a guardian who is an account": Misfit(
        8, "Contact.Employer__c is not a lookup of a contact", "name a lookup of Contact",
        {"Guardian__c": "Employer__c"},
    ),
    "an org without the relations": Misfit(
        9, "the org has no AccountContactRelation", "contacts to multiple accounts",
        fault={"deny": ["AccountContactRelation.read"]},
    ),
    "a relation's end that the user can't see": Misfit(
        9, "the user can't see AccountContactRelation.EndDate", "grant it",
        fault={"hide_fields": ["AccountContactRelation.EndDate"]},
    ),
    "roles that the user can't see": Misfit(
        9, "the user can't see AccountContactRelation.Roles", "grant it",
        fault={"hide_fields": ["AccountContactRelation.Roles"]},
    ),
    "a role that the org lacks": Misfit(
        9, "AccountContactRelation.Roles has no value Uncle", "add it to the values",
        {'"Decision Maker"': '"Uncle"'},
    ),
    "a misspelt role": Misfit(
        9, "AccountContactRelation.Roles has no value Decison Maker", "write Decision Maker",
        {'"Decision Maker"': '"Decison Maker"'},
    ),
    "a checkbox that the org lacks": Misfit(
        10, "AccountContactRelation has no field May_Do__c", "correct its API name",
        {"May_Act__c": "May_Do__c"},
    ),
    "contacts that the user can't see": Misfit(
        0, "the user can't see Contact", "Voice_Integration", fault={"deny": ["Contact.read"]},
    ),
}  # fmt: skip


def misfits_of(folder: Path, store_server: Store, org: Org) -> list[Mistake]:
    settings = make_settings(store_server.url, org.url, agent_dir=str(folder))
    load_agent.cache_clear()
    return caller_misfits(load_agent(str(folder)), CheckContext(settings).org)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, copy)
    (copy / "identify.toml").write_text(RIGHT)
    return copy


def test_a_file_that_fits_has_no_misfit(
    folder: Path, store_server: Store, fitting_org: Org
) -> None:
    assert misfits_of(folder, store_server, fitting_org) == []


def test_the_default_folder_fits_an_org_without_anything_of_ours(
    store_server: Store, fitting_org: Org
) -> None:
    fitting_org.fault(deny=["AccountContactRelation.read"])
    assert misfits_of(Path(AGENT_FOLDER), store_server, fitting_org) == []


@pytest.mark.parametrize("name", MISFITS)
def test_a_misfit_is_found_with_its_line_and_nothing_else(
    folder: Path, store_server: Store, fitting_org: Org, name: str
) -> None:
    misfit = MISFITS[name]
    text = RIGHT
    for old, new in misfit.changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "identify.toml").write_text(text)
    fitting_org.fault(**misfit.fault)
    (found,) = misfits_of(folder, store_server, fitting_org)
    assert (found.file, found.line) == ("identify.toml", misfit.line)
    assert found.problem.startswith(misfit.problem)
    assert misfit.remedy in found.remedy
