"""Corrects an agent in the live call that claims something which no tool has done."""

from shared.agent.sentences import phrase
from shared.calls.call_updates import CallUpdate, CallUpdates
from shared.calls.claims_said import ClaimsSaid
from shared.calls.ledger import is_backed
from shared.calls.unbacked import named
from shared.journal.journal import Journal
from shared.logs import log

MAX_A_SWEEP = 50


def correct_claims(claims_said: ClaimsSaid, journal: Journal, call_updates: CallUpdates) -> int:
    """Tell the agents whose claims nothing has backed within the grace, once for each kind of claim
    in a call. Returns how many were told. Raises StoreUnavailableError.

    A claim that is taken and then lost with its process is not corrected; the end of its call
    looks at it again.
    """
    count = 0
    for call_id, claim in claims_said.take_due(MAX_A_SWEEP):
        if claim.kind is None or is_backed(claim, journal.of_call(call_id)):
            continue
        if not claims_said.is_first_correction(call_id, claim):
            continue
        said = phrase("claim-unbacked", claim=named(claim.kind))
        call_updates.notify_agent([CallUpdate(call_id, said)])
        journal.promises.count("corrected")
        log.info("claim_corrected", call_id=call_id)
        count += 1
    return count
