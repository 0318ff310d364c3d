"""A custom object from its `.object-meta.xml`, a record type and a queue from theirs."""

from urllib.parse import unquote

from simulator.org.schema.model import (
    Field,
    Queue,
    RecordType,
    SObject,
    record_id,
    reference,
    system,
    text,
)
from simulator.org.source.document import Element
from simulator.org.source.fields import auto_number

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAX_NAME = 80
MAX_QUEUE_NAME = 40


def key_prefix(position: int) -> str:
    """a00, a01 … of the custom object at that position."""
    high, low = divmod(position, len(DIGITS))
    return f"a{DIGITS[high]}{DIGITS[low]}"


def read_object(root: Element, name: str, prefix: str, fields: list[Field]) -> SObject:
    """The object with its own fields and these. A detail object has no owner."""
    is_detail = any(field.detail for field in fields)
    owner = () if is_detail else ("User", "Group")
    label = root.needed("label")
    return SObject(
        name,
        label,
        root.value("pluralLabel", label),
        prefix,
        (record_id("Record"), _name_field(root), *system(owners=owner), *fields),
        custom=True,
        searchable=root.flag("enableSearch"),
        name_group=("Name",),
    )


def _name_field(root: Element) -> Field:
    """Name: text that is the record's id when nobody gives one, or an auto number."""
    given = root.child("nameField")
    if given is None:
        raise root.mistake("<nameField> is missing")
    label = given.value("label", "Name")
    kind = given.value("type", "Text")
    if kind == "AutoNumber":
        return auto_number(given, "Name", label, id_lookup=True)
    if kind != "Text":
        raise root.mistake(f"<nameField> must have the type Text or AutoNumber, not {kind}")
    return text("Name", label, MAX_NAME, id_lookup=True)


def record_type_field() -> Field:
    """The field that an object has as soon as it has record types."""
    return reference("RecordTypeId", "Record Type ID", "RecordType")


def read_record_type(root: Element, sobject: SObject, name: str) -> RecordType:
    if root.needed("fullName").rpartition(".")[2] != name:
        raise root.mistake(f"<fullName> must be {name}, as the file is called")
    picklists: dict[str, tuple[tuple[str, ...], str]] = {}
    for given in root.children("picklistValues"):
        field_name = given.needed("picklist")
        field = sobject.by_name.get(field_name.lower())
        if field is None and field_name.endswith("__c"):
            raise root.mistake(f"<picklist> {field_name} is not a field of {sobject.name}")
        values = [(unquote(value.needed("fullName")), value) for value in given.children("values")]
        if field is None:
            continue
        unknown = [value for value, _ in values if value not in field.values]
        if unknown and field.custom:
            raise root.mistake(f"{field_name} has no value {unknown[0]}")
        default = next((value for value, element in values if element.flag("default")), "")
        picklists[field.name.lower()] = (tuple(value for value, _ in values), default)
    return RecordType(
        sobject.name,
        name,
        root.needed("label"),
        root.value("description"),
        root.flag("active", True),
        picklists,
    )


def read_queue(root: Element, developer_name: str) -> tuple[Queue, list[str]]:
    """The queue, and the names of the objects whose records it may own, as the source has them."""
    name = root.needed("name")
    if len(name) > MAX_QUEUE_NAME:
        raise root.mistake(f"<name> is longer than {MAX_QUEUE_NAME} characters")
    objects = [element.needed("sobjectType") for element in root.children("queueSobject")]
    return Queue(name, developer_name, root.value("email") or None), objects
