"""How a finished call becomes records: one Task, a comment on its case, a file if it talked long.

`close_out` is a pure function of what is known. The journal accepts what it returns in one atomic
step under the fingerprint "close-out", so a call is closed once: by its report, however often that
arrives, or without one when nothing was heard of the call for long.

What is heard after that amends the Task: the report that comes late, writes of a call that went on.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.calls.calls import Calls, CallState
from shared.domain.drafts import (
    CallbackDraft,
    CallDraft,
    CommentDraft,
    TranscriptDraft,
)
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.domain.text import stored_length
from shared.journal.journal import Journal
from shared.journal.results import Accepted
from shared.logs import log
from shared.settings import Settings
from shared.store import StoreUnavailableError
from shared.vapi.messages import INBOUND
from shared.vapi.report import EndOfCall
from shared.vapi.values import as_iso

FINGERPRINT = "end-of-call"

CLOSE_TRIES = 3
"""Attempts to close a call that another process closes or amends at the same moment."""

MAX_QUIET = 100
"""So many calls are closed at a time for want of a report."""

MAX_DESCRIPTION = 32_000
MAX_SUMMARY = 8_000
RESERVED_FOR_FACTS = 2_000
"""Task.Description holds 32,000 characters: a transcript that does not fit beside the summary and
the facts goes into a file."""


class EndOfCallWriter:
    """Closes calls. Every method raises StoreUnavailableError, and may be run again then."""

    def __init__(self, calls: Calls, journal: Journal, settings: Settings) -> None:
        self._calls = calls
        self._journal = journal
        self._base_url = settings.vapi_base_url
        self._hold_ms = settings.commit_window_ms

    def close(
        self,
        state: CallState,
        report: EndOfCall,
        contact_id: str | None = None,
        *,
        is_reported: bool = True,
    ) -> tuple[Kind, ...]:
        """The call's end becomes intents, once. Returns the kinds to ring for.

        is_reported: False when the call is closed for want of a report.
        """
        due_kinds: tuple[Kind, ...] = ()
        updates = self._calls.updates(state.call_id)
        report = _completed(report, updates, ended_reason="" if is_reported else NO_REPORT)
        stored_transcript = self._calls.transcript(state.call_id, state.direction or INBOUND)
        for _ in range(CLOSE_TRIES):
            intents = self._journal.of_call(state.call_id)
            end_intents = end_of_call_intents(
                state,
                report,
                contact_id=contact_id,
                stored_transcript=max(stored_transcript, updates.get("transcript", ""), key=len),
                intents=intents,
                api_url=self._base_url,
                hold_ms=self._hold_ms,
                is_reported=is_reported,
            )
            if any(item.kind is Kind.CALL_LOG for item in intents):
                end_intents = amendment(end_intents, intents, is_reported=state.is_reported)
            if not end_intents:
                break
            accepted = self._journal.accept(state.call_id, end_intents)
            if isinstance(accepted, Accepted):
                log.info("call_closed", call_id=state.call_id, count=len(end_intents))
                due_kinds = accepted.due_kinds
                break
            # Another process closed the call a moment ago: once more, with what it recorded.
        self._calls.closed(
            state.call_id,
            report.summary or state.summary,
            reported=is_reported or state.is_reported,
        )
        return due_kinds

    def add_case(self, state: CallState, case_intent: str) -> tuple[Kind, ...]:
        """A case that was asked for in a call, but is heard of after its report, gets the summary.

        Its delivery links a Task that is written already. Returns the kinds to ring for.
        """
        if not state.summary or state.has_two_numbers:
            return ()
        comment = CommentDraft(
            caller_number=state.number,
            case_intent=case_intent,
            text=f"Call summary: {state.summary}",
        )
        return self.comment(state, comment, f"{FINGERPRINT}:summary")

    def comment(
        self, state: CallState, comment: CommentDraft, fingerprint: str
    ) -> tuple[Kind, ...]:
        """A comment of the service's own on a case of the call, once. Returns whom to ring for."""
        assert comment.case_intent
        intent = NewIntent(
            id=new_intent_id(),
            kind=Kind.CASE_COMMENT,
            reference=new_reference(),
            fingerprint=fingerprint,
            after=(comment.case_intent,),
            draft=comment,
        )
        accepted = self._journal.accept(state.call_id, [intent])
        return accepted.due_kinds if isinstance(accepted, Accepted) else ()

    def end_quiet_calls(self, for_ms: int) -> tuple[int, set[Kind]]:
        """Closes the calls that nothing was heard of for so long: no report will come.

        Returns how many, and the kinds to ring for.
        """
        due_kinds: set[Kind] = set()
        quiet = self._calls.quiet(for_ms, MAX_QUIET)
        closed = 0
        for call_id in quiet:
            try:
                due_kinds.update(self._end_quiet_call(call_id))
                closed += 1
            except StoreUnavailableError:
                raise
            except Exception:
                # Something of it can't be read, by a defect of ours. The others are not to wait.
                log.exception("call_not_closed", call_id=call_id)
                self._calls.set_aside(call_id)
        return closed, due_kinds

    def _end_quiet_call(self, call_id: str) -> tuple[Kind, ...]:
        state = self._calls.state(call_id)
        report = EndOfCall(started_at=as_iso(state.began_ms) if state.began_ms else None)
        return self.close(state, report, is_reported=False)


NO_REPORT = "no-report"
"""The ended reason of a call of which nobody told why it ended."""


def end_of_call_intents(
    state: CallState,
    report: EndOfCall,
    *,
    contact_id: str | None,
    stored_transcript: str,
    intents: list[Intent],
    api_url: str,
    hold_ms: int,
    is_reported: bool = True,
) -> list[NewIntent]:
    """The intents of a call's end.

    contact_id: the one contact with the caller's number, as far as the call knew.
    kept_transcript: what was kept while the call lasted, for a report that carries none.
    intents: the call's intents so far. The Task waits until all of them are settled, and for a
    wish that is heard of after the report.
    api_url: of Vapi's API, where recordings are.
    """
    transcript = report.transcript or stored_transcript
    at_vapi = bool(report.recording) and "://" not in report.recording
    capacity = (
        MAX_DESCRIPTION - RESERVED_FOR_FACTS - min(stored_length(report.summary), MAX_SUMMARY)
    )
    in_file = stored_length(transcript) > capacity
    case_intents = [
        intent.id
        for intent in intents
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED
    ]
    commented = [
        (intent.id, comment.case_number)
        for intent in intents
        if (comment := intent.draft_as(CommentDraft)) and comment.case_number
    ]
    only_after, case_number = commented[-1] if commented else (None, None)
    call_log = NewIntent(
        id=new_intent_id(),
        kind=Kind.CALL_LOG,
        fingerprint=FINGERPRINT,
        after_call=True,
        hold_ms=hold_ms,
        draft=CallDraft(
            caller_number=state.number,
            contact_id=contact_id,
            call_id=state.call_id,
            direction=state.direction or INBOUND,
            started_at=report.started_at,
            ended_at=report.ended_at,
            duration_s=report.duration_s,
            ended_reason=report.ended_reason,
            summary=report.summary,
            transcript="" if in_file else transcript,
            transcript_in_file=in_file,
            recording_url=f"{api_url}/call/{state.call_id}/{report.recording}"
            if at_vapi
            else report.recording,
            recording_needs_key=at_vapi,
            case_number=case_number,
            only_after=only_after,
            reported_at=report.reported_at,
            outcome=report.outcome,
            is_reported=is_reported,
        ),
    )
    end_intents = [call_log]
    if in_file:
        end_intents.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.TRANSCRIPT_FILE,
                after=(call_log.id,),
                draft=TranscriptDraft(
                    call_id=state.call_id, call_log_intent=call_log.id, transcript=transcript
                ),
            )
        )
    # A summary of two callers tells of the one on a case of the other.
    if report.summary and not state.has_two_numbers and (case_intents or case_number):
        last_case = case_intents[-1] if case_intents else None
        end_intents.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.CASE_COMMENT,
                reference=new_reference(),
                after=tuple(item for item in (last_case or only_after,) if item),
                draft=CommentDraft(
                    caller_number=state.number,
                    contact_id=contact_id,
                    case_intent=last_case,
                    case_number=None if last_case else case_number,
                    only_after=None if last_case else only_after,
                    text=f"Call summary: {report.summary}",
                ),
            )
        )
    has_callback = any(
        item.kind is Kind.CALLBACK and item.state is not State.CANCELLED for item in intents
    )
    if state.number and not has_callback and reached_nobody(report.ended_reason, report.outcome):
        end_intents.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.CALLBACK,
                fingerprint=f"{FINGERPRINT}:callback",
                draft=CallbackDraft(
                    caller_number=state.number,
                    contact_id=contact_id,
                    phone=state.number,
                    reason="The call was transferred, and nobody was reached.",
                ),
            )
        )
    return end_intents


IN_VAIN = frozenset({"no-answer", "busy", "voicemail", "failed"})
"""How a transfer ends that reaches nobody (docs/vendors.md V18)."""


def reached_nobody(ended_reason: str, outcome: dict[str, Any]) -> bool:
    """The call ended with a transfer, and the last one that was tried reached nobody.

    `assistant-forwarded-call` only says that a transfer was begun (docs/vendors.md V18).
    """
    forwarding_failed = ended_reason.startswith("call.forwarding.")
    if ended_reason != "assistant-forwarded-call" and not forwarding_failed:
        return False
    transfers = outcome.get("transfers") or []
    return transfers[-1]["status"] in IN_VAIN if transfers else forwarding_failed


def amendment(
    end_intents: list[NewIntent], intents: Sequence[Intent], *, is_reported: bool
) -> list[NewIntent]:
    """What `closing` adds to a call that was closed before; [] when it tells nothing new.

    is_reported: that was by its report, as far as the call knows.
    """
    logs = [item for item in intents if item.kind is Kind.CALL_LOG]
    first, last = logs[0], logs[-1]
    call_log, *others = end_intents
    draft, before = call_log.draft, last.draft_as(CallDraft)
    assert isinstance(draft, CallDraft)
    if before:
        is_reported = before.is_reported and before.ended_reason != NO_REPORT
    if is_reported:
        return []  # that told all there is; `add_case` sees to what was asked for since
    asked_since = any(item.tool for item in intents[intents.index(last) + 1 :])
    if before and replace(draft, amends=before.amends) == before and not asked_since:
        return []
    if before and before.transcript_in_file:
        others = [other for other in others if other.kind is not Kind.TRANSCRIPT_FILE]
    if before and before.summary == draft.summary:
        others = [other for other in others if other.kind is not Kind.CASE_COMMENT]
    asked_for = [item.id for item in intents if item.tool]
    content = json.dumps([draft.as_json(), asked_for], sort_keys=True)
    mark = "report" if draft.is_reported else hashlib.sha256(content.encode()).hexdigest()[:32]
    amended = replace(
        call_log, draft=replace(draft, amends=first.id), fingerprint=f"{FINGERPRINT}:{mark}"
    )
    return [amended, *(_on_task(other, first) for other in others)]


def _on_task(intent: NewIntent, call_log: Intent) -> NewIntent:
    """A file belongs on the Task that is there."""
    if not isinstance(intent.draft, TranscriptDraft):
        return intent
    draft = replace(intent.draft, call_log_intent=call_log.id)
    return replace(intent, after=(call_log.id,), draft=draft)


def _completed(report: EndOfCall, updates: dict[str, str], *, ended_reason: str) -> EndOfCall:
    """The report, with what the call's status updates told where it says nothing.

    ended_reason: where nobody told one.
    """
    outcome = report.outcome
    if "forwarded_to" in updates:
        outcome = {"forwarded_to": updates["forwarded_to"]} | outcome
    return replace(
        report,
        ended_reason=report.ended_reason or updates.get("ended_reason", ended_reason),
        ended_at=report.ended_at or updates.get("ended_at"),
        summary=report.summary or updates.get("summary", ""),
        outcome=outcome,
    )
