"""A JSON body to column values: names, permissions, values, and the records it points at."""

from dataclasses import dataclass, field

from simulator.org.errors import (
    OrgError,
    bad_address_part,
    entity_deleted,
    invalid_reference,
    json_parser,
    malformed_id,
    no_such_column,
    not_writeable,
)
from simulator.org.records.values import read_value, unreadable
from simulator.org.schema.catalog import View
from simulator.org.schema.model import Field, SObject
from simulator.org.store import Row, Store
from simulator.org.world import Context


@dataclass(slots=True)
class Body:
    """A body that has been read. write_only: fields that are acted on but not stored."""

    values: Row = field(default_factory=dict)
    write_only: Row = field(default_factory=dict)


def read_body(context: Context, sobject: SObject, given: object, creating: bool) -> Body:
    """The column values of a body. Raises for the first thing wrong with it."""
    if not isinstance(given, dict):
        raise unreadable(sobject.name, given)
    view = context.org.view
    body = Body()
    refused: list[str] = []
    crlf = context.org.faults.crlf_text
    for name, value in given.items():
        if name == "attributes":
            continue
        field = view.field(sobject, name)
        if field is None or (isinstance(value, dict) and view.relationship(sobject, name)):
            field, value = _by_relationship(context, sobject, name, value)
        renumbered = field.auto_number and context.internal and not creating
        if not (field.create if creating else field.update) and not renumbered:
            refused.append(field.name)
        elif field.write_only:
            body.write_only[field.name] = read_value(field, value, crlf=crlf)
        else:
            body.values[field.name] = read_value(field, value, crlf=crlf)
    if refused:
        raise not_writeable(refused)
    for name, value in body.values.items():
        field = sobject.by_name[name.lower()]
        if value is not None and field.kind == "reference":
            check_reference(context.org.store, field, value)
        refuses = f"{sobject.name}.{name}".lower() in context.org.faults.refuse_fields
        if value is not None and refuses and not context.internal:
            raise bad_address_part(name)
    return body


def _by_relationship(
    context: Context, sobject: SObject, name: str, value: object
) -> tuple[Field, object]:
    """`"Account": {"External__c": "x"}`: a parent named by an external id of its own."""
    view = context.org.view
    reference = view.relationship(sobject, name)
    if reference is None:
        raise no_such_column(name, sobject.name)
    if value is None:
        return reference, None
    if not isinstance(value, dict):
        raise unreadable("reference", value)
    attributes = value.get("attributes")
    keys = [key for key in value if key != "attributes"]
    if len(keys) != 1:
        raise json_parser(f"The reference {name} must name exactly one external id field")
    target = _target(view, reference, attributes)
    key_field = view.field(target, keys[0])
    if key_field is None:
        raise no_such_column(keys[0], target.name)
    if not (key_field.external_id or key_field.id_lookup):
        raise OrgError(
            400,
            "INVALID_FIELD",
            f"Field name provided, {key_field.name} is not an External ID or indexed field for "
            f"{target.name}",
        )
    key = read_value(key_field, value[keys[0]])
    found = context.org.store.matching(target, key_field, key, limit=2)
    if len(found) > 1:
        raise OrgError(
            400,
            "DUPLICATE_EXTERNAL_ID",
            f"More than one record found for external id field: {key_field.name}",
            [],
        )
    if not found:
        # Text from public error reports [F].
        raise OrgError(
            400,
            "INVALID_FIELD",
            f"Foreign key external ID: {key} not found for field {key_field.name} in entity "
            f"{target.name}",
        )
    return reference, found[0]


def _target(view: View, reference: Field, attributes: object) -> SObject:
    """The object a nested reference means; a polymorphic one has to say (`attributes.type`) [K]."""
    named = attributes.get("type") if isinstance(attributes, dict) else None
    if named is None and not reference.polymorphic:
        named = reference.targets[0]
    target = view.sobject(named) if isinstance(named, str) else None
    if target is None or target.name not in reference.targets:
        raise OrgError(
            400,
            "INVALID_FIELD",
            f"The external foreign key reference {reference.relationship} needs attributes with "
            f"the type of the record: one of {', '.join(reference.targets)}",
        )
    return target


def check_reference(store: Store, field: Field, record_id: str) -> None:
    """Raises unless the reference points at an existing record of an allowed type."""
    target = store.schema.by_prefix.get(record_id[:3])
    if target is None or target.name not in field.targets:
        raise malformed_id(field.label, field.name, record_id)
    row = store.execute(
        f'SELECT "IsDeleted" FROM "{target.name}" WHERE "Id" = ?', (record_id,)
    ).fetchone()
    if row is None:
        raise invalid_reference()
    if row[0]:
        raise entity_deleted(400)
