"""The table of failures: every class has a rule, every wait of one record an end."""

from typing import Any

import pytest

from shared.domain.drafts import CaseDraft, CommentDraft, ContactDraft, Draft
from shared.domain.intent import Intent, Outcome, Parked, PartRefused, Scope, TryAgain
from shared.domain.kinds import Kind, State
from shared.salesforce.failures import FailureClass, SalesforceError, classify, longest_delay_s
from workers.delivery.policy import ALONE, POLICY, alone, outcome_of

F = FailureClass
ADDRESS = {"Phone": "+14155550177", "MailingStreet": "1 Main St", "MailingState": "Mass."}


def intent(draft: Draft | None = None, kind: Kind = Kind.CASE_CREATE, **others: Any) -> Intent:
    draft = draft or CaseDraft(issue_type="billing", description="x")
    known: dict[str, Any] = {
        "id": "i1", "kind": kind, "state": State.LEASED, "call_id": "c", "tool": "t",
        "reference": "ABC DEF", "schema": 1, "payload": draft.as_json(), "accepted_at_ms": 1,
    }  # fmt: skip
    return Intent(**known | others)


def change(**changes: str) -> Intent:
    draft = ContactDraft(
        contact_id="003", changes=changes or ADDRESS, accepted_at="2026-11-22T10:00:00.000+00:00"
    )
    return intent(draft, Kind.CONTACT_UPDATE)


def test_every_class_of_failure_has_a_rule() -> None:
    assert set(POLICY) == set(FailureClass)


@pytest.mark.parametrize("failure", list(FailureClass))
@pytest.mark.parametrize("whole", [True, False])
def test_no_record_waits_for_ever(failure: FailureClass, whole: bool) -> None:
    """What concerns one record has a limit, and all waits up to it take 20 minutes at most."""
    rule = POLICY[failure]
    scope = rule.request if whole else rule.record
    if scope in (Scope.SOURCE, Scope.ORG):
        return  # that wait is told to the operator, and ends when it is set right
    outcome = alone(outcome_of(intent(), SalesforceError(failure, "X", whole=whole)))
    if isinstance(outcome, Parked):
        return
    assert isinstance(outcome, TryAgain)
    assert outcome.scope is Scope.RECORD
    assert 1 < outcome.limit <= 40
    waits_s = [longest_delay_s(failure, nth) for nth in range(outcome.limit - 1)]
    assert sum(waits_s) <= 20 * 60


@pytest.mark.parametrize("failure", [F.VALUE, F.LINK, F.MISSING_FIELD, F.REFUSED, F.TOO_MUCH])
def test_what_is_refused_as_a_whole_is_not_tried_again_in_a_rush(failure: FailureClass) -> None:
    outcome = alone(outcome_of(intent(), SalesforceError(failure, "X", whole=True)))
    assert isinstance(outcome, TryAgain)
    assert outcome.delay_ms >= 400


def test_a_record_that_alone_is_refused_as_its_kind_might_be_waits_a_minute_at_most() -> None:
    for failure in (F.DENIED, F.TOO_MUCH, F.REFUSED, F.UNFORESEEN):
        assert sum(longest_delay_s(failure, nth) for nth in range(ALONE - 1)) <= 60


@pytest.mark.parametrize(
    ("code", "whole", "scope"),
    [
        ("INSUFFICIENT_ACCESS_OR_READONLY", False, Scope.RECORD),
        ("NOT_FOUND", False, Scope.RECORD),
        ("INVALID_FIELD", False, Scope.RECORD),
        ("UNKNOWN_EXCEPTION", False, Scope.RECORD),
        ("UNKNOWN_EXCEPTION", True, Scope.ORG),
        ("API_DISABLED_FOR_ORG", True, Scope.ORG),
        ("QUERY_TOO_COMPLICATED", True, Scope.BATCH),
        ("LIMIT_EXCEEDED", False, Scope.BATCH),
        ("PROCESSING_HALTED", True, Scope.BATCH),
        ("PROCESSING_HALTED", False, Scope.RECORD),
        ("INVALID_TYPE", True, Scope.SOURCE),
        ("STORAGE_LIMIT_EXCEEDED", False, Scope.SOURCE),
    ],
)
def test_a_failure_concerns_what_fails(code: str, whole: bool, scope: Scope) -> None:
    outcome = outcome_of(intent(), classify(400, code, whole=whole))
    assert isinstance(outcome, TryAgain)
    assert outcome.scope is scope


def test_two_intents_about_one_record_are_one_witness_against_their_kind() -> None:
    error = classify(400, "INSUFFICIENT_ACCESS_OR_READONLY")
    about = CommentDraft(case_number="00001001", text="x")
    said = [outcome_of(intent(about, Kind.CASE_COMMENT, id=id_), error) for id_ in ("a", "b")]
    assert {outcome.target for outcome in said if isinstance(outcome, TryAgain)} == {"00001001"}
    new = [outcome_of(intent(id=id_), error) for id_ in ("a", "b")]
    assert {outcome.target for outcome in new if isinstance(outcome, TryAgain)} == {"a", "b"}


def test_a_missing_field_is_left_out_where_it_may_be_and_its_kinds_where_it_may_not() -> None:
    error = classify(400, "INVALID_FIELD", "No such column 'CallType' on sobject of type Task")
    outcome = outcome_of(intent(), error, optional=frozenset({"CallType", "WhatId"}))
    assert isinstance(outcome, TryAgain)
    assert (outcome.scope, outcome.omit_fields, outcome.missing, outcome.limit) == (
        Scope.RECORD, ("CallType",), ("CallType",), 0,
    )  # fmt: skip
    needed = outcome_of(intent(), error)
    assert isinstance(needed, TryAgain)
    assert needed.scope is Scope.SOURCE
    assert needed.delay_ms >= 3_000
    hidden = classify(400, "INVALID_FIELD", "No such column 'WhatId' on sobject of type Task")
    link = outcome_of(intent(), hidden, optional=frozenset({"WhatId"}))
    assert isinstance(link, TryAgain)
    assert link.scope is Scope.SOURCE


@pytest.mark.parametrize(
    "code", ["OPERATION_WITH_INACTIVE_USER_EXCEPTION", "INVALID_CROSS_REFERENCE_KEY"]
)
def test_an_owner_that_is_refused_is_left_out(code: str) -> None:
    optional = frozenset({"OwnerId", "WhoId"})
    named = outcome_of(intent(), classify(400, code, fields=("OwnerId",)), optional=optional)
    assert isinstance(named, TryAgain)
    assert named.omit_fields == ("OwnerId",)
    unnamed = outcome_of(intent(), classify(400, code), optional=optional)
    assert isinstance(unnamed, TryAgain)
    assert unnamed.omit_fields == ("OwnerId", "WhoId")


@pytest.mark.parametrize(
    ("code", "message", "fields", "refused"),
    [
        ("FIELD_INTEGRITY_EXCEPTION", "", ("MailingState",), {"MailingState"}),
        ("FIELD_INTEGRITY_EXCEPTION", "", ("MailingStateCode",), {"MailingState"}),
        ("FIELD_INTEGRITY_EXCEPTION", "", ("MailingCountry",), {"MailingState"}),
        ("FIELD_INTEGRITY_EXCEPTION",
         "A country/territory must be specified before specifying a state value for field: "
         "Mailing State/Province", (), {"MailingState"}),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value", ("MailingState",),
         {"MailingState"}),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask them.", ("Phone",), {"Phone"}),
        ("STRING_TOO_LONG", "MailingStreet: data value too large", (), {"MailingStreet"}),
        ("INVALID_FIELD", "No such column 'Phone' on sobject of type Contact", (), {"Phone"}),
        ("INVALID_FIELD_FOR_INSERT_UPDATE",
         "Unable to create/update fields: MailingStreet, Phone. Please check the security", (),
         {"MailingStreet", "Phone"}),
    ],
)  # fmt: skip
def test_the_refused_fields_of_a_contact_update_part_from_the_rest(
    code: str, message: str, fields: tuple[str, ...], refused: set[str]
) -> None:
    outcome = outcome_of(change(), classify(400, code, message, fields))
    assert isinstance(outcome, PartRefused)
    assert isinstance(outcome.rest, ContactDraft)
    assert isinstance(outcome.part.draft, ContactDraft)
    assert set(outcome.part.draft.changes) == refused
    assert set(outcome.rest.changes) == set(ADDRESS) - refused
    assert outcome.detail == message


def test_a_contact_update_of_which_all_is_refused_parks_as_it_is() -> None:
    error = classify(400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: x", ("Email",))
    outcome: Outcome = outcome_of(change(Email="x"), error)
    assert outcome == Parked("i1", "INVALID_EMAIL_ADDRESS (Email)", error.message)


def test_a_contact_update_that_a_rule_refuses_without_naming_a_field_parks_as_it_is() -> None:
    error = classify(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not today.")
    assert outcome_of(change(), error) == Parked("i1", error.code, "Not today.")
