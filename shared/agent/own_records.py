"""What tools ask Salesforce for: records of the team's objects that lead to the caller.

Whatever a tool's file says, the statement reaches only records of the caller's contact, or of its
account. Conditions can narrow that and never widen it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.agent.tool_files import (
    ArgumentFile,
    ArgumentType,
    CloseFile,
    FieldEntry,
    ReadFile,
    UpdateFile,
    as_field_value,
)
from shared.domain.identifiers import same_identifier, spoken_form
from shared.domain.record_mapping import FieldValue, filled, placeholders
from shared.salesforce.soql import at, columns, soql

MAX_ROWS = 200
"""Of the caller's own records, before an identifier is compared as it sounds."""


def own_records_query(
    file: ReadFile, arguments: Mapping[str, Any], *, contact_id: str, account_id: str | None
) -> str:
    """arguments: as Salesforce stores them. A condition without its argument is left out.

    Raises ValueError for names that are no API names, and when nothing leads to this caller.
    """
    owners = []
    if file.contact and contact_id:
        owners.append(f"{columns((file.contact,))} = {{contact}}")
    if file.account and account_id:
        owners.append(f"{columns((file.account,))} = {{account}}")
    if not owners:
        raise ValueError("nothing leads to this caller")
    conditions = [f"({' OR '.join(owners)})"]
    values: dict[str, Any] = {"contact": contact_id, "account": account_id}
    for nth, (field, entry) in enumerate(file.where.items()):
        value = _value(file, entry, arguments)
        if value in (None, ""):
            continue
        is_spelled = _type_of(file, entry) is ArgumentType.IDENTIFIER
        conditions.append(f"{columns((field,))} {'LIKE' if is_spelled else '='} {{value{nth}}}")
        # Callers and orgs group letters and digits as they like.
        values[f"value{nth}"] = "%".join(spoken_form(str(value))) if is_spelled else value
    fields: dict[str, str] = {}
    for name in ("Id", *file.fields.values(), *file.where):
        fields.setdefault(name.casefold(), name)
    field, _, direction = file.order.partition(" ")
    return soql(
        f"SELECT {columns(tuple(fields.values()))} FROM {columns((file.object,))} "
        f"WHERE {' AND '.join(conditions)} "
        f"ORDER BY {columns((field,))} {direction or 'ASC'} NULLS LAST LIMIT {MAX_ROWS}",
        **{name: value for name, value in values.items() if value is not None},
    )


def compared_fields(file: ReadFile, arguments: Mapping[str, Any]) -> list[str]:
    """The fields of [where] that the statement compares. A caller can infer their values from which
    records are found."""
    return [
        field
        for field, entry in file.where.items()
        if _value(file, entry, arguments) not in (None, "")
    ]


def as_read(file: UpdateFile | CloseFile, record_id: str = "") -> ReadFile:
    """What reads the record that a tool changes, and the fields that it changes: the one with this
    id, or the one that the caller names."""
    named = file.record if not record_id else None
    said = placeholders(named.spoken) if named else []
    return ReadFile(
        verb="read",
        description=file.description,
        object=file.object,
        contact=file.contact,
        account=file.account,
        fields={f"value{nth}": name for nth, name in enumerate(file.fields)},
        # However its type is, a name is compared as it sounds.
        arguments={name: ArgumentFile(type=ArgumentType.IDENTIFIER) for name in said},
        where={named.field: named.spoken} if named else {"Id": record_id},
    )


def sounds_right(file: ReadFile, arguments: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether the identifiers of a record are those that the caller said, however grouped."""
    for field, entry in file.where.items():
        if _type_of(file, entry) is ArgumentType.IDENTIFIER:
            value = _value(file, entry, arguments)
            if value and not same_identifier(str(value), str(at(dict(row), field) or "")):
                return False
    return True


def _value(file: ReadFile, entry: FieldEntry, arguments: Mapping[str, Any]) -> Any:
    value = filled(FieldValue(*as_field_value(entry)), arguments)
    is_date = _type_of(file, entry) is ArgumentType.DATE and isinstance(value, str)
    return date.fromisoformat(value) if is_date else value  # SOQL writes a date without quotes


def _type_of(file: ReadFile, entry: FieldEntry) -> ArgumentType | None:
    """The type of the argument that a condition has; None for a constant."""
    value, _ = as_field_value(entry)
    names = placeholders(value) if isinstance(value, str) else []
    types = [file.arguments[name].type for name in names if name in file.arguments]
    return types[0] if types else None
