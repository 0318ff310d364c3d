"""verify: what the caller shows about themselves, beyond their number.

Every answer that proves nothing is the same sentence, whether the PIN is wrong, nobody has one, the
number is nobody's, or too many answers were given. The answers themselves are compared and kept
nowhere; a tool call is remembered under a keyed digest of them (`dispatch.py`).
"""

from shared.agent.arguments import Given
from shared.agent.sentences import own
from shared.agent.tool_files import VerifyFile
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.identity import Proof, Tier
from shared.domain.record_mapping import fill
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.salesforce.org_setup import NOT_SHOWN
from shared.salesforce.secrets import Matches, matching
from shared.vapi.answers import Answer, refusal, result
from web.tools.caller import look_up_caller
from web.tools.own_query import ask_as_tool
from web.tools.turn import Turn


def verify_caller(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, VerifyFile)
    file = tool.file
    pin = given.get("pin")
    knowledge = {
        field: str(said)
        for field, template in file.knowledge.items()
        if (said := fill(template, dict(given.values))) not in (None, "")
    }
    has_all_knowledge = bool(file.knowledge) and len(knowledge) == len(file.knowledge)
    if not pin and not has_all_knowledge:
        return refusal(turn.first(own(tool.name, "verify", "incomplete")))
    state = turn.state
    caller = look_up_caller(turn, deadline)
    candidates = [customer.contact_id for customer in caller.customers or ()]
    for secret in filter(None, (pin, *knowledge.values())):
        turn.remember_secret(str(secret))
    failed = result(turn.first(own(tool.name, "verify", "failed")))
    if not state.call_id or not state.number:
        candidates = []
    left = turn.service.guesses.take(turn.conversation_id, state.number, candidates)
    if left < 0:
        _lock(turn)
        return failed
    found = _matches(
        turn,
        tool,
        candidates,
        deadline,
        pin=(file.pin, str(pin)) if file.pin and pin else None,
        knowledge=knowledge if has_all_knowledge else {},
    )
    proof = _proof(turn, found, has_pin=bool(pin))
    if proof is None:
        log.info("caller_not_verified", call_id=state.call_id, count=left)
        if left == 0:
            _lock(turn)
        return failed
    turn.prove(proof)
    turn.service.guesses.was_right(state.number, proof.contact_id)
    log.info("caller_verified", call_id=state.call_id, tier=proof.tier)
    if proof.tier is Tier.VERIFIED:
        return result(turn.first(own(tool.name, "verify", "verified")))
    return result(turn.first(own(tool.name, "verify", "known")))


def _matches(
    turn: Turn,
    tool: Tool,
    candidates: list[str],
    deadline: Deadline,
    *,
    pin: tuple[str, str] | None,
    knowledge: dict[str, str],
) -> Matches:
    """None match where the org does not show the fields. Raises SalesforceError."""
    salesforce = turn.service.salesforce
    try:
        return ask_as_tool(
            turn,
            tool,
            lambda until: matching(salesforce, candidates, until, pin=pin, knowledge=knowledge),
            deadline,
        )
    except SalesforceError as error:
        if error.failure not in NOT_SHOWN:
            raise
        log.error("verification_not_possible", reason=str(error))
        return Matches((), ())


def _proof(turn: Turn, found: Matches, *, has_pin: bool) -> Proof | None:
    """A wrong PIN proves nothing, whatever else was right. A proof never lowers an earlier one."""
    fitting, tier = (found.by_pin, Tier.VERIFIED) if has_pin else (found.by_knowledge, Tier.KNOWN)
    if len(fitting) != 1:
        return None
    earlier = turn.state.proof
    if earlier and earlier.contact_id == fitting[0] and earlier.tier.reaches(tier):
        return earlier
    return Proof(fitting[0], turn.state.number, tier)


def _lock(turn: Turn) -> None:
    """For the rest of the call nobody knows who is calling."""
    turn.prove(Proof("", turn.state.number, Tier.UNKNOWN))
    log.warning("caller_locked_out", call_id=turn.state.call_id)
