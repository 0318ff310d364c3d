"""How a finished call reads on its Task: the fields that say when, how long, what and why."""

from collections.abc import Iterator
from typing import Any

from shared.calls.end_of_call import (
    MAX_DESCRIPTION,
    MAX_SUMMARY,
    RESERVED_FOR_FACTS,
    reached_nobody,
)
from shared.domain.drafts import CallDraft
from shared.domain.text import fit, fit_line, one_line
from shared.salesforce.time_zone import TimeZone
from shared.vapi.messages import INBOUND, WEB, caller_label
from shared.vapi.values import as_epoch_ms

MAX_LINE = 300

TRANSFERS = {
    "no-answer": "nobody answered",
    "voicemail": "a voicemail answered",
    "busy": "the line was busy",
}
"""Words for how a transfer ended. Other values, such as "connected", are written as they are."""


def call_fields(
    draft: CallDraft, other_cases: list[str], accepted_at_ms: int, time_zone: TimeZone
) -> dict[str, Any]:
    """The fields of a Task that the draft decides.

    other_cases: numbers of the cases of the call that the Task is not linked to.
    """
    return {
        "Subject": subject(draft.direction),
        "Description": _description(draft, other_cases, time_zone),
        # A restricted picklist of Salesforce's, without a word for web calls.
        "CallType": INBOUND if draft.direction == WEB else draft.direction,
        "CallObject": fit_line(draft.call_id, 255),
        "CallDisposition": fit_line(draft.ended_reason, 255),
        "CallDurationInSeconds": draft.duration_s,
        "ActivityDate": time_zone.day(_at_ms(draft, accepted_at_ms)),
    }


def subject(direction: str) -> str:
    return "Web call" if direction == WEB else f"Voice call ({direction.lower()})"


def _at_ms(draft: CallDraft, accepted_at_ms: int) -> int:
    """When the call was: by the payload's own times, else when its end was reported."""
    said = (draft.started_at, draft.ended_at, draft.reported_at)
    return next((ms for item in said if (ms := as_epoch_ms(item)) is not None), accepted_at_ms)


def _description(draft: CallDraft, other_cases: list[str], time_zone: TimeZone) -> str:
    """Facts, summary, transcript; end_of_call.py has seen to it that they fit."""
    parts = ["\n".join(_lines_that_fit(draft, other_cases, time_zone))]
    if draft.summary and draft.shows_summary:
        parts.append(f"Summary: {fit(draft.summary, MAX_SUMMARY)}")
    if draft.transcript:
        parts.append(f"Transcript:\n{draft.transcript}")
    return fit("\n\n".join(parts), MAX_DESCRIPTION)


def _lines_that_fit(draft: CallDraft, other_cases: list[str], time_zone: TimeZone) -> Iterator[str]:
    """Whole lines, the most telling ones first."""
    left = RESERVED_FOR_FACTS - 100
    for line in filter(None, _facts(draft, other_cases, time_zone)):
        left -= len(line) + 1
        if left < 0:
            return
        yield line


def _facts(draft: CallDraft, other_cases: list[str], time_zone: TimeZone) -> Iterator[str]:
    started_ms, ended_ms = as_epoch_ms(draft.started_at), as_epoch_ms(draft.ended_at)
    yield f"Ended: {fit_line(draft.ended_reason, MAX_LINE)}" if draft.ended_reason else ""
    yield f"Started: {time_zone.moment(started_ms)}" if started_ms is not None else ""
    if ended_ms is not None and (started_ms is None or draft.duration_s is None):
        yield f"Ended at: {time_zone.moment(ended_ms)}"
    yield "Web call" if draft.direction == WEB else ""
    yield f"{caller_label(draft.direction)}: {draft.caller_number}" if draft.caller_number else ""
    yield from _transfers(draft)
    if other_cases:
        yield fit_line(f"Other cases of this call: {', '.join(other_cases)}", MAX_LINE)
    if draft.recording_url:
        needs_key = " (needs the Vapi key)" if draft.recording_needs_key else ""
        yield f"Recording{needs_key}: {draft.recording_url}"
    yield "The transcript is in the file on this task." if draft.transcript_in_file else ""
    yield from (fit_line(line, MAX_LINE) for line in _findings(draft.outcome))


def _transfers(draft: CallDraft) -> Iterator[str]:
    transfers = draft.outcome.get("transfers") or []
    for transfer in transfers:
        to, how = (
            transfer["to"] or "somebody",
            TRANSFERS.get(transfer["status"], transfer["status"]),
        )
        yield f"Transfer to {to}: {how}" if how else f"Transfer to {to}"
    if not transfers and (to := draft.outcome.get("forwarded_to")):
        yield f"Transfer to {to}"
    if reached_nobody(draft.ended_reason, draft.outcome):
        yield "The transfer reached nobody."


def _findings(outcome: dict[str, Any]) -> Iterator[str]:
    """What the report found out, a line each."""
    if "success_evaluation" in outcome:
        yield f"Success evaluation: {as_words(outcome['success_evaluation'])}"
    for name, card in outcome.get("scorecards", {}).items():
        score, normalized = card.get("score"), card.get("score_normalized")
        of_100 = f" ({normalized:g} of 100)" if normalized is not None else ""
        yield (
            f"Scorecard {name}: {score:g}{of_100}"
            if score is not None
            else (f"Scorecard {name}: {normalized:g} of 100")
        )
    for name, result in outcome.get("structured_outputs", {}).items():
        yield f"{name}: {as_words(result)}"
    data = outcome.get("structured_data")
    for name, value in data.items() if isinstance(data, dict) else []:
        yield f"{name}: {as_words(value)}"
    if consent := outcome.get("recording_consent"):
        how = "granted" if consent.get("granted_at") else "not granted"
        yield f"Recording consent ({consent['type']}): {how}"
    if assistants := outcome.get("assistants"):
        version = outcome.get("assistant_version")
        yield f"Assistant: {', '.join(assistants)}{f' ({version})' if version else ''}"
    elif version := outcome.get("assistant_version"):
        yield f"Assistant version: {version}"
    if "cost" in outcome:
        yield f"Cost: {outcome['cost']:.4g} USD"


def as_words(value: Any) -> str:
    """A result as a person reads it, in one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {as_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(as_words, value))
    return "" if value is None else one_line(str(value))
