"""How records look in Salesforce: `salesforce.toml` of an agent folder.

The file is optional, and so is every key in it. `agent/salesforce.toml` names the defaults, and
docs/salesforce-mapping.md explains them. A file with mistakes is refused, and all of them are
named.
"""

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
)

from shared.agent.errors import AgentError, Mistake
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.salesforce.org_setup import Wanted

FILE = "salesforce.toml"
MAX_BYTES = 256 * 1024

CONTACT_OWNER, ACCOUNT_OWNER = "contact_owner", "account_owner"
USER, QUEUE = "user:", "queue:"

Owner = Annotated[
    str,
    StringConstraints(
        pattern=rf"^({CONTACT_OWNER}|{ACCOUNT_OWNER}|{USER}\S+|{QUEUE}[A-Za-z][A-Za-z0-9_]*)?$"
    ),
]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
DeveloperName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z][A-Za-z0-9_]*)?$")]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Constant = StrictBool | StrictInt | StrictFloat | StrictStr

WHOLE_SOURCES = (
    "success", "cost", "ended_group", "ended_reason", "assistant_version", "consent",
    "transfer_result", "duration_s", "summary",
)  # fmt: skip
NAMED_SOURCES = ("structured.", "scorecard.")

WRITTEN_HERE = {
    "Case": frozenset(
        {
            "Subject", "Description", "Type", "Priority", "ContactId", "AccountId", "SuppliedPhone",
            "Call_Key__c", "Voice_Reference__c", "SuppliedCompany",
        }
    ),
    "Task": frozenset(
        {
            "Subject", "Description", "Priority", "ActivityDate", "TaskSubtype", "WhoId", "WhatId",
            "CallType", "CallObject", "CallDisposition", "CallDurationInSeconds", "Call_Key__c",
        }
    ),
}  # fmt: skip
"""The fields whose value the service decides: a mapping can't set them."""

KEYS_FOR = {"Status": "status", "OwnerId": "owner", "RecordTypeId": "record_type",
            "Origin": "origin", "EntitlementId": "entitlement"}  # fmt: skip
"""The fields that have a key of their own."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CaseMapping(_Table):
    """New cases, and the status of those that are closed. "" stands for the org's own choice."""

    closed_status: str = ""
    origin: str = "Phone"
    record_type: DeveloperName = ""
    owner: Owner = ""
    assignment_rules: bool = True
    entitlement: bool = False
    fields: dict[FieldName, Constant] = {}


class CallLogMapping(_Table):
    """The Task of a finished call."""

    status: str = ""
    owner: Owner = ""
    transcript: Literal["task", "file", "none"] = "task"
    recording_link: bool = True
    summary: bool = True
    fields: dict[FieldName, Constant] = {}


class CallbackMapping(_Table):
    """The Task of a call-back. languages: ISO 639 codes; the first that fits the words counts."""

    status: str = ""
    owner: Owner = CONTACT_OWNER
    languages: list[LanguageTag] = ["en", "de", "es", "fr"]
    fields: dict[FieldName, Constant] = {}


class SalesforceMapping(_Table):
    """outcome: "Task.Field" or "Case.Field" → the source in the report of a call."""

    case: CaseMapping = CaseMapping()
    call_log: CallLogMapping = CallLogMapping()
    callback: CallbackMapping = CallbackMapping()
    outcome: dict[str, str] = {}

    @property
    def owners(self) -> dict[str, str]:
        """The rule for the owner, by the name of its key."""
        return {
            "case.owner": self.case.owner,
            "call_log.owner": self.call_log.owner,
            "callback.owner": self.callback.owner,
        }

    @property
    def statuses(self) -> dict[str, tuple[str, str]]:
        """By the name of its key: the object, and the status that the file names, "" for none."""
        return {
            "case.closed_status": ("Case", self.case.closed_status),
            "call_log.status": ("Task", self.call_log.status),
            "callback.status": ("Task", self.callback.status),
        }

    def constants(self) -> Iterator[tuple[str, str, Constant]]:
        """(key, "Object.Field", value) of every constant."""
        for table, sobject, fields in (
            ("case", "Case", self.case.fields),
            ("call_log", "Task", self.call_log.fields),
            ("callback", "Task", self.callback.fields),
        ):
            for name, value in fields.items():
                yield f"{table}.fields.{name}", f"{sobject}.{name}", value

    @property
    def wanted(self) -> Wanted:
        """What the mapping needs to know of the org."""
        rules = set(self.owners.values())
        return Wanted(
            users=tuple(sorted(r.removeprefix(USER) for r in rules if r.startswith(USER))),
            queues=tuple(sorted(r.removeprefix(QUEUE) for r in rules if r.startswith(QUEUE))),
            record_types=(self.case.record_type,) if self.case.record_type else (),
            fields=tuple(sorted({*self.outcome, *(field for _, field, _ in self.constants())})),
        )

    def outcome_of(self, sobject: str) -> dict[str, str]:
        """Field → source, of one object."""
        return {
            name.removeprefix(f"{sobject}."): source
            for name, source in self.outcome.items()
            if name.startswith(f"{sobject}.")
        }


def read(folder: Path) -> SalesforceMapping:
    """The mapping of an agent folder; the defaults for a folder without the file.

    Raises AgentError.
    """
    if not (folder / FILE).exists():
        return SalesforceMapping()
    text = _text(folder)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise AgentError([not_toml(FILE, text, wrong)], folder) from None
    lines = lines_of(text)
    try:
        mapping = SalesforceMapping.model_validate(content)
    except ValidationError as refused:
        errors = refused.errors(include_url=False)
        mistakes = list(dict.fromkeys(_mistake(error, lines) for error in errors))
        raise AgentError(mistakes, folder) from None
    if mistakes := list(_wrong_with(mapping, lines)):
        raise AgentError(mistakes, folder)
    return mapping


def _text(folder: Path) -> str:
    try:
        raw = (folder / FILE).read_bytes()
    except OSError:
        mistake = Mistake(FILE, 0, "can't be read", "let the service's user read it")
        raise AgentError([mistake], folder) from None
    if len(raw) > MAX_BYTES:
        mistake = Mistake(FILE, 0, "is too large", f"keep it under {MAX_BYTES} bytes")
        raise AgentError([mistake], folder)
    try:
        return raw.decode()
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        mistake = Mistake(FILE, line, "is not UTF-8", "save it as UTF-8")
        raise AgentError([mistake], folder) from None


# -- mistakes --------------------------------------------------------------------------------------

_OWNER = (
    'write "contact_owner", "account_owner", "user:ada@example.com", "queue:Phone_Support" or ""'
)
_REMEDIES = {
    "owner": _OWNER,
    "transcript": 'write "task", "file" or "none"',
    "record_type": 'write the developer name of a record type, such as "Phone_Support", or ""',
    "languages": 'write a list of language codes, such as ["en", "de"]',
    "outcome": 'write a line such as "Task.Sentiment__c" = "structured.Sentiment"',
    "fields": 'write lines such as Department__c = "Voice" below it',
}
"""By the last known key of a mistake's path."""

_BOOLEANS = ("assignment_rules", "entitlement", "recording_link", "summary")

_TABLES: dict[str, type[_Table]] = {
    "case": CaseMapping, "call_log": CallLogMapping, "callback": CallbackMapping,
}  # fmt: skip


def _mistake(error: Any, lines: dict[tuple[str, ...], int]) -> Mistake:
    """A mistake of form, in the words of the file."""
    path = tuple(str(part) for part in error["loc"])
    in_constant = len(path) > 2 and path[1] == "fields"
    path = path[:3] if in_constant else path
    path = tuple(part for part in path if not part.isdigit())
    label, line = ".".join(path), line_of(lines, path)
    if error["type"] == "extra_forbidden":
        known = list((_TABLES[path[0]] if len(path) > 1 else SalesforceMapping).model_fields)
        meant = get_close_matches(path[-1], known, n=1, cutoff=0.75)
        remedy = f"write {meant[0]}" if meant else f"use one of {', '.join(known)}"
        return Mistake(FILE, line, f"{label} is unknown", remedy)
    if in_constant:
        is_name = "[key]" in map(str, error["loc"])
        return Mistake(
            FILE,
            line,
            f"{label} is no {'name of a field' if is_name else 'text, number, true or false'}",
            'write the API name of a field and a value, such as Department__c = "Voice"',
        )
    if path[-1] in _BOOLEANS:
        return Mistake(FILE, line, f"{label} has another value", "write true or false")
    key = next((part for part in reversed(path) if part in _REMEDIES), "")
    usual = f"write a table [{path[0]}]" if len(path) == 1 else "write a text in quotes"
    return Mistake(FILE, line, f"{label} has another value", _REMEDIES.get(key, usual))


def _wrong_with(mapping: SalesforceMapping, lines: dict[tuple[str, ...], int]) -> Iterator[Mistake]:
    """What the models can't check."""
    for key, field, _ in mapping.constants():
        if refused := _not_yours(field):
            yield Mistake(FILE, line_of(lines, tuple(key.split("."))), *refused)
    for field, source in mapping.outcome.items():
        line = line_of(lines, ("outcome", field))
        sobject, _, name = field.partition(".")
        if sobject not in WRITTEN_HERE or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            problem = f"{field!r} is no field of Task or Case"
            yield Mistake(FILE, line, problem, 'write it like "Task.Sentiment__c", in quotes')
        elif refused := _not_yours(field):
            yield Mistake(FILE, line, *refused)
        if not _is_source(source):
            yield Mistake(
                FILE,
                line,
                f"{source!r} is no result of a call",
                f"use structured.NAME, scorecard.NAME, {', '.join(WHOLE_SOURCES)}",
            )
    for key, field, _ in mapping.constants():
        if field in mapping.outcome and not key.startswith("callback."):
            line = line_of(lines, ("outcome", field))
            yield Mistake(FILE, line, f"{field} is also {key}", "keep one of the two")


def _not_yours(field: str) -> tuple[str, str] | None:
    sobject, _, name = field.partition(".")
    if name in WRITTEN_HERE[sobject]:
        return f"{field} is written by the service", "choose another field"
    if name in KEYS_FOR:
        return f"{field} can't be set here", f"use the key {KEYS_FOR[name]} where there is one"
    return None


def _is_source(source: str) -> bool:
    return source in WHOLE_SOURCES or any(
        source.startswith(start) and source != start for start in NAMED_SOURCES
    )
