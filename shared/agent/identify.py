"""What makes a caller known, and who may act for whom: `identify.toml` of an agent folder.

The file is optional, and so is every key in it. docs/callers.md explains them. The doctor
checks that the org has the fields.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.agent.errors import AgentError, Mistake
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tool_files import ArgumentType, UpdateFile, as_field_value
from shared.agent.tool_sentences import place_in
from shared.agent.tools import Tool
from shared.domain.record_mapping import placeholders
from shared.salesforce.caller_rules import CallerRules
from shared.salesforce.phones import PHONES

FILE = "identify.toml"
MAX_FIELDS = 8
"""Of a query for callers: each field takes a comparison with every record."""

STANDARD_PHONES = {
    "Contact": (*PHONES, "AssistantPhone", "Fax"),
    "Account": ("Phone", "Fax"),
}
"""The phone fields that Salesforce brings itself. A formula or a lookup ends on __c as well."""

_FIELD = '"Work_Phone__c"'

FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
Lookup = Annotated[str, StringConstraints(pattern=r"^([A-Za-z][A-Za-z0-9_]{0,76}(__c|Id))?$")]
Checkbox = Annotated[str, StringConstraints(pattern=r"^([A-Za-z][A-Za-z0-9_]{0,76}__c)?$")]
Role = Annotated[str, StringConstraints(pattern=r"^[^;\s]([^;\r\n]{0,253}[^;\s])?$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccountLines(_Table):
    """phone_fields: of Account. contact: its lookup field that names who calls from its line."""

    phone_fields: list[FieldName] = Field(default=[], max_length=MAX_FIELDS)
    contact: Lookup = ""


class Household(_Table):
    """acting_field: of Contact, a lookup. roles, flag: of AccountContactRelation."""

    acting_field: Lookup = ""
    roles: list[Role] = Field(default=[], max_length=20)
    flag: Checkbox = ""


class Identify(_Table):
    """The content of the file."""

    phone_fields: list[FieldName] = Field(default=list(PHONES), min_length=1, max_length=MAX_FIELDS)
    first_field_decides: bool = False
    account: AccountLines = AccountLines()
    household: Household = Household()

    @property
    def rules(self) -> CallerRules:
        return CallerRules(
            phone_fields=tuple(self.phone_fields),
            first_field_decides=self.first_field_decides,
            account_fields=tuple(self.account.phone_fields),
            account_contact=self.account.contact,
            acting_field=self.household.acting_field,
            roles=tuple(self.household.roles),
            flag=self.household.flag,
        )


def wrong_updates(
    folder: Path, tools: Iterable[Tool], phone_fields: Iterable[str]
) -> Iterator[Mistake]:
    """Tools that would write something other than a number into a field that identifies callers, or
    that spell the field otherwise, so that no policy and no check would know it."""
    spelled = {name.casefold(): name for name in phone_fields}
    for tool in tools:
        if not isinstance(tool.file, UpdateFile) or tool.file.object != "Contact":
            continue
        for name, entry in tool.file.fields.items():
            value, _ = as_field_value(entry)
            names = placeholders(value) if isinstance(value, str) else []
            place = place_in(folder, tool.name, ("fields", name))
            known = spelled.get(name.casefold())
            types = {tool.file.arguments[given].type for given in names}
            if known not in (None, name):
                yield Mistake(*place, f"{name} is spelled otherwise", f"write {known}")
            elif known and types != {ArgumentType.PHONE}:
                problem = f"{name} makes callers known, but its argument is not a phone number"
                yield Mistake(*place, problem, 'write type = "phone" for the argument')


def read_identify(folder: Path) -> Identify:
    """The defaults for a folder without the file. Raises AgentError."""
    path = folder / FILE
    if not path.exists():
        return Identify()
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
    except (OSError, UnicodeError):
        remedy = "save it as UTF-8, for the service's user to read"
        raise AgentError([Mistake(FILE, 0, "can't be read", remedy)], folder) from None
    except tomllib.TOMLDecodeError as wrong:
        raise AgentError([not_toml(FILE, text, wrong)], folder) from None
    lines = lines_of(text)
    try:
        found = Identify.model_validate(content)
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_input=False)
        mistakes = dict.fromkeys(_mistake(error, lines) for error in errors)
        raise AgentError(list(mistakes), folder) from None
    if mistakes := dict.fromkeys(_wrong_with(found, lines)):
        raise AgentError(list(mistakes), folder)
    return found


# -- mistakes --------------------------------------------------------------------------------------

_TABLES: dict[str, type[_Table]] = {"account": AccountLines, "household": Household}

_REMEDIES = {
    "phone_fields": f'write a list of up to {MAX_FIELDS} fields, such as ["MobilePhone", {_FIELD}]',
    "first_field_decides": "write true or false",
    "contact": 'write a lookup field of Account, such as "Primary_Contact__c", or ""',
    "acting_field": 'write a lookup field of Contact, such as "Guardian__c", or ""',
    "roles": 'write a list of up to 20 roles, such as ["Parent", "Legal Guardian"]',
    "flag": 'write a checkbox of AccountContactRelation, such as "May_Act__c", or ""',
    "account": "write a table [account]",
    "household": "write a table [household]",
}


def _mistake(error: Any, lines: dict[tuple[str, ...], int]) -> Mistake:
    path = tuple(str(part) for part in error["loc"])
    line = line_of(lines, path)
    named = tuple(part for part in path if not part.isdigit())
    if error["type"] == "extra_forbidden":
        known = (_TABLES[path[0]] if len(path) > 1 else Identify).model_fields
        return Mistake(FILE, line, f"{'.'.join(path)} is unknown", f"use {' or '.join(known)}")
    return Mistake(FILE, line, f"{'.'.join(named)} has another form", _REMEDIES[named[-1]])


def _wrong_with(found: Identify, lines: dict[tuple[str, ...], int]) -> Iterator[Mistake]:
    """What the models can't check."""
    for sobject, path, fields in (
        ("Contact", ("phone_fields",), found.phone_fields),
        ("Account", ("account", "phone_fields"), found.account.phone_fields),
    ):
        yield from _wrong_fields(sobject, path, fields, lines)
    if found.account.contact and not found.account.phone_fields:
        line = line_of(lines, ("account", "contact"))
        yield Mistake(
            FILE, line, "account.contact has no line", 'add phone_fields = ["Phone"] to [account]'
        )
    roles = [role.casefold() for role in found.household.roles]
    for nth, role in enumerate(roles):
        if role in roles[:nth]:
            line = line_of(lines, ("household", "roles", str(nth)))
            yield Mistake(FILE, line, f"{found.household.roles[nth]} is there twice", "remove one")


def _wrong_fields(
    sobject: str, path: tuple[str, ...], fields: list[str], lines: dict[tuple[str, ...], int]
) -> Iterator[Mistake]:
    standard = {name.casefold(): name for name in STANDARD_PHONES[sobject]}
    for nth, name in enumerate(fields):
        line = line_of(lines, (*path, str(nth)))
        spelled = standard.get(name.casefold())
        if name.casefold() in [other.casefold() for other in fields[:nth]]:
            yield Mistake(FILE, line, f"{name} is there twice", "remove one")
        elif spelled not in (None, name):
            yield Mistake(FILE, line, f"{name} is spelled otherwise", f"write {spelled}")
        elif spelled is None and not name.endswith("__c"):
            known = ", ".join(standard.values())
            problem = f"{name} is not a phone field of {sobject}"
            yield Mistake(FILE, line, problem, f"use {known}, or a field of yours such as {_FIELD}")
