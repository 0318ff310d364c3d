"""The SFDX source that the object of a tool needs: the fields of the service, and rights.

The fields are those of salesforce/force-app, under the names that the tool's file gives them.
"""

import re
from pathlib import Path

from cli.org.inspection import REFERENCE_FIELD
from shared.agent.tool_files import (
    CloseFile,
    CreateFile,
    ReadFile,
    UpdateFile,
    VerifyFile,
    is_of_team,
)
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


def source_of(tool: Tool) -> dict[str, str]:
    """The files by their path below force-app/main/default, without those of salesforce/."""
    file = tool.file
    if not isinstance(file, CreateFile):
        return {}
    owner = "Activity" if file.object in ACTIVITIES else file.object
    wanted = {file.key: KEY, file.reference or "": REFERENCE}
    return {
        f"objects/{owner}/fields/{_file_of(name)}": _renamed(template, name)
        for name, template in wanted.items()
        if name.endswith("__c") and not (PACKAGE / owner / "fields" / _file_of(name)).exists()
    }


def _file_of(field: str) -> str:
    return f"{field}.field-meta.xml"


def permissions_of(tool: Tool) -> str:
    """The lines of a permission set for the tool's object and its custom fields."""
    file = tool.file
    if isinstance(file, VerifyFile):
        compared = sorted(filter(None, (file.pin, *file.knowledge)))
        return "\n".join(
            _RIGHTS.format(editable="false", field=f"Contact.{name}") for name in compared
        )
    changes = isinstance(file, UpdateFile | CloseFile)
    if not isinstance(file, CreateFile | ReadFile | UpdateFile) and not is_of_team(file):
        return "    <!-- none: Voice_Integration has what this verb needs -->"
    assert isinstance(file, CreateFile | ReadFile | UpdateFile | CloseFile)
    creates = isinstance(file, CreateFile)
    written: list[str] = [] if isinstance(file, ReadFile) else [*file.fields]
    read: list[str] = []
    owners = [file.contact or "", file.account or ""]
    if isinstance(file, ReadFile):
        read += [*file.fields.values(), *file.where, file.order.split()[0], *owners]
    elif isinstance(file, CreateFile):
        written += [*owners, file.key, file.reference or "", *file.links]
    else:
        read += [*owners, file.record.field if file.record else ""]
    own = sorted({name for name in (*written, *read) if name.endswith("__c") and "." not in name})
    lines = [
        _RIGHTS.format(editable=_xml(name in written), field=f"{file.object}.{name}")
        for name in own
    ]
    if file.object in ACTIVITIES:
        return "\n".join([*lines, "    <!-- rights to tasks: the user permission EditTask -->"])
    rights = _OBJECT_RIGHTS.format(create=_xml(creates), edit=_xml(changes), sobject=file.object)
    return "\n".join([*lines, rights])


def _renamed(template: Path, name: str) -> str:
    """The field's definition under another name, without what only some objects have."""
    text = template.read_text(encoding="utf-8")
    label = name.removesuffix("__c").replace("_", " ")
    text = re.sub(r"(<fullName>).*(</fullName>)", rf"\g<1>{name}\g<2>", text)
    text = re.sub(r"(<label>).*(</label>)", rf"\g<1>{label}\g<2>", text)
    return re.sub(r" *<trackTrending>.*</trackTrending>\n", "", text)


def _xml(value: bool) -> str:
    return "true" if value else "false"
