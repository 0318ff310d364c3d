"""create: open a case."""

from shared.domain.drafts import CaseDraft
from shared.domain.identifiers import same_identifier
from shared.domain.kinds import Kind
from shared.vapi.answers import Answer, refusal
from shared.vapi.tools import CreateSalesforceCase
from web.tools.caller import Caller, caller_for_a_write
from web.tools.comment import comment_on
from web.tools.request import WriteRequest
from web.tools.turn import Turn


def create_case(turn: Turn, wanted: CreateSalesforceCase) -> WriteRequest | Answer:
    caller = caller_for_a_write(turn)
    dedup_keys = _dedup_keys(turn, caller, wanted)
    if wanted.on_existing == "comment":
        earlier = turn.service.journal.about(dedup_keys)
        if earlier and (caller.no_longer_has(earlier) or not caller.identity.requested(earlier)):
            return refusal("I can't add to that case on this phone number. I can open a new one.")
        if earlier:
            return comment_on(turn, earlier, wanted.description)
    return WriteRequest(
        Kind.CASE_CREATE,
        CaseDraft(
            caller_number=turn.state.number,
            contact_id=caller.identity.contact_id_to_write,
            visible_to_contact_id=caller.identity.contact_id,
            has_no_contact=caller.identity.has_no_contact,
            issue_type=wanted.issue_type,
            description=wanted.description,
            priority=wanted.priority,
            account_number=_other_account_number(caller, wanted.account_number),
        ),
        said=f"The {wanted.issue_type} case is being opened. Its reference is {{reference}}.",
        dedup_keys=dedup_keys,
        asks=wanted.on_existing == "ask",
    )


def _other_account_number(caller: Caller, spoken: str | None) -> str | None:
    """A spoken account number that is not known to be the caller's own: text, and never a link."""
    contact = caller.contact
    if spoken and contact and same_identifier(spoken, contact.account_number):
        return None
    return spoken


def _dedup_keys(turn: Turn, caller: Caller, wanted: CreateSalesforceCase) -> tuple[str, ...]:
    """What a case is about: its issue type, within the call and for the caller's own account.

    A spoken account number, or a phone number that is not on file, is no key: anybody could use it
    to find out whether another customer has a case. Nor is the call, once it showed two numbers.
    """
    keys = []
    if caller.contact and caller.contact.account_id:
        keys.append(f"account:{caller.contact.account_id}:{wanted.issue_type}")
    if turn.state.call_id and not turn.state.has_two_numbers:
        keys.append(f"call:{turn.state.call_id}:{wanted.issue_type}")
    return tuple(keys)
