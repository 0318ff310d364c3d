"""The org's own rules: which are active, and whether they accept the service's writes.

Seeing the rules takes the permission View Setup and Configuration. A user without it can still test
them: `try_writes` sends the writes as one all-or-nothing Composite request whose last part fails on
purpose. So nothing stays in the org, but validation rules, duplicate rules, triggers and flows have
run (docs/vendors.md S8).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.salesforce.client import SalesforceClient
from shared.salesforce.composite import Answer, Reference, Subrequest, post, subrequest_error
from shared.salesforce.failures import FailureClass, SalesforceError, away
from shared.salesforce.pages import all_records
from shared.salesforce.records import MARKERS
from shared.salesforce.soql import soql

ANSWER_S = 30.0
"""Triggers and flows run inside the request."""

WRITTEN = (*MARKERS, "CaseComment", "Contact")
UNSEEN = frozenset({"INVALID_TYPE", "INSUFFICIENT_ACCESS", "NOT_FOUND"})
HALTED = "PROCESSING_HALTED"
UNDO = "undo"
TRIES = 4

OPTIONAL = frozenset({"Type", "Origin", "Priority", "TaskSubtype", "CallType"})
LEFT_OUT = {
    FailureClass.VALUE,
    FailureClass.CHOICE,
    FailureClass.LINK,
    FailureClass.MISSING_FIELD,
}
"""The fields that a delivery would omit after one of these failures, rather than park."""

A_RULE_REFUSES = {FailureClass.VALUE, FailureClass.CHOICE, FailureClass.LINK, FailureClass.REFUSED}

OF_CASE = Reference("@{Case.id}")
"""The case that the trial has created before."""

TEXT = "Trial of the voice service's doctor; it is undone at once"


class RulesUnseenError(ServiceError):
    """The user may not see the org's rules."""


@dataclass(frozen=True)
class Rules:
    """refusing: rules that may refuse a write, each as "validation rule Case.Name". routing: names
    of the assignment rules that give new cases their owner."""

    refusing: tuple[str, ...]
    routing: tuple[str, ...]


def active_rules(salesforce: SalesforceClient) -> Rules:
    """The active rules of the objects that the service writes.

    Raises RulesUnseenError and SalesforceError. Where the org shows them: docs/vendors.md S7.
    """
    try:
        duplicate = salesforce.query(
            "SELECT MasterLabel FROM DuplicateRule WHERE IsActive = true "
            "AND SobjectType = 'Contact' ORDER BY MasterLabel",
            Deadline.after(ANSWER_S),
        )
        validation = _tooling(
            salesforce,
            soql(
                "SELECT ValidationName, EntityDefinition.QualifiedApiName FROM ValidationRule "
                "WHERE Active = true AND EntityDefinition.QualifiedApiName IN {written} "
                "ORDER BY ValidationName",
                written=list(WRITTEN),
            ),
        )
        routing = salesforce.query(
            "SELECT Name FROM AssignmentRule WHERE Active = true AND SobjectType = 'Case'",
            Deadline.after(ANSWER_S),
        )
    except SalesforceError as error:
        if error.code in UNSEEN:
            raise RulesUnseenError(error.code) from None
        raise
    refusing = [
        f"validation rule {rule['EntityDefinition']['QualifiedApiName']}.{rule['ValidationName']}"
        for rule in validation
    ]
    refusing += [f"duplicate rule Contact.{rule['MasterLabel']}" for rule in duplicate]
    return Rules(tuple(refusing), tuple(str(rule["Name"]) for rule in routing))


def _tooling(salesforce: SalesforceClient, statement: str) -> list[dict[str, Any]]:
    path = f"{salesforce.api_path}tooling/query?q={quote(statement, safe='')}"
    deadline = Deadline.after(ANSWER_S)
    return all_records(salesforce.fetch(path, deadline).body, salesforce.next_page(deadline))


@dataclass(frozen=True)
class Statuses:
    """The statuses that the service gives to a closed case, a call log and a call-back."""

    closed_case: str
    call_log: str
    callback: str


def try_writes(salesforce: SalesforceClient, statuses: Statuses) -> str:
    """What refused one of the writes; "" when all were accepted. Raises SalesforceError.

    Like a delivery, tries again without an optional field whose value is refused.
    """
    trial = _trial(statuses)
    for left in reversed(range(TRIES)):
        answers = post(salesforce, trial, Deadline.after(ANSWER_S), all_or_none=True)
        if done := [answer for answer in answers if answer["httpStatusCode"] < 300]:
            ids = [str(answer["body"]["id"]) for answer in done if answer["body"]]
            return f"the trial was not undone: delete {', '.join(ids)}"
        refused = next((answer for answer in answers if not _is_halted(answer)), None)
        if refused is None:
            raise away("UNEXPECTED_BODY", ambiguous=True)
        if refused["referenceId"] == UNDO:
            return ""
        error = subrequest_error(refused, whole=False)
        omitted = OPTIONAL.intersection(error.fields)
        if error.failure not in LEFT_OUT or not omitted or not left:
            if error.failure in A_RULE_REFUSES:
                return _described(refused)
            raise error  # not a rule: a lock, an outage, a missing permission
        trial = [
            _without(part, omitted) if part["referenceId"] == refused["referenceId"] else part
            for part in trial
        ]
    raise AssertionError("the last try returns")


def _without(part: Subrequest, fields: Collection[str]) -> Subrequest:
    return part | {"body": {k: v for k, v in part["body"].items() if k not in fields}}


def _described(refused: Answer) -> str:
    error = refused["body"][0]
    what = f"{refused['referenceId']}: {error.get('errorCode')}"
    if error.get("errorCode") == "FIELD_CUSTOM_VALIDATION_EXCEPTION":
        return f"{what} ({error.get('message')})"  # the admin's words; others may quote a record
    fields = error.get("fields") or []
    return f"{what} ({', '.join(fields)})" if fields else what


def _is_halted(answer: Answer) -> bool:
    body = answer["body"]
    return isinstance(body, list) and bool(body) and body[0].get("errorCode") == HALTED


def _trial(statuses: Statuses) -> list[Subrequest]:
    """New records with the fields that the service fills in. Touches no existing record."""
    task = {
        "Subject": TEXT, "Description": TEXT, "Priority": "Normal", "WhatId": OF_CASE,
        "ActivityDate": f"{datetime.now(UTC):%Y-%m-%d}",
    }  # fmt: skip
    call_log = {"Status": statuses.call_log, "TaskSubtype": "Call", "CallType": "Inbound"}
    case_draft = {
        "Subject": TEXT, "Description": TEXT, "Type": "Technical", "Origin": "Phone",
        "Priority": "Medium",
    }  # fmt: skip
    trial = [
        _part("Case", "POST", "Case", case_draft),
        _part("Comment", "POST", "CaseComment", {"ParentId": OF_CASE, "CommentBody": TEXT}),
        _part("CallLog", "POST", "Task", task | call_log),
        _part("Callback", "POST", "Task", task | {"Status": statuses.callback}),
        _part("Closing", "PATCH", f"Case/{OF_CASE}", {"Status": statuses.closed_case}),
    ]
    # Fails on purpose: a comment without a case lacks a required field.
    return [*trial, _part(UNDO, "POST", "CaseComment", {"CommentBody": TEXT})]


def _part(reference_id: str, method: str, path: str, body: dict[str, Any]) -> Subrequest:
    url = Reference(f"sobjects/{path}")
    return {"referenceId": reference_id, "method": method, "url": url, "body": body}
