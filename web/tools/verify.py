"""verify: what the caller shows about themselves, beyond their number: a PIN, a one-time code, or
what only they should know.

Every answer that proves nothing is the same sentence, whether the PIN or code is wrong, nobody has
one, the number is nobody's, or too many answers were given. The answers themselves are compared and
kept nowhere; a tool call is remembered under a keyed digest of them (`dispatch.py`).
"""

from dataclasses import dataclass

from shared.agent.arguments import Given
from shared.agent.sentences import own
from shared.agent.tool_files import VerifyFile
from shared.agent.tools import Tool
from shared.calls.guesses import Sort
from shared.deadline import Deadline
from shared.domain.identity import CODE, Proof, Tier
from shared.domain.record_mapping import fill
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.salesforce.org_setup import NOT_SHOWN
from shared.salesforce.secrets import Matches, matching
from shared.twilio.client import TwilioError
from shared.vapi.answers import Answer, refusal, result, trouble
from web.tools.caller import look_up_caller
from web.tools.codes import checked_code, send_code
from web.tools.own_query import ask_as_tool
from web.tools.texts import remove_from_requests
from web.tools.turn import Turn


def verify_caller(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, VerifyFile)
    said = _said(tool.file, given)
    if not said.is_enough:
        if given.get("sendCode"):
            return send_code(turn, tool, deadline)
        return refusal(turn.first(own(tool.name, "verify", "incomplete")))
    state = turn.state
    caller = look_up_caller(turn, deadline)
    candidates = [customer.contact_id for customer in caller.customers or ()]
    failed = result(turn.first(own(tool.name, "verify", "failed")))
    if not state.call_id or not state.number:
        candidates = []
    guesses = turn.service.guesses
    guess = guesses.take(turn.conversation_id, said.sort, state.number, candidates)
    if not guess.may_be_compared:
        log.warning("guess_refused", call_id=state.call_id)
        if guess.is_too_many_for_the_call:
            _lock(turn)
        return failed
    for secret in filter(None, (said.pin, said.code, *said.knowledge.values())):
        turn.remember_secret(secret)
    remove_from_requests(turn)
    try:
        proof = _proof(turn, tool, said, candidates, deadline)
    except TwilioError as error:
        guesses.take_back(guess)
        log.warning("code_not_checked", call_id=state.call_id, reason=str(error))
        return trouble(turn.say("not-found-out"))
    except SalesforceError as error:
        guesses.take_back(guess)
        if error.failure not in NOT_SHOWN:
            raise
        log.error("verification_not_possible", reason=str(error))
        return failed
    if proof is None:
        log.info("caller_not_verified", call_id=state.call_id, count=guess.left)
        if guess.left == 0:
            _lock(turn)
        return failed
    guesses.take_back(guess)
    guesses.was_right(said.sort, state.number, proof.contact_id)
    if not turn.prove(proof):
        log.warning("proof_too_late", call_id=state.call_id)
        return failed
    log.info("caller_verified", call_id=state.call_id, tier=proof.tier)
    if proof.tier is Tier.VERIFIED:
        return result(turn.first(own(tool.name, "verify", "verified")))
    return result(turn.first(own(tool.name, "verify", "known")))


@dataclass(frozen=True)
class _Said:
    """What the caller said to be verified. knowledge: field → what they said, if they said all."""

    pin: str
    code: str
    knowledge: dict[str, str]

    @property
    def is_enough(self) -> bool:
        return bool(self.pin or self.code or self.knowledge)

    @property
    def sort(self) -> Sort:
        return Sort.PIN if self.pin or self.code else Sort.KNOWLEDGE


def _said(file: VerifyFile, given: Given) -> _Said:
    knowledge = {
        field: str(said)
        for field, template in file.knowledge.items()
        if (said := fill(template, dict(given.values))) not in (None, "")
    }
    has_all = len(knowledge) == len(file.knowledge)
    code = given.get("code") if file.code else None
    return _Said(str(given.get("pin") or ""), str(code or ""), knowledge if has_all else {})


def _proof(
    turn: Turn, tool: Tool, said: _Said, candidates: list[str], deadline: Deadline
) -> Proof | None:
    """A wrong code or PIN proves nothing, whatever else was right. A proof never lowers an earlier
    one."""
    number = turn.state.number
    if said.code:
        contact_id = checked_code(turn, said.code, candidates, deadline)
        return Proof(contact_id, number, Tier.VERIFIED, by=CODE) if contact_id else None
    found = _matches(turn, tool, said, candidates, deadline)
    fitting, tier = (found.by_pin, Tier.VERIFIED) if said.pin else (found.by_knowledge, Tier.KNOWN)
    if len(fitting) != 1:
        return None
    earlier = turn.state.proof
    if earlier and earlier.contact_id == fitting[0] and earlier.tier.reaches(tier):
        return earlier
    return Proof(fitting[0], number, tier)


def _matches(
    turn: Turn, tool: Tool, said: _Said, candidates: list[str], deadline: Deadline
) -> Matches:
    """Raises SalesforceError, also where the org does not show the fields."""
    salesforce = turn.service.salesforce
    assert isinstance(tool.file, VerifyFile)
    pin = (tool.file.pin, said.pin) if tool.file.pin and said.pin else None
    return ask_as_tool(
        turn,
        tool,
        lambda until: matching(salesforce, candidates, until, pin=pin, knowledge=said.knowledge),
        deadline,
    )


def _lock(turn: Turn) -> None:
    """For the rest of the call nobody knows who is calling."""
    turn.prove(Proof("", turn.state.number, Tier.UNKNOWN))
    log.warning("caller_locked_out", call_id=turn.state.call_id)
