"""What a call's report found out, as fields of its Task and of its case (`[outcome]`)."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.calls.end_of_call import reached_nobody
from shared.domain.drafts import CallDraft
from shared.domain.text import fit, fit_line
from shared.salesforce.org_setup import FieldSetup, Setup
from shared.vapi.ended import ended_group
from workers.delivery.call_text import as_words

MAX_TEXT = 255
"""Characters for a field whose type has no length in describe."""

LINES = frozenset({"textarea"})
NUMBERS = frozenset({"double", "currency", "percent"})
YES = frozenset({"true", "yes", "pass", "passed", "success"})
NO = frozenset({"false", "no", "fail", "failed", "failure"})
"""Words for a checkbox. Vapi's rubrics also answer with such words (docs/vendors.md V16)."""


def outcome_fields(
    sobject: str, sources: Mapping[str, str], draft: CallDraft, setup: Setup
) -> dict[str, Any]:
    """Field → value, of the fields that the org has and the report says something for."""
    fields = {}
    for name, source in sources.items():
        field = setup.fields.get(f"{sobject}.{name}")
        value = as_field_value(result_of(draft, source), field) if field else None
        if value not in (None, ""):
            fields[name] = value
    return fields


def result_of(draft: CallDraft, source: str) -> Any:
    """What the report says for a source of `[outcome]`; None or "" when it says nothing."""
    outcome = draft.outcome
    kind, _, name = source.partition(".")
    match kind:
        case "structured":
            return _structured(draft, name)
        case "scorecard":
            return _scorecard(outcome.get("scorecards") or {}, name)
        case "success":
            return outcome.get("success_evaluation")
        case "cost":
            return outcome.get("cost")
        case "ended_reason":
            return draft.ended_reason
        case "ended_group":
            in_vain = reached_nobody(draft.ended_reason, outcome)
            return ended_group(draft.ended_reason, reached_nobody=in_vain)
        case "assistant_version":
            return outcome.get("assistant_version")
        case "consent":
            consent = outcome.get("recording_consent")
            return bool(consent.get("granted_at")) if consent else None
        case "transfer_result":
            transfers = outcome.get("transfers") or [{}]
            return transfers[-1].get("status")
        case "duration_s":
            return draft.duration_s
        case "summary":
            return draft.summary
    return None


def as_field_value(value: Any, field: FieldSetup) -> Any:
    """The value as the field's type takes it; None when it can't."""
    if value is None:
        return None
    match field.type:
        case "boolean":
            return value if isinstance(value, bool) else _as_boolean(value)
        case "int":
            number = _as_number(value)
            return None if number is None else round(number)
        case kind if kind in NUMBERS:
            return _as_number(value)
        case "multipicklist":
            return ";".join(map(str, value)) if isinstance(value, list) else as_words(value)
        case kind if kind in LINES and isinstance(value, str):
            return fit(value, field.length or MAX_TEXT)
        case _:
            return fit_line(as_words(value), field.length or MAX_TEXT)


def _structured(draft: CallDraft, wanted: str) -> Any:
    """A structured output by name, or a part of it: "Booking.date". Names may contain dots.

    `structuredData` of the older analysis counts as outputs as well.
    """
    data = draft.outcome.get("structured_data")
    results = {
        **(data if isinstance(data, dict) else {}),
        **(draft.outcome.get("structured_outputs") or {}),
        **{
            name: draft.summary if result is None else result
            for name, result in (draft.outcome.get("summary_output") or {}).items()
        },
    }
    return next((_at(results[name], path) for name, path in _paths(results, wanted)), None)


def _paths(results: Mapping[str, Any], wanted: str) -> Iterator[tuple[str, list[str]]]:
    """(name of a result, path inside it), the longest name first."""
    by_name = {name.casefold(): name for name in results}
    parts = wanted.split(".")
    for length in range(len(parts), 0, -1):
        if name := by_name.get(".".join(parts[:length]).casefold()):
            yield name, parts[length:]


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _scorecard(cards: Mapping[str, dict[str, float]], wanted: str) -> float | None:
    by_name = {name.casefold(): card for name, card in cards.items()}
    card = by_name.get(wanted.casefold(), {})
    return card.get("score", card.get("score_normalized"))


def _as_boolean(value: Any) -> bool | None:
    word = str(value).strip().lower()
    return True if word in YES else False if word in NO else None


def _as_number(value: Any) -> float | None:
    """A number of JSON, or a text that is nothing but one."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e15 else None
