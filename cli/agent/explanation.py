"""What a tool does, in plain English, for those who write its file or have to allow it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from shared.agent.arguments import MAX_TEXT
from shared.agent.own_records import as_read, own_records_query
from shared.agent.policy import Policy
from shared.agent.tool_files import (
    ArgumentFile,
    ArgumentType,
    CloseFile,
    CreateFile,
    ReadFile,
    UpdateFile,
    Verb,
    as_field_value,
    is_of_team,
    meaning_of,
)
from shared.agent.tools import Tool, all_arguments
from shared.domain.identity import Tier
from shared.domain.record_mapping import placeholders
from shared.salesforce.account_lines import accounts_query
from shared.salesforce.caller_query import by_phones_query
from shared.salesforce.caller_rules import DEFAULT, CallerRules
from shared.salesforce.customers import CHANGEABLE, by_reference_query
from shared.salesforce.households import queries_by_phones

CONTACT_ID = "003000000000001AAA"
ACCOUNT_ID = "001000000000001AAA"
NUMBER = "+14155550101"

DOES: dict[Verb, str] = {
    Verb.IDENTIFY: "finds out who is calling",
    Verb.READ: "reads the caller's own {object} records",
    Verb.CREATE: "creates a {object} record that belongs to the caller",
    Verb.COMMENT: "adds a comment to a case of the caller's",
    Verb.UPDATE: "changes fields of the caller's own contact",
    Verb.CLOSE: "takes back a case of the caller's, or closes it",
    Verb.CALL_BACK: "creates a task: a person calls back",
    Verb.VERIFY: "compares what the caller says with their own contact, or with a code sent to it",
}

DOES_OF_TEAM: dict[Verb, str] = {
    Verb.UPDATE: "changes a {object} record of the caller's own",
    Verb.CLOSE: "takes back a {object} record of the caller's own, or closes it",
}

FORMS: dict[ArgumentType, str] = {
    ArgumentType.TEXT: "text",
    ArgumentType.CHOICE: "a choice",
    ArgumentType.INTEGER: "a whole number",
    ArgumentType.NUMBER: "a number",
    ArgumentType.BOOLEAN: "true or false",
    ArgumentType.PHONE: "a phone number, stored with its country code",
    ArgumentType.EMAIL: "an email address",
    ArgumentType.DATE: "a date (YYYY-MM-DD)",
    ArgumentType.TIME: "a time (HH:MM)",
    ArgumentType.DATETIME: "a date and time (YYYY-MM-DDTHH:MM)",
    ArgumentType.IDENTIFIER: "letters and digits, said aloud in any grouping",
    ArgumentType.REFERENCE: "a reference such as K7M 2QX",
    ArgumentType.CASE_NUMBER: "a case number",
    ArgumentType.COMMENT: "a text that fits a comment",
    ArgumentType.SECRET: "a secret, which is compared and kept nowhere",
}

EXAMPLES: dict[ArgumentType, Any] = {
    ArgumentType.INTEGER: 2,
    ArgumentType.NUMBER: 2.5,
    ArgumentType.BOOLEAN: True,
    ArgumentType.PHONE: NUMBER,
    ArgumentType.EMAIL: "ada@example.com",
    ArgumentType.DATE: "2026-12-31",
    ArgumentType.TIME: "10:00:00",
    ArgumentType.DATETIME: "2026-12-31T10:00:00",
    ArgumentType.IDENTIFIER: "AB123456",
    ArgumentType.REFERENCE: "K7M 2QX",
    ArgumentType.CASE_NUMBER: "00001008",
    ArgumentType.SECRET: "4271",
}

COSTS: dict[Verb, str] = {
    Verb.IDENTIFY: "0 or 1 a call. Everything that the call asks about the caller shares it.",
    Verb.READ: "1 each time, and 1 a call to know the caller, which all tools share.",
    Verb.CREATE: "1 for up to 200 records that are due at the same time.",
    Verb.COMMENT: "1 for up to 200 comments that are due at the same time.",
    Verb.UPDATE: "2 (a read and a write) for up to 25 contacts that are due at the same time.",
    Verb.CLOSE: "2 (a read and a write) for up to 25 cases that are due at the same time.",
    Verb.CALL_BACK: "1 for up to 200 tasks that are due at the same time.",
    Verb.VERIFY: "1 each time, and 1 a call to know the caller, which all tools share.",
}
"""API requests to Salesforce."""

COST_OF_A_CHANGE = "2 (a read and a write) for up to 25 records that are due at the same time."

Lines = Iterator[str]


@dataclass(frozen=True)
class Section:
    """lines: none for a section that this tool does not need."""

    title: str
    lines: Callable[[Tool], Lines]


def explained(tool: Tool, path: Path, policy: Policy, rules: CallerRules = DEFAULT) -> str:
    """rules: what makes a caller known."""
    object_ = getattr(tool.file, "object", "")
    does = (DOES_OF_TEAM if tool.change else DOES)[tool.verb]
    parts = [
        f"{tool.name} {does.format(object=object_)}.\n"
        f"  file {path}, version {tool.version}, verb {tool.verb}\n"
        f"  The model reads: {tool.description}\n"
        f"  Who may use it: {_who(tool, policy)}"
    ]
    if tool.speaks:
        parts[0] += "\n  Vapi says what was found or accepted word for word; the model adds nothing"
    for section in _sections(rules):
        if lines := list(section.lines(tool)):
            parts.append("\n".join([section.title, *(f"  {line}" for line in lines)]))
    return "\n\n".join(parts)


def _who(tool: Tool, policy: Policy) -> str:
    """By the policy, and by the tool's own file."""
    if tool.verb is Verb.VERIFY:
        return "every caller, a few times"
    own = tool.file.tier or Tier.UNKNOWN
    least = policy.needs(tool.verb)
    least = own if own.reaches(least) else least
    who = "every caller" if least is Tier.UNKNOWN else f"callers who are at least {least}"
    higher = [
        f"{name} needs {tier}"
        for name, tier in policy.tiers[tool.verb].items()
        if tier is not least and tier.reaches(least) and _concerns(tool, name)
    ]
    return "; ".join([f"{who} (policy {policy.base})", *higher])


def _concerns(tool: Tool, name: str) -> bool:
    """Whether the tool reads or changes this field; a name without a dot concerns the verb."""
    if "." not in name:
        return True
    sobject, _, field = name.partition(".")
    file = tool.file
    if isinstance(file, UpdateFile):
        fields = [name.casefold() for name in file.fields]
        return sobject.casefold() == file.object.casefold() and field.casefold() in fields
    return not isinstance(file, ReadFile) or file.object == sobject


# -- arguments -------------------------------------------------------------------------------------


def _arguments(tool: Tool) -> Lines:
    arguments = all_arguments(tool.file)
    rows = {name: "; ".join(_checks(tool, name, it)) for name, it in arguments.items()}
    yield from _aligned(rows)


def _checks(tool: Tool, name: str, argument: ArgumentFile) -> Lines:
    if name not in tool.file.arguments:
        yield "the service adds it"
    yield "required" if argument.required else "optional"
    match argument.choices:
        case dict() as choices:
            yield "one of " + ", ".join(f"{word} (stored as {it})" for word, it in choices.items())
        case list() as choices:
            yield f"one of {', '.join(choices)}"
        case _:
            yield FORMS[argument.type]
    if argument.type is ArgumentType.TEXT or argument.max_length:
        yield f"at most {argument.max_length or MAX_TEXT} characters"
    if argument.minimum is not None:
        yield f"at least {argument.minimum:g}"
    if argument.maximum is not None:
        yield f"at most {argument.maximum:g}"
    if argument.pattern:
        yield f"must match {argument.pattern}"
    if argument.omit_if_own:
        yield "left out when it is the caller's own account number"
    if argument.spell:
        yield "the answer spells it"
    if (meaning := meaning_of(name, argument)) != name and name in tool.file.arguments:
        yield f"used as the {meaning}"


# -- what it writes --------------------------------------------------------------------------------


def _fields(tool: Tool) -> Lines:
    file = tool.file
    if isinstance(file, UpdateFile | CloseFile) and file.fields:
        yield from _aligned({name: _value(entry, False) for name, entry in file.fields.items()})
        yield "A field that a person has changed since the caller asked is left as it is."
    if not isinstance(file, CreateFile):
        return
    rows = {name: _value(entry, name in file.optional) for name, entry in file.fields.items()}
    for name, whose in ((file.contact, "the caller's contact"), (file.account, "its account")):
        if name:
            rows[name] = f"{whose}, whatever the arguments say{_optional(name in file.optional)}"
    for name, link in file.links.items():
        own = f"the caller's own {link.object} whose {link.field} is {link.spoken}"
        rows[name] = f"{own}{_optional(name in file.optional)}"
    if file.reference:
        rows[file.reference] = "the reference that the caller gets"
    if file.key:
        rows[file.key] = "the idempotency key"
    yield from _aligned(rows)


def _value(entry: Any, is_optional: bool) -> str:
    value, max_length = as_field_value(entry)
    cut = f", cut to {max_length} characters" if max_length else ""
    always = "" if isinstance(value, str) and placeholders(value) else "always "
    return f"{always}{_shown(value)}{cut}{_optional(is_optional)}"


def _optional(is_optional: bool) -> str:
    return " (left out if Salesforce refuses it)" if is_optional else ""


def _aligned(rows: Mapping[str, str]) -> Lines:
    width = max(map(len, rows), default=0)
    yield from (f"{name.ljust(width)}  {value}" for name, value in rows.items())


def _example(tool: Tool) -> Lines:
    file = tool.file
    if isinstance(file, CreateFile) and tool.mapping:
        given = _given(tool) | {"caller.number": NUMBER}
        rows = {name: _shown(value) for name, value in tool.mapping.filled(given).items()}
        yield from _aligned(rows)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\n", "\\n")


def _given(tool: Tool) -> dict[str, Any]:
    """An example of each argument, as Salesforce stores it."""
    return {name: _example_of(name, it) for name, it in tool.file.arguments.items()}


def _example_of(name: str, argument: ArgumentFile) -> Any:
    choices = argument.choices
    if choices:
        return next(iter(choices.values() if isinstance(choices, dict) else choices))
    if argument.minimum is not None:
        whole = argument.type is ArgumentType.INTEGER
        return int(argument.minimum) if whole else argument.minimum
    return EXAMPLES.get(argument.type, f"(what the caller says as {name})")


# -- whose records ---------------------------------------------------------------------------------


def _owner(tool: Tool) -> Lines:
    file = tool.file
    if isinstance(file, ReadFile) and file.object == "Case":
        yield "Only cases of the caller's own contact."
    elif isinstance(file, ReadFile):
        yield f"Only records whose {_ways(file)}."
    elif isinstance(file, UpdateFile | CloseFile) and is_of_team(file):
        yield f"Only a record whose {_ways(file)}: {_which(file)}."
        if isinstance(file, CloseFile):
            yield "What was asked for in this call and not passed on yet is never created."
    elif isinstance(file, CreateFile):
        if file.contact:
            yield f"{file.contact} is the caller's contact."
        if file.account:
            yield f"{file.account} is the account of the caller's contact."
        if file.unknown_callers == "accept":
            yield "A caller who is not known gets a record as well, without a contact."
        else:
            yield "A caller who is not known gets no record."
    elif tool.verb is Verb.UPDATE:
        yield "Only the one contact that has the caller's number."
    elif tool.verb in (Verb.COMMENT, Verb.CLOSE):
        yield "Only cases of the caller's own contact, and those opened in this call."


def _ways(file: ReadFile | UpdateFile | CloseFile) -> str:
    ways = [f"{file.contact} is the caller's contact"] if file.contact else []
    ways += [f"{file.account} is the account of the caller's contact"] if file.account else []
    return " or whose ".join(ways)


def _which(file: UpdateFile | CloseFile) -> str:
    """How the record is found."""
    ways = [
        f"the one with this {name}"
        for name, argument in file.arguments.items()
        if meaning_of(name, argument) == "reference"
    ]
    if file.record:
        ways.append(f"the one whose {file.record.field} is {file.record.spoken}")
    return ", else ".join([*ways, "the one that this call created last"])


def _reads(tool: Tool) -> Lines:
    file = tool.file
    if not isinstance(file, ReadFile):
        return
    yield from _aligned(file.fields)
    for path, entry in file.where.items():
        value, _ = as_field_value(entry)
        given = placeholders(value) if isinstance(value, str) else []
        when = f", if {' or '.join(given)} is given" if given else ""
        yield f"Only where {path} is {_shown(value)}{when}."
    if file.object != "Case":
        yield f"Ordered by {file.order}, {file.limit} at most."


def _soql(rules: CallerRules, tool: Tool) -> Lines:
    file = tool.file
    if isinstance(file, UpdateFile | CloseFile) and file.record and is_of_team(file):
        file = as_read(file)
    if not isinstance(file, ReadFile):
        return
    if file.object == "Case":
        yield by_phones_query([NUMBER], CHANGEABLE, rules.phone_fields)
        if rules.account_fields:
            yield accounts_query(rules, [NUMBER])
        yield from queries_by_phones(rules, [NUMBER])
        if any(meaning_of(*item) == "reference" for item in file.arguments.items()):
            yield by_reference_query("K7M 2QX")
        return
    given = _given(tool)
    yield own_records_query(file, given, contact_id=CONTACT_ID, account_id=ACCOUNT_ID)


# -- promises and cost -----------------------------------------------------------------------------


def _repeats(tool: Tool) -> Lines:
    if tool.is_lookup:
        yield "The same tool call gets the same answer."
        return
    yield "The same tool call gets the same answer, and writes nothing a second time."
    file = tool.file
    if not isinstance(file, CreateFile):
        yield "The same request again during the call gets the answer of the first one."
        return
    if file.same_if:
        yield (
            f"A second request of one day with the same {' and '.join(file.same_if)} is about the "
            "same: the agent asks the caller before it opens another one."
        )
    else:
        yield "A second request with other arguments creates another record, without a question."
    if file.key:
        yield (
            f"{file.key} (unique) keeps a delivery that is repeated after a lost answer from "
            "creating a second record."
        )
    else:
        yield (
            "Records have no idempotency key. After a lost answer the service waits until "
            "Salesforce must have finished, and looks for a record of the caller's with the same "
            "fields. A record that Salesforce commits later than that is created twice."
        )


def _cost(tool: Tool) -> Lines:
    file = tool.file
    if isinstance(file, ReadFile) and file.object == "Case":
        yield "0 or 1 a call, which all tools share; 1 more for a number or reference."
        return
    if tool.change:
        yield COST_OF_A_CHANGE
        yield "1 when the caller asks, for a record that is there already."
        yield "1 more for records that nobody could look at then, all together."
        return
    yield COSTS[tool.verb]
    if isinstance(file, CreateFile):
        yield "1 more for the callers whose contact or account was not known yet, all together."
        if file.links:
            yield "1 more to find the records that the new ones refer to."
        yield "1 more after a lost answer."


def _sections(rules: CallerRules) -> tuple[Section, ...]:
    """In the order in which they are printed. A section prints nothing when it has no line."""
    return (
        Section("Arguments", _arguments),
        Section("Whose records", _owner),
        Section("What it reads", _reads),
        Section("What it writes", _fields),
        Section("With example values", _example),
        Section("What it asks Salesforce, with example values", partial(_soql, rules)),
        Section("When it is asked again", _repeats),
        Section("API requests to Salesforce", _cost),
    )
