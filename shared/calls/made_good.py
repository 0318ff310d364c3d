"""Broken promises are made good: a person is asked to call those who were promised something that
Salesforce will not get.

A promise breaks when its intent parks. It is replayed, or settled by hand, or after
BROKEN_PROMISE_H it becomes a call-back; at once when an operator discards it, or when the service
cancelled it itself.
"""

from collections import defaultdict
from collections.abc import Sequence

from shared.agent.agents import Agents
from shared.calls.calls import Calls
from shared.domain.drafts import CallbackDraft, FromCaller
from shared.domain.intent import Intent, NewIntent, intent_id_of
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.results import Accepted
from shared.logs import log
from shared.phone import to_call_back

BROKEN = "promise-broken"
"""What the id of such a call-back is made of, with the id of the first of its promises."""

MAX_A_RUN = 100
"""Promises that one run makes good. The next run goes on."""

MAX_NAMED = 10
"""References that a call-back names."""


class MadeGood:
    """Every method raises StoreUnavailableError, and is safe to repeat."""

    def __init__(self, journal: Journal, calls: Calls, agents: Agents, after_h: float) -> None:
        """after_h: BROKEN_PROMISE_H; 0 for never."""
        self._journal = journal
        self._calls = calls
        self._agents = agents
        self._after_ms = int(after_h * 3_600_000)

    def run(self) -> tuple[int, tuple[Kind, ...]]:
        """Ask a person to call about what is overdue, once for the promises of a call that are.

        Returns how many promises were made good, and the kinds to notify.
        """
        if not self._after_ms:
            return 0, ()
        promises = self._journal.promises
        overdue = promises.overdue(promises.now_ms() - self._after_ms, MAX_A_RUN)
        found = self._journal.get_many(overdue)
        if lost := [id_ for id_ in overdue if id_ not in found]:
            promises.made_good(lost, is_reachable=False)
        of_calls: dict[str, list[Intent]] = defaultdict(list)
        for intent in found.values():
            of_calls[intent.call_id or intent.id].append(intent)
        count, due_kinds = 0, set[Kind]()
        for intents in of_calls.values():
            made, kinds = self._call_back(sorted(intents, key=lambda each: each.id))
            count += made
            due_kinds.update(kinds)
        return count, tuple(sorted(due_kinds))

    def _call_back(self, broken: Sequence[Intent]) -> tuple[int, tuple[Kind, ...]]:
        first = broken[0]
        drafts = [draft for each in broken if (draft := each.draft_as(FromCaller))]
        number = next((draft.caller_number for draft in drafts if draft.caller_number), "")
        number = to_call_back(number or self._calls.state(first.call_id).number)
        ids = [each.id for each in broken]
        if not number:
            self._journal.promises.made_good(ids, is_reachable=False)
            log.warning("promise_broken_and_nobody_to_call", intent_id=first.id)
            return 0, ()
        intent = NewIntent(
            id=intent_id_of(first.id, BROKEN),
            kind=Kind.CALLBACK,
            draft=CallbackDraft(
                caller_number=number,
                contact_id=next((draft.contact_id for draft in drafts if draft.contact_id), None),
                has_no_contact=any(draft.has_no_contact for draft in drafts),
                phone=number,
                reason=self._agents.named(first.agent).sentences.for_staff(
                    "record-call-back-broken",
                    references=[each.reference for each in broken if each.reference][:MAX_NAMED],
                ),
            ),
        )
        accepted = self._journal.accept(first.call_id, [intent], agent=first.agent)
        # In any case: the call-back exists, or the call was erased and nobody is to be called.
        count = self._journal.promises.made_good(ids)
        if not isinstance(accepted, Accepted):
            return count, ()
        log.info("promise_called_back", intent_id=intent.id, count=count)
        return count, accepted.due_kinds
