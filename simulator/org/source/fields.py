"""A custom field from its `.field-meta.xml`. Limits: Metadata API guide, "CustomField"."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.org.records.autonumber import check_format
from simulator.org.schema.model import Field, reference
from simulator.org.source.document import Element
from simulator.org.source.values import ValueSet, read_values

FIELD_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*__c\Z|[A-Za-z0-9]+__[A-Za-z]\w*__c\Z")
MAX_LONG_TEXT = 131_072
MAX_SET_CHARS = 4_099
MIN_LONG_TEXT = 256

KEY_TYPES = ("AutoNumber", "Email", "Number", "Text")
NUMBERS = {"Number": "double", "Currency": "currency", "Percent": "percent"}
SIMPLE = {
    "Checkbox": ("boolean", 0),
    "Date": ("date", 0),
    "DateTime": ("datetime", 0),
    "Email": ("email", 80),
    "Phone": ("phone", 40),
    "TextArea": ("textarea", 255),
    "Time": ("time", 0),
    "Url": ("url", 255),
}
# They need what the local org does not have, such as other orgs and encryption.
NOT_EMULATED = (
    "Address", "EncryptedText", "ExternalLookup", "File", "IndirectLookup", "MetadataRelationship",
)  # fmt: skip
_QUOTED = re.compile(r"\"([^\"\\]*)\"\Z|'([^'\\]*)'\Z")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?\Z")


class NotEmulatedError(Exception):
    """Correct source for something that the local org leaves out."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a field refers to. sets: the global value sets by name. target: the spelling of the
    object of that name; raises KeyError for an unknown one, NotEmulatedError for one that the
    local org leaves out. note: takes what to tell the user.
    """

    sets: Mapping[str, ValueSet]
    target: Callable[[str], str]
    note: Callable[[str], None]


def read_field(root: Element, name: str, around: Surroundings) -> tuple[Field, ...]:
    """The field; of a location its two parts. Raises SourceError for a mistake, NotEmulatedError
    for what is left out.
    """
    if not FIELD_NAME.match(name):
        raise root.mistake("a custom field needs a name such as Order_Number__c")
    if root.needed("fullName") != name:
        raise root.mistake(f"<fullName> must be {name}, as the file is called")
    kind = root.needed("type")
    if kind in NOT_EMULATED:
        raise NotEmulatedError(f"left out, because {kind} fields are not emulated")
    label = root.needed("label")
    if root.child("formula") is not None:
        return (_formula(root, name, label, kind, around),)
    if kind == "Summary":
        around.note("a roll-up summary is never calculated, its value is null")
        return (_unwritten(name, "double", label),)
    if kind == "Location":
        return _location(root, name, label, around)
    reader = READERS.get(kind)
    if reader is None:
        raise root.mistake(f"<type> {kind} is not a type of custom fields")
    return (reader(root, name, label, around),)


def _common(root: Element, kind: str, around: Surroundings) -> dict[str, object]:
    """What all fields that can be written have."""
    external_id, unique = root.flag("externalId"), root.flag("unique")
    if (external_id or unique) and kind not in KEY_TYPES:
        raise root.mistake(f"a {kind} field can't be an External Id or unique")
    return {
        "nillable": not root.flag("required"),
        "external_id": external_id,
        "id_lookup": external_id,
        "unique": unique,
        "case_sensitive": root.flag("caseSensitive"),
        "default": _default(root, kind, around),
    }


def _default(root: Element, kind: str, around: Surroundings) -> object:
    """The literal of <defaultValue>; None without one and for a formula, with a note."""
    given = root.value("defaultValue")
    if not given:
        return None
    text = _QUOTED.match(given)
    if kind == "Checkbox" and given.lower() in ("true", "false"):
        return given.lower() == "true"
    if kind in NUMBERS and _NUMBER.match(given):
        return float(given)
    if text and kind not in (*NUMBERS, "Checkbox", "Date", "DateTime", "Time"):
        return text[1] or text[2]
    around.note("a default value that is a formula is never evaluated")
    return None


def _text(root: Element, name: str, label: str, around: Surroundings) -> Field:
    length = root.number("length", 1, 255)
    return Field(name, "string", label, length, **_common(root, "Text", around))  # type: ignore[arg-type]


def _long_text(root: Element, name: str, label: str, around: Surroundings) -> Field:
    kind = root.value("type")
    length = root.number("length", MIN_LONG_TEXT, MAX_LONG_TEXT)
    common = _common(root, kind, around)
    return Field(name, "textarea", label, length, html=kind == "Html", **common)  # type: ignore[arg-type]


def _simple(root: Element, name: str, label: str, around: Surroundings) -> Field:
    kind = root.value("type")
    stored, length = SIMPLE[kind]
    common = _common(root, kind, around)
    if stored == "boolean":
        common |= {"nillable": False, "default": common["default"] or False}
    return Field(name, stored, label, length, **common)  # type: ignore[arg-type]


def _number(root: Element, name: str, label: str, around: Surroundings) -> Field:
    kind = root.value("type")
    precision = root.number("precision", 1, 18, default=18)
    scale = root.number("scale", 0, precision, default=0)
    common = _common(root, kind, around)
    return Field(name, NUMBERS[kind], label, precision=precision, scale=scale, **common)  # type: ignore[arg-type]


def _location(root: Element, name: str, label: str, around: Surroundings) -> tuple[Field, ...]:
    around.note("of a location there are the latitude and the longitude, not the compound field")
    scale = root.number("scale", 0, 15, default=0)
    return tuple(
        Field(
            f"{name.removesuffix('__c')}__{part}__s",
            "double",
            f"{label} ({part})",
            nillable=not root.flag("required"),
            scale=scale,
        )
        for part in ("Latitude", "Longitude")
    )


def _picklist(root: Element, name: str, label: str, around: Surroundings) -> Field:
    kind = root.value("type")
    common = _common(root, kind, around)
    found, restricted = read_value_set(root, around.sets)
    common["default"] = found.default or common["default"]
    several = kind == "MultiselectPicklist"
    return Field(
        name,
        "multipicklist" if several else "picklist",
        label,
        MAX_SET_CHARS if several else 255,
        values=found.values,
        labels=found.labels,
        restricted=restricted,
        **common,  # type: ignore[arg-type]
    )


def read_value_set(root: Element, sets: Mapping[str, ValueSet]) -> tuple[ValueSet, bool]:
    """The values of a picklist field, and whether others are refused."""
    given = root.child("valueSet")
    if given is None:
        raise root.mistake("<valueSet> is missing: a picklist needs values")
    name = given.value("valueSetName")
    if name:
        if name not in sets:
            raise root.mistake(f"<valueSetName> {name} is not a value set of the source")
        return sets[name], given.flag("restricted", True)
    definition = given.child("valueSetDefinition")
    if definition is None:
        raise root.mistake("<valueSet> needs a valueSetDefinition or a valueSetName")
    return read_values(definition, "value"), given.flag("restricted")


def _reference(root: Element, name: str, label: str, around: Surroundings) -> Field:
    kind = root.value("type")
    given = "User" if kind == "Hierarchy" else root.needed("referenceTo")
    try:
        target = around.target(given)
    except KeyError:
        raise root.mistake(f"<referenceTo> {given} is not an object of the source") from None
    detail = kind == "MasterDetail"
    children = root.value("relationshipName")
    common = _common(root, kind, around)
    if detail:
        common |= {"nillable": False, "update": root.flag("reparentableMasterDetail")}
    return reference(
        name,
        label,
        target,
        f"{children}__r" if children else "",
        detail=detail,
        **common,
    )


def _auto_number(root: Element, name: str, label: str, around: Surroundings) -> Field:
    return auto_number(
        root,
        name,
        label,
        external_id=root.flag("externalId"),
        id_lookup=root.flag("externalId"),
    )


def auto_number(root: Element, name: str, label: str, **more: object) -> Field:
    try:
        display_format = check_format(root.value("displayFormat", "{0}"))
    except ValueError as problem:
        raise root.mistake(f"<displayFormat> {problem}") from problem
    return Field(
        name,
        "string",
        label,
        30,
        nillable=False,
        create=False,
        update=False,
        auto_number=True,
        display_format=display_format,
        first_number=root.number("startingNumber", 0, 2**31, default=1),
        **more,  # type: ignore[arg-type]
    )


def _formula(root: Element, name: str, label: str, kind: str, around: Surroundings) -> Field:
    """A formula field: it can be read, and its value is null, of a check box false."""
    kinds = {"Text": ("string", 1300), **{key: (kind, 0) for key, kind in NUMBERS.items()}}
    if kind not in kinds and kind not in ("Checkbox", "Date", "DateTime", "Time"):
        raise root.mistake(f"<type> {kind} is not a type of formula fields")
    stored, length = kinds.get(kind) or SIMPLE[kind]
    around.note("a formula is never evaluated, its value is null")
    return _unwritten(name, stored, label, length, formula=root.value("formula"))


def _unwritten(name: str, kind: str, label: str, length: int = 0, formula: str = "") -> Field:
    return Field(
        name,
        kind,
        label,
        length,
        create=False,
        update=False,
        default=False if kind == "boolean" else None,
        nillable=kind != "boolean",
        calculated=True,
        formula=formula,
    )


READERS: dict[str, Callable[[Element, str, str, Surroundings], Field]] = {
    "AutoNumber": _auto_number,
    "Hierarchy": _reference,
    "Html": _long_text,
    "LongTextArea": _long_text,
    "Lookup": _reference,
    "MasterDetail": _reference,
    "MultiselectPicklist": _picklist,
    "Picklist": _picklist,
    "Text": _text,
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(SIMPLE, _simple),
}
