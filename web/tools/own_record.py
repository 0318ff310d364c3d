"""Which record of the caller's own a tool changes, of an object of the team's.

A record that was asked for in a call is known by its reference, another one by its name. Whose it
is, the worker checks again right before it writes.
"""

from dataclasses import dataclass, replace
from typing import Any

from shared.agent.arguments import Given
from shared.agent.own_records import as_read, own_records_query, sounds_right
from shared.agent.sentences import own
from shared.agent.tool_files import CloseFile, UpdateFile
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.domain.record_mapping import fill
from shared.salesforce.failures import SalesforceError
from shared.salesforce.soql import at
from shared.vapi.answers import Answer, refusal
from web.tools.caller import Caller
from web.tools.turn import Turn

RECORD_WAIT_S = 1.0
"""How long a write waits to see the record that it changes; after that the worker finds it."""


@dataclass(frozen=True)
class Target:
    """created_by: the intent that creates the record; None for one that the caller named.
    record_id, seen: of the record as the org has it, with the fields that the tool changes; None
    when nobody has looked."""

    created_by: Intent | None = None
    record_id: str | None = None
    seen: dict[str, Any] | None = None


def find_record(turn: Turn, tool: Tool, caller: Caller, given: Given) -> Target | Answer:
    """The record with this reference or name, else the one that this call created last. Asks nobody
    but the journal."""
    file = _file(tool)
    if reference := given.get("reference"):
        intent = turn.service.journal.by_reference(reference)
        if not intent or intent.is_purged or not _creates(intent, file, caller):
            return not_found(turn, tool)
        return Target(created_by=intent)
    if file.record and fill(file.record.spoken, given.stored()):
        return Target()
    # The last one, also when it was taken back already: asking twice must not take two back.
    created = [intent for intent in turn.intents if _creates(intent, file, caller)]
    if not created:
        return which(turn, tool)
    return Target(created_by=created[-1])


def look_at(
    turn: Turn, tool: Tool, caller: Caller, given: Given, target: Target
) -> Target | Answer:
    """The target as the org has it, if it answers within RECORD_WAIT_S; with the breaker open this
    does not wait. A record that is not the caller's own is not found."""
    receipt = target.created_by.receipt if target.created_by else None
    if not caller.contact or caller.is_old or (target.created_by and not receipt):
        return target  # the worker finds out who is calling, or waits for the record
    file = as_read(_file(tool), receipt.record_id if receipt else "")
    if not file.contact and not caller.contact.account_id:
        return not_found(turn, tool)
    stored = given.stored()
    statement = own_records_query(
        file, stored, contact_id=caller.contact.contact_id, account_id=caller.contact.account_id
    )
    try:
        rows = turn.ask(
            lambda until: turn.service.salesforce.query(statement, until),
            Deadline.after(RECORD_WAIT_S),
        )
    except SalesforceError:
        return target
    found = [row for row in rows if receipt or sounds_right(file, stored, row)]
    if len(found) > 1:
        return which(turn, tool)
    if not found:
        return not_found(turn, tool)
    seen = {name: at(found[0], name) for name in _file(tool).fields}
    return replace(target, record_id=found[0]["Id"], seen=seen)


def not_found(turn: Turn, tool: Tool) -> Answer:
    """One sentence for a record that is not there and for one of somebody else."""
    return refusal(turn.first(own(tool.name, "own-record", "not-found")))


def which(turn: Turn, tool: Tool) -> Answer:
    return refusal(turn.first(own(tool.name, "own-record", "which")))


def is_taken_back(target: Target) -> bool:
    return target.created_by is not None and target.created_by.state is State.CANCELLED


def _creates(intent: Intent, file: UpdateFile | CloseFile, caller: Caller) -> bool:
    return intent.kind == Kind.creating(file.object) and caller.identity.requested(intent)


def _file(tool: Tool) -> UpdateFile | CloseFile:
    assert isinstance(tool.file, UpdateFile | CloseFile)
    return tool.file
