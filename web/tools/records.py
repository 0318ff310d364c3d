"""Reads records of the team's own objects: those that lead to the caller, and no others."""

from typing import Any

from shared.agent.arguments import Given
from shared.agent.tool_files import ArgumentType, ReadFile, as_field_value
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.domain.identifiers import same_identifier, spoken_form
from shared.domain.record_mapping import FieldValue, filled, placeholders
from shared.domain.text import one_line
from shared.salesforce.customers import Customer
from shared.salesforce.soql import at, columns, soql
from shared.vapi.answers import Answer, result
from web.tools.caller import look_up_caller
from web.tools.sentences import counted
from web.tools.turn import Turn

MAX_ROWS = 200
"""Of the caller's own records, before an identifier is compared as it sounds."""

MAX_SPOKEN_VALUE = 80


def read_records(turn: Turn, tool: Tool, given: Given, deadline: Deadline) -> Answer:
    assert isinstance(tool.file, ReadFile)
    file = tool.file
    caller = look_up_caller(turn, deadline)
    if not caller.contact:
        return result("I can't tell who is calling, so I can't look that up.")
    if not file.contact and not caller.contact.account_id:
        return result("I found nothing like that for this customer.")
    statement = select(file, given, caller.contact)
    service = turn.service
    rows = service.ask(lambda until: service.salesforce.query(statement, until), deadline)
    rows = [row for row in rows if _sounds_right(file, given, row)]
    if not rows:
        return result("I found nothing like that for this customer.")
    shown = rows[: 1 if file.show == "one" else file.limit]
    said = " ".join(f"{_described(file, row)}." for row in shown)
    if file.show == "one":
        return result(said)
    return result(f"There are {counted(len(rows), 'record')}. {said}")


def select(file: ReadFile, given: Given, customer: Customer) -> str:
    """The statement for the caller's own records: the owner is in it, whatever the arguments are.

    Raises ValueError for names that are no API names.
    """
    owners = []
    if file.contact:
        owners.append(f"{columns((file.contact,))} = {{contact}}")
    if file.account and customer.account_id:
        owners.append(f"{columns((file.account,))} = {{account}}")
    conditions = [f"({' OR '.join(owners)})"]
    values: dict[str, Any] = {"contact": customer.contact_id, "account": customer.account_id}
    stored = given.stored()
    for nth, (field, entry) in enumerate(file.where.items()):
        value = filled(FieldValue(*as_field_value(entry)), stored)
        if value in (None, ""):
            continue
        is_spelled = _is_identifier(file, entry)
        conditions.append(f"{columns((field,))} {'LIKE' if is_spelled else '='} {{value{nth}}}")
        # Callers and orgs group letters and digits as they like.
        values[f"value{nth}"] = "%".join(spoken_form(str(value))) if is_spelled else value
    names = ("Id", *file.fields.values(), *file.where)
    fields = tuple({name.casefold(): name for name in reversed(names)}.values())
    field, _, direction = file.order.partition(" ")
    return soql(
        f"SELECT {columns(fields)} FROM {columns((file.object,))} "
        f"WHERE {' AND '.join(conditions)} "
        f"ORDER BY {columns((field,))} {direction or 'ASC'} NULLS LAST LIMIT {MAX_ROWS}",
        **{name: value for name, value in values.items() if value is not None},
    )


def _is_identifier(file: ReadFile, entry: Any) -> bool:
    value, _ = as_field_value(entry)
    names = placeholders(value) if isinstance(value, str) else []
    return any(
        name in file.arguments and file.arguments[name].type is ArgumentType.IDENTIFIER
        for name in names
    )


def _sounds_right(file: ReadFile, given: Given, row: dict[str, Any]) -> bool:
    stored = given.stored()
    for field, entry in file.where.items():
        value = filled(FieldValue(*as_field_value(entry)), stored)
        is_spelled = value and _is_identifier(file, entry)
        if is_spelled and not same_identifier(str(value), str(at(row, field) or "")):
            return False
    return True


def _described(file: ReadFile, row: dict[str, Any]) -> str:
    values = {name: at(row, path) for name, path in file.fields.items()}
    return ", ".join(
        f"{name}: {one_line(str(value))[:MAX_SPOKEN_VALUE]}"
        for name, value in values.items()
        if value not in (None, "")
    )
