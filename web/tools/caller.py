"""The caller of a message: their identity (`shared/domain/identity.py`) with what the org knows.

Personal data and changes are for the one contact who has the caller's number. Every other caller
learns only "found" or "not found".
"""

import time
from dataclasses import dataclass

from shared.agent.policy import DEFAULT, HOUSEHOLD
from shared.agent.tool_files import Verb, VerifyFile
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.case_numbers import same_number
from shared.domain.drafts import CaseDraft, CloseDraft
from shared.domain.identity import Identity, Tier
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.salesforce.caller_query import MAX_OPEN_CASES
from shared.salesforce.customers import CaseSummary, Customer
from shared.salesforce.failures import SalesforceError
from shared.salesforce.snapshots import Snapshot
from web.metrics import CALLERS
from web.tools.turn import Turn

IDENTITY_WAIT_S = 0.25
"""How long a write waits for the caller's identity; after that the worker decides it."""

BEING_OPENED, WITH_COLLEAGUE = "being-opened", "with-colleague"
"""The status of a case that the org does not show yet; `case-state` in the sentences names it."""

ANSWER_S = 0.25
"""What a lookup keeps of its deadline to say what is known when Salesforce did not answer; a busy
machine needs some of it."""


@dataclass(frozen=True)
class Caller:
    """customers: everybody who has the number; None when that could not be found out.

    as_of_ms: when the org said so.
    """

    identity: Identity
    customers: tuple[Customer, ...] | None
    as_of_ms: int | None = None

    @property
    def number(self) -> str:
        return self.identity.number

    @property
    def is_old(self) -> bool:
        return self.identity.is_old

    @property
    def contact(self) -> Customer | None:
        """The one contact who has this number."""
        contact_id = self.identity.contact_id
        return next(
            (customer for customer in self.customers or () if customer.contact_id == contact_id),
            None,
        )

    def no_longer_has(self, opened: Intent) -> bool:
        """The org has shown the caller's open cases since this one was opened, and it is not among
        them: staff closed it, or gave it to another contact."""
        contact, receipt = self.contact, opened.receipt
        if not contact or not receipt or not self.identity.requested(opened):
            return False  # a colleague's case is not among the caller's own
        if (self.as_of_ms or 0) <= receipt.at_ms:
            return False
        is_shown = any(case_.record_id == receipt.record_id for case_ in contact.cases)
        return not is_shown and len(contact.cases) < MAX_OPEN_CASES


def _unasked(turn: Turn, customers: tuple[Customer, ...] | None) -> Caller:
    """Without a snapshot. customers: () for a call without a number, else None."""
    state = turn.state
    ids = None if customers is None else ()
    identity = Identity(
        state.call_id,
        state.number,
        ids,
        has_two_numbers=state.has_two_numbers,
        proof=state.proof,
        attested=turn.attested,
    )
    return Caller(identity, customers)


def _caller(turn: Turn, found: Snapshot, *, is_old: bool = False) -> Caller:
    state, customers = turn.state, found.customers
    identity = Identity(
        state.call_id,
        state.number,
        tuple(customer.contact_id for customer in customers),
        is_old,
        state.has_two_numbers,
        state.proof,
        found.is_line,
        found.account_id,
        {customer.contact_id: customer.acts_for for customer in customers},
        frozenset(it.contact_id for it in customers if it.new_until_ms > time.time() * 1000),
        turn.attested,
    )
    return Caller(identity, customers, found.at_ms)


def may(
    turn: Turn,
    caller: Caller,
    verb: Verb,
    what: str = DEFAULT,
    *,
    tool: Tool | None = None,
    pending: bool = False,
) -> bool:
    """Whether the policy lets this caller hear or change something.

    what: such as "Contact.Email"; the whole verb unless given. tool: may need a higher tier; None
    for what no tool says itself (see Agent.needs).
    pending: while the org has not said who has the number, the caller counts as recognised, because
    the worker checks that before it writes.
    """
    identity = caller.identity
    tier = identity.tier
    if pending and not identity.is_settled and not identity.is_locked_out:
        tier = Tier.RECOGNISED
    needed = turn.agent.needs(verb, what, tool)
    allowed = tier.reaches(needed)
    about = verb if what == DEFAULT else f"{verb} {what}"
    evidence = identity.evidence
    if what == HOUSEHOLD:
        evidence += ", and the org lets this contact act for the one of the case"
    turn.decided(tool.name if tool else "", about, evidence, tier, needed, allowed=allowed)
    return allowed


def may_discuss(
    turn: Turn,
    caller: Caller,
    tool: Tool,
    contact_id: str | None,
    *,
    requested: bool = False,
) -> bool:
    """Whether this caller may hear about the case of this contact, or change it: their own, or one
    of somebody for whom the org lets them act."""
    identity = caller.identity
    if identity.may_discuss(contact_id, requested=requested):
        return True
    return identity.may_act_for(contact_id) and may(turn, caller, tool.verb, HOUSEHOLD, tool=tool)


def acts_for_household(turn: Turn, caller: Caller, verb: Verb) -> bool:
    """Whether the worker may look for such a right: the policy allows it to this caller, who counts
    as recognised while the org has not said who has the number."""
    identity = caller.identity
    if not turn.agent.identify.rules.has_households or identity.is_locked_out:
        return False
    tier = identity.tier if identity.is_settled else Tier.RECOGNISED
    return all(turn.agent.policy.allows(tier, verb, cell) for cell in (DEFAULT, HOUSEHOLD))


def proof_needed(turn: Turn) -> str:
    """What the agent gets when the caller has to show more about themselves first."""
    for tool in turn.agent.tools.values():
        if not isinstance(tool.file, VerifyFile):
            continue
        if turn.service.verify and tool.file.code:
            has_more = tool.file.pin or tool.file.knowledge
            said = "proof-needed-or-code" if has_more else "proof-needed-by-code"
            return turn.say(said, tool=tool.name)
        if tool.works(has_codes=False):
            return turn.say("proof-needed", tool=tool.name)
    return turn.say("proof-needed-from-colleague")


def known_caller(turn: Turn) -> Caller:
    """As known so far; asks nobody."""
    state = turn.state
    if not state.number:
        return _unasked(turn, ())
    last = turn.last_snapshot
    if last is None:
        return _unasked(turn, None)
    return _caller(turn, last, is_old=last.nth <= state.asked_before)


def look_up_caller(turn: Turn, deadline: Deadline) -> Caller:
    """As the org has known them since the call began; as known before when it can't be asked.

    Raises SalesforceError when nothing at all is known.
    """
    state = turn.state
    known = known_caller(turn)
    if known.customers is not None and not known.is_old:
        CALLERS.labels(source="stored").inc()
        return known
    try:
        until = deadline.earlier_by(ANSWER_S)
        found = turn.snapshots.since(state.number, state.asked_before, until)
    except SalesforceError:
        CALLERS.labels(source="none" if known.customers is None else "old").inc()
        if known.customers is None:
            raise
        return known
    CALLERS.labels(source="asked").inc()
    turn.found(found)
    return _caller(turn, found)


def caller_for_a_write(turn: Turn) -> Caller:
    """The caller as the org says within 250 ms, else from the last snapshot, however old; unknown
    without one, and the worker resolves them.

    The call's first event has started the snapshot, and a breaker that is open answers at once: a
    write waits only when it comes with the first events of its call.
    """
    known = known_caller(turn)
    if known.customers is not None and not known.is_old:
        return known
    if (turn.snapshots.asked_ms_ago(turn.state.number) or 0) > IDENTITY_WAIT_S * 1000:
        return known
    try:
        return look_up_caller(turn, Deadline.after(IDENTITY_WAIT_S + ANSWER_S))
    except SalesforceError:
        return known


def open_cases(turn: Turn, caller: Caller) -> list[CaseSummary]:
    """The caller's open cases, newest first, with what was accepted from their number lately.

    What the snapshot can't show yet is on top of it: a case that is being opened, one that was
    opened or taken back since. Its number is "" while it has none.
    """
    contact = caller.contact
    if not contact:
        return []
    cases = list(contact.cases)
    for intent in turn.caller_intents:
        receipt = intent.receipt
        if intent.is_purged or (receipt and receipt.at_ms < (caller.as_of_ms or 0)):
            continue
        if not caller.identity.requested(intent):
            continue  # the number was somebody else's, or nobody knew whose
        if intent.kind is Kind.CASE_CREATE and intent.state is not State.CANCELLED:
            if not any(receipt and case_.record_id == receipt.record_id for case_ in cases):
                cases.insert(0, _own_case(intent, contact.contact_id))
        elif intent.kind is Kind.CASE_CLOSE and intent.state not in (State.CANCELLED, State.PARKED):
            close = intent.draft_as(CloseDraft)
            if close is None:
                continue
            opened = turn.service.journal.get(close.case_intent or "")
            closed = {
                opened.reference if opened else "",
                opened.receipt.number if opened and opened.receipt else "",
            } - {"", None}
            cases = [
                case_
                for case_ in cases
                if not closed & {case_.number, case_.reference}
                and not same_number(close.case_number or "", case_.number)
            ]
    return cases


def _own_case(intent: Intent, contact_id: str) -> CaseSummary:
    states = {State.DELIVERED: "New", State.PARKED: WITH_COLLEAGUE}
    case_draft = intent.draft_as(CaseDraft)
    issue_type = case_draft.issue_type.capitalize() if case_draft else ""
    return CaseSummary(
        record_id=intent.receipt.record_id if intent.receipt else "",
        number=(intent.receipt.number or "") if intent.receipt else "",
        subject=f"{issue_type}: {case_draft.description if case_draft else ''}",
        status=states.get(intent.state, BEING_OPENED),
        priority=(case_draft.priority if case_draft else None) or "",
        type=issue_type,
        contact_id=contact_id,
        reference=intent.reference,
    )
