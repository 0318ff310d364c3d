"""Which fields of a contact make a caller known, and in which order."""

import shutil
from pathlib import Path

import pytest
import redis

from demo.stack import Org, Store
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.agent.policy import read_policy
from shared.agent.tool_files import Verb
from shared.domain.identity import Tier
from shared.domain.kinds import Kind, State
from tests.callers.conftest import Brand, MakeBrand, contact, requests_of
from tests.calling import KNOWN, UNKNOWN, only_result, post, say, sentence, tool_message
from tests.conftest import make_settings
from web.app import create_app

WORK = "+16285550145"
OWN_FIELD = 'phone_fields = ["Work_Phone__c"]\n'


def give(org: Org, name: str, **fields: str) -> None:
    org.edit("Contact", contact(org, name)["Id"], **fields)


@pytest.mark.parametrize("field", ["Work_Phone__c", "Spoken_Number__c", "AssistantPhone", "Fax"])
def test_a_field_that_the_file_names_makes_a_caller_known(
    brand: MakeBrand, org: Org, field: str
) -> None:
    give(org, "Jane Miller", **{field: "(628) 555-0145"})
    acme = brand(f'phone_fields = ["{field}"]\n')
    assert "Jane Miller" in acme.says(WORK, "lookupCustomer")
    assert "not on file" in brand("").says(WORK, "lookupCustomer")


def test_a_field_that_the_file_does_not_name_makes_nobody_known(brand: MakeBrand) -> None:
    assert "not on file" in brand(OWN_FIELD).says(KNOWN, "lookupCustomer")


def test_two_contacts_with_a_number_stay_unknown_in_whichever_fields(
    brand: MakeBrand, org: Org
) -> None:
    give(org, "Jane Miller", Work_Phone__c="628 555 0145")
    give(org, "Luis Garcia", MobilePhone="628 555 0145")
    acme = brand('phone_fields = ["Work_Phone__c", "MobilePhone"]\n')
    assert "Two customers share" in acme.says(WORK, "lookupCustomer")


@pytest.mark.parametrize(
    ("order", "who"),
    [('"MobilePhone", "HomePhone"', "Jane Miller"), ('"HomePhone", "MobilePhone"', "Luis Garcia")],
)
def test_with_an_order_the_first_field_in_which_anybody_has_the_number_decides(
    brand: MakeBrand, org: Org, order: str, who: str
) -> None:
    give(org, "Jane Miller", MobilePhone="628 555 0145")
    give(org, "Luis Garcia", HomePhone="628 555 0145")
    acme = brand(f"phone_fields = [{order}]\nfirst_field_decides = true\n")
    assert who in acme.says(WORK, "lookupCustomer")
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    case = {"issueType": "billing", "description": "Billed twice"}
    acme.says(WORK, "createSalesforceCase", case)
    org.fault()
    acme.deliver()
    (intent,) = acme.accepted()
    (made,) = (case for case in org.records("Case") if case["Call_Key__c"] == intent.id)
    assert made["ContactId"] == contact(org, who)["Id"]


def test_two_contacts_in_the_first_field_stay_unknown(brand: MakeBrand, org: Org) -> None:
    for name in ("Jane Miller", "Tom O'Brien"):
        give(org, name, MobilePhone="628 555 0145")
    give(org, "Luis Garcia", HomePhone="628 555 0145")
    acme = brand('phone_fields = ["MobilePhone", "HomePhone"]\nfirst_field_decides = true\n')
    assert "Two customers share" in acme.says(WORK, "lookupCustomer")


def test_further_fields_take_no_more_requests(brand: MakeBrand, org: Org) -> None:
    acme = brand('phone_fields = ["Phone", "MobilePhone", "Work_Phone__c", "Fax"]\n')
    acme.says(UNKNOWN, "lookupCustomer")  # there is a token now
    before = requests_of(org)
    assert "Jane Miller" in acme.says(KNOWN, "lookupCustomer")
    assert requests_of(org) - before == 1


# -- changing such a field -------------------------------------------------------------------------

WORK_ARGUMENT = """\
[arguments.workPhone]
type = "phone"

[fields]
Work_Phone__c = "{workPhone}"
"""


def test_a_field_that_makes_callers_known_is_as_hard_to_change_as_a_phone(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    (folder / "identify.toml").write_text(OWN_FIELD)
    policy = load_agent(str(folder)).policy
    assert policy.needs(Verb.UPDATE, "Contact.Work_Phone__c") is Tier.VERIFIED
    assert policy.needs(Verb.UPDATE, "Contact.Employer__c") is Tier.RECOGNISED
    assert read_policy(folder).needs(Verb.UPDATE, "Contact.Work_Phone__c") is Tier.RECOGNISED


def test_a_line_of_the_policy_decides_about_such_a_field(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    (folder / "identify.toml").write_text(OWN_FIELD)
    (folder / "policy.toml").write_text('[update]\n"Contact.Work_Phone__c" = "known"\n')
    assert load_agent(str(folder)).policy.needs(Verb.UPDATE, "Contact.Work_Phone__c") is Tier.KNOWN


def change_work_phone(brand: Brand, number: str) -> str:
    return brand.says(KNOWN, "updateContact", {"workPhone": number})


@pytest.fixture
def with_work_phone(brand: MakeBrand) -> Brand:
    """A brand whose updateContact changes Work_Phone__c, and whose callers are known by it."""
    return brand(
        'phone_fields = ["Phone", "Work_Phone__c"]\n',
        edits={"tools/updateContact.toml": ("[fields]\n", WORK_ARGUMENT)},
    )


def test_nobody_takes_a_number_that_another_contact_has_in_such_a_field(
    with_work_phone: Brand, org: Org
) -> None:
    give(org, "Luis Garcia", Work_Phone__c="628 555 0145")
    change_work_phone(with_work_phone, "+1 628 555 0145")
    (asked,) = with_work_phone.accepted()
    assert asked.kind is Kind.CALLBACK  # a person looks at it; the caller hears no more than usual


def test_the_worker_looks_again_for_who_has_the_number_in_such_a_field(
    with_work_phone: Brand, org: Org
) -> None:
    change_work_phone(with_work_phone, "+1 628 555 0145")
    give(org, "Luis Garcia", Work_Phone__c="628 555 0145")
    with_work_phone.deliver()
    (change,) = with_work_phone.accepted()
    assert (change.kind, change.state) == (Kind.CONTACT_UPDATE, State.PARKED)
    assert contact(org, "Jane Miller")["Work_Phone__c"] is None


# -- two brands ------------------------------------------------------------------------------------


def test_brands_with_other_fields_never_share_what_was_found_about_a_number(
    store: redis.Redis, store_server: Store, org: Org, tmp_path: Path
) -> None:
    """The same number is Jane's for one brand and Luis's for the other, in one process."""
    give(org, "Jane Miller", MobilePhone="628 555 0145")
    give(org, "Luis Garcia", Work_Phone__c="628 555 0145")
    folders = {}
    for name, identify, number in (
        ("acme", 'phone_fields = ["MobilePhone"]\n', ""),
        ("nord", OWN_FIELD, "+493012345678"),
    ):
        folders[name] = folder = tmp_path / name
        shutil.copytree(AGENT_FOLDER, folder)
        text = (folder / "assistant.toml").read_text()
        (folder / "assistant.toml").write_text(text.replace('"vapi-salesforce"', f'"{name}"', 1))
        (folder / "policy.toml").write_text('base = "open"')
        (folder / "identify.toml").write_text(identify)
        if number:
            (folder / "calls.toml").write_text(f'numbers = ["{number}"]\n')
    settings = make_settings(
        store_server.url, org.url, agent_dir=f"{folders['acme']}:{folders['nord']}"
    )
    app = create_app(settings)
    client = app.test_client()
    for nth in range(2):  # the second time with an answer of the other brand in the store
        for called, who in (("", "Jane Miller"), ("+493012345678", "Luis Garcia")):
            body = tool_message(
                ("t1", "lookupCustomer", {}), number=WORK, call_id=f"c{nth}{called}"
            )
            body["message"]["phoneNumber"] = {"number": called}
            assert who in sentence(only_result(post(client, body)))
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    assert "Jane Miller" in say(client, "lookupCustomer", number=WORK, call_id="out")
    app.extensions["service"].close()
