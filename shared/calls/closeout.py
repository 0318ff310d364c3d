"""How a finished call becomes records: one Task, a comment on its case, a file if it talked long.

`close_out` is a pure function of what is known. The journal accepts what it returns in one atomic
step under the fingerprint "close-out", so a call is closed once: by its report, however often that
arrives, or without one when nothing was heard of the call for long.
"""

from datetime import UTC, datetime

from shared.calls.calls import Calls, CallState
from shared.domain.drafts import CallDraft, CommentDraft, TranscriptDraft
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from shared.journal.results import Accepted, ReferenceTaken
from shared.logs import log
from shared.settings import Settings
from shared.store import StoreUnavailableError
from shared.vapi.messages import EndOfCall

FINGERPRINT = "close-out"

REFERENCE_TRIES = 5

MOST_QUIET = 100
"""So many calls are closed at a time for want of a report."""

MOST_DESCRIPTION = 32_000
MOST_SUMMARY = 8_000
ROOM_FOR_FACTS = 2_000
"""Task.Description holds 32,000 characters: a transcript that does not fit beside the summary and
the facts goes into a file."""


class CloseOut:
    """Closes calls. Every method raises StoreUnavailableError, and may be run again then."""

    def __init__(self, calls: Calls, journal: Journal, settings: Settings) -> None:
        self._calls = calls
        self._journal = journal
        self._base_url = settings.vapi_base_url
        self._hold_ms = settings.commit_window_ms

    def close(
        self, state: CallState, report: EndOfCall, contact_id: str | None = None
    ) -> tuple[Kind, ...]:
        """The call's end becomes intents, once. Returns the kinds to ring for."""
        ring: tuple[Kind, ...] = ()
        for _ in range(REFERENCE_TRIES):
            closing = close_out(
                state,
                report,
                contact_id=contact_id,
                kept_transcript=self._calls.transcript(state.call_id),
                intents=self._journal.of_call(state.call_id),
                recording_url=f"{self._base_url}/call/{state.call_id}/mono-recording",
                hold_ms=self._hold_ms,
            )
            accepted = self._journal.accept(state.call_id, closing)
            if isinstance(accepted, Accepted):
                log.info("call_closed", call_id=state.call_id, count=len(closing))
                ring = accepted.ring
            if not isinstance(accepted, ReferenceTaken):
                break
        is_reported = report.ended_reason != NO_REPORT
        self._calls.closed(state.call_id, report.summary, is_reported=is_reported)
        return ring

    def summary_for(self, state: CallState, case_intent: str) -> tuple[Kind, ...]:
        """A case that was wished for in a call, but is heard of after its report, gets the summary.

        Returns the kinds to ring for.
        """
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
        for _ in range(REFERENCE_TRIES):
            intent = NewIntent(
                id=new_intent_id(),
                kind=Kind.CASE_COMMENT,
                reference=new_reference(),
                fingerprint=fingerprint,
                after=(comment.case_intent,),
                draft=comment,
            )
            accepted = self._journal.accept(state.call_id, [intent])
            if not isinstance(accepted, ReferenceTaken):
                return accepted.ring if isinstance(accepted, Accepted) else ()
        return ()

    def close_quiet(self, for_ms: int) -> tuple[int, set[Kind]]:
        """Closes the calls that nothing was heard of for so long: no report will come.

        Returns how many, and the kinds to ring for.
        """
        ring: set[Kind] = set()
        quiet = self._calls.quiet(for_ms, MOST_QUIET)
        closed = 0
        for call_id in quiet:
            try:
                ring.update(self._close_quiet(call_id))
                closed += 1
            except StoreUnavailableError:
                raise
            except Exception:
                # Something of it can't be read, by a defect of ours. The others are not to wait.
                log.exception("call_not_closed", call_id=call_id)
                self._calls.set_aside(call_id)
        return closed, ring

    def _close_quiet(self, call_id: str) -> tuple[Kind, ...]:
        state = self._calls.state(call_id)
        began = datetime.fromtimestamp(state.since_ms / 1000, UTC)
        report = EndOfCall(
            ended_reason=NO_REPORT,
            summary="",
            transcript="",
            started_at=began.isoformat(timespec="milliseconds") if state.since_ms else None,
            ended_at=None,
            duration_s=None,
        )
        return self.close(state, report)


NO_REPORT = "no-report"
"""The ended reason of a call whose report never came."""


def close_out(
    state: CallState,
    report: EndOfCall,
    *,
    contact_id: str | None,
    kept_transcript: str,
    intents: list[Intent],
    recording_url: str,
    hold_ms: int,
) -> list[NewIntent]:
    """The intents of a call's end.

    contact_id: the one contact with the caller's number, as far as the call knew.
    kept_transcript: what was kept while the call lasted, for a report that carries none.
    intents: the call's intents so far. The Task waits until all of them are settled, and for a
    wish that is heard of after the report.
    """
    transcript = report.transcript or kept_transcript
    room = MOST_DESCRIPTION - ROOM_FOR_FACTS - min(len(report.summary), MOST_SUMMARY)
    in_file = len(transcript) > room
    case_intents = [
        intent.id
        for intent in intents
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED
    ]
    commented = [
        intent
        for intent in intents
        if intent.kind is Kind.CASE_COMMENT and intent.payload.get("case_number")
    ]
    case_number = commented[-1].payload["case_number"] if commented else None
    only_after = commented[-1].id if commented else None
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
            direction=state.direction or "Inbound",
            started_at=report.started_at,
            ended_at=report.ended_at,
            duration_s=report.duration_s,
            ended_reason=report.ended_reason,
            summary=report.summary,
            transcript="" if in_file else transcript,
            transcript_in_file=in_file,
            recording_url=recording_url,
            case_number=case_number,
            only_after=only_after,
        ),
    )
    closing = [call_log]
    if in_file:
        closing.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.TRANSCRIPT_FILE,
                after=(call_log.id,),
                draft=TranscriptDraft(
                    call_id=state.call_id, call_log_intent=call_log.id, transcript=transcript
                ),
            )
        )
    if report.summary and (case_intents or case_number):
        last_case = case_intents[-1] if case_intents else None
        closing.append(
            NewIntent(
                id=new_intent_id(),
                kind=Kind.CASE_COMMENT,
                reference=new_reference(),
                after=tuple(one for one in (last_case or only_after,) if one),
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
    return closing
