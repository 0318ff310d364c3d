"""Reads records of the team's own objects: those that lead to the caller, and no others."""

from typing import Any

from shared.agent.arguments import Given
from shared.agent.own_records import own_records_query, sounds_right
from shared.agent.tool_files import ReadFile
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.text import one_line
from shared.salesforce.soql import at
from shared.vapi.answers import Answer, result
from web.tools.caller import look_up_caller
from web.tools.sentences import counted
from web.tools.turn import Turn

MAX_SPOKEN_VALUE = 80


def read_records(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, ReadFile)
    file = tool.file
    caller = look_up_caller(turn, deadline)
    if not caller.contact:
        return result("I can't tell who is calling, so I can't look that up.")
    if not file.contact and not caller.contact.account_id:
        return result("I found nothing like that for this customer.")
    stored = given.stored()
    statement = own_records_query(
        file, stored, contact_id=caller.contact.contact_id, account_id=caller.contact.account_id
    )
    service = turn.service
    rows = service.ask(lambda until: service.salesforce.query(statement, until), deadline)
    rows = [row for row in rows if sounds_right(file, stored, row)]
    if not rows:
        return result("I found nothing like that for this customer.")
    shown = rows[: 1 if file.show == "one" else file.limit]
    said = " ".join(f"{_described(file, row)}." for row in shown)
    if file.show == "one":
        return result(said)
    return result(f"There are {counted(len(rows), 'record')}. {said}")


def _described(file: ReadFile, row: dict[str, Any]) -> str:
    values = {name: at(row, path) for name, path in file.fields.items()}
    return ", ".join(
        f"{name}: {one_line(str(value))[:MAX_SPOKEN_VALUE]}"
        for name, value in values.items()
        if value not in (None, "")
    )
