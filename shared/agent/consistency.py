"""Contradictions in a tool's file, each part of which has the right form."""

import re
from collections.abc import Iterator
from typing import Any

from langcodes import tag_is_valid
from pydantic_core import SchemaError

from shared.agent.arguments import CODE_ARGUMENTS, NOT_GIVEN, REFERENCE_ARGUMENTS, whole
from shared.agent.tool_files import (
    MEANINGS,
    NEEDED,
    AnyFile,
    ArgumentFile,
    ArgumentType,
    CloseFile,
    CreateFile,
    FieldEntry,
    FieldFile,
    ReadFile,
    UpdateFile,
    Verb,
    VerifyFile,
    as_field_value,
    is_of_team,
    meaning_of,
    takes,
)
from shared.domain.record_mapping import placeholders

CALLER = frozenset({"caller.number"})
"""What a template may say of the caller; the rest of a record's owner is never an argument."""

OWN_ARGUMENTS = frozenset({"replaces", "onExisting"})
"""The service adds these to tools that write."""

_ADDED = {Verb.VERIFY: CODE_ARGUMENTS, Verb.READ: REFERENCE_ARGUMENTS}
"""What it adds to tools of other verbs."""

OWNERS = frozenset({"contactid", "accountid", "whoid", "whatid"})
"""Standard fields that decide whose record it is, in lower case. A caller must not name them."""

UNFILLED = frozenset({"id"})
"""Standard fields that Salesforce alone fills."""

TEXTS = frozenset(ArgumentType) - {
    ArgumentType.CHOICE, ArgumentType.INTEGER, ArgumentType.NUMBER, ArgumentType.BOOLEAN,
}  # fmt: skip

_ALONE = re.compile(r"\{[A-Za-z][A-Za-z0-9_.]*\}")

Finding = tuple[tuple[str, ...], str, str]
"""Where in the file, what is wrong, and what would be right."""


def wrong_with(file: AnyFile) -> Iterator[Finding]:
    for name, argument in file.arguments.items():
        yield from _wrong_with_argument(name, argument, Verb(file.verb))
    for language in file.sentences:
        if not tag_is_valid(language):
            remedy = "write a language tag, such as en or pt-BR"
            yield ("sentences", language), f'there is no language "{language}"', remedy
    yield from _wrong_with_meanings(file)
    yield from _wrong_with_repeats(file)
    of_templates = [
        finding
        for where, template in _templates(file)
        for finding in _wrong_with_template(file, where, template)
    ]
    yield from of_templates
    if isinstance(file, ReadFile) and file.speak and file.object == "Case":
        problem = 'speak does not go with object = "Case": its sentences are for the agent'
        yield ("speak",), problem, "remove it"
    if isinstance(file, CreateFile):
        yield from _wrong_with_create(file)
    if isinstance(file, ReadFile):
        yield from _wrong_with_read(file)
    if isinstance(file, UpdateFile | CloseFile):
        yield from _wrong_with_change(file)
    if isinstance(file, VerifyFile):
        yield from _wrong_with_verify(file)
    has_templates = isinstance(file, CreateFile | ReadFile | UpdateFile) or is_of_team(file)
    if has_templates and not of_templates:
        yield from _idle_arguments(file)


# -- arguments -------------------------------------------------------------------------------------


def _wrong_with_argument(name: str, argument: ArgumentFile, verb: Verb) -> Iterator[Finding]:
    where = ("arguments", name)
    kind = argument.type
    if kind is ArgumentType.SECRET and verb is not Verb.VERIFY:
        remedy = "use another type, or a tool with the verb verify"
        yield (*where, "type"), "only the verb verify keeps a secret", remedy
    of_service = _ADDED.get(verb, {})
    if name in OWN_ARGUMENTS or name in of_service:
        yield where, f"{name} is an argument that the service adds itself", "choose another name"
    if kind is ArgumentType.CHOICE:
        yield from _wrong_with_choices(where, list(argument.choices or ()))
    elif argument.choices is not None:
        remedy = 'write type = "choice", or leave choices out'
        yield (*where, "choices"), f"an argument of type {kind} has no choices", remedy
    for key, kinds, remedy in (
        ("minimum", {ArgumentType.INTEGER, ArgumentType.NUMBER}, 'write type = "integer"'),
        ("maximum", {ArgumentType.INTEGER, ArgumentType.NUMBER}, 'write type = "integer"'),
        ("max_length", TEXTS, 'write type = "text"'),
        ("pattern", TEXTS, 'write type = "text"'),
    ):
        if getattr(argument, key) is not None and kind not in kinds:
            problem = f"an argument of type {kind} has no {key}"
            yield (*where, key), problem, f"{remedy}, or leave {key} out"
    low, high = argument.minimum, argument.maximum
    if low is not None and high is not None and low > high:
        yield (*where, "minimum"), f"minimum {low:g} is above maximum {high:g}", "swap the two"
    if argument.pattern is not None:
        try:
            whole(argument.pattern)
        except SchemaError as wrong:
            reason = str(wrong).rpartition("error: ")[2]
            problem = f"pattern is not a regular expression: {reason}"
            yield (*where, "pattern"), problem, "write one such as '[A-Z]{2}[0-9]{6}'"
    if argument.means and argument.means not in MEANINGS:
        problem = f'there is no meaning "{argument.means}"'
        yield (*where, "means"), problem, f"use one of {', '.join(MEANINGS)}"


def _wrong_with_choices(where: tuple[str, ...], choices: list[str]) -> Iterator[Finding]:
    where = (*where, "choices")
    if not choices:
        yield where, "a choice needs choices", 'add choices = ["one", "other"]'
    spoken = [word.strip().casefold() for word in choices]
    for nth, word in enumerate(spoken):
        if not word or word in NOT_GIVEN:
            problem = f'the choice "{choices[nth]}" counts as not given'
            yield (*where, str(nth)), problem, "choose another word, or make the argument optional"
        elif word in spoken[:nth]:
            problem = f'the choice "{choices[nth]}" is there twice'
            yield (*where, str(nth)), problem, "name each choice once"


def _wrong_with_meanings(file: AnyFile) -> Iterator[Finding]:
    """What the verb's own code takes an argument for."""
    taken = takes(file)
    has_templates = isinstance(file, CreateFile | ReadFile | UpdateFile) or is_of_team(file)
    meanings: set[str] = set()
    for name, argument in file.arguments.items():
        meaning = meaning_of(name, argument)
        if meaning in taken and meaning in meanings:
            where = ("arguments", name, "means" if argument.means else "type")
            yield where, f"a second argument means {meaning}", "keep one of them"
        elif meaning not in taken and not has_templates and _is_idle(file, name, argument):
            named = f"name it {' or '.join(taken)}, or say which of them it means"
            remedy = named if taken else "remove it"
            yield ("arguments", name), f"{file.verb} does nothing with {name}", remedy
        meanings.add(meaning)
    for meaning in NEEDED.get(file.verb, ()):
        if meaning not in meanings:
            remedy = f"add [arguments.{meaning}] with required = true"
            yield ("verb",), f"{file.verb} needs an argument for the {meaning}", remedy


def _is_idle(file: AnyFile, name: str, argument: ArgumentFile) -> bool:
    """Whether nothing uses it, and no other mistake of it is named."""
    is_compared = isinstance(file, VerifyFile) and (
        f"{{{name}}}" in file.knowledge.values() or name in CODE_ARGUMENTS
    )
    is_named = name in OWN_ARGUMENTS or argument.means not in ("", *MEANINGS)
    return not is_compared and not is_named


# -- fields ----------------------------------------------------------------------------------------


def _wrong_with_repeats(file: AnyFile) -> Iterator[Finding]:
    """For Salesforce, Subject and subject are the same field."""
    if not isinstance(file, CreateFile | UpdateFile | CloseFile):
        return
    seen: set[str] = set()
    for name in file.fields:
        if name.casefold() in seen:
            yield ("fields", name), f"{name} is filled twice", "name each field once"
        seen.add(name.casefold())


def _templates(file: AnyFile) -> Iterator[tuple[tuple[str, ...], str]]:
    entries: list[tuple[tuple[str, ...], Any]] = []
    if isinstance(file, CreateFile | UpdateFile | CloseFile):
        entries += [(("fields", name), entry) for name, entry in file.fields.items()]
    if isinstance(file, CreateFile):
        entries += [(("links", name, "spoken"), link.spoken) for name, link in file.links.items()]
    if isinstance(file, UpdateFile | CloseFile) and file.record:
        entries.append((("record", "spoken"), file.record.spoken))
    if isinstance(file, ReadFile):
        entries += [(("where", name), entry) for name, entry in file.where.items()]
    if isinstance(file, VerifyFile):
        entries += [(("knowledge", name), entry) for name, entry in file.knowledge.items()]
    for where, entry in entries:
        value, _ = as_field_value(entry)
        if isinstance(value, str):
            yield (*where, "value") if isinstance(entry, FieldFile) else where, value


def _wrong_with_template(file: AnyFile, where: tuple[str, ...], template: str) -> Iterator[Finding]:
    is_alone = isinstance(file, VerifyFile | UpdateFile) and not is_of_team(file)
    if is_alone and not _ALONE.fullmatch(template):
        name = where[1]
        yield where, f"{name} must be one argument alone", f'write {name} = "{{argument}}"'
        return
    bare = template
    for name in placeholders(template):
        bare = bare.replace(f"{{{name}}}", "", 1)
        if name not in file.arguments and name not in CALLER:
            known = ", ".join(f"{{{it}}}" for it in (*file.arguments, *sorted(CALLER)))
            yield where, f"{{{name}}} is no argument of this tool", f"use one of {known}"
    if "{" in bare or "}" in bare:
        problem = f"{where[1]} has a brace that belongs to no argument"
        yield where, problem, "write each argument as {name}"


def _used(file: AnyFile) -> set[str]:
    """The arguments that make a difference to what is read or written."""
    used = {name for _, template in _templates(file) for name in placeholders(template)}
    return used | set(file.same_if) if isinstance(file, CreateFile) else used


def _no_way_to_the_caller(
    file: CreateFile | ReadFile | UpdateFile | CloseFile,
) -> Iterator[Finding]:
    if not file.contact and not file.account:
        problem = f"nothing leads from {file.object} to the caller"
        remedy = 'add contact = "Contact__c" (its lookup field), or account = "Account__c"'
        yield ("verb",), problem, remedy


def _wrong_with_create(file: CreateFile) -> Iterator[Finding]:
    yield from _no_way_to_the_caller(file)
    if not file.fields:
        yield ("fields",), "creates a record without any field", 'add Subject = "{description}"'
    for nth, name in enumerate(file.same_if):
        if name not in file.arguments:
            where = ("same_if", str(nth))
            yield where, f"{name} is no argument of this tool", "name one of its arguments"
    ours = {
        name.casefold()
        for name in (file.contact, file.account, file.key, file.reference, *file.links)
        if name
    }
    for name, entry in file.fields.items():
        value, _ = as_field_value(entry)
        if name.casefold() in ours | UNFILLED:
            yield ("fields", name), f"{name} is filled by the service", "leave it out of [fields]"
        elif name.casefold() in OWNERS and isinstance(value, str) and placeholders(value):
            problem = f"{name} would be what the caller says, and it decides whose record it is"
            yield ("fields", name), problem, 'write contact or account = "…" above [fields] instead'
    fields = {name.casefold() for name in file.fields}
    for nth, name in enumerate(file.optional):
        where = ("optional", str(nth))
        if file.key and name.casefold() == file.key.casefold():
            problem = f"{name} keeps a record from being created twice, so it can't be optional"
            yield where, problem, "remove it"
        elif name.casefold() not in fields | ours:
            yield where, f"{name} is no field of this tool", "name a field of [fields]"


def _wrong_with_read(file: ReadFile) -> Iterator[Finding]:
    if file.send_reference and (file.object, file.show) != ("Case", "one"):
        remedy = 'remove it, or write object = "Case" and show = "one"'
        yield ("send_reference",), "only a tool that tells how one case stands sends one", remedy
    if file.object == "Case":
        for key in ("contact", "account"):
            if getattr(file, key):
                yield (key,), "a case leads to its contact by itself", f"leave {key} out"
    else:
        yield from _no_way_to_the_caller(file)
        if not file.fields:
            remedy = 'add [fields] with a line such as status = "Status__c"'
            yield ("verb",), "reads no field", remedy
    for field, entry in file.where.items():
        value, _ = as_field_value(entry)
        for name in placeholders(value) if isinstance(value, str) else []:
            kind = file.arguments[name].type if name in file.arguments else None
            if kind in (ArgumentType.DATETIME, ArgumentType.TIME):
                problem = f"no record is found by a {kind} to the second"
                yield ("where", field), problem, "let the argument be a date"


def _wrong_with_change(file: UpdateFile | CloseFile) -> Iterator[Finding]:
    if not is_of_team(file):
        yield from _wrong_with_own_object(file)
        return
    yield from _no_way_to_the_caller(file)
    if not file.fields:
        yield ("verb",), "changes no field", 'add [fields] with a line such as Status__c = "Done"'
    elif isinstance(file, CloseFile) and all(map(_has_arguments, file.fields.values())):
        problem = "closes nothing when the caller gives no argument"
        yield ("fields",), problem, 'add a line such as Status__c = "Cancelled"'
    ways = {path.split(".")[0].casefold() for path in (file.contact, file.account) if path}
    ways |= {f"{way.removesuffix('__r')}__c" for way in ways if way.endswith("__r")}
    for name in file.fields:
        if name.casefold() in ways | OWNERS | UNFILLED:
            problem = f"{name} decides whose record it is, or which one"
            yield ("fields", name), problem, "leave it out of [fields]"


def _has_arguments(entry: FieldEntry) -> bool:
    value, _ = as_field_value(entry)
    return isinstance(value, str) and bool(placeholders(value))


def _wrong_with_own_object(file: UpdateFile | CloseFile) -> Iterator[Finding]:
    """A contact is the caller's own, and a case leads to its contact by itself."""
    for key in ("contact", "account", "record"):
        if getattr(file, key):
            yield (key,), f"a {file.object.lower()} needs no {key}", f"leave {key} out"
    if isinstance(file, CloseFile):
        for name in file.fields:
            remedy = "leave [fields] out; closed_status in salesforce.toml says its status"
            yield ("fields", name), f"a case that is closed gets no {name}", remedy
        return
    for name, entry in file.fields.items():
        if not isinstance(entry, str):
            where = ("fields", name)
            yield where, f"{name} must be one argument alone", f'write {name} = "{{argument}}"'


def _wrong_with_verify(file: VerifyFile) -> Iterator[Finding]:
    meanings = {meaning_of(name, argument) for name, argument in file.arguments.items()}
    if not file.pin and not file.knowledge and not file.code:
        remedy = 'add pin = "Voice_PIN__c", code = true, or [knowledge]'
        yield ("verb",), "compares nothing", remedy
    if file.pin and "pin" not in meanings:
        yield ("pin",), "nobody can say a PIN", 'add [arguments.pin] with type = "secret"'
    if "pin" in meanings and not file.pin:
        yield ("arguments", "pin"), "no field has the PIN", 'add pin = "Voice_PIN__c"'
    for name, argument in file.arguments.items():
        if argument.type is not ArgumentType.SECRET:
            where = ("arguments", name, "type")
            yield where, f"{name} would be kept", 'write type = "secret"'


_IDLE = {
    "create": ("fills no field", 'add Field__c = "{{{name}}}" to [fields]'),
    "read": ("selects nothing", 'add Field__c = "{{{name}}}" to [where]'),
    "update": ("changes no field", 'add Field__c = "{{{name}}}" to [fields]'),
    "close": ("changes no field", 'add Field__c = "{{{name}}}" to [fields]'),
}


def _idle_arguments(file: AnyFile) -> Iterator[Finding]:
    """Arguments that the caller is asked for, although nothing uses them."""
    if isinstance(file, UpdateFile | CloseFile) and not file.fields:
        return  # that is the mistake
    taken = takes(file)
    problem, remedy = _IDLE[file.verb]
    for name, argument in file.arguments.items():
        if name not in _used(file) | OWN_ARGUMENTS and meaning_of(name, argument) not in taken:
            yield ("arguments", name), f"{name} {problem}", remedy.format(name=name)
