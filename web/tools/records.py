"""Reads records of the team's own objects: those that lead to the caller, and no others."""

from typing import Any

from shared.agent.arguments import Given
from shared.agent.own_records import compared_fields, own_records_query, sounds_right
from shared.agent.policy import DEFAULT
from shared.agent.sentences import Phrase, own, phrase
from shared.agent.tool_files import ReadFile, Verb
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.salesforce.soql import at
from shared.vapi.answers import Answer, result
from web.tools.caller import Caller, look_up_caller, may, proof_needed
from web.tools.own_query import ask_as_tool
from web.tools.sentences import spoken_value
from web.tools.turn import Turn


def read_records(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, ReadFile)
    file = tool.file
    caller = look_up_caller(turn, deadline)
    if not caller.contact:
        return result(turn.first(own(tool.name, "read", "not-known")))
    stored = given.stored()
    compared = [f"{file.object}.{field}" for field in compared_fields(file, stored)]
    if not all(may(turn, caller, Verb.READ, what, tool=tool) for what in (DEFAULT, *compared)):
        return result(proof_needed(turn))
    contact = caller.contact
    rows: list[dict[str, Any]] = []
    if file.contact or contact.account_id:
        statement = own_records_query(
            file, stored, contact_id=contact.contact_id, account_id=contact.account_id
        )
        found = ask_as_tool(
            turn, tool, lambda until: turn.service.salesforce.query(statement, until), deadline
        )
        rows = [row for row in found if sounds_right(file, stored, row)]
    if not rows:
        return result(turn.first(own(tool.name, "read", "none")))
    count = 1 if file.show == "one" else file.limit
    shown = [_one(turn, caller, tool, row) for row in rows[:count]]
    if file.show == "one" or len(rows) == 1:
        return result(shown[0], spoken=tool.speaks)
    many = own(tool.name, "read", "many")
    said = turn.first(many, count=len(rows), records=" ".join(shown))
    return result(said, spoken=tool.speaks)


def _one(turn: Turn, caller: Caller, tool: Tool, row: dict[str, Any]) -> str:
    """A record in the tool's own sentence, else each value after its name. Without the values that
    the policy keeps from the caller."""
    assert isinstance(tool.file, ReadFile)
    sobject = tool.file.object
    values = {
        name: spoken_value(at(row, path))
        if may(turn, caller, Verb.READ, f"{sobject}.{path}")
        else ""
        for name, path in tool.file.fields.items()
    }
    facts: list[str | Phrase] = [
        phrase("read-fact", name=turn.spoken_name(name, tool.name), value=value)
        for name, value in values.items()
        if value != ""
    ]
    return turn.first(own(tool.name, "read", "one"), facts=facts, **values)
