"""Holds what an agent claimed in a call against what was accepted in it. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.calls.claims import Claim, ClaimKind
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import BY_CALLER, Intent
from shared.domain.kinds import Kind, State

GRACE_MS = 2_000
"""A tool call may reach us so much later than the sentence that says it is done."""

MARGIN_MS = 500
"""How much later than that a worker looks, because a tool call is accepted after it arrived."""

_ALWAYS = 2**62


@dataclass(frozen=True)
class Judged:
    """unbacked: claims with no fitting intent that was accepted until GRACE_MS after them. missing:
    those of them for which the call has none even at its end."""

    unbacked: tuple[Claim, ...] = ()
    missing: tuple[Claim, ...] = ()


def judged(claims: Sequence[Claim], intents: Sequence[Intent]) -> Judged:
    """intents: all of the call."""
    unbacked = tuple(claim for claim in claims if not is_backed(claim, intents))
    missing = tuple(
        claim for claim in unbacked if not is_backed(Claim(claim.phrase), intents, at_end=True)
    )
    return Judged(unbacked, missing)


def is_backed(claim: Claim, intents: Sequence[Intent], *, at_end: bool = False) -> bool:
    """Whether an intent of the call stands behind the claim. A claim of a kind that this version
    does not know is nobody's.

    at_end: what was accepted later than the claim counts too.
    """
    until_ms = _ALWAYS if at_end or not claim.at_ms else claim.at_ms + GRACE_MS
    since_ms = _ALWAYS if at_end or not claim.at_ms else claim.at_ms - GRACE_MS
    accepted = [intent for intent in intents if _accepted_ms(intent) <= until_ms]
    if claim.kind is ClaimKind.CANCELLED:
        return any(
            intent.kind.closes or _is_taken_back(intent, until_ms)
            for intent in accepted
            if intent.tool
        )
    standing = [intent for intent in accepted if not _is_taken_back(intent, since_ms)]
    if claim.kind is ClaimKind.CHANGED and _is_replaced(accepted, until_ms):
        return True
    return claim.kind is None or any(_fits(claim.kind, intent, until_ms) for intent in standing)


def _fits(kind: ClaimKind, intent: Intent, until_ms: int) -> bool:
    if kind is ClaimKind.CALL_BACK:
        return intent.kind is Kind.CALLBACK
    if not intent.tool:
        return False
    is_amended = 0 < intent.amended_at_ms <= until_ms
    is_update = intent.kind.verb == "update"
    match kind:
        case ClaimKind.OPENED:
            return intent.kind is Kind.CASE_CREATE or intent.kind.verb == "create"
        case ClaimKind.CHANGED:
            is_own = intent.kind is Kind.CONTACT_UPDATE
            return is_own or is_update or is_amended or _is_to_check(intent)
        case ClaimKind.COMMENTED:
            return intent.kind is Kind.CASE_COMMENT or is_amended or is_update
        case _:
            return True


def _is_to_check(intent: Intent) -> bool:
    """A change that a person checks first."""
    draft = intent.draft_as(CallbackDraft)
    return draft is not None and bool(draft.changes)


def _is_replaced(accepted: Sequence[Intent], until_ms: int) -> bool:
    """The caller corrected a request, and a new one took the place of an old one of its kind."""
    kinds = [intent.kind for intent in accepted if intent.tool]
    return any(
        _is_taken_back(intent, until_ms) and kinds.count(intent.kind) > 1 for intent in accepted
    )


def _accepted_ms(intent: Intent) -> int:
    """By the message's own time where there is one: a claim's time is of the same clock."""
    return min(intent.requested_at_ms or intent.accepted_at_ms, intent.accepted_at_ms)


def _is_taken_back(intent: Intent, by_ms: int) -> bool:
    """The caller had taken it back at that time."""
    return (
        intent.state is State.CANCELLED
        and intent.reason == BY_CALLER
        and (intent.settled_at_ms or 0) <= by_ms
    )
