"""Writes what a call's report found out to the case that the call opened (`[outcome]`).

Only empty fields are written, and only while nobody has changed the case in between: a person's
edit stays. The Task of the call follows. A case that refuses the fields does not keep it waiting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from shared.domain.drafts import CallDraft
from shared.domain.intent import Intent, Outcome, TryAgain
from shared.logs import log
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.org_setup import NOT_SHOWN, Setup
from shared.salesforce.records import Row
from shared.salesforce.soql import columns, soql
from workers.delivery.case_of_call import CallView
from workers.delivery.context import DeliveryContext
from workers.delivery.links import not_yet, unchanged_since
from workers.delivery.outcomes import outcome_fields

MAX_REFUSALS = 3
"""After so many, the Task is written without the case's fields."""

TRANSIENT = frozenset(
    {
        FailureClass.AWAY, FailureClass.CONCURRENCY, FailureClass.DAILY_LIMIT, FailureClass.BUDGET,
        FailureClass.LOGIN_LIMIT, FailureClass.SESSION, FailureClass.ROW_LOCK, FailureClass.EDITED,
    }
)  # fmt: skip
OF_A_FIELD = frozenset(
    {FailureClass.VALUE, FailureClass.CHOICE, FailureClass.LINK, FailureClass.MISSING_FIELD}
)


def write_to_cases(
    context: DeliveryContext,
    intents: Sequence[Intent],
    cases: Mapping[str, str],
    calls: Mapping[str, CallView],
    setup: Setup,
) -> tuple[list[Intent], list[Outcome]]:
    """The intents whose Task can be written now, and the outcomes of those that have to wait.

    cases: the case of each intent's call. Takes two requests for all, none without Case fields.
    """
    sources = context.mapping.outcome_of("Case")
    wanted: dict[str, tuple[Intent, dict[str, Any]]] = {}
    waiting: list[Outcome] = []
    for intent in intents:
        if not sources or intent.id not in cases or not calls[intent.id].opened:
            continue
        fields = outcome_fields("Case", sources, cast(CallDraft, intent.draft), setup)
        fields = {
            name: value
            for name, value in fields.items()
            if setup.fields[f"Case.{name}"].updateable and f"Case.{name}" not in intent.omit_fields
        }
        if fields and cases[intent.id] in wanted:
            # An amendment of a call that is logged in the same batch has to see what that wrote.
            waiting.append(not_yet(intent, "AFTER_ANOTHER", 100))
        elif fields:
            wanted[cases[intent.id]] = (intent, fields)
    refused = _write(context, wanted) if wanted else {}
    for intent, error in refused.values():
        outcome = _outcome(context, intent, error, sources)
        if outcome:
            waiting.append(outcome)
        else:
            log.warning("case_outcome_refused", kind=intent.kind, reason=str(error))
    ids = {outcome.intent_id for outcome in waiting}
    return [intent for intent in intents if intent.id not in ids], waiting


def _write(
    context: DeliveryContext, wanted: Mapping[str, tuple[Intent, dict[str, Any]]]
) -> dict[str, tuple[Intent, SalesforceError]]:
    """What was refused, by case."""
    names = tuple(sorted({name for _, fields in wanted.values() for name in fields}))
    selected = ("Id", "LastModifiedDate", "LastModifiedById", "CreatedById", *names)
    try:
        (rows,) = context.records.query(
            soql(f"SELECT {columns(selected)} FROM Case WHERE Id IN {{ids}}", ids=sorted(wanted))
        )
    except SalesforceError as error:
        if error.failure not in NOT_SHOWN:
            raise
        return {case_id: (intent, error) for case_id, (intent, _) in wanted.items()}
    changes = []
    for row in rows:
        _, fields = wanted[row["Id"]]
        if empty := {name: value for name, value in fields.items() if _is_empty(row, name)}:
            changes.append(Row(row["Id"], empty, unchanged_since(row)))
    written = context.records.change("Case", changes) if changes else []
    return {
        change.record_id: (wanted[change.record_id][0], item.error)
        for change, item in zip(changes, written, strict=True)
        if item.error
    }


def _is_empty(row: Mapping[str, Any], name: str) -> bool:
    """A checkbox is never empty: false counts so while nobody else has changed the case."""
    if row[name] is False:
        return bool(row["LastModifiedById"] == row["CreatedById"])
    return row[name] in (None, "")


def _outcome(
    context: DeliveryContext, intent: Intent, error: SalesforceError, sources: Mapping[str, str]
) -> Outcome | None:
    """What a refusal means for the intent; None when its Task goes on without."""
    if error.failure in OF_A_FIELD and error.fields and not error.whole:
        # The names of the case's fields and of the Task's must not be confused.
        error = replace(error, fields=tuple(f"Case.{name}" for name in error.fields))
        optional = frozenset(f"Case.{name}" for name in sources)
        outcome = context.failed(intent, error, may_exist=intent.in_doubt, optional=optional)
        return outcome if isinstance(outcome, TryAgain) else None
    if error.failure not in TRANSIENT or intent.refusals >= MAX_REFUSALS:
        return None
    outcome = context.failed(intent, error, may_exist=intent.in_doubt)
    return outcome if isinstance(outcome, TryAgain) else None
