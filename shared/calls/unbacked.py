"""What an agent claimed in a call and nothing backs: it is recorded, and a person calls back.

Runs when the end of a call is recorded, and may run again: the same claims count once, and a call
gets one such call-back at most.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from shared.agent.sentences import Phrase, Sentences, phrase
from shared.calls.calls import CallState
from shared.calls.claims import Claim, ClaimKind, claims_in, said_at
from shared.calls.claims_said import ClaimsSaid
from shared.calls.ledger import judged
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Intent, NewIntent, intent_id_of
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.journal.promises import Promises
from shared.journal.results import Accepted
from shared.logs import log
from shared.phone import to_call_back
from shared.vapi.messages import Utterance

UNBACKED = "end-of-call:claims"
"""The fingerprint of a call-back because of claims that nothing backs: one in a call."""


class UnbackedClaims:
    """Every method raises StoreUnavailableError."""

    def __init__(self, said: ClaimsSaid, journal: Journal, promises: Promises) -> None:
        self._said = said
        self._journal = journal
        self._promises = promises

    def settle(
        self,
        state: CallState,
        reported: Sequence[Utterance],
        intents: Sequence[Intent],
        sentences: Sentences,
        *,
        contact_id: str | None,
        has_no_contact: bool,
        is_called_back: bool,
    ) -> tuple[Kind, ...]:
        """Returns the kinds to notify.

        reported: what the agent said, as the report of the call has it. intents: all of the call.
        is_called_back: a person calls this caller anyway.
        """
        stored = self._said.of_call(state.call_id)
        result = judged(merged(stored, _in_report(reported, state.assistant_language)), intents)
        if not result.unbacked:
            return ()
        noted = [(each.phrase, each.kind or "", each.at_ms) for each in result.unbacked]
        new = self._promises.note_unbacked(state.call_id, noted)
        if new:
            log.warning("claims_unbacked", call_id=state.call_id, count=new)
        phone = to_call_back(state.number)
        if not result.missing or is_called_back or not phone:
            return ()
        kinds = sorted({each.kind for each in result.missing if each.kind})
        intent = NewIntent(
            id=intent_id_of(state.call_id, UNBACKED),
            kind=Kind.CALLBACK,
            fingerprint=UNBACKED,
            draft=CallbackDraft(
                caller_number=state.number,
                contact_id=contact_id,
                has_no_contact=has_no_contact,
                phone=phone,
                reason=sentences.for_staff(
                    "record-call-back-claims", claims=[named(kind) for kind in kinds]
                ),
            ),
        )
        accepted = self._journal.accept(state.call_id, [intent], agent=state.agent)
        if not isinstance(accepted, Accepted):
            return ()
        self._promises.count("call_backs")
        log.info("claims_called_back", call_id=state.call_id, intent_id=intent.id)
        return accepted.due_kinds


def named(kind: ClaimKind) -> Phrase:
    """What was claimed, as a part of a sentence."""
    return phrase(f"claim-{kind.replace('_', '-')}")


def merged(stored: Sequence[Claim], reported: Sequence[Claim]) -> list[Claim]:
    """Of each kind, what the source saw that saw more of it: both have the same sentences, cut
    differently and with other times."""
    counts = Counter(claim.kind for claim in stored), Counter(claim.kind for claim in reported)
    chosen = [claim for claim in stored if counts[0][claim.kind] >= counts[1][claim.kind]]
    chosen += [claim for claim in reported if counts[1][claim.kind] > counts[0][claim.kind]]
    return sorted(chosen, key=lambda claim: claim.at_ms)


def _in_report(reported: Iterable[Utterance], language: str) -> list[Claim]:
    return [
        claim
        for words in reported
        for claim in said_at(claims_in(words.text, language), words.at_ms)
    ]


def is_called_back(intents: Iterable[Intent | NewIntent]) -> bool:
    """A call-back of the call will be in Salesforce, whatever it is for."""
    return any(
        intent.kind is Kind.CALLBACK
        and not (isinstance(intent, Intent) and intent.state is State.CANCELLED)
        for intent in intents
    )
