"""Loads an agent folder: what a team says about its assistant and tools, in files.

Everything is checked before anything is used. A folder with a mistake is refused whole, and every
mistake is named with its file, its line and what would be right.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.agent.errors import AgentError, Mistake
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tool_files import (
    API_NAME,
    ARGUMENT,
    LANGUAGE,
    NEEDED,
    ArgumentFile,
    ArgumentType,
    CreateFile,
    FieldFile,
    ReadFile,
    ToolFile,
    UpdateFile,
    Verb,
    as_field_value,
    meaning_of,
)
from shared.agent.tools import AnyFile, Tool, tool_of
from shared.domain.record_mapping import placeholders

TOOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What the models' providers accept as the name of a function."""

MAX_TOOLS = 50
MAX_FILE_BYTES = 256 * 1024

CALLER = frozenset({"caller.number"})
"""What a template may say of the caller; the rest of a record's owner is never an argument."""

_FILES: TypeAdapter[AnyFile] = TypeAdapter(ToolFile)


@dataclass(frozen=True)
class Agent:
    """An agent folder. tools: by name."""

    folder: Path
    tools: Mapping[str, Tool]

    @property
    def contact_fields(self) -> tuple[str, ...]:
        """The fields of a contact that its tools change."""
        files = [tool.file for tool in self.tools.values()]
        names = {name for file in files if isinstance(file, UpdateFile) for name in file.fields}
        return tuple(sorted(names))


PROJECT = Path(__file__).resolve().parent.parent.parent


@cache
def load_agent(agent_dir: str) -> Agent:
    """agent_dir: absolute, or relative to the folder of this project.

    Raises AgentError, which names every mistake.
    """
    folder = PROJECT / agent_dir
    mistakes: list[Mistake] = []
    tools: dict[str, Tool] = {}
    if not (folder / "tools").is_dir():
        raise AgentError(
            [
                Mistake(
                    str(folder),
                    0,
                    "is no agent folder",
                    "AGENT_DIR must name a folder with tools/, such as agent; "
                    "`python -m cli agent new DIR` makes one",
                )
            ]
        )
    paths = sorted((folder / "tools").glob("*.toml"))
    if not paths:
        mistakes.append(Mistake("tools/", 0, "has no tool", "add a file such as tools/order.toml"))
    if len(paths) > MAX_TOOLS:
        mistakes.append(
            Mistake("tools/", 0, f"has {len(paths)} tools", f"keep {MAX_TOOLS} at most")
        )
    for path in paths[:MAX_TOOLS]:
        found = _read_tool(path, f"tools/{path.name}")
        if isinstance(found, Tool):
            tools[found.name] = found
        else:
            mistakes += found
    if mistakes:
        raise AgentError(mistakes)
    return Agent(folder, tools)


def _read_tool(path: Path, name: str) -> Tool | list[Mistake]:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            return [Mistake(name, 0, "is too large", f"keep it under {MAX_FILE_BYTES} bytes")]
        text = raw.decode("utf-8")
        content = tomllib.loads(text)
    except OSError:
        return [Mistake(name, 0, "can't be read", "let the service's user read it")]
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        return [Mistake(name, line, "is not UTF-8", "save it as UTF-8")]
    except tomllib.TOMLDecodeError as wrong:
        return [_not_toml(name, wrong)]
    lines = lines_of(text)
    if not TOOL_NAME.fullmatch(path.stem):
        problem = f"{path.stem!r} can't be the name of a tool"
        remedy = "use up to 64 letters, digits, _ and -, and begin with a letter"
        return [Mistake(name, 0, problem, remedy)]
    try:
        file = _FILES.validate_python(content)
    except ValidationError as refused:
        return [_in_our_words(name, lines, error) for error in refused.errors(include_url=False)]
    found = [
        Mistake(name, line_of(lines, where), problem, remedy)
        for where, problem, remedy in _wrong_with(file)
    ]
    return found or tool_of(path.stem, file, text)


def _not_toml(name: str, wrong: tomllib.TOMLDecodeError) -> Mistake:
    at = re.search(r"at line (\d+)", str(wrong))
    problem = re.sub(r" \(at .*\)$", "", str(wrong))
    return Mistake(
        name,
        int(at[1]) if at else 0,
        f"is not TOML: {problem[:1].lower()}{problem[1:]}",
        'write name = "value", with text in quotes',
    )


# -- what a model can't say ------------------------------------------------------------------------

_Finding = tuple[tuple[str, ...], str, str]


def _wrong_with(file: AnyFile) -> Iterator[_Finding]:
    for name, argument in file.arguments.items():
        yield from _wrong_with_argument(name, argument)
    if not isinstance(file, ReadFile) or file.object != "Case":
        yield from _wrong_with_meanings(file)
    for where, template in _templates(file):
        yield from _wrong_with_template(file, where, template)
    match file:
        case CreateFile():
            yield from _wrong_with_create(file)
        case ReadFile():
            yield from _wrong_with_read(file)
        case UpdateFile():
            yield from _wrong_with_update(file)
        case _:
            pass


def _wrong_with_argument(name: str, argument: ArgumentFile) -> Iterator[_Finding]:
    where = ("arguments", name)
    is_choice = argument.type is ArgumentType.CHOICE
    if name in ("replaces", "onExisting"):
        yield where, f"{name} is an argument of the service's own", "choose another name"
    if is_choice and not argument.choices:
        yield where, "a choice needs choices", 'add choices = ["one", "other"]'
    if argument.choices and not is_choice:
        yield (
            (*where, "choices"),
            f"{argument.type} has no choices",
            'set type = "choice", or leave choices out',
        )
    spoken = [word.lower() for word in argument.choices or ()]
    if len(set(spoken)) < len(spoken):
        yield (*where, "choices"), "two choices sound the same", "name each of them once"
    is_number = argument.type in (ArgumentType.INTEGER, ArgumentType.NUMBER)
    for key in ("minimum", "maximum"):
        if getattr(argument, key) is not None and not is_number:
            yield (*where, key), f"{argument.type} has no {key}", 'set type = "integer" or "number"'
    low, high = argument.minimum, argument.maximum
    if low is not None and high is not None and low > high:
        yield (*where, "minimum"), "minimum is above maximum", "swap the two"
    if argument.pattern is not None:
        try:
            re.compile(argument.pattern)
        except re.error as wrong:
            yield (
                (*where, "pattern"),
                f"is no regular expression: {wrong.msg}",
                "write one such as '[A-Z]{2}[0-9]{6}'",
            )


def _wrong_with_meanings(file: AnyFile) -> Iterator[_Finding]:
    meanings = [meaning_of(name, argument) for name, argument in file.arguments.items()]
    for name, argument in file.arguments.items():
        if meanings.count(meaning_of(name, argument)) > 1 and argument.means:
            yield (
                ("arguments", name, "means"),
                f"two arguments mean {argument.means}",
                "keep one of them",
            )
    for meaning in sorted(NEEDED.get(file.verb, frozenset()) - set(meanings)):
        yield (
            ("verb",),
            f"{file.verb} needs an argument for the {meaning}",
            f"add [arguments.{meaning}] with required = true",
        )


def _templates(file: AnyFile) -> Iterator[tuple[tuple[str, ...], str]]:
    entries: list[tuple[tuple[str, ...], Any]] = []
    if isinstance(file, CreateFile | UpdateFile):
        entries += [(("fields", name), entry) for name, entry in file.fields.items()]
    if isinstance(file, CreateFile):
        entries += [(("links", name, "spoken"), link.spoken) for name, link in file.links.items()]
    if isinstance(file, ReadFile):
        entries += [(("where", name), entry) for name, entry in file.where.items()]
    for where, entry in entries:
        value, _ = as_field_value(entry)
        if isinstance(value, str):
            yield (*where, "value") if isinstance(entry, FieldFile) else where, value


def _wrong_with_template(
    file: AnyFile, where: tuple[str, ...], template: str
) -> Iterator[_Finding]:
    known = file.arguments.keys() | CALLER
    for name in placeholders(template):
        if name not in known:
            yield (
                where,
                f"{{{name}}} is no argument of this tool",
                f"use one of {', '.join(f'{{{entry}}}' for entry in sorted(known))}",
            )
    bare = re.sub(r"\{[A-Za-z][A-Za-z0-9_.]*\}", "", template)
    if "{" in bare or "}" in bare:
        yield where, "has a brace that belongs to no argument", "write {argument}"


def _wrong_with_create(file: CreateFile) -> Iterator[_Finding]:
    for name in file.same_if:
        if name not in file.arguments:
            yield ("same_if",), f"{name} is no argument of this tool", "name one of its arguments"
    if not file.contact and not file.account:
        yield (
            ("verb",),
            "nothing leads from the record to the caller",
            'add contact = "Contact__c" (the lookup field), or account = "Account__c"',
        )
    ours = {name for name in (file.contact, file.account, file.key, file.reference) if name}
    ours |= file.links.keys()
    for name in sorted(ours & file.fields.keys()):
        yield ("fields", name), "is filled by the service", "leave it out of [fields]"
    for name in file.optional:
        if name == file.key:
            yield ("optional",), f"{name} keeps a record from being created twice", "remove it"
        elif name not in file.fields and name not in ours:
            yield ("optional",), f"{name} is no field of this tool", "name a field of [fields]"


def _wrong_with_read(file: ReadFile) -> Iterator[_Finding]:
    if file.object == "Case":
        for key in ("contact", "account"):
            if getattr(file, key):
                yield (key,), "a case leads to its contact by itself", f"leave {key} out"
        return
    if not file.contact and not file.account:
        yield (
            ("verb",),
            "nothing leads from the record to the caller",
            'add contact = "Contact__c" (the lookup field), or account = "Account__c"',
        )
    if not file.fields:
        yield ("verb",), "reads no field", 'add [fields] with a line such as status = "Status__c"'


def _wrong_with_update(file: UpdateFile) -> Iterator[_Finding]:
    for name, template in file.fields.items():
        found = placeholders(template)
        if len(found) != 1 or template != f"{{{found[0]}}}":
            yield ("fields", name), "must be one argument alone", f'write {name} = "{{argument}}"'
    used = {argument for template in file.fields.values() for argument in placeholders(template)}
    for name in sorted(file.arguments.keys() - used):
        yield ("arguments", name), "changes no field", f'add Field__c = "{{{name}}}" to [fields]'


# -- pydantic's findings in our words --------------------------------------------------------------


def _in_our_words(name: str, lines: dict[tuple[str, ...], int], error: Any) -> Mistake:
    verbs = frozenset(Verb)
    path = tuple(str(part) for part in error["loc"] if part not in verbs)
    path = tuple(part for part in path if not part.startswith(("function-", "constrained-")))
    path = tuple(part for part in path if part not in ("[key]", "FieldFile", "str", "int", "float"))
    path = tuple(part for part in path if part not in ("bool", "list[str]") and "dict[" not in part)
    at, context = line_of(lines, path), error.get("ctx", {})
    label = ".".join(path) or "the file"
    match error["type"]:
        case "missing":
            return Mistake(name, at, f"{label} is missing", f"add {_example(path)}")
        case "extra_forbidden":
            return Mistake(name, at, f"{label} is unknown", "remove it, or mend the spelling")
        case "union_tag_not_found":
            return Mistake(name, 0, "verb is missing", f"add verb, one of {', '.join(Verb)}")
        case "union_tag_invalid":
            return Mistake(
                name,
                line_of(lines, ("verb",)),
                f"there is no verb {context.get('tag')!r}",
                f"use one of {', '.join(Verb)}",
            )
        case "literal_error" | "enum":
            return Mistake(name, at, f"{label} has another value", f"use {context['expected']}")
        case "string_pattern_mismatch":
            return Mistake(name, at, f"{label} has another form", _form(str(context["pattern"])))
        case "string_too_long" | "string_too_short" | "greater_than_equal" | "less_than_equal":
            return Mistake(name, at, f"{label} is out of range", str(error["msg"]).lower())
        case _:
            return Mistake(name, at, f"{label} has another type", str(error["msg"]).lower())


def _example(path: tuple[str, ...]) -> str:
    examples = {
        "description": 'description = "What the tool does."',
        "object": 'object = "Case"',
        "fields": '[fields] with a line such as Subject = "{description}"',
        "verb": 'verb = "create"',
        "value": 'value = "{argument}"',
    }
    return examples.get(path[-1] if path else "", path[-1] if path else "it")


def _form(pattern: str) -> str:
    forms = {
        ARGUMENT: "write it like issueType: a small letter first, then letters and digits",
        API_NAME: "write the API name, such as Order_Number__c",
        LANGUAGE: "write a language tag, such as en or pt-BR",
    }
    return forms.get(pattern, "write the API name of a field, such as Contact__r.Name")
