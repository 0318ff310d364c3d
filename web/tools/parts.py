"""The part of a change that a person checks: corrected and taken back with the rest of the request.

Of a request, what the caller may change is one intent, and what a person checks first another one,
a part of it (`Intent.parts`).
"""

from dataclasses import replace

from shared.domain.drafts import CallbackDraft, ContactDraft
from shared.domain.intent import Cancelling, Intent, NewIntent, new_intent_id
from shared.domain.kinds import State
from shared.domain.reference import new_reference
from web.tools.request import WriteRequest
from web.tools.turn import Turn


def corrected_part(turn: Turn, request: WriteRequest, named: Intent) -> Intent:
    """What a request corrects that names another one: a part of it when that is of its kind."""
    if named.kind == request.kind or not named.parts:
        return named
    parts = turn.service.journal.get_many(named.parts).values()
    return next((part for part in parts if part.kind == request.kind), named)


def correct_parts(
    turn: Turn, earlier: Intent, main: NewIntent, also: tuple[NewIntent, ...], reason: str
) -> tuple[NewIntent, tuple[NewIntent, ...], tuple[Cancelling, ...]]:
    """The corrected request, what is accepted with it, and what that replaces.

    main: the earlier request as it is amended, or another one in its place. What a person was to
    check goes on but for what the correction says, and each field once.
    """
    parts = turn.service.journal.get_many(earlier.parts).values()
    open_parts = {part.id: part for part in parts if part.state in (State.HELD, State.DUE)}
    accepted = {it.id: it for it in also}
    cancels = []
    for part in open_parts.values():
        before = part.draft_as(CallbackDraft)
        if before is None or not part.can_be_cancelled:
            continue
        new = next((it for it in accepted.values() if isinstance(it.draft, CallbackDraft)), None)
        changes = _changes(before, new, main, is_later=earlier.requested_at_ms <= turn.at_ms)
        if changes == before.changes:
            if new:
                del accepted[new.id]
            continue
        cancels.append(Cancelling(part.id, is_open=True, reason=reason))
        again = new or _again(part, main)
        if changes:
            accepted[again.id] = replace(again, draft=replace(before, changes=changes))
    stay = open_parts.keys() - {it.intent_id for it in cancels}
    return replace(main, parts=(*sorted(stay), *accepted)), tuple(accepted.values()), tuple(cancels)


def _changes(
    before: CallbackDraft, new: NewIntent | None, main: NewIntent, *, is_later: bool
) -> dict[str, str]:
    """What is to be checked now. is_later: the correction was asked for after the other one."""
    now = new.draft.changes if new and isinstance(new.draft, CallbackDraft) else {}
    if not is_later:
        return now | before.changes
    made = main.draft.changes if isinstance(main.draft, ContactDraft) else {}
    return {name: value for name, value in before.changes.items() if name not in made} | now


def _again(part: Intent, main: NewIntent) -> NewIntent:
    return NewIntent(
        id=new_intent_id(),
        kind=part.kind,
        draft=part.draft,
        tool=part.tool,
        reference=new_reference(),
        hold_ms=main.hold_ms,
        requested_at_ms=main.requested_at_ms,
        message=main.message,
        said=part.said,
    )
