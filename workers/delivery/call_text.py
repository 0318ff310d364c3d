"""How a finished call reads on its Task: the fields that say when, how long, what and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.agent.sentences import Phrase, Sentences, Value, phrase
from shared.calls.end_of_call import (
    MAX_DESCRIPTION,
    MAX_SUMMARY,
    RESERVED_FOR_FACTS,
    reached_nobody,
)
from shared.domain.drafts import CallDraft
from shared.domain.text import fit, fit_line, one_line
from shared.salesforce.time_zone import TimeZone
from shared.vapi.messages import INBOUND, WEB
from shared.vapi.values import as_epoch_ms
from workers.delivery.context import DeliveryContext

MAX_LINE = 300


def call_fields(
    context: DeliveryContext,
    draft: CallDraft,
    other_cases: list[str],
    accepted_at_ms: int,
    language: str = "",
) -> dict[str, Any]:
    """The fields of a Task that the draft decides.

    other_cases: numbers of the cases of the call that the Task is not linked to. language: of the
    texts; the default one unless given.
    """
    text = _CallText(
        context.sentences, language or context.sentences.default, context.time_zone, draft
    )
    return {
        "Subject": text.subject(),
        "Description": text.description(other_cases),
        # A restricted picklist of Salesforce's, without a word for web calls.
        "CallType": INBOUND if draft.direction == WEB else draft.direction,
        "CallObject": fit_line(draft.call_id, 255),
        "CallDisposition": fit_line(draft.ended_reason, 255),
        "CallDurationInSeconds": draft.duration_s,
        "ActivityDate": context.time_zone.day(_at_ms(draft, accepted_at_ms)),
    }


def _at_ms(draft: CallDraft, accepted_at_ms: int) -> int:
    """When the call was: by the payload's own times, else when its end was reported."""
    said = (draft.started_at, draft.ended_at, draft.reported_at)
    return next((ms for item in said if (ms := as_epoch_ms(item)) is not None), accepted_at_ms)


@dataclass(frozen=True)
class _CallText:
    """What the Task of a call says, in one language."""

    sentences: Sentences
    language: str
    time_zone: TimeZone
    draft: CallDraft

    def say(self, key: str, **values: Value) -> str:
        return self.sentences.say(self.language, key, **values)

    def subject(self) -> str:
        return self.say("record-call", direction=self.draft.direction.lower())

    def description(self, other_cases: list[str]) -> str:
        """Facts, summary, transcript; end_of_call.py has seen to it that they fit."""
        draft = self.draft
        parts = ["\n".join(self._lines_that_fit(other_cases))]
        if draft.summary and draft.shows_summary:
            parts.append(f"{self.say('record-summary')} {fit(draft.summary, MAX_SUMMARY)}")
        if draft.transcript:
            parts.append(f"{self.say('record-transcript')}\n{draft.transcript}")
        return fit("\n\n".join(parts), MAX_DESCRIPTION)

    def _lines_that_fit(self, other_cases: list[str]) -> Iterator[str]:
        """Whole lines, the most telling ones first."""
        left = RESERVED_FOR_FACTS - 100
        for line in filter(None, self._facts(other_cases)):
            left -= len(line) + 1
            if left < 0:
                return
            yield line

    def _facts(self, other_cases: list[str]) -> Iterator[str]:
        draft = self.draft
        started_ms, ended_ms = as_epoch_ms(draft.started_at), as_epoch_ms(draft.ended_at)
        if draft.ended_reason:
            yield self.say("record-ended", reason=fit_line(draft.ended_reason, MAX_LINE))
        if started_ms is not None:
            yield self.say("record-started", **self._moment(started_ms))
        if ended_ms is not None and (started_ms is None or draft.duration_s is None):
            yield self.say("record-ended-at", **self._moment(ended_ms))
        yield self.subject() if draft.direction == WEB else ""
        if draft.caller_number:
            direction = draft.direction.lower()
            yield self.say("record-caller", direction=direction, phone=draft.caller_number)
        yield from self._disclosure()
        yield from self._transfers()
        if other_cases:
            cases = fit_line(", ".join(other_cases), MAX_LINE)
            said = self.say("record-other-cases", count=len(other_cases), cases=cases)
            yield fit_line(said, MAX_LINE)
        if draft.recording_url:
            key = "record-recording-with-key" if draft.recording_needs_key else "record-recording"
            yield self.say(key, url=draft.recording_url)
        yield self.say("record-transcript-in-file") if draft.transcript_in_file else ""
        yield from (fit_line(line, MAX_LINE) for line in self._findings(draft.outcome))

    def _moment(self, at_ms: int) -> dict[str, Value]:
        """By the team's clock. Each language puts the parts into its own order."""
        local = self.time_zone.local(at_ms)
        return {
            "year": f"{local:%Y}",
            "month": f"{local:%m}",
            "day": f"{local:%d}",
            "hour": f"{local:%H}",
            "minute": f"{local:%M}",
            "zone": str(local.tzinfo),
        }

    def _disclosure(self) -> Iterator[str]:
        """What the caller was told about the AI and the recording."""
        disclosure = self.draft.disclosure
        if not disclosure:
            return
        version = disclosure.version
        at_ms = as_epoch_ms(disclosure.at or self.draft.started_at)
        if words := " ".join(disclosure.words):
            if not disclosure.is_reported:
                yield self.say("record-disclosed-as-set-up", words=words, version=version)
            elif at_ms is None:
                yield self.say("record-disclosed", words=words, version=version)
            else:
                moment = self._moment(at_ms)
                yield self.say("record-disclosed-at", words=words, version=version, **moment)
        if missing := " ".join(disclosure.missing):
            yield self.say("record-not-disclosed", words=missing, version=version)

    def _transfers(self) -> Iterator[str]:
        outcome = self.draft.outcome
        transfers = outcome.get("transfers") or []
        for transfer in transfers:
            to: str | Phrase = transfer["to"] or phrase("record-somebody")
            how = transfer["status"]
            key = "record-transfer-ended" if how else "record-transfer"
            yield self.say(key, to=to, how=how)
        if not transfers and (forwarded_to := outcome.get("forwarded_to")):
            yield self.say("record-transfer", to=forwarded_to)
        if reached_nobody(self.draft.ended_reason, outcome):
            yield self.say("record-transfer-in-vain")

    def _findings(self, outcome: dict[str, Any]) -> Iterator[str]:
        """What the report found out, a line each."""
        if "success_evaluation" in outcome:
            result = fit_line(self._in_words(outcome["success_evaluation"]), MAX_LINE)
            yield self.say("record-success", result=result)
        for name, card in outcome.get("scorecards", {}).items():
            yield self._scorecard(name, card.get("score"), card.get("score_normalized"))
        for name, result in outcome.get("structured_outputs", {}).items():
            yield f"{name}: {self._in_words(result)}"
        data = outcome.get("structured_data")
        for name, value in data.items() if isinstance(data, dict) else []:
            yield f"{name}: {self._in_words(value)}"
        if consent := outcome.get("recording_consent"):
            is_granted = consent.get("granted_at")
            key = "record-consent-granted" if is_granted else "record-consent-not-granted"
            yield self.say(key, type=consent["type"])
        version = outcome.get("assistant_version")
        if assistants := fit_line(", ".join(outcome.get("assistants") or []), MAX_LINE):
            key = "record-assistant-with-version" if version else "record-assistant"
            yield self.say(key, assistants=assistants, version=version or "")
        elif version:
            yield self.say("record-assistant-version", version=version)
        if "cost" in outcome:
            yield self.say("record-cost", amount=Decimal(f"{outcome['cost']:.4g}"))

    def _scorecard(self, name: str, score: float | None, normalized: float | None) -> str:
        values: dict[str, Value] = {"name": name}
        if score is not None:
            values["score"] = Decimal(f"{score:g}")
        if normalized is None:
            return self.say("record-scorecard", **values)
        values["normalized"] = Decimal(f"{normalized:g}")
        key = "record-scorecard-of-100" if score is None else "record-scorecard-both"
        return self.say(key, **values)

    def _in_words(self, value: Any) -> str:
        return as_words(value, yes=self.say("record-yes"), no=self.say("record-no"))


def as_words(value: Any, *, yes: str = "yes", no: str = "no") -> str:
    """A result as a person reads it, in one line. A field of the team's own gets it with the
    English words, which do not change with the language."""
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, dict):
        items = value.items()
        return "; ".join(f"{name}: {as_words(item, yes=yes, no=no)}" for name, item in items)
    if isinstance(value, list):
        return ", ".join(as_words(item, yes=yes, no=no) for item in value)
    return "" if value is None else one_line(str(value))
