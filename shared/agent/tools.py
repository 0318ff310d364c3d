"""A tool as the service uses it: its file, its arguments, and the fields it fills."""

import hashlib
from dataclasses import dataclass
from typing import Any

from shared.agent.arguments import (
    CODE_ARGUMENTS,
    REFERENCE_ARGUMENTS,
    REPLACES,
    ArgumentSchema,
    on_existing,
    schema_of,
)
from shared.agent.tool_files import (
    AnyFile,
    ArgumentFile,
    ArgumentType,
    CloseFile,
    CreateFile,
    FieldEntry,
    IdentifyFile,
    ReadFile,
    SpeakingFile,
    UpdateFile,
    Verb,
    VerifyFile,
    as_field_value,
    is_of_team,
)
from shared.domain.record_mapping import (
    ChangeMapping,
    FieldValue,
    OwnRecord,
    RecordMapping,
    placeholders,
)


@dataclass(frozen=True)
class Tool:
    """name: as the model calls it. version: of its file; two versions never have the same.

    mapping: how a record that it creates is filled; None for the tools that create none. change:
    how it changes a record of the team's own object; None for the tools that change none.
    """

    name: str
    file: AnyFile
    arguments: ArgumentSchema
    version: str
    mapping: RecordMapping | None = None
    change: ChangeMapping | None = None

    @property
    def verb(self) -> Verb:
        return Verb(self.file.verb)

    @property
    def description(self) -> str:
        return " ".join(self.file.description.split())

    @property
    def speaks(self) -> bool:
        """Whether Vapi says word for word what was found or accepted."""
        return isinstance(self.file, SpeakingFile) and self.file.speak

    @property
    def is_lookup(self) -> bool:
        return self.verb in (Verb.IDENTIFY, Verb.READ, Verb.VERIFY)

    def works(self, *, has_codes: bool) -> bool:
        """False for a tool that verifies by codes alone, where none can be sent."""
        file = self.file
        return has_codes or not isinstance(file, VerifyFile) or bool(file.pin or file.knowledge)

    def parameters(self, *, has_codes: bool, has_messages: bool) -> dict[str, Any]:
        """What the model may fill in. has_codes: one-time codes can be sent. has_messages:
        references can be sent."""
        without = [
            *(() if has_codes or self.verb is not Verb.VERIFY else CODE_ARGUMENTS),
            *(() if has_messages or not _sends_references(self.file) else REFERENCE_ARGUMENTS),
        ]
        return self.arguments.json_schema(without=without)


def tool_of(name: str, file: AnyFile, text: str) -> Tool:
    """text: the file's own, for its version."""
    return Tool(
        name=name,
        file=file,
        arguments=schema_of(all_arguments(file), needs_one=_needs_one(file)),
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
        mapping=_mapping(file) if isinstance(file, CreateFile) else None,
        change=_change(file) if isinstance(file, UpdateFile | CloseFile) else None,
    )


def _needs_one(file: AnyFile) -> bool:
    """Whether the tool has nothing to do without an argument."""
    return isinstance(file, UpdateFile) and not is_of_team(file)


def _sends_references(file: AnyFile) -> bool:
    return isinstance(file, ReadFile) and file.send_reference


def all_arguments(file: AnyFile) -> dict[str, ArgumentFile]:
    """The file's own arguments, and those that the service adds."""
    arguments: dict[str, ArgumentFile] = dict(file.arguments)
    if not isinstance(file, IdentifyFile | ReadFile | VerifyFile):
        arguments["replaces"] = REPLACES
    if isinstance(file, VerifyFile) and file.code:
        arguments |= CODE_ARGUMENTS
    if _sends_references(file):
        arguments |= REFERENCE_ARGUMENTS
    if isinstance(file, CreateFile) and file.same_if:
        choices = ["ask", "comment", "new"] if file.object == "Case" else ["ask", "new"]
        arguments["onExisting"] = on_existing(choices)
    return arguments


def _mapping(file: CreateFile) -> RecordMapping:
    return RecordMapping(
        object=file.object,
        fields={name: _field(file, entry) for name, entry in file.fields.items()},
        contact=file.contact or "",
        account=file.account or "",
        reference=file.reference or "",
        key=file.key,
        optional=list(file.optional),
        needs_contact=file.unknown_callers == "refuse",
        links={
            name: OwnRecord(
                object=link.object, contact=link.contact, field=link.field, spoken=link.spoken
            )
            for name, link in file.links.items()
        },
    )


def _change(file: UpdateFile | CloseFile) -> ChangeMapping | None:
    if not is_of_team(file):
        return None
    return ChangeMapping(
        object=file.object,
        fields={name: _field(file, entry) for name, entry in file.fields.items()},
        contact=file.contact or "",
        account=file.account or "",
        name=file.record.field if file.record else "",
        spoken=file.record.spoken if file.record else "",
    )


def _field(file: AnyFile, entry: FieldEntry) -> FieldValue:
    value, max_length = as_field_value(entry)
    names = placeholders(value) if isinstance(value, str) else []
    is_local_time = len(names) == 1 and (
        names[0] in file.arguments and file.arguments[names[0]].type is ArgumentType.DATETIME
    )
    return FieldValue(value, max_length, is_local_time)
