"""How a finished call becomes records: one Task, a comment on its case, a file if it talked long.

A pure function of what is known. The journal accepts what it returns in one atomic step under the
fingerprint "close-out", so a report that arrives twice closes the call once.
"""

from shared.calls.calls import CallState
from shared.domain.drafts import CallDraft, CommentDraft, TranscriptDraft
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.vapi.messages import EndOfCall

FINGERPRINT = "close-out"

MOST_DESCRIPTION = 32_000
MOST_SUMMARY = 8_000
ROOM_FOR_FACTS = 2_000
"""Task.Description holds 32,000 characters: a transcript that does not fit beside the summary and
the facts goes into a file."""


def close_out(
    state: CallState,
    report: EndOfCall,
    *,
    contact_id: str | None,
    kept_transcript: str,
    intents: list[Intent],
    recording_url: str,
) -> list[NewIntent]:
    """The intents of a call's end.

    contact_id: the one contact with the caller's number, as far as the call knew.
    kept_transcript: what was kept while the call lasted, for a report that carries none.
    intents: the call's intents so far. The Task waits until all of them are settled.
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
            case_intents=case_intents,
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
