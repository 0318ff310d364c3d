"""A custom object and its fields in SFDX source format, as far as a tool's file says what they are.

It is a start for a team that has no such object yet. Retrieve an object that the org already has.
"""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from cli.org.field_fit import longest, stored_values
from shared.agent.tool_files import (
    AnyFile,
    ArgumentFile,
    ArgumentType,
    CloseFile,
    CreateFile,
    FieldEntry,
    ReadFile,
    UpdateFile,
    as_field_value,
)
from shared.domain.record_mapping import placeholders

MAX_TEXT_FIELD = 255
MAX_LONG_TEXT = 131_072
MAX_RELATIONSHIP = 40

SIMPLE = {
    ArgumentType.BOOLEAN: {"defaultValue": "false", "type": "Checkbox"},
    ArgumentType.DATE: {"type": "Date"},
    ArgumentType.DATETIME: {"type": "DateTime"},
    ArgumentType.TIME: {"type": "Time"},
    ArgumentType.EMAIL: {"type": "Email"},
    ArgumentType.PHONE: {"type": "Phone"},
    ArgumentType.INTEGER: {"precision": "18", "scale": "0", "type": "Number"},
    ArgumentType.NUMBER: {"precision": "18", "scale": "2", "type": "Number"},
}

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'

_OBJECT = """\
<CustomObject {namespace}>
    <deploymentStatus>Deployed</deploymentStatus>
    <label>{label}</label>
    <nameField>
        <displayFormat>{initials}-{{00000}}</displayFormat>
        <label>{label} Number</label>
        <type>AutoNumber</type>
    </nameField>
    <pluralLabel>{label}s</pluralLabel>
    <sharingModel>ReadWrite</sharingModel>
</CustomObject>
"""

Elements = dict[str, str]
"""The elements of a field besides its name and label. A value set has its values, one per line."""


def object_xml(name: str) -> str:
    label = _label(name)
    initials = "".join(word[0] for word in label.split())
    return HEAD + _OBJECT.format(
        namespace=NAMESPACE, label=escape(label), initials=escape(initials)
    )


def fields_of(file: AnyFile) -> dict[str, str]:
    """The custom fields of the tool's own object whose types its file implies, as XML by name."""
    return {name: _field_xml(name, elements) for name, elements in _fields(file) if _is_own(name)}


def owner_of(sobject: str, field: str) -> dict[str, str]:
    """The lookup that leads from a record to its contact; nothing for a path to one."""
    return {field: _field_xml(field, _lookup(sobject, field, "Contact"))} if _is_own(field) else {}


def custom_names(file: AnyFile) -> set[str]:
    """Every custom field of its own object that a tool's file names."""
    names: list[str] = []
    match file:
        case CreateFile():
            names = [*file.fields, file.key, file.reference or "", *file.links]
        case ReadFile():
            names = [*file.fields.values(), *file.where, file.order.split()[0]]
        case UpdateFile() | CloseFile():
            names = [*file.fields, file.record.field if file.record else ""]
        case _:
            return set()
    return {name for name in (*names, file.contact or "", file.account or "") if _is_own(name)}


def _is_own(name: str) -> bool:
    return name.endswith("__c") and "." not in name


def _fields(file: AnyFile) -> Iterator[tuple[str, Elements]]:
    match file:
        case CreateFile():
            yield from _filled(file, file.fields)
            for name, link in file.links.items():
                yield name, _lookup(file.object, name, link.object)
        case ReadFile():
            yield from _filled(file, file.where)
        case UpdateFile() | CloseFile():
            yield from _filled(file, file.fields)
        case _:
            return
    for field, target in ((file.contact, "Contact"), (file.account, "Account")):
        if field:
            yield field, _lookup(file.object, field, target)


def _filled(file: AnyFile, entries: Mapping[str, FieldEntry]) -> Iterator[tuple[str, Elements]]:
    for name, entry in entries.items():
        value, max_length = as_field_value(entry)
        names = placeholders(value) if isinstance(value, str) else []
        if len(names) == 1 and value == f"{{{names[0]}}}" and names[0] in file.arguments:
            yield name, _of_argument(file.arguments[names[0]], max_length)
        elif names:
            yield name, _text(max_length or MAX_TEXT_FIELD + 1)
        elif isinstance(value, bool):
            yield name, SIMPLE[ArgumentType.BOOLEAN]
        elif isinstance(value, str):
            yield name, _picklist([value])
        else:
            yield name, SIMPLE[ArgumentType.NUMBER]


def _of_argument(argument: ArgumentFile, max_length: int | None) -> Elements:
    if argument.type in SIMPLE:
        return SIMPLE[argument.type]
    if argument.type is ArgumentType.CHOICE:
        values = stored_values(argument)
        if all(isinstance(value, str) for value in values):
            return _picklist(list(dict.fromkeys(map(str, values))))
        is_flag = all(isinstance(value, bool) for value in values)
        return SIMPLE[ArgumentType.BOOLEAN if is_flag else ArgumentType.NUMBER]
    characters = max_length or longest(argument)
    is_name = argument.type is ArgumentType.IDENTIFIER  # a long text can't be searched
    return _text(min(characters, MAX_TEXT_FIELD) if is_name else characters)


def _text(characters: int) -> Elements:
    if characters <= MAX_TEXT_FIELD:
        return {"length": str(characters), "type": "Text"}
    length = str(min(max(characters, MAX_TEXT_FIELD + 1), MAX_LONG_TEXT))
    return {"length": length, "type": "LongTextArea", "visibleLines": "5"}


def _lookup(sobject: str, field: str, target: str) -> Elements:
    relationship = f"{sobject.removesuffix('__c')}_{field.removesuffix('__c')}"
    return {
        "referenceTo": target,
        "relationshipName": relationship[:MAX_RELATIONSHIP].rstrip("_"),
        "type": "Lookup",
    }


def _picklist(values: list[str]) -> Elements:
    return {"type": "Picklist", "valueSet": "\n".join(values)}


def _field_xml(name: str, elements: Elements) -> str:
    parts = [("fullName", name), ("label", _label(name)), *sorted(elements.items())]
    lines = [
        _value_set(text.splitlines()) if tag == "valueSet" else f"    <{tag}>{escape(text)}</{tag}>"
        for tag, text in parts
    ]
    return f"{HEAD}<CustomField {NAMESPACE}>\n" + "\n".join(lines) + "\n</CustomField>\n"


def _value_set(values: list[str]) -> str:
    entries = "".join(
        "            <value>\n"
        f"                <fullName>{escape(value)}</fullName>\n"
        "                <default>false</default>\n"
        f"                <label>{escape(value)}</label>\n"
        "            </value>\n"
        for value in values
    )
    return (
        "    <valueSet>\n        <restricted>true</restricted>\n        <valueSetDefinition>\n"
        f"            <sorted>false</sorted>\n{entries}"
        "        </valueSetDefinition>\n    </valueSet>"
    )


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")
