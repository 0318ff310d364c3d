"""Whether the tools of an agent folder, and its transfer rules, fit the org: objects, fields,
rights, types, lengths, values, lookups and keys. Each misfit is named with file, line and what
would be right.

All that this asks of the org is its describe, one request for up to 25 objects.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.org.field_fit import PICKLISTS, TEXTS, Fit, listed, misfit_of_value
from cli.org.objects import ANY, Need, Objects, SObject
from cli.org.transfer_fit import transfer_misfits
from shared.agent.errors import Mistake
from shared.agent.folder import Agent
from shared.agent.tool_files import (
    ArgumentFile,
    CallBackFile,
    CloseFile,
    CommentFile,
    CreateFile,
    FieldEntry,
    IdentifyFile,
    ReadFile,
    UpdateFile,
    VerifyFile,
    as_field_value,
    is_of_team,
)
from shared.agent.tool_sentences import place_in
from shared.agent.tools import Tool
from shared.domain.record_mapping import needed
from shared.salesforce.records import MARKERS

MIN_KEY = 32
MIN_REFERENCE = 8
"""How many characters the service writes into these fields."""

OF_CALLER = {"contact": "Contact", "account": "Account"}

NAME_FIELDS = frozenset(
    {"id", "name", "type", "firstname", "lastname", "email", "phone", "title", "username", "alias"}
)
"""What SOQL reads of a relationship to several objects, such as Owner."""

OF_VERBS: dict[type, Need] = {
    IdentifyFile: Need("Contact", read=("Name", "AccountId")),
    CommentFile: Need("CaseComment", create=("ParentId", "CommentBody")),
    CloseFile: Need("Case", update=("Status",)),
    CallBackFile: Need(
        "Task", create=("Subject", "Description", "Status", "Priority", "ActivityDate", "WhoId")
    ),
}
"""What the code of a verb needs itself."""

Misfit = tuple[tuple[str, ...], str, str]
"""Where in the tool's file, what does not fit, and what would."""


def misfits(agent: Agent, org: Objects, *, has_key_fields: bool) -> list[Mistake]:
    """has_key_fields: False for an org without our package's fields. Raises SalesforceError."""
    org.describe_all({"Contact", "Account", *filter(None, map(_object_of, agent.tools.values()))})
    found = []
    for name, tool in agent.tools.items():
        for where, problem, remedy in _of_tool(tool, org, has_key_fields):
            found.append(Mistake(*place_in(agent.folder, name, where), problem, remedy))
    return [*found, *transfer_misfits(agent, org)]


def _object_of(tool: Tool) -> str:
    return getattr(tool.file, "object", "")


def _of_tool(tool: Tool, org: Objects, has_key_fields: bool) -> Iterator[Misfit]:
    file = tool.file
    if (need := OF_VERBS.get(type(file))) and not is_of_team(file):
        if lacking := org.lacks(need):
            remedy = "assign the permission set Voice_Integration to the service's user"
            yield ("verb",), f"the user lacks rights to {need.sobject}: {listed(lacking)}", remedy
        return
    assert isinstance(file, CreateFile | ReadFile | UpdateFile | CloseFile | VerifyFile)
    described = org.describe(file.object)
    if described is None:
        yield ("object",), *org.no_object(file.object)
        return
    fields = _Fields(described, org, file.arguments)
    match file:
        case CreateFile():
            yield from _of_create(file, fields, has_key_fields)
        case ReadFile():
            yield from _of_read(file, fields)
        case UpdateFile() | CloseFile():
            yield from _of_change(file, fields)
        case VerifyFile():
            yield from _of_verify(file, fields)


@dataclass(frozen=True)
class _Fields:
    """The fields of a tool's object, with the arguments that fill them."""

    sobject: SObject
    org: Objects
    arguments: dict[str, ArgumentFile]

    def missing(self, where: tuple[str, ...], name: str, sobject: SObject) -> Misfit:
        return where, *self.org.no_field(sobject, name)

    def value(
        self, where: tuple[str, ...], name: str, entry: FieldEntry, field: Fit
    ) -> Iterator[Misfit]:
        value, max_length = as_field_value(entry)
        if found := misfit_of_value(field, value, max_length, self.arguments):
            yield (where, f"{self.sobject.name}.{name} {found[0]}", found[1])

    def writable(
        self, where: tuple[str, ...], name: str, right: str
    ) -> tuple[Fit | None, list[Misfit]]:
        """right: "createable" or "updateable". The field, or what is wrong with it."""
        field = self.sobject.field(name)
        if not field:
            return None, [self.missing(where, name, self.sobject)]
        if not field.get(right):
            words = self.org.words
            return None, [(where, f"{self.sobject.name}.{name} {words.read_only}", words.let_edit)]
        return Fit(field), []

    def at(self, where: tuple[str, ...], path: str) -> tuple[Fit | None, list[Misfit]]:
        """The field at the end of a path such as Contact__r.Name, or what is wrong with it."""
        here, (*relationships, name) = self.sobject, path.split(".")
        for relationship in relationships:
            lookup = here.lookup(relationship)
            if not lookup:
                problem = f"{here.name} has no relationship {relationship}"
                remedy = "write its API name, such as Contact__r, and let the user read its field"
                return None, [(where, problem, remedy)]
            if lookup["type"] == ANY:
                return Fit(lookup), []
            if len(lookup["referenceTo"]) > 1:
                if name.casefold() in NAME_FIELDS:
                    return None, []
                problem = f"{relationship} can lead to {listed(lookup['referenceTo'])}"
                return None, [(where, f"{problem}, which do not share {name}", "write Name")]
            target = self.org.describe(lookup["referenceTo"][0])
            if target is None:
                problem = f"the user can't see {lookup['referenceTo'][0]}, where {path} leads"
                return None, [(where, problem, "let the service's user read it")]
            here = target
        field = here.field(name)
        return (Fit(field), []) if field else (None, [self.missing(where, name, here)])


# -- verbs -----------------------------------------------------------------------------------------


def _of_create(file: CreateFile, fields: _Fields, has_key_fields: bool) -> Iterator[Misfit]:
    sobject = fields.sobject
    if not sobject.createable:
        remedy = f"let the service's user create {file.object}"
        yield ("object",), f"the user can't create {file.object}", remedy
        return
    optional = {name.casefold() for name in file.optional}
    for name, entry in file.fields.items():
        field, wrong = fields.writable(("fields", name), name, "createable")
        if field:
            yield from fields.value(("fields", name), name, entry, field)
        elif name.casefold() not in optional:
            yield from wrong
    for key, target in OF_CALLER.items():
        name = getattr(file, key)
        if name and (sobject.field(name) or name.casefold() not in optional):
            field, wrong = fields.writable((key,), name, "createable")
            yield from wrong or _lookup((key,), f"{file.object}.{name}", field, target)
    for name in file.links:
        yield from _of_link(file, name, fields)
    if has_key_fields or file.object not in MARKERS:
        yield from _of_own_fields(file, fields)
    yield from _unfilled(file, fields)


def _of_verify(file: VerifyFile, fields: _Fields) -> Iterator[Misfit]:
    compared: dict[tuple[str, ...], str] = {("knowledge", name): name for name in file.knowledge}
    if file.pin:
        compared[("pin",)] = file.pin
    for where, name in compared.items():
        if not fields.sobject.field(name):
            yield fields.missing(where, name, fields.sobject)


def _of_link(file: CreateFile, name: str, fields: _Fields) -> Iterator[Misfit]:
    """A lookup field, and the record of the caller's own that it is filled with."""
    where, link = ("links", name), file.links[name]
    described = fields.org.describe(link.object)
    if described is None:
        yield (*where, "object"), *fields.org.no_object(link.object)
        return
    if fields.sobject.field(name) or name not in file.optional:
        field, wrong = fields.writable(where, name, "createable")
        yield from wrong or _lookup(where, f"{file.object}.{name}", field, link.object)
    linked = _Fields(described, fields.org, fields.arguments)
    field, wrong = linked.at((*where, "contact"), link.contact)
    label = f"{link.object}.{link.contact}"
    yield from wrong or _lookup((*where, "contact"), label, field, "Contact")
    yield from _of_name((*where, "field"), link.field, linked)


def _of_own_fields(file: CreateFile, fields: _Fields) -> Iterator[Misfit]:
    """The fields of the idempotency key and of the reference."""
    source = fields.org.words.own_field
    if file.key:
        field, wrong = fields.writable(("key",), file.key, "createable")
        if field:
            label = f"{file.object}.{file.key}"
            for is_right, problem in (
                (field.is_one_of({"string"}), "is not a text field"),
                (field.is_external_id, "is not an External Id"),
                (field.is_unique, "is not unique"),
                (field.length >= MIN_KEY, f"holds {field.length} characters; a key has {MIN_KEY}"),
            ):
                if not is_right:
                    yield ("key",), f"{label} {problem}", source
                    break
        yield from ((where, problem, f"{source}, and grant it") for where, problem, _ in wrong)
    if file.reference and file.reference not in file.optional:
        field, wrong = fields.writable(("reference",), file.reference, "createable")
        label = f"{file.object}.{file.reference}"
        if field and not field.is_one_of({"string"}):
            yield ("reference",), f"{label} is not a text field", source
        elif field and field.length < MIN_REFERENCE:
            problem = f"{label} holds {field.length} characters; a reference has {MIN_REFERENCE}"
            yield ("reference",), problem, source
        yield from ((where, problem, f"{source}, and grant it") for where, problem, _ in wrong)


def _unfilled(file: CreateFile, fields: _Fields) -> Iterator[Misfit]:
    """Fields without which Salesforce refuses the record."""
    links = {
        name.casefold(): file.unknown_callers == "refuse" for name in (file.contact, file.account)
        if name
    }  # fmt: skip
    own = {name.casefold() for name in (file.key, file.reference, *file.links) if name}
    entries = {name.casefold(): (name, entry) for name, entry in file.fields.items()}
    for folded, described in fields.sobject.fields.items():
        field, label = Fit(described), f"{file.object}.{described['name']}"
        if not field.is_required or folded in own or links.get(folded):
            continue
        if folded in links:
            remedy = 'write unknown_callers = "refuse"'
            yield ("unknown_callers",), f"{label} is required, and some callers have none", remedy
        elif folded not in entries:
            remedy = f'add {described["name"]} = "…" to [fields]'
            yield ("fields",), f"{label} is required, and this tool does not fill it", remedy
        else:
            name, entry = entries[folded]
            value, _ = as_field_value(entry)
            names = needed(value) if isinstance(value, str) else []
            if names and not any(_is_always_given(fields, argument) for argument in names):
                remedy = f"write required = true in [arguments.{names[0]}]"
                problem = f"{label} is required, and {listed(names)} may be missing"
                yield ("fields", name), problem, remedy


def _is_always_given(fields: _Fields, argument: str) -> bool:
    return argument in fields.arguments and fields.arguments[argument].required


def _of_read(file: ReadFile, fields: _Fields) -> Iterator[Misfit]:
    for name, path in file.fields.items():
        _, wrong = fields.at(("fields", name), path)
        yield from wrong
    for path, entry in file.where.items():
        where = ("where", path)
        field, wrong = fields.at(where, path)
        yield from wrong
        if field and not field.is_filterable:
            remedy = "choose another field, or leave the condition out"
            yield where, f"Salesforce can't search {file.object} by {path}", remedy
        elif field:
            yield from fields.value(where, path, entry, field.for_search())
    field, wrong = fields.at(("order",), file.order.split()[0])
    yield from wrong
    if field and not field.is_sortable:
        yield ("order",), f"Salesforce can't sort {file.object} by {file.order}", "choose another"
    yield from _of_owners(file, fields)


def _of_owners(file: ReadFile | UpdateFile | CloseFile, fields: _Fields) -> Iterator[Misfit]:
    """The paths that lead from a record to the caller."""
    for key, target in OF_CALLER.items():
        if path := getattr(file, key):
            field, wrong = fields.at((key,), path)
            yield from wrong or _lookup((key,), f"{file.object}.{path}", field, target)


def _of_change(file: UpdateFile | CloseFile, fields: _Fields) -> Iterator[Misfit]:
    if not fields.sobject.updateable:
        remedy = f"let the service's user edit {file.object}"
        yield ("object",), f"the user can't change {file.object}", remedy
        return
    for name, entry in file.fields.items():
        where = ("fields", name)
        field, wrong = fields.writable(where, name, "updateable")
        yield from wrong
        if field:
            yield from fields.value(where, name, entry, field)
    yield from _of_owners(file, fields)
    if file.record:
        yield from _of_name(("record", "field"), file.record.field, fields)


def _of_name(where: tuple[str, ...], name: str, fields: _Fields) -> Iterator[Misfit]:
    """The field by which callers name a record of this object."""
    field, wrong = fields.at(where, name)
    yield from wrong
    if field and not field.is_filterable:
        problem = f"Salesforce can't search {fields.sobject.name} by {name}"
        yield where, problem, "choose another field"
    elif field and not field.is_one_of(TEXTS | PICKLISTS):
        problem = f"{fields.sobject.name}.{name} is {field.name_of_kind}, and no name"
        yield where, problem, "choose a text field"


def _lookup(where: tuple[str, ...], label: str, field: Fit | None, target: str) -> Iterator[Misfit]:
    if field and not field.leads_to(target):
        leads = f"leads to {listed(field.targets)}" if field.targets else "is not a lookup field"
        yield where, f"{label} {leads} and not to {target}", f"name a lookup field for {target}"
