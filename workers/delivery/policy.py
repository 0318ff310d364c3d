"""What a failure means: one table says whom it concerns, one function makes the outcome of it.

A failure belongs to what fails. A value that is not taken is its field's, a refusal its record's, a
missing right its source's (the tool that asked for the record; its kind where no tool did), an
outage the org's. Where an answer alone can't tell a record from its source, the journal can: it
counts the different records that were refused so since the source last succeeded
(shared/journal/scripts/settle.lua). Two make the source wait; one alone is tried a bounded number
of times and parks.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

from shared.domain.drafts import CaseTarget, ChangeDraft, ContactDraft
from shared.domain.intent import (
    Delivered,
    Intent,
    NewIntent,
    Outcome,
    Parked,
    PartRefused,
    Scope,
    TryAgain,
    new_intent_id,
)
from shared.domain.kinds import Kind
from shared.salesforce.failures import FailureClass, SalesforceError, delay_ms

LINKS = frozenset({"ContactId", "AccountId", "WhoId", "WhatId"})
OF_THE_MAPPING = frozenset({"OwnerId", "RecordTypeId", "EntitlementId"})
"""What the team's mapping links a record to; the org chooses where it is left out."""

ALONE = 6
"""Refusals after which a record parks that alone is refused as its source might be. The waits
between them take a minute at most."""

MAX_DETAIL = 1_000


@dataclass(frozen=True)
class Rule:
    """What one class of failure means.

    request: whom it concerns when a request failed as a whole; record: when it is the answer to one
    record. limit: refusals after which a record that fails so parks; 1 parks at once, 0 never.
    suspect: a record's refusal may be its source's.
    """

    request: Scope
    record: Scope
    limit: int = 0
    suspect: bool = False


POLICY: dict[FailureClass, Rule] = {
    FailureClass.AWAY: Rule(Scope.ORG, Scope.RECORD, limit=20, suspect=True),
    FailureClass.CONCURRENCY: Rule(Scope.ORG, Scope.ORG),
    FailureClass.DAILY_LIMIT: Rule(Scope.ORG, Scope.ORG),
    FailureClass.LOGIN_LIMIT: Rule(Scope.ORG, Scope.ORG),
    FailureClass.LOGIN_REFUSED: Rule(Scope.ORG, Scope.ORG),
    FailureClass.BUDGET: Rule(Scope.ORG, Scope.ORG),
    FailureClass.SESSION: Rule(Scope.ORG, Scope.ORG),
    FailureClass.MISCONFIGURED: Rule(Scope.SOURCE, Scope.SOURCE, limit=ALONE),
    FailureClass.TOO_MUCH: Rule(Scope.BATCH, Scope.BATCH, limit=ALONE, suspect=True),
    FailureClass.UNFORESEEN: Rule(Scope.BATCH, Scope.BATCH, limit=ALONE, suspect=True),
    FailureClass.DENIED: Rule(Scope.BATCH, Scope.RECORD, limit=ALONE, suspect=True),
    FailureClass.CHOICE: Rule(Scope.BATCH, Scope.RECORD, limit=ALONE, suspect=True),
    FailureClass.ROW_LOCK: Rule(Scope.RECORD, Scope.RECORD, limit=40),
    FailureClass.EDITED: Rule(Scope.BATCH, Scope.RECORD, limit=20),
    FailureClass.HALTED: Rule(Scope.BATCH, Scope.RECORD, limit=20),
    FailureClass.RACE: Rule(Scope.BATCH, Scope.RECORD, limit=5),
    FailureClass.REFUSED: Rule(Scope.BATCH, Scope.RECORD, limit=1),
    FailureClass.VALUE: Rule(Scope.BATCH, Scope.FIELD, limit=1),
    FailureClass.LINK: Rule(Scope.BATCH, Scope.FIELD, limit=1),
    FailureClass.MISSING_FIELD: Rule(Scope.BATCH, Scope.FIELD, limit=1),
}


def outcome_of(
    intent: Intent,
    error: SalesforceError,
    *,
    failures_in_a_row: int = 0,
    may_exist: bool = False,
    rest_ms: int = 0,
    optional: frozenset[str] = frozenset(),
    record_id: str = "",
) -> Outcome:
    """What a failure means for one intent.

    failures_in_a_row: of the source, or of the org. may_exist: this attempt or
    an earlier one may have been committed; rest_ms: how long such a write is left alone. optional:
    fields that the record may go without. record_id: the record that was to be changed, where it is
    known.
    """
    again = TryAgain(
        intent.id,
        str(error),
        delay_ms(error, intent.refusals),
        Scope.RECORD,
        in_doubt=may_exist,
        rest_ms=rest_ms if may_exist and error.failure is not FailureClass.RACE else 0,
        omit_fields=intent.omit_fields,
        detail=error.message[:MAX_DETAIL],
    )
    if dropped := _dropped(intent, error, optional):
        missing = dropped if error.failure is FailureClass.MISSING_FIELD else ()
        return replace(
            again, omit_fields=tuple(sorted({*intent.omit_fields, *dropped})), missing=missing
        )
    if part := _part_refused(intent, error, again):
        return part
    error = replace(error, failure=_class_of(error))
    rule = POLICY[error.failure]
    match rule.request if error.whole else rule.record:
        case Scope.ORG | Scope.SOURCE as scope:
            return replace(
                again,
                scope=scope,
                delay_ms=delay_ms(error, failures_in_a_row),
                failures_in_a_row=0 if error.failure is FailureClass.BUDGET else 1,
                limit=rule.limit,
            )
        case scope if scope is Scope.BATCH or rule.suspect:
            return replace(
                again,
                scope=scope,
                delay_ms=delay_ms(error, max(intent.refusals, failures_in_a_row)),
                limit=max(rule.limit, ALONE),
                target=record_id or _record_of(intent),
            )
        case _ if rule.limit == 1:
            return Parked(intent.id, str(error), again.detail)
        case _:
            return replace(again, limit=rule.limit)


def alone(outcome: Outcome) -> Outcome:
    """The outcome of an intent that was sent alone: its batch can't be made smaller."""
    if isinstance(outcome, TryAgain) and outcome.scope is Scope.BATCH:
        return replace(outcome, scope=Scope.RECORD)
    return outcome


def of_itself(outcome: Outcome) -> Outcome:
    """The outcome of an intent that failed before anything was sent: nothing else is suspected."""
    outcome = alone(outcome)
    return replace(outcome, target="") if isinstance(outcome, TryAgain) else outcome


def among_others(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Where others of the batch went through, a defect that one alone meets is that one's."""
    said = list(outcomes)
    if not any(isinstance(item, Delivered) for item in said):
        return said
    return [
        Parked(item.intent_id, item.reason)
        if isinstance(item, TryAgain) and item.limit and item.reason.startswith(UNFORESEEN)
        else item
        for item in said
    ]


UNFORESEEN = "UNFORESEEN_"


def unforeseen(defect: Exception) -> SalesforceError:
    """A defect of ours, as a failure of the request. It may have been sent."""
    code = f"{UNFORESEEN}{type(defect).__name__}"
    return SalesforceError(FailureClass.UNFORESEEN, code, ambiguous=True, whole=True)


def _class_of(error: SalesforceError) -> FailureClass:
    """What a failure of fields is where no field can be left out.

    A missing field that every record of the source carries is the source's. One that the answer
    does not name may be anybody's, and so may what refuses a whole request. An owner or a record
    type that the org no longer has is a choice of the tool's file.
    """
    match error.failure:
        case FailureClass.MISSING_FIELD:
            return FailureClass.MISCONFIGURED if error.fields else FailureClass.DENIED
        case FailureClass.VALUE | FailureClass.CHOICE | FailureClass.LINK if error.whole:
            return FailureClass.DENIED
        case FailureClass.LINK if error.fields and OF_THE_MAPPING.issuperset(error.fields):
            return FailureClass.CHOICE
        case _:
            return error.failure


def _dropped(intent: Intent, error: SalesforceError, optional: frozenset[str]) -> tuple[str, ...]:
    """The optional fields to go without from now on; none when that was done already."""
    named = optional.intersection(error.fields)
    match error.failure:
        case FailureClass.MISSING_FIELD:
            dropped = named - LINKS  # a link that is hidden has to be set right
        case FailureClass.VALUE | FailureClass.CHOICE if not error.whole:
            dropped = named
        case FailureClass.LINK if not error.whole:
            # Salesforce does not always say which link it means: then all of them go.
            dropped = named or ((LINKS | OF_THE_MAPPING) & optional)
        case _:
            return ()
    return tuple(sorted(dropped - set(intent.omit_fields)))


# -- part of a contact update ----------------------------------------------------------------------

_OF_FIELDS = {
    FailureClass.VALUE,
    FailureClass.CHOICE,
    FailureClass.LINK,
    FailureClass.MISSING_FIELD,
    FailureClass.REFUSED,
}

_STATE_OR_COUNTRY = re.compile(r"\b(state|country|territory)\b", re.IGNORECASE)


def _part_refused(intent: Intent, error: SalesforceError, again: TryAgain) -> Outcome | None:
    """A contact update is one request per field: the fields that are not refused are written."""
    if intent.kind is not Kind.CONTACT_UPDATE or error.whole or error.failure not in _OF_FIELDS:
        return None
    draft = cast(ContactDraft, intent.draft)
    refused = _blamed(error, set(draft.changes))
    if not refused:
        return None
    if refused == set(draft.changes):
        return Parked(intent.id, again.reason, again.detail)
    rest = {name: value for name, value in draft.changes.items() if name not in refused}
    part = {name: value for name, value in draft.changes.items() if name in refused}
    return PartRefused(
        intent.id,
        again.reason,
        rest=replace(draft, changes=rest),
        part=NewIntent(
            id=new_intent_id(),
            kind=intent.kind,
            draft=replace(draft, changes=part),
            tool=intent.tool,
            reference=intent.reference,
            said=intent.said,
        ),
        delay_ms=again.delay_ms,
        in_doubt=again.in_doubt,
        detail=again.detail,
    )


def _blamed(error: SalesforceError, changed: set[str]) -> set[str]:
    """The changed fields that Salesforce's error is about.

    The error may name the code field of a state or country, name only the other of the two, or name
    a field only in its text.
    """
    named = {name.removesuffix("Code") for name in error.fields}
    if blamed := named & changed:
        return blamed
    if blamed := {name for name in changed if re.search(rf"\b{name}\b", error.message)}:
        return blamed
    of_address = any(name.startswith("Mailing") for name in named) or (
        error.code == "FIELD_INTEGRITY_EXCEPTION" and _STATE_OR_COUNTRY.search(error.message)
    )
    if not of_address:
        return set()
    address = {name for name in changed if name.startswith("Mailing")}
    return {"MailingState", "MailingCountry"} & address or address


def _record_of(intent: Intent) -> str:
    """A name for the record that an intent is about; for a new record, the intent's id."""
    match intent.draft:
        case ContactDraft() as draft:
            return draft.contact_id or draft.caller_number or intent.id
        case CaseTarget() as draft:
            return draft.case_intent or draft.case_number or intent.id
        case ChangeDraft() as draft:
            return draft.record_intent or draft.record_id or intent.id
    return intent.id
