"""The SFDX source that a tool needs: its object, the fields of it, and a permission set.

The fields of the key and of the reference are those of salesforce/force-app, under the names that
the tool's file gives them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cli.agent.sfdx_object import HEAD, NAMESPACE, custom_names, fields_of, object_xml, owner_of
from cli.org.inspection import REFERENCE_FIELD
from cli.org.objects import Objects
from cli.org.source import is_of_team
from shared.agent.tool_files import (
    AnyFile,
    CloseFile,
    CreateFile,
    ReadFile,
    UpdateFile,
    VerifyFile,
)
from shared.agent.tool_files import is_of_team as is_of_team_file
from shared.agent.tools import Tool
from shared.salesforce.records import KEY_FIELD

PACKAGE = Path(__file__).parent.parent.parent / "salesforce/force-app/main/default/objects"
KEY = PACKAGE / "Activity" / "fields" / f"{KEY_FIELD}.field-meta.xml"
REFERENCE = PACKAGE / "Case" / "fields" / f"{REFERENCE_FIELD}.field-meta.xml"

ACTIVITIES = frozenset({"Task", "Event"})
"""Their custom fields belong to Activity."""

_RIGHTS = """\
    <fieldPermissions>
        <editable>{editable}</editable>
        <field>{field}</field>
        <readable>true</readable>
    </fieldPermissions>"""

_OBJECT_RIGHTS = """\
    <objectPermissions>
        <allowCreate>{create}</allowCreate>
        <allowDelete>false</allowDelete>
        <allowEdit>{edit}</allowEdit>
        <allowRead>true</allowRead>
        <modifyAllRecords>false</modifyAllRecords>
        <object>{sobject}</object>
        <viewAllFields>false</viewAllFields>
        <viewAllRecords>true</viewAllRecords>
    </objectPermissions>"""


@dataclass(frozen=True)
class Source:
    """files: their texts, by path below main/default. notes: sentences about what no file can
    express."""

    files: dict[str, str]
    notes: tuple[str, ...]


def source_for(tool: Tool, own: Objects | None) -> Source:
    """What neither the folder's own source nor our package has yet, and a permission set.

    own: what the folder's source describes; None for a folder without source.
    """
    sobject = getattr(tool.file, "object", "")
    owner = "Activity" if sobject in ACTIVITIES else sobject
    described = own.describe(sobject) if own and sobject else None
    known = {name.casefold() for name in described.names} if described else set()
    files, notes = _missing_objects(tool.file, own)
    implied = fields_of(tool.file) | _service_fields(tool.file)
    for name in sorted(custom_names(tool.file)):
        path = f"objects/{owner}/fields/{name}.field-meta.xml"
        if name.casefold() in known or (PACKAGE / owner / "fields" / Path(path).name).exists():
            continue
        if name in implied:
            files[path] = implied[name]
        else:
            notes.append(f"The tool's file does not say what {sobject}.{name} is: add its source.")
    permissions, left_out = _permissions(tool, own)
    if permissions:
        name = f"Voice_{tool.name.replace('-', '_')}"
        files[f"permissionsets/{name}.permissionset-meta.xml"] = _permission_set(name, permissions)
    return Source(files, (*notes, *left_out))


def _missing_objects(file: AnyFile, own: Objects | None) -> tuple[dict[str, str], list[str]]:
    """The tool's own object, and those that its links lead to, and a sentence about each."""
    files: dict[str, str] = {}
    notes = []
    links = (
        {link.object: link for link in file.links.values()} if isinstance(file, CreateFile) else {}
    )
    for sobject in (getattr(file, "object", ""), *links):
        if not is_of_team(sobject) or (own and own.describe(sobject)):
            continue
        files[f"objects/{sobject}/{sobject}.object-meta.xml"] = object_xml(sobject)
        if link := links.get(sobject):
            files |= {
                f"objects/{sobject}/fields/{name}.field-meta.xml": text
                for name, text in owner_of(sobject, link.contact).items()
            }
        notes.append(
            f"The folder's source has no {sobject}. If your org has it, retrieve it instead: "
            f"sf project retrieve start --metadata CustomObject:{sobject}"
        )
    return files, notes


def _service_fields(file: AnyFile) -> dict[str, str]:
    """The fields of the key and of the reference."""
    if not isinstance(file, CreateFile):
        return {}
    wanted = {file.key: KEY, file.reference or "": REFERENCE}
    return {name: _renamed(template, name) for name, template in wanted.items() if name}


def _permissions(tool: Tool, own: Objects | None) -> tuple[list[str], list[str]]:
    """The entries of a permission set, and a sentence for each right that it can't have."""
    file = tool.file
    if isinstance(file, VerifyFile):
        compared = sorted(filter(None, (file.pin, *file.knowledge)))
        return [_field_rights(f"Contact.{name}", edit=False) for name in compared], []
    if not isinstance(file, CreateFile | ReadFile | UpdateFile) and not is_of_team_file(file):
        return [], []
    assert isinstance(file, CreateFile | ReadFile | UpdateFile | CloseFile)
    written: set[str] = set() if isinstance(file, ReadFile) else set(file.fields)
    if isinstance(file, CreateFile):
        owners = (file.contact, file.account, file.key, file.reference)
        written |= {*filter(None, owners), *file.links}
    lines, left_out = [], []
    fields = [(file.object, name, name in written) for name in sorted(custom_names(file))]
    links = file.links.values() if isinstance(file, CreateFile) else ()
    for link in links:
        read = sorted(name for name in {link.contact, link.field} if is_of_team(name))
        fields += [(link.object, name, False) for name in read]
        if is_of_team(link.object) and link.object != file.object:
            lines.append(_object_rights(link.object))
    for sobject, name, edit in fields:
        described = own.describe(sobject) if own else None
        field = described.field(name) if described else {}
        if field.get("permissionable") is False:
            left_out.append(
                f"{sobject}.{name} is required, or part of a master-detail relationship: no "
                "permission set can name it. Whoever may create the object may fill it."
            )
            continue
        edit = edit and bool(field.get("createable", True))
        lines.append(_field_rights(f"{sobject}.{name}", edit=edit))
    if file.object in ACTIVITIES:
        left_out.append("Rights to tasks are the user permission EditTask.")
    else:
        changes = isinstance(file, UpdateFile | CloseFile)
        creates = isinstance(file, CreateFile)
        lines.append(_object_rights(file.object, create=creates, edit=changes))
    return lines, left_out


def _field_rights(field: str, *, edit: bool) -> str:
    return _RIGHTS.format(editable=_xml(edit), field=field)


def _object_rights(sobject: str, *, create: bool = False, edit: bool = False) -> str:
    return _OBJECT_RIGHTS.format(create=_xml(create), edit=_xml(edit), sobject=sobject)


def _permission_set(name: str, entries: list[str]) -> str:
    """The entries of each kind together, as Salesforce orders them."""
    return (
        f"{HEAD}<PermissionSet {NAMESPACE}>\n"
        + "".join(f"{entry}\n" for entry in sorted(dict.fromkeys(entries)) if "<field>" in entry)
        + "    <hasActivationRequired>false</hasActivationRequired>\n"
        + f"    <label>{name.replace('_', ' ')}</label>\n"
        + "".join(f"{entry}\n" for entry in dict.fromkeys(entries) if "<object>" in entry)
        + "</PermissionSet>\n"
    )


def _renamed(template: Path, name: str) -> str:
    """The field's definition under another name, without what only some objects have."""
    text = template.read_text(encoding="utf-8")
    label = name.removesuffix("__c").replace("_", " ")
    text = re.sub(r"(<fullName>).*(</fullName>)", rf"\g<1>{name}\g<2>", text)
    text = re.sub(r"(<label>).*(</label>)", rf"\g<1>{label}\g<2>", text)
    return re.sub(r" *<trackTrending>.*</trackTrending>\n", "", text)


def _xml(value: bool) -> str:
    return "true" if value else "false"
