"""create: open a case, or create a record of the team's own."""

from typing import Any

from shared.agent.arguments import Given
from shared.agent.policy import ACCOUNT_LINE
from shared.agent.sentences import NOT_GIVEN, REFERENCE, own
from shared.agent.tool_files import ArgumentFile, ArgumentType, CreateFile, Verb, meaning_of
from shared.agent.tools import Tool
from shared.domain.drafts import CaseDraft, NewRecordDraft, RecordDraft
from shared.domain.identifiers import same_identifier, spoken_form
from shared.domain.kinds import Kind
from shared.vapi.answers import Answer, refusal
from web.tools.caller import Caller, caller_for_a_write, may, proof_needed
from web.tools.comment import comment_on
from web.tools.request import WriteRequest
from web.tools.sentences import said_arguments
from web.tools.turn import Turn


def create(turn: Turn, tool: Tool, given: Given) -> WriteRequest | Answer:
    assert isinstance(tool.file, CreateFile)
    file = tool.file
    caller = caller_for_a_write(turn)
    if file.unknown_callers == "refuse" and caller.customers is not None and not caller.contact:
        return refusal(turn.first(own(tool.name, "create", "not-known")))
    if not may(turn, caller, Verb.CREATE, tool=tool, pending=True):
        return refusal(proof_needed(turn))
    dedup_keys = _dedup_keys(turn, caller, file, given)
    on_existing = given.get("onExisting") or "ask"
    if on_existing == "comment":
        earlier = turn.service.journal.about(dedup_keys)
        if earlier and (caller.no_longer_has(earlier) or not caller.identity.requested(earlier)):
            return refusal(turn.say("case-not-added-to"))
        of_this_call = earlier and earlier.call_id == turn.state.call_id
        if earlier and not of_this_call and not may(turn, caller, Verb.COMMENT, pending=True):
            return refusal(proof_needed(turn))
        if earlier:
            return comment_on(turn, earlier, given.get("description"))
    return WriteRequest(
        Kind.creating(file.object),
        _draft(turn, tool, file, caller, given),
        said=_accepted(turn, tool, given),
        dedup_keys=dedup_keys,
        asks=bool(file.same_if) and on_existing == "ask",
    )


def _draft(
    turn: Turn, tool: Tool, file: CreateFile, caller: Caller, given: Given
) -> NewRecordDraft:
    contact = caller.contact
    arguments = {
        name: value
        for name, value in given.stored().items()
        if name in file.arguments and not _is_own(file.arguments[name], caller, value)
    }
    draft = RecordDraft(
        caller_number=turn.state.number,
        contact_id=caller.identity.contact_id_to_write,
        visible_to_contact_id=caller.identity.contact_id,
        has_no_contact=caller.identity.has_no_contact,
        account_id=contact.account_id if contact else _account_of_line(turn, caller, tool),
        arguments=arguments,
        mapping=tool.mapping,
    )
    return draft if file.object != "Case" else _as_case(draft, given)


def _account_of_line(turn: Turn, caller: Caller, tool: Tool) -> str | None:
    """The account from whose line somebody calls whom nobody knows: the record is linked to it, and
    nothing of the account is said."""
    account_id = caller.identity.account_of_line
    if account_id and may(turn, caller, Verb.CREATE, ACCOUNT_LINE, tool=tool):
        return account_id
    return None


def _as_case(draft: RecordDraft, given: Given) -> CaseDraft:
    """issue_type, description: what the caller hears of the case later."""
    arguments = dict(draft.arguments)
    names = given.schema.names

    def taken(meaning: str) -> Any:
        """An argument with the usual name is not stored twice."""
        name = names.get(meaning, "")
        return arguments.pop(name, None) if name == meaning else arguments.get(name)

    return CaseDraft(
        caller_number=draft.caller_number,
        contact_id=draft.contact_id,
        visible_to_contact_id=draft.visible_to_contact_id,
        has_no_contact=draft.has_no_contact,
        account_id=draft.account_id,
        issue_type=str(given.get("issueType") or ""),
        description=str(taken("description") or ""),
        priority=taken("priority"),
        account_number=taken("accountNumber"),
        arguments=arguments,
        mapping=draft.mapping,
    )


def _is_own(argument: ArgumentFile, caller: Caller, spoken: str) -> bool:
    """The caller's own account number, which the org knows. Another one is text, never a link."""
    if argument.omit_if_own != "account_number" or not caller.contact:
        return False
    return same_identifier(spoken, caller.contact.account_number)


def _dedup_keys(turn: Turn, caller: Caller, file: CreateFile, given: Given) -> tuple[str, ...]:
    """What a record is about: the arguments of `same_if`, within the call and for the caller's own
    account.

    Not of the account for a caller who may not hear of its cases.

    A spoken account number, or a phone number that is not on file, is no key: anybody could use it
    to find out whether another customer has a case. Nor is the call, once it showed two numbers.
    """
    if not file.same_if:
        return ()
    about = ":".join(_same(file.arguments[name], given.values.get(name)) for name in file.same_if)
    about = about if file.object == "Case" else f"{file.object}:{about}"
    keys = []
    if caller.contact and caller.contact.account_id and may(turn, caller, Verb.READ):
        keys.append(f"account:{caller.contact.account_id}:{about}")
    if turn.state.call_id and not turn.state.has_two_numbers:
        keys.append(f"call:{turn.state.call_id}:{about}")
    return tuple(keys)


def _same(argument: ArgumentFile, value: Any) -> str:
    """Equal for what sounds the same."""
    text = "" if value is None else str(value)
    return spoken_form(text) if argument.type is ArgumentType.IDENTIFIER else text.casefold()


def _accepted(turn: Turn, tool: Tool, given: Given) -> str:
    said = {"issueType": NOT_GIVEN, **said_arguments(turn, tool, given)}
    for name, argument in tool.file.arguments.items():
        if name in said:
            said[meaning_of(name, argument)] = said[name]
    return turn.first(own(tool.name, "create", "accepted"), **said | {"reference": REFERENCE})
