"""The types of which the schema is made: objects and fields.

Kinds are Salesforce's field types: id string textarea picklist multipicklist combobox boolean int
double currency percent date datetime time email phone url reference base64 address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TEXT_KINDS = frozenset(
    {"string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url"}
)
NUMBER_KINDS = frozenset({"int", "double", "currency", "percent"})
# A textarea longer than this is a "long text area": not filterable, not sortable.
LONG_TEXT = 255


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    length: characters, 0 if the kind has no length. max_bytes: limit in UTF-8 bytes instead of
    characters, as HTML writes them. short: a textarea that can be filtered and sorted by however
    long it is. default: value on create when none is given. values: picklist values, the closed
    set if restricted. targets: objects a reference may point at; relationship: its name upwards;
    children: its name downwards on the targets; detail: the record is deleted with its parent.
    mirror: (reference field, field of its target), read through the reference. address: prefix of
    the parts of a compound address. write_only: accepted, never stored or shown. precision: digits
    of a number, scale of them after the point. case_sensitive: two values that differ in case are
    different. labels: what people see in place of the values, one for each (empty: the values).
    closed: the values of a status that close the record. display_format, first_number: of an
    auto-number field. calculated: a formula or a roll-up summary, which is never evaluated.
    formula: as the source has it. html: rich text.
    """

    name: str
    kind: str
    label: str
    length: int = 0
    max_bytes: int = 0
    short: bool = False
    nillable: bool = True
    create: bool = True
    update: bool = True
    default: object = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    auto_number: bool = False
    targets: tuple[str, ...] = ()
    relationship: str = ""
    children: str = ""
    detail: bool = False
    mirror: tuple[str, str] | None = None
    address: str = ""
    write_only: bool = False
    scale: int = 0
    precision: int = 18
    case_sensitive: bool = False
    labels: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    display_format: str = ""
    first_number: int = 1
    calculated: bool = False
    formula: str = ""
    html: bool = False

    @property
    def custom(self) -> bool:
        return self.name.endswith(("__c", "__s"))

    @property
    def stored(self) -> bool:
        """Whether the field has a column of its own."""
        return self.mirror is None and self.kind != "address" and not self.write_only

    @property
    def filterable(self) -> bool:
        """Long text, base64 and compound fields can't be filtered, sorted or grouped by [D]."""
        if self.kind in ("base64", "address") or self.write_only:
            return False
        if self.short:
            return True
        return not (self.kind == "textarea" and max(self.length, self.max_bytes) > LONG_TEXT)

    @property
    def groupable(self) -> bool:
        return self.filterable and self.kind not in (
            "datetime", "double", "currency", "percent", "multipicklist", "time",
        )  # fmt: skip

    @property
    def required(self) -> bool:
        """Required on create: not nillable, and nothing fills it in."""
        return self.create and not self.nillable and self.default is None

    @property
    def polymorphic(self) -> bool:
        return len(self.targets) > 1


@dataclass(slots=True)
class SObject:
    """One object: its key prefix, its fields in describe order, and what may be done with it.

    name_field is the field shown as the record's name (empty: it has none). name_group: the fields
    that a search IN NAME FIELDS looks at. tooling: an object of the Tooling API, and of no other.
    """

    name: str
    label: str
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    name_field: str = "Name"
    create: bool = True
    update: bool = True
    delete: bool = True
    custom: bool = False
    searchable: bool = True
    tooling: bool = False
    name_group: tuple[str, ...] = ()
    by_name: dict[str, Field] = field(init=False)
    by_relationship: dict[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {field.name.lower(): field for field in self.fields}
        self.by_relationship = {
            field.relationship.lower(): field for field in self.fields if field.relationship
        }

    @property
    def stored_fields(self) -> list[Field]:
        return [field for field in self.fields if field.stored]


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """A child relationship: `name` on the parent gives the `child` records that `field` links."""

    name: str
    child: SObject
    field: Field


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type of an object. picklists: the values that it allows, by lower-case field name,
    and the default among them ("" for none)."""

    sobject: str
    developer_name: str
    label: str
    description: str = ""
    active: bool = True
    picklists: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. owns: the objects whose records it may own."""

    name: str
    developer_name: str
    email: str | None = None
    owns: tuple[str, ...] = ()


def text(name: str, label: str, length: int, **more: object) -> Field:
    return Field(name, "string", label, length=length, **more)  # type: ignore[arg-type]


def long_text(name: str, label: str, length: int = 32000, **more: object) -> Field:
    return Field(name, "textarea", label, length=length, **more)  # type: ignore[arg-type]


def picklist(name: str, label: str, values: Iterable[str], **more: object) -> Field:
    """Unrestricted by default: an unknown value is stored, as in a real org [D]."""
    return Field(name, "picklist", label, length=255, values=tuple(values), **more)  # type: ignore[arg-type]


def flag(name: str, label: str, **more: object) -> Field:
    return Field(name, "boolean", label, nillable=False, default=False, **more)  # type: ignore[arg-type]


def reference(
    name: str, label: str, targets: tuple[str, ...] | str, children: str = "", **more: object
) -> Field:
    """A reference; its relationship upwards is the name without `Id`, `__r` for a custom one."""
    names = (targets,) if isinstance(targets, str) else targets
    up = name[:-3] + "__r" if name.endswith("__c") else name.removesuffix("Id")
    return Field(
        name,
        "reference",
        label,
        length=18,
        targets=names,
        relationship=up,
        children=children,
        **more,  # type: ignore[arg-type]
    )


def read_only(name: str, kind: str, label: str, **more: object) -> Field:
    return Field(name, kind, label, create=False, update=False, **more)  # type: ignore[arg-type]


def call_key(*, unique: bool = True) -> Field:
    """The External Id of salesforce/: Text(64), case-insensitive."""
    return text("Call_Key__c", "Call Key", 64, unique=unique, external_id=True, id_lookup=True)


def address(prefix: str, label: str) -> tuple[Field, ...]:
    """The parts of an address and the compound over them. Lengths: Object Reference."""
    return (
        Field(prefix + "Street", "textarea", f"{label} Street", length=255),
        text(prefix + "City", f"{label} City", 40),
        text(prefix + "State", f"{label} State/Province", 80),
        text(prefix + "PostalCode", f"{label} Zip/Postal Code", 20),
        text(prefix + "Country", f"{label} Country", 80),
        Field(prefix + "Latitude", "double", f"{label} Latitude", scale=15),
        Field(prefix + "Longitude", "double", f"{label} Longitude", scale=15),
        read_only(prefix + "Address", "address", f"{label} Address", address=prefix),
    )


def system(owners: tuple[str, ...] = (), modified: bool = True) -> tuple[Field, ...]:
    """The fields every record has. owners: objects that may own one (none for detail records)."""
    fields = [
        read_only("IsDeleted", "boolean", "Deleted", nillable=False, default=False),
        read_only("CreatedDate", "datetime", "Created Date", nillable=False),
        Field(
            "CreatedById",
            "reference",
            "Created By ID",
            length=18,
            nillable=False,
            create=False,
            update=False,
            targets=("User",),
            relationship="CreatedBy",
        ),
        read_only("SystemModstamp", "datetime", "System Modstamp", nillable=False),
    ]
    if modified:
        fields += [
            read_only("LastModifiedDate", "datetime", "Last Modified Date", nillable=False),
            Field(
                "LastModifiedById",
                "reference",
                "Last Modified By ID",
                length=18,
                nillable=False,
                create=False,
                update=False,
                targets=("User",),
                relationship="LastModifiedBy",
            ),
        ]
    if owners:
        fields.append(reference("OwnerId", "Owner ID", owners, nillable=False, default=""))
    return tuple(fields)


def record_id(label: str) -> Field:
    return read_only("Id", "id", f"{label} ID", length=18, nillable=False, id_lookup=True)
