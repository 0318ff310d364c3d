"""The form of a tool's file: `tools/<name>.toml` of an agent folder.

The models below validate the files, and `python -m cli agent schema` writes them as a JSON schema,
with which an editor completes and underlines. One model for each verb.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

API_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,79}$"
FIELD_PATH = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,4}$"
ARGUMENT = r"^[a-z][A-Za-z0-9]{0,39}$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"

ApiName = Annotated[str, StringConstraints(pattern=API_NAME)]
FieldPath = Annotated[str, StringConstraints(pattern=FIELD_PATH)]
ArgumentName = Annotated[str, StringConstraints(pattern=ARGUMENT)]
Constant = str | int | float | bool


class Verb(StrEnum):
    """What a tool does. The code of a verb brings what no file can: idempotency, the commit window,
    ownership, edit protection, order and deadlines."""

    IDENTIFY = "identify"
    READ = "read"
    CREATE = "create"
    COMMENT = "comment"
    UPDATE = "update"
    CLOSE = "close"
    CALL_BACK = "call_back"


class ArgumentType(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    PHONE = "phone"
    EMAIL = "email"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    IDENTIFIER = "identifier"
    """Letters and digits that a caller says aloud, however they are grouped."""
    REFERENCE = "reference"
    """The reference of an earlier request, such as K7M 2QX."""
    CASE_NUMBER = "case_number"
    COMMENT = "comment"
    """A text that fits a comment on a case."""


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class ArgumentFile(_Strict):
    """One argument of a tool, which the model fills from what the caller said."""

    type: Annotated[ArgumentType, Field(strict=False)] = ArgumentType.TEXT
    required: bool = False
    description: str = ""
    """For the model: what the argument is, or how to ask for it."""
    choices: dict[str, Constant] | list[str] | None = None
    """Of a choice: the words that the caller may mean, each with the value that Salesforce stores
    when that differs."""
    max_length: int | None = Field(None, ge=1, le=131_072)
    pattern: str | None = None
    """A regular expression that the whole text must match."""
    minimum: float | None = None
    maximum: float | None = None
    means: str = ""
    """What the verb takes the argument for, when its name does not say so: "comment", "caseNumber",
    "reference", "phone", "when", "reason", "name", "email", "accountNumber"."""
    omit_if_own: Literal["", "account_number"] = ""
    """Leaves the argument out when it is the caller's own account number."""
    spell: bool = False
    """The answer repeats the value letter by letter."""


class FieldFile(_Strict):
    """A field's value: a template with arguments in braces, or a constant."""

    value: Constant
    max_length: int | None = Field(None, ge=1, le=131_072)
    """The length of the field. A longer text is cut."""


FieldEntry = Constant | FieldFile


class _ToolFile(_Strict):
    description: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    """For the model: what the tool does, and when to call it."""
    arguments: dict[ArgumentName, ArgumentFile] = Field(default_factory=dict)
    sentences: dict[Annotated[str, StringConstraints(pattern=LANGUAGE)], dict[str, str]] = Field(
        default_factory=dict
    )
    """The tool's own sentences by language, such as `accepted`, `none` and `one`."""


class IdentifyFile(_ToolFile):
    """Find out who is calling."""

    verb: Literal["identify"]


class ReadFile(_ToolFile):
    """Read records of the caller's own."""

    verb: Literal["read"]
    object: ApiName
    show: Literal["one", "list"] = "list"
    contact: FieldPath | None = None
    """The lookup field, or the path of one, that leads to the caller's contact."""
    account: FieldPath | None = None
    """The lookup field, or the path of one, that leads to the account of the caller's contact."""
    fields: dict[ArgumentName, FieldPath] = Field(default_factory=dict)
    """The name of a value in the sentences → the field that has it."""
    where: dict[FieldPath, FieldEntry] = Field(default_factory=dict)
    """Only records whose field has this value. A condition without its argument is left out."""
    order: Annotated[str, StringConstraints(pattern=FIELD_PATH[:-1] + r"( (ASC|DESC))?$")] = "Id"
    limit: int = Field(3, ge=1, le=20)


class LinkFile(_Strict):
    """Another record of the caller's own, which the new record refers to."""

    object: ApiName
    contact: FieldPath
    """The lookup field, or the path of one, that leads from it to the caller's contact."""
    field: ApiName
    """The field by which the caller names it, such as Name."""
    spoken: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The argument that has the name, in braces. How it is grouped does not matter."""


class CreateFile(_ToolFile):
    """Create a record that belongs to the caller."""

    verb: Literal["create"]
    object: ApiName
    fields: dict[ApiName, FieldEntry]
    contact: ApiName | None = None
    """The lookup field for the caller's contact."""
    account: ApiName | None = None
    """The lookup field for the account of the caller's contact."""
    key: ApiName | Literal[""] = "Call_Key__c"
    """The External Id field of the idempotency key; "" for an object that has none."""
    reference: ApiName | None = None
    """The field that keeps the reference which the caller heard."""
    optional: list[ApiName] = Field(default_factory=list)
    """Fields that the record goes without when Salesforce refuses them."""
    links: dict[ApiName, LinkFile] = Field(default_factory=dict)
    """Lookup field → the record of the caller's own that it refers to. A record that is not found,
    or that is not the caller's, parks the request, unless the field is optional."""
    same_if: list[ArgumentName] = Field(default_factory=list)
    """Two requests of one day are about the same when these arguments are equal. The agent then
    asks the caller before it opens a second one."""
    unknown_callers: Literal["accept", "refuse"] = "refuse"
    """Whether a caller who is not known gets a record, which then has no contact."""


class CommentFile(_ToolFile):
    """Add a comment to a case of the caller's."""

    verb: Literal["comment"]
    object: Literal["Case"] = "Case"


class UpdateFile(_ToolFile):
    """Change fields of the caller's own contact."""

    verb: Literal["update"]
    object: Literal["Contact"] = "Contact"
    fields: dict[ApiName, str]
    """Salesforce field → the argument that changes it, in braces."""


class CloseFile(_ToolFile):
    """Take back a case, or close it."""

    verb: Literal["close"]
    object: Literal["Case"] = "Case"


class CallBackFile(_ToolFile):
    """Have a person call back."""

    verb: Literal["call_back"]
    object: Literal["Task"] = "Task"


ToolFile = Annotated[
    IdentifyFile | ReadFile | CreateFile | CommentFile | UpdateFile | CloseFile | CallBackFile,
    Field(discriminator="verb"),
]

NEEDED: dict[str, frozenset[str]] = {
    "comment": frozenset({"comment"}),
}
"""What a verb can't do without: the arguments' meanings."""


def meaning_of(name: str, argument: ArgumentFile) -> str:
    """What the verb takes an argument for."""
    return argument.means or _BY_TYPE.get(argument.type, name)


_BY_TYPE = {
    ArgumentType.CASE_NUMBER: "caseNumber",
    ArgumentType.REFERENCE: "reference",
    ArgumentType.COMMENT: "comment",
}


def as_field_value(entry: Any) -> tuple[Any, int | None]:
    """A field's template or constant, and the field's length."""
    return (entry.value, entry.max_length) if isinstance(entry, FieldFile) else (entry, None)
