"""What pydantic finds in a tool's file, as mistakes in our words: one for each thing to change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from shared.agent.errors import Mistake
from shared.agent.toml_lines import line_of
from shared.agent.tool_files import (
    API_NAME,
    ARGUMENT,
    FIELD_PATH,
    LANGUAGE,
    ORDER,
    ArgumentFile,
    FieldFile,
    LinkFile,
    NameFile,
    Verb,
    file_of,
)

Path = tuple[str, ...]

KEY = "[key]"
"""How pydantic marks that a key is wrong, and not its value."""

TYPES = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": 'a list such as ["one", "other"]',
    "dict_type": "a table",
    "model_type": "a table",
}
"""pydantic's findings about types → what the file must have instead."""

FORMS = {
    ARGUMENT: "a name like issueType: a small letter first, then up to 39 letters and digits",
    API_NAME: "an API name, such as Order_Number__c",
    FIELD_PATH: "a field's API name, or a path such as Contact__r.Name",
    ORDER: 'a field, with ASC or DESC if you like, such as "CreatedDate DESC"',
    LANGUAGE: "a language tag, such as en or pt-BR",
}

EXAMPLES = {
    "description": 'add description = "What the tool does, and when to call it."',
    "object": 'add object = "Case", or another API name',
    "fields": '[fields] must have a line such as Subject = "{description}"',
    "value": 'add value = "{argument}"',
}


@dataclass(frozen=True)
class _Finding:
    """path: in the file. type, context: as pydantic has them. given: the value that is wrong."""

    path: Path
    type: str
    context: Mapping[str, Any]
    given: Any
    of_key: bool

    @property
    def label(self) -> str:
        return ".".join(self.path)

    @property
    def is_of_type(self) -> bool:
        return self.type in TYPES


def in_our_words(
    file: str, content: Mapping[str, Any], lines: dict[Path, int], refused: ValidationError
) -> list[Mistake]:
    """file: its name in the mistakes. content: what it says. lines: see `toml_lines`."""
    findings = [_finding(content, error) for error in refused.errors(include_url=False)]
    mistakes = []
    for finding in _without_echoes(findings):
        problem, remedy = _say(finding, content)
        place = finding.path
        if finding.type == "missing" and len(place) == 1:
            place = ("verb",)
        mistakes.append(Mistake(file, line_of(lines, place) or 1, problem, remedy))
    return mistakes


def _finding(content: Mapping[str, Any], error: Any) -> _Finding:
    """Without the parts of pydantic's path that name its own types and not a place in the file."""
    path: list[str] = []
    here: Any = content
    for part in error["loc"][1:]:
        is_key = isinstance(here, dict) and part in here
        if is_key or (isinstance(here, list) and isinstance(part, int)):
            here = here[part]
            path.append(str(part))
    if error["type"] == "missing":
        path.append(str(error["loc"][-1]))
    is_of_key = error["loc"][-1:] == (KEY,)
    return _Finding(tuple(path), error["type"], error.get("ctx", {}), error.get("input"), is_of_key)


def _without_echoes(findings: list[_Finding]) -> list[_Finding]:
    """One finding for each mistake: a value that may be of several types is refused by each, and a
    misspelt key is both unknown and missing."""
    unknown = {finding.path for finding in findings if finding.type == "extra_forbidden"}
    chosen = []
    for (path, of_key), same in groupby(
        sorted(findings, key=lambda it: (it.path, it.of_key)), key=lambda it: (it.path, it.of_key)
    ):
        group = sorted(same, key=lambda it: (it.type == "literal_error", it.is_of_type))
        deeper = [other for other in findings if other.path[: len(path)] == path != other.path]
        if group[0].is_of_type and deeper and not of_key:
            continue
        if group[0].type == "missing" and any(
            get_close_matches(name, path[-1:])
            for *around, name in unknown
            if (*around,) == path[:-1]
        ):
            continue
        if group[0].is_of_type and not of_key:
            chosen.append(_all_types(group))
        else:
            chosen.append(group[0])
    return chosen


def _all_types(group: list[_Finding]) -> _Finding:
    wanted = dict.fromkeys(TYPES[finding.type] for finding in group if finding.is_of_type)
    first = group[0]
    return _Finding(first.path, "type", {"wanted": " or ".join(wanted)}, first.given, False)


def _say(finding: _Finding, content: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    label, context, given = finding.label, finding.context, finding.given
    match finding.type:
        case "missing":
            name = finding.path[-1]
            return f"{label} is missing", EXAMPLES.get(name, f"add {name}")
        case "extra_forbidden":
            return f"{label} is unknown", _instead(finding.path, content)
        case "union_tag_not_found":
            if near := get_close_matches("verb", content, n=1):
                return f"{near[0]} is unknown", "write verb"
            return "verb is missing", f'add verb = "read", or another of {", ".join(Verb)}'
        case "union_tag_invalid":
            near = get_close_matches(str(context["tag"]), list(Verb), n=1)
            others = f"use one of {', '.join(Verb)}"
            return f"there is no verb {context['tag']}", f"write {near[0]}" if near else others
        case "literal_error" | "enum":
            wanted = str(context["expected"]).replace("'", '"')
            return f"{label} can't be {_shown(given)}", f"write {wanted}"
        case "string_pattern_mismatch":
            return f"{label} has another form: {_shown(given)}", _form(str(context["pattern"]))
        case "string_too_short":
            return f"{label} is empty", EXAMPLES.get(finding.path[-1], "write a text")
        case "string_too_long":
            most = context["max_length"]
            return f"{label} has {len(str(given).strip())} characters", f"write {most} at most"
        case "greater_than_equal":
            return f"{label} is {given}", f"write {context['ge']} or more"
        case "less_than_equal":
            return f"{label} is {given}", f"write {context['le']} or less"
        case _:
            wanted = context.get("wanted") or TYPES.get(finding.type, "another value")
            return f"{label} is {_kind_of(given)}", f"write {wanted}"


def _instead(path: Path, content: Mapping[str, Any]) -> str:
    *around, name = path
    match around:
        case []:
            known = list(file_of(Verb(content["verb"])).model_fields)
            where = f"a tool with the verb {content['verb']}"
        case ["arguments", _]:
            known, where = list(ArgumentFile.model_fields), "an argument"
        case ["links", _]:
            known, where = list(LinkFile.model_fields), "a link"
        case ["record"]:
            known, where = list(NameFile.model_fields), "a record"
        case _:
            known, where = list(FieldFile.model_fields), "a field"
    if near := get_close_matches(name, known, n=1):
        return f"write {near[0]}"
    return f"remove it: {where} has {', '.join(known)}"


def _form(pattern: str) -> str:
    return f"write {FORMS.get(pattern, 'another')}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return _kind_of(value)


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return "a text"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case datetime() | date() | time():
            return "a date or time"
        case _:
            return "a value of another type"
