"""Who may hear about a case of somebody else, and act on it, because the org says so.

Jane (one contact has her number, cases 1001 and 1002) acts for Luis (case 1005), never the other
way round.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from demo.stack import Org
from shared.domain.drafts import CommentDraft
from shared.domain.kinds import Kind, State
from tests.callers.conftest import LUIS, Brand, MakeBrand, account, contact, requests_of
from tests.calling import KNOWN, SHARED, UNKNOWN
from tests.workers.delivering import accept
from workers.delivery.engine import drain

LUIS_CASE, AISHA_CASE = "00001005", "00001006"
BY_FIELD = '[household]\nacting_field = "Guardian__c"\n'
BY_ROLE = '[household]\nroles = ["Parent", "Decision Maker"]\n'
BY_FLAG = '[household]\nflag = "May_Act__c"\n'
BOTH = f'{BY_FIELD}roles = ["Parent"]\nflag = "May_Act__c"\n'
OUTAGE: dict[str, Any] = {"status": 503, "error_code": "SERVER_UNAVAILABLE"}


def ids(org: Org, *names: str) -> list[str]:
    return [contact(org, name)["Id"] for name in names]


def relate(org: Org, who: str, to: str, **fields: Any) -> str:
    """Relates a contact to an account, actively. Returns the relation's id."""
    relation = {
        "ContactId": contact(org, who)["Id"],
        "AccountId": account(org, to)["Id"],
        "IsActive": True,
    }
    (made,) = org.create("AccountContactRelation", [relation | fields])
    return made


def household(org: Org) -> str:
    """Jane and Luis are of one household, and Jane acts for it. Returns her relation's id."""
    org.create("Account", [{"Name": "The Garcias"}])
    relate(org, "Luis Garcia", "The Garcias", Roles="Child")
    return relate(org, "Jane Miller", "The Garcias", Roles="Child;Parent", May_Act__c=True)


def guardian(org: Org, of: str = "Luis Garcia", who: str = "Jane Miller") -> None:
    org.edit("Contact", contact(org, of)["Id"], Guardian__c=contact(org, who)["Id"])


def both(org: Org) -> None:
    guardian(org)
    household(org)


def learns_of(brand: Brand, number: str, case: str) -> bool:
    return case in brand.says(number, "getCaseStatus", {"caseNumber": case})


WAYS: dict[str, tuple[str, Callable[[Org], object]]] = {
    "a lookup of the contact": (BY_FIELD, guardian),
    "a role": (BY_ROLE, household),
    "a checkbox": (BY_FLAG, household),
    "all at once": (BOTH, both),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_acts_for_somebody_learns_about_their_case_comments_on_it_and_closes_it(
    brand: MakeBrand, org: Org, way: str
) -> None:
    identify, says_so = WAYS[way]
    says_so(org)
    acme = brand(identify)
    assert learns_of(acme, KNOWN, LUIS_CASE)
    acme.says(KNOWN, "addCaseComment", {"caseNumber": LUIS_CASE, "comment": "He moved."})
    acme.deliver()
    assert "He moved." in acme.comments()
    luis = contact(org, "Luis Garcia")["Id"]
    case = {"ContactId": luis, "Subject": "Old", "Voice_Reference__c": "K7M 2QX"}
    (case_id,) = org.create("Case", [case])
    acme.says(KNOWN, "cancelCase", {"reference": "K7M 2QX"})
    acme.deliver()
    (closed,) = (record for record in org.records("Case") if record["Id"] == case_id)
    assert closed["IsClosed"]


@pytest.mark.parametrize("way", WAYS)
def test_nobody_acts_for_who_acts_for_them(brand: MakeBrand, org: Org, way: str) -> None:
    identify, says_so = WAYS[way]
    says_so(org)
    acme = brand(identify)
    assert not learns_of(acme, LUIS, "00001001")
    said = acme.says(LUIS, "addCaseComment", {"caseNumber": "00001001", "comment": "x"})
    assert "Nothing was saved" in said
    assert acme.accepted() == []


@pytest.mark.parametrize("way", WAYS)
def test_without_the_relation_a_case_of_somebody_else_is_not_found(
    brand: MakeBrand, way: str
) -> None:
    acme = brand(WAYS[way][0])
    assert not learns_of(acme, KNOWN, LUIS_CASE)


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_names_no_relation_gives_no_right(
    brand: MakeBrand, org: Org, way: str
) -> None:
    WAYS[way][1](org)
    acme = brand("")
    assert not learns_of(acme, KNOWN, LUIS_CASE)


@pytest.mark.parametrize("way", WAYS)
def test_a_third_persons_case_stays_closed(brand: MakeBrand, org: Org, way: str) -> None:
    identify, says_so = WAYS[way]
    says_so(org)
    acme = brand(identify)
    assert not learns_of(acme, KNOWN, AISHA_CASE)
    assert not learns_of(acme, UNKNOWN, LUIS_CASE)
    assert not learns_of(acme, SHARED, LUIS_CASE)


@pytest.mark.parametrize("way", WAYS)
def test_the_relation_opens_no_data_of_the_contact(brand: MakeBrand, org: Org, way: str) -> None:
    identify, says_so = WAYS[way]
    says_so(org)
    acme = brand(identify)
    answers = [
        acme.says(KNOWN, tool, arguments)
        for tool, arguments in (
            ("lookupCustomer", {}),
            ("retrieveCustomerCase", {}),
            ("getCaseStatus", {}),
            ("getCaseStatus", {"caseNumber": LUIS_CASE}),
            ("updateContact", {"mailingCity": "Reno"}),
        )
    ]
    for word in ("Luis", "Garcia", "Cobalt", "555-0103"):
        assert word not in " ".join(answers)
    acme.deliver()
    assert contact(org, "Luis Garcia")["MailingCity"] == "San Jose"
    assert contact(org, "Jane Miller")["MailingCity"] == "Reno"


def test_a_caller_is_known_in_as_many_requests_as_without_households(
    brand: MakeBrand, org: Org
) -> None:
    both(org)
    acme = brand(f"{BOTH}[account]\nphone_fields = ['Phone']\ncontact = 'Primary_Contact__c'\n")
    acme.says(UNKNOWN, "lookupCustomer")  # there is a token now
    before = requests_of(org)
    assert "Jane Miller" in acme.says(KNOWN, "lookupCustomer", call_id="c")
    acme.says(KNOWN, "retrieveCustomerCase", call_id="c")
    assert requests_of(org) - before == 1


# -- the end of a relation -------------------------------------------------------------------------


def end_role(org: Org) -> dict[str, Any]:
    (janes,) = (
        relation
        for relation in org.records("AccountContactRelation")
        if relation["ContactId"] == contact(org, "Jane Miller")["Id"]
    )
    return janes


ENDS: dict[str, tuple[str, dict[str, Any]]] = {
    "the relation is not active any more": (BY_ROLE, {"IsActive": False}),
    "the last day of the relation is over": (BY_ROLE, {"EndDate": "2020-12-31"}),
    "the first day of the relation is still ahead": (BY_ROLE, {"StartDate": "2199-01-01"}),
    "the role is another": (BY_ROLE, {"Roles": "Child"}),
    "the checkbox is off": (BY_FLAG, {"May_Act__c": False}),
    "one of two conditions is off": (f'{BY_FLAG}roles = ["Parent"]\n', {"Roles": None}),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_relation_ends_when_the_org_says_so(brand: MakeBrand, org: Org, how: str) -> None:
    identify, change = ENDS[how]
    relation = household(org)
    acme = brand(identify)
    assert learns_of(acme, KNOWN, LUIS_CASE)
    org.edit("AccountContactRelation", relation, **change)
    assert not learns_of(acme, KNOWN, LUIS_CASE)


@pytest.mark.parametrize("how", ENDS)
def test_the_worker_asks_the_org_again_before_it_writes(
    brand: MakeBrand, org: Org, how: str
) -> None:
    identify, change = ENDS[how]
    relation = household(org)
    acme = brand(identify)
    acme.says(KNOWN, "addCaseComment", {"caseNumber": LUIS_CASE, "comment": "He moved."})
    org.edit("AccountContactRelation", relation, **change)
    acme.deliver()
    (comment,) = acme.accepted()
    assert (comment.state, comment.reason) == (State.PARKED, "CASE_OF_SOMEBODY_ELSE")
    assert "He moved." not in acme.comments()


def test_a_ward_whose_guardian_changed_is_nobodys(brand: MakeBrand, org: Org) -> None:
    guardian(org)
    acme = brand(BY_FIELD)
    acme.says(KNOWN, "addCaseComment", {"caseNumber": LUIS_CASE, "comment": "He moved."})
    guardian(org, who="Tom O'Brien")
    assert not learns_of(acme, KNOWN, LUIS_CASE)
    acme.deliver()
    assert "He moved." not in acme.comments()


def test_the_worker_needs_one_more_request_for_the_relations_of_a_batch(
    brand: MakeBrand, org: Org
) -> None:
    guardian(org)
    acme = brand(BY_FIELD)

    def requests_for_comments_on(case: str) -> int:
        jane = contact(org, "Jane Miller")["Id"]
        for text in ("One", "Two"):
            draft = CommentDraft(contact_id=jane, case_number=case, text=text, for_household=True)
            accept(acme.journal, Kind.CASE_COMMENT, draft)
        before = requests_of(org)
        assert drain(acme.context, Kind.CASE_COMMENT).counts == {"delivered": 2}
        return requests_of(org) - before

    requests_for_comments_on("00001002")  # what is asked once for all is known now
    own = requests_for_comments_on("00001001")
    # Whether the contact still exists, as for any case of somebody else, and the relations.
    assert requests_for_comments_on(LUIS_CASE) - own == 2


@pytest.mark.parametrize("way", ["a role", "a checkbox"])
def test_who_has_no_right_gets_none_from_another_caller_of_the_batch(
    brand: MakeBrand, org: Org, way: str
) -> None:
    identify, says_so = WAYS[way]
    says_so(org)
    acme = brand(identify)
    for name, case in (("Jane Miller", LUIS_CASE), ("Luis Garcia", "00001001")):
        draft = CommentDraft(
            contact_id=contact(org, name)["Id"], case_number=case, text=name, for_household=True
        )
        accept(acme.journal, Kind.CASE_COMMENT, draft, call_id=name, tool="addCaseComment")
    assert drain(acme.context, Kind.CASE_COMMENT).counts == {"delivered": 1, "parked": 1}
    assert "Jane Miller" in acme.comments()


# -- who it is not for -----------------------------------------------------------------------------


def test_several_contacts_with_a_number_stay_unknown_whatever_they_may_do_for_each_other(
    brand: MakeBrand, org: Org
) -> None:
    org.create("Account", [{"Name": "The Novaks"}])
    for name in ("Peter Novak", "Paula Novak"):
        relate(org, name, "The Novaks", Roles="Parent")
    acme = brand(BY_ROLE)
    assert "Two customers share" in acme.says(SHARED, "lookupCustomer")
    assert not learns_of(acme, SHARED, "00001004")
    acme.says(SHARED, "verifyCaller", {"pin": "9038"}, call_id="c")  # Paula's
    said = acme.says(SHARED, "getCaseStatus", {"caseNumber": "00001004"}, call_id="c")
    assert "00001004" in said  # Peter's case, for whom Paula acts


def test_a_household_of_more_than_ten_others_is_none(brand: MakeBrand, org: Org) -> None:
    household(org)
    acme = brand(BY_ROLE)
    many = org.create("Contact", [{"LastName": f"Member {nth}"} for nth in range(10)])
    garcias = account(org, "The Garcias")["Id"]
    members = [{"ContactId": member, "AccountId": garcias, "IsActive": True} for member in many]
    org.create("AccountContactRelation", members[:9])
    assert learns_of(acme, KNOWN, LUIS_CASE)  # Luis, and nine others
    org.create("AccountContactRelation", members[9:])
    assert not learns_of(acme, KNOWN, LUIS_CASE)


def test_more_than_ten_wards_are_none(brand: MakeBrand, org: Org) -> None:
    guardian(org)
    acme = brand(BY_FIELD)
    jane = contact(org, "Jane Miller")["Id"]
    wards = [{"LastName": f"Ward {nth}", "Guardian__c": jane} for nth in range(10)]
    org.create("Contact", wards[:9])
    assert learns_of(acme, KNOWN, LUIS_CASE)
    org.create("Contact", wards[9:])
    assert not learns_of(acme, KNOWN, LUIS_CASE)


def test_an_org_without_the_relations_recognises_callers_and_opens_nothing(
    brand: MakeBrand, org: Org
) -> None:
    household(org)
    acme = brand(BY_ROLE)
    org.fault(deny=["AccountContactRelation.read"])
    assert "Jane Miller" in acme.says(KNOWN, "lookupCustomer")
    assert not learns_of(acme, KNOWN, LUIS_CASE)


# -- outages ---------------------------------------------------------------------------------------


def test_during_an_outage_the_last_relation_opens_nothing_and_a_comment_is_checked_later(
    brand: MakeBrand, org: Org
) -> None:
    relation = household(org)
    acme = brand(BY_ROLE)
    assert learns_of(acme, KNOWN, LUIS_CASE)
    org.fault(**OUTAGE)
    assert not learns_of(acme, KNOWN, LUIS_CASE)
    assert "Jane Miller" in acme.says(KNOWN, "lookupCustomer")
    asked = {"caseNumber": LUIS_CASE}
    acme.says(KNOWN, "addCaseComment", asked | {"comment": "He moved."}, call_id="kept")
    org.fault()
    acme.deliver()
    assert "He moved." in acme.comments()
    org.fault(**OUTAGE)
    acme.says(KNOWN, "addCaseComment", asked | {"comment": "He left."}, call_id="ended")
    org.edit("AccountContactRelation", relation, IsActive=False)
    org.fault()
    acme.deliver()
    assert "He left." not in acme.comments()


def test_an_old_relation_does_not_show_a_case_that_can_be_read_again(
    brand: MakeBrand, org: Org
) -> None:
    """The snapshot is from before the call, and only the search for the case gets an answer."""
    relation = household(org)
    acme = brand(BY_ROLE)
    assert learns_of(acme, KNOWN, LUIS_CASE)
    org.edit("AccountContactRelation", relation, IsActive=False)
    org.fault(**OUTAGE, resources=["composite"])
    assert not learns_of(acme, KNOWN, LUIS_CASE)


# -- the policy ------------------------------------------------------------------------------------

POLICIES = {
    "strict": (False, True),
    "standard": (True, True),
    "open": (True, True),
}


@pytest.mark.parametrize("base", POLICIES)
def test_the_policy_says_from_which_tier_on_a_household_counts(
    brand: MakeBrand, org: Org, base: str
) -> None:
    guardian(org)
    acme = brand(BY_FIELD, f'base = "{base}"')
    recognised, verified = POLICIES[base]
    said = acme.says(KNOWN, "getCaseStatus", {"caseNumber": LUIS_CASE}, call_id="c")
    assert (LUIS_CASE in said) is recognised
    acme.says(KNOWN, "verifyCaller", {"pin": "4271"}, call_id="c")
    said = acme.says(KNOWN, "getCaseStatus", {"caseNumber": LUIS_CASE}, call_id="c")
    assert (LUIS_CASE in said) is verified


@pytest.mark.parametrize("verb", ["read", "comment", "close"])
def test_a_cell_of_the_policy_closes_one_verb_for_households(
    brand: MakeBrand, org: Org, verb: str
) -> None:
    guardian(org)
    luis = contact(org, "Luis Garcia")["Id"]
    org.create("Case", [{"ContactId": luis, "Voice_Reference__c": "K7M 2QX"}])
    acme = brand(BY_FIELD, f'base = "open"\n[{verb}]\nhousehold = "verified"\n')
    closed = set()
    if not learns_of(acme, KNOWN, LUIS_CASE):
        closed.add("read")
    acme.says(KNOWN, "addCaseComment", {"caseNumber": LUIS_CASE, "comment": "He moved."})
    if not acme.accepted():
        closed.add("comment")
    acme.says(KNOWN, "cancelCase", {"reference": "K7M 2QX"})
    if not acme.accepted():
        closed.add("close")
    assert closed == {verb}


def test_what_the_policy_closed_when_a_comment_was_accepted_stays_closed(
    brand: MakeBrand, org: Org
) -> None:
    """In an outage nobody can see whose case it is, so the right goes with the request."""
    guardian(org)
    acme = brand(BY_FIELD, 'base = "open"\n[comment]\nhousehold = "verified"\n')
    acme.says(KNOWN, "lookupCustomer")
    org.fault(**OUTAGE)
    acme.says(KNOWN, "addCaseComment", {"caseNumber": LUIS_CASE, "comment": "He moved."})
    org.fault()
    acme.deliver()
    (comment,) = acme.accepted()
    assert (comment.kind, comment.state) == (Kind.CASE_COMMENT, State.PARKED)


def test_a_household_never_needs_less_than_the_verb_itself(brand: MakeBrand, org: Org) -> None:
    guardian(org)
    acme = brand(BY_FIELD, 'base = "open"\n[read]\ndefault = "verified"\n')
    assert not learns_of(acme, KNOWN, "00001001")
    assert not learns_of(acme, KNOWN, LUIS_CASE)


def test_the_decision_names_the_relation(brand: MakeBrand, org: Org) -> None:
    guardian(org)
    acme = brand(BY_FIELD)
    acme.says(KNOWN, "getCaseStatus", {"caseNumber": LUIS_CASE}, call_id="c")
    decisions = acme.service.decisions.of_call("c")
    (household,) = (decision for decision in decisions if "household" in decision.about)
    assert household.allowed
    assert household.evidence == (
        "one contact has the number, and the org lets this contact act for the one of the case"
    )


# -- what stands in the file -----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["O'Brien's aide", "x') OR (IsActive = false", "\\", "{ids}"])
def test_a_role_is_a_value_of_the_query_and_never_a_part_of_it(
    brand: MakeBrand, org: Org, role: str
) -> None:
    org.create("Account", [{"Name": "The Garcias"}])
    relate(org, "Luis Garcia", "The Garcias", Roles="Child")
    relation = relate(org, "Jane Miller", "The Garcias", Roles="Child")
    acme = brand(f"[household]\nroles = [{json.dumps(role)}]\n")
    assert not learns_of(acme, KNOWN, LUIS_CASE)
    org.edit("AccountContactRelation", relation, Roles=role)
    assert learns_of(acme, KNOWN, LUIS_CASE)
