"""The org's own rules: which are there, and whether they let the service's writes through.

Who may not see them (View Setup and Configuration) can still try: the writes of `try_writes` are
one Composite request that is all or nothing, and its last part fails on purpose. So nothing stays,
but validation rules, duplicate rules, triggers and flows have had their say (docs/vendors.md S8).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared.deadline import Deadline
from shared.salesforce.client import SalesforceClient
from shared.salesforce.composite import Answer, Subrequest, post, subrequest_error
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
LEFT_OUT = {FailureClass.VALUE, FailureClass.LINK, FailureClass.MISSING_FIELD}
"""The fields, and the failures by which a delivery would leave one out rather than park."""

A_RULE_REFUSES = {FailureClass.VALUE, FailureClass.LINK, FailureClass.REFUSED}

TEXT = "Trial of the voice service's doctor; it is undone at once"


class RulesUnseenError(Exception):
    """The user may not see the org's rules."""


@dataclass(frozen=True)
class Rules:
    """refusing: "validation rule Case.Name" each, which may refuse a write. routing: the names of
    the assignment rules that give new cases their owner."""

    refusing: tuple[str, ...]
    routing: tuple[str, ...]


def active_rules(salesforce: SalesforceClient) -> Rules:
    """Those of the objects that the service writes. Raises RulesUnseenError, SalesforceError.

    Where they are shown: docs/vendors.md S7.
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
        f"validation rule {item['EntityDefinition']['QualifiedApiName']}.{item['ValidationName']}"
        for item in validation
    ]
    refusing += [f"duplicate rule Contact.{item['MasterLabel']}" for item in duplicate]
    return Rules(tuple(refusing), tuple(str(item["Name"]) for item in routing))


def _tooling(salesforce: SalesforceClient, statement: str) -> list[dict[str, Any]]:
    path = f"{salesforce.api_path}tooling/query?q={quote(statement, safe='')}"
    deadline = Deadline.after(ANSWER_S)
    return all_records(salesforce.fetch(path, deadline).body, salesforce.next_page(deadline))


def try_writes(salesforce: SalesforceClient) -> str:
    """What refused one of the writes, "" when all were let through. Raises SalesforceError.

    As in a delivery, an optional field whose value is not taken is left out the next time.
    """
    trial = _trial()
    for left in reversed(range(TRIES)):
        answers = post(salesforce, trial, Deadline.after(ANSWER_S), all_or_none=True)
        if stored := [answer for answer in answers if answer["httpStatusCode"] < 300]:
            ids = [str(item["body"]["id"]) for item in stored if item["body"]]
            return f"the trial was not undone: delete {', '.join(ids)}"
        refused = next((answer for answer in answers if not _is_halted(answer)), None)
        if refused is None:
            raise away("UNEXPECTED_BODY", ambiguous=True)
        if refused["referenceId"] == UNDO:
            return ""
        error = subrequest_error(refused, whole=False)
        spared = OPTIONAL.intersection(error.fields)
        if error.failure not in LEFT_OUT or not spared or not left:
            if error.failure in A_RULE_REFUSES:
                return _said(refused)
            raise error  # no rule: a lock, an outage, a right that is missing
        trial = [
            _without(part, spared) if part["referenceId"] == refused["referenceId"] else part
            for part in trial
        ]
    raise AssertionError("the last try returns")


def _without(part: Subrequest, fields: Collection[str]) -> Subrequest:
    return part | {"body": {k: v for k, v in part["body"].items() if k not in fields}}


def _said(refused: Answer) -> str:
    said = refused["body"][0]
    what = f"{refused['referenceId']}: {said.get('errorCode')}"
    if said.get("errorCode") == "FIELD_CUSTOM_VALIDATION_EXCEPTION":
        return f"{what} ({said.get('message')})"  # the admin's own words; others may quote a record
    fields = said.get("fields") or []
    return f"{what} ({', '.join(fields)})" if fields else what


def _is_halted(answer: Answer) -> bool:
    body = answer["body"]
    return isinstance(body, list) and bool(body) and body[0].get("errorCode") == HALTED


def _trial() -> list[Subrequest]:
    """New records, with fields that the service fills in; none of theirs is ever touched."""
    task = {
        "Subject": TEXT, "Description": TEXT, "Priority": "Normal", "WhatId": "@{Case.id}",
        "ActivityDate": f"{datetime.now(UTC):%Y-%m-%d}",
    }  # fmt: skip
    call_log = {"Status": "Completed", "TaskSubtype": "Call", "CallType": "Inbound"}
    case_draft = {
        "Subject": TEXT, "Description": TEXT, "Type": "Technical", "Origin": "Phone",
        "Priority": "Medium",
    }  # fmt: skip
    trial = [
        _part("Case", "POST", "Case", case_draft),
        _part("Comment", "POST", "CaseComment", {"ParentId": "@{Case.id}", "CommentBody": TEXT}),
        _part("CallLog", "POST", "Task", task | call_log),
        _part("Callback", "POST", "Task", task | {"Status": "Not Started"}),
        _part("Closing", "PATCH", "Case/@{Case.id}", {"Status": "Closed"}),
    ]
    # A comment on nothing lacks what is required.
    return [*trial, _part(UNDO, "POST", "CaseComment", {"CommentBody": TEXT})]


def _part(reference_id: str, method: str, path: str, body: dict[str, Any]) -> Subrequest:
    return {
        "referenceId": reference_id, "method": method, "url": f"sobjects/{path}", "body": body,
    }  # fmt: skip
