"""Cases: opened once with their caller, key and reference; closed unless a person took them up."""

from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import (
    CaseDraft,
    CloseDraft,
)
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.calling import KNOWN, SHARED, UNKNOWN
from tests.workers.delivering import (
    BILLING,
    accept,
    contact,
    open_case,
    record,
    stored,
    wait_no_more,
)
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


def test_a_case_is_opened_with_its_caller_key_and_reference(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = CaseDraft(
        caller_number=KNOWN, issue_type="billing", description="Billed\ntwice", priority="High"
    )
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    opened, done = record(org, "Case", intent_id), stored(journal, intent_id)
    assert opened["Subject"] == "Billing: Billed twice"
    assert opened["Description"] == "Billed\n> twice"
    assert (opened["Type"], opened["Origin"], opened["Priority"]) == ("Billing", "Phone", "High")
    assert opened["ContactId"] == contact(org)["Id"]
    assert opened["AccountId"] == contact(org)["AccountId"]
    assert opened["Voice_Reference__c"] == done.reference
    assert done.receipt
    assert (done.receipt.record_id, done.receipt.number) == (opened["Id"], opened["CaseNumber"])


@pytest.mark.parametrize("number", ["ACC-12345", "acc-12345", "ACC-77777", "ACC-00000"])
def test_an_account_number_that_was_said_is_text_and_links_nothing(
    context: DeliveryContext, journal: Journal, org: Org, number: str
) -> None:
    draft = CaseDraft(
        caller_number=UNKNOWN, issue_type="billing", description="x", account_number=number
    )
    opened = record(org, "Case", open_case(context, journal, draft))
    assert opened["AccountId"] is None
    assert f"not verified: {number}" in opened["Description"]
    assert opened["ContactId"] is None
    assert opened["SuppliedPhone"] == UNKNOWN


def test_a_number_that_two_contacts_share_links_neither(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    draft = CaseDraft(caller_number=SHARED, issue_type="billing", description="x")
    assert record(org, "Case", open_case(context, journal, draft))["ContactId"] is None


def test_two_hundred_cases_are_one_request_and_five_more_start_another(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    ids = [accept(journal, Kind.CASE_CREATE, BILLING) for _ in range(205)]
    before = org.stats()
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 205}
    after = org.stats()
    # A token, the contact of the one number, and two batches.
    assert after["requests"] - before["requests"] == 4
    assert after["records"]["created"] - before["records"]["created"] == 205
    assert len({stored(journal, id_).receipt for id_ in ids}) == 205


@pytest.mark.parametrize("fault", [{"lose_answer": 1.0}, {"hang_after": True}])
def test_a_case_whose_answer_was_lost_is_read_and_not_written_again(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis, fault: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(context.records._composite, "_timeout_s", 0.5)
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    context.contacts.resolve({KNOWN: 0})
    org.fault(**fault)
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 1}
    org.fault()
    assert stored(journal, intent_id).in_doubt
    opened = record(org, "Case", intent_id)
    org.edit("Case", opened["Id"], Status="Working")
    wait_no_more(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert record(org, "Case", intent_id)["Status"] == "Working"
    done = stored(journal, intent_id).receipt
    assert done
    assert (done.record_id, done.number) == (opened["Id"], opened["CaseNumber"])


def test_doubt_survives_an_attempt_that_could_not_even_read(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    context.contacts.resolve({KNOWN: 0})
    for fault in ({"lose_answer": 1.0}, {"status": 403, "error_code": "REQUEST_LIMIT_EXCEEDED"}):
        org.fault(**fault)
        assert drain(context, Kind.CASE_CREATE).counts == {"again": 1}
        wait_no_more(store)
        assert stored(journal, intent_id).in_doubt
    org.fault()
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert org.stats()["records"]["updated"] == 0


@pytest.mark.parametrize("edited", [False, True])
def test_a_case_is_closed_unless_a_person_has_taken_it_up(
    context: DeliveryContext, journal: Journal, org: Org, edited: bool
) -> None:
    opened = open_case(context, journal, BILLING)
    if edited:
        org.edit("Case", record(org, "Case", opened)["Id"], Status="Working")
    accept(journal, Kind.CASE_CLOSE, CloseDraft(caller_number=KNOWN, case_intent=opened))
    assert drain(context, Kind.CASE_CLOSE).counts == {"parked" if edited else "delivered": 1}
    assert record(org, "Case", opened)["IsClosed"] is not edited


def test_a_case_of_a_contact_who_was_merged_is_linked_to_the_one_that_was_kept(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    draft = CaseDraft(
        caller_number=KNOWN,
        contact_id=contact(org, "Peter Novak")["Id"],
        issue_type="billing",
        description="x",
    )
    org.merge("Contact", draft.contact_id or "", into=contact(org)["Id"])
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    assert drain(context, Kind.CASE_CREATE).counts == {"again": 1}
    wait_no_more(store, intent_id)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert record(org, "Case", intent_id)["ContactId"] == contact(org)["Id"]


def test_a_case_of_a_contact_who_was_deleted_has_none_whoever_has_the_number_now(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    draft = CaseDraft(
        caller_number=SHARED,
        contact_id=contact(org, "Paula Novak")["Id"],
        issue_type="billing",
        description="x",
    )
    org.delete("Contact", draft.contact_id or "")
    intent_id = accept(journal, Kind.CASE_CREATE, draft)
    drain(context, Kind.CASE_CREATE)
    wait_no_more(store, intent_id)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert record(org, "Case", intent_id)["ContactId"] is None
