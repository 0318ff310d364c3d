"""Failures of Salesforce: the class of each, and how long each makes the service wait."""

import pytest

from shared.salesforce.api_budget import LOOK_AGAIN_MS
from shared.salesforce.failures import FailureClass, SalesforceError, classify, delay_ms

F = FailureClass


@pytest.mark.parametrize(
    ("status", "code", "message", "failure", "ambiguous"),
    [
        (401, "INVALID_SESSION_ID", "", F.SESSION, False),
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", F.DAILY_LIMIT, False),
        (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit …", F.CONCURRENCY, False),
        (503, "SERVER_UNAVAILABLE", "", F.AWAY, True),
        (500, "UNKNOWN_EXCEPTION", "", F.AWAY, True),
        (502, "", "", F.AWAY, True),
        (406, "", "", F.AWAY, False),
        (420, "", "", F.AWAY, False),
        (412, "", "", F.EDITED, False),
        (400, "UNABLE_TO_LOCK_ROW", "", F.ROW_LOCK, False),
        (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "… UNABLE_TO_LOCK_ROW …", F.ROW_LOCK, False),
        (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: Case",
         F.MISCONFIGURED, False),
        (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger said no", F.REFUSED, False),
        (400, "DUPLICATE_VALUE", "", F.RACE, False),
        (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
         "CaseTrigger: execution of AfterInsert caused by: System.QueryException: Record Currently "
         "Unavailable: The record you are attempting to edit", F.ROW_LOCK, False),
        (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "… record currently unavailable …", F.ROW_LOCK, False),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Record Currently Unavailable", F.REFUSED,
         False),
        (400, "QUERY_TOO_COMPLICATED", "", F.TOO_MUCH, False),
        (400, "LIMIT_EXCEEDED", "", F.TOO_MUCH, False),
        (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
         "System.LimitException: Too many SOQL queries: 101", F.TOO_MUCH, False),
        (400, "APEX_ERROR", "Apex CPU time limit exceeded", F.TOO_MUCH, False),
        (500, "UNKNOWN_EXCEPTION", "System.LimitException: Apex CPU time …", F.TOO_MUCH, True),
        (400, "INVALID_FIELD", "", F.MISSING_FIELD, False),
        (404, "NOT_FOUND", "", F.DENIED, False),
        (400, "INSUFFICIENT_ACCESS_OR_READONLY", "", F.DENIED, False),
        (403, "API_DISABLED_FOR_ORG", "", F.LOGIN_REFUSED, False),
        (400, "FIELD_INTEGRITY_EXCEPTION", "", F.VALUE, False),
        (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "", F.CHOICE, False),
        (400, "ENTITY_IS_DELETED", "", F.LINK, False),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "", F.REFUSED, False),
        (400, "A_CODE_OF_NEXT_YEAR", "", F.REFUSED, False),
        (302, "", "", F.REFUSED, False),
    ],
)  # fmt: skip
def test_each_failure_has_a_class(
    status: int, code: str, message: str, failure: FailureClass, ambiguous: bool
) -> None:
    error = classify(status, code, message)
    assert (error.failure, error.ambiguous) == (failure, ambiguous)


def test_waits_grow_with_each_failure_up_to_a_ceiling_and_are_jittered() -> None:
    error = SalesforceError(F.AWAY, "X")
    for failures_in_a_row, max_ms in (
        (0, 1_000),
        (1, 2_000),
        (3, 8_000),
        (10, 8_000),
        (500, 8_000),
    ):
        waits = [delay_ms(error, failures_in_a_row) for _ in range(200)]
        assert max_ms * 0.2 - 1 <= min(waits)
        assert max(waits) <= max_ms
        assert len(set(waits)) > 20


def test_the_daily_limit_waits_no_longer_than_it_is_believed_and_retry_after_is_honoured() -> None:
    assert delay_ms(SalesforceError(F.DAILY_LIMIT, "X"), 0) >= 2_000
    assert delay_ms(SalesforceError(F.DAILY_LIMIT, "X"), 50) <= LOOK_AGAIN_MS
    said = SalesforceError(F.AWAY, "X", retry_after_s=40.0)
    assert delay_ms(said, 0) >= 40_000


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("No such column 'CallType' on sobject of type Task", ("CallType",)),
        ("… ERROR at Row:1:Column:8 No such column 'Email' on entity 'Contact'. …", ("Email",)),
        ("Unable to create/update fields: Type, Priority. Please check …", ("Type", "Priority")),
        ("something else", ()),
    ],
)
def test_a_missing_field_is_named_by_the_text_where_the_answer_lists_none(
    message: str, fields: tuple[str, ...]
) -> None:
    assert classify(400, "INVALID_FIELD", message).fields == fields


def test_salesforces_words_are_in_no_text_of_the_error() -> None:
    error = classify(400, "INVALID_EMAIL_ADDRESS", "invalid email address: jane@", ("Email",))
    assert error.message == "invalid email address: jane@"
    for text in (str(error), repr(error), repr(error.args)):
        assert "jane" not in text
