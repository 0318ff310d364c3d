"""The form of a tool's file: `tools/<name>.toml` of an agent folder.

The models below validate the files, and `python -m cli agent schema` writes them as a JSON schema,
with which an editor completes and underlines. One model for each verb.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.identity import Tier

API_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,79}$"
FIELD_PATH = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,4}$"
ORDER = FIELD_PATH[:-1] + r"( (ASC|DESC))?$"
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
    VERIFY = "verify"


class ArgumentType(StrEnum):
    """What an argument can be. Each type brings a check, and tells the model the form."""

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
    SECRET = "secret"
    """What only the caller should know, such as a PIN. Compared, and kept nowhere."""


TAKES: dict[str, tuple[str, ...]] = {
    Verb.IDENTIFY: (),
    Verb.READ: ("accountNumber", "caseNumber", "issueType", "reference"),
    Verb.CREATE: ("accountNumber", "description", "issueType", "priority"),
    Verb.COMMENT: ("caseNumber", "comment", "reference"),
    Verb.CLOSE: ("reason", "reference"),
    Verb.CALL_BACK: ("phone", "reason", "when"),
    Verb.VERIFY: ("pin",),
}
"""The meanings that each verb's code takes arguments for. `takes` says for which objects."""

OBJECTS = {Verb.READ: "Case", Verb.CREATE: "Case", Verb.UPDATE: "Contact", Verb.CLOSE: "Case"}
"""The object that a verb's own code knows; all others are the team's, and their files say all."""

NEEDED: dict[str, tuple[str, ...]] = {Verb.COMMENT: ("comment",)}
"""The meanings that a verb can't do without."""

MEANINGS = tuple(sorted({meaning for takes in TAKES.values() for meaning in takes}))


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class ArgumentFile(_Strict):
    """One argument of a tool, which the model fills from what the caller said."""

    type: Annotated[ArgumentType, Field(strict=False)] = ArgumentType.TEXT
    """text; choice (needs choices); integer or number; boolean; phone; email; date, time or
    datetime; identifier (letters and digits said aloud, such as an order number); reference (such
    as K7M 2QX); case_number; comment (a text that fits a comment on a case)."""
    required: bool = False
    """true: the tool refuses a call without this argument."""
    description: str = ""
    """For the model: what the argument is, or how to ask for it. Dates, times, phone numbers,
    references and case numbers describe their form themselves."""
    choices: dict[str, Constant] | list[str] | None = None
    """Of a choice: the words that the caller may mean, such as ["Low", "High"]; or each word with
    the value that Salesforce stores, such as { broken = "Product defect" }."""
    max_length: int | None = Field(None, ge=1, le=131_072)
    """The most characters of a text. The tool refuses a longer one."""
    pattern: str | None = None
    """A regular expression that the whole text must match, such as '[A-Z]{2}[0-9]{6}'."""
    minimum: float | None = None
    """The least that an integer or a number may be."""
    maximum: float | None = None
    """The most that an integer or a number may be."""
    means: str = Field("", json_schema_extra={"enum": ["", *MEANINGS]})
    """What the verb takes the argument for, when its name does not say so."""
    omit_if_own: Literal["", "account_number"] = ""
    """Leaves the argument out when it is the caller's own account number."""
    spell: bool = False
    """true: the answer repeats the value letter by letter."""


class FieldFile(_Strict):
    """A field's value: a template with arguments in braces, or a constant."""

    value: Constant
    """A constant, or a template such as "{issueType}: {description}". What is in square brackets is
    left out when one of its arguments was not given: "{text}[ (account {accountNumber})]"."""
    max_length: int | None = Field(None, ge=1, le=131_072)
    """The length of the field in Salesforce. A longer text is cut."""


FieldEntry = Constant | FieldFile


class _ToolFile(_Strict):
    description: Annotated[
        str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)
    ]
    """For the model: what the tool does, and when to call it."""
    arguments: dict[ArgumentName, ArgumentFile] = Field(default_factory=dict)
    """What the model fills from the caller's words: a table for each, such as
    [arguments.orderNumber]. Names begin with a small letter."""
    tier: Annotated[Tier | None, Field(strict=False)] = None
    """The tier that a caller needs for this tool, if the policy asks for less: recognised, known
    or verified."""
    sentences: dict[Annotated[str, StringConstraints(pattern=LANGUAGE)], dict[str, str]] = Field(
        default_factory=dict
    )
    """The tool's own sentences by language, such as `accepted`, `none` and `one`; and its names for
    what it asks and reads, such as orderNumber-name = "Bestellnummer"."""


class SpeakingFile(_ToolFile):
    speak: bool = False
    """true: Vapi says word for word what was found or accepted, and the model adds nothing. Any
    other answer is still the model's to say."""


class IdentifyFile(_ToolFile):
    """Find out who is calling."""

    verb: Literal["identify"]
    """identify: find out who is calling."""


class ReadFile(SpeakingFile):
    """Read records of the caller's own."""

    verb: Literal["read"]
    """read: tell the caller about records of their own."""
    object: ApiName
    """The API name of the object, such as Case or Order__c."""
    show: Literal["one", "list"] = "list"
    """one: describe one record. list: name several."""
    contact: FieldPath | None = None
    """The lookup field, or the path of one, that leads to the caller's contact, such as Contact__c
    or Order__r.Contact__c. Not for Case."""
    account: FieldPath | None = None
    """The lookup field, or the path of one, that leads to the account of the caller's contact. With
    both, a record of either is the caller's own."""
    fields: dict[ArgumentName, FieldPath] = Field(default_factory=dict)
    """The name of a value in the sentences → the field that has it, such as
    status = "Status__c"."""
    where: dict[FieldPath, FieldEntry] = Field(default_factory=dict)
    """Only records whose field has this value. A condition without its argument is left out."""
    order: Annotated[str, StringConstraints(pattern=ORDER)] = "Id"
    """The field to sort by, such as "CreatedDate DESC"."""
    limit: int = Field(3, ge=1, le=20)
    """The most records that one answer names."""
    send_reference: bool = False
    """true: a caller may have a reference sent by text message, to the number of the call or one on
    file. For Case with show = "one". Offered only where SEND_REFERENCES is on."""


class LinkFile(_Strict):
    """Another record of the caller's own, which the new record refers to."""

    object: ApiName
    """The API name of its object, such as Order__c."""
    contact: FieldPath
    """The lookup field, or the path of one, that leads from it to the caller's contact."""
    field: ApiName
    """The field by which the caller names it, such as Name."""
    spoken: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The argument that has the name, in braces. How it is grouped does not matter."""


class CreateFile(SpeakingFile):
    """Create a record that belongs to the caller."""

    verb: Literal["create"]
    """create: a new record that belongs to the caller."""
    object: ApiName
    """The API name of the object, such as Case or Return_Request__c."""
    fields: dict[ApiName, FieldEntry]
    """Salesforce field → its value: a constant, or a template with arguments in braces."""
    contact: ApiName | None = None
    """The lookup field for the caller's contact, such as ContactId or Contact__c."""
    account: ApiName | None = None
    """The lookup field for the account of the caller's contact, such as Account__c."""
    key: ApiName | Literal[""] = "Call_Key__c"
    """The External Id field of the idempotency key, which keeps a repeated delivery from creating a
    second record; "" for an object that has none."""
    reference: ApiName | None = None
    """The text field that keeps the reference which the caller got, such as Voice_Reference__c."""
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


class CommentFile(SpeakingFile):
    """Add a comment to a case of the caller's."""

    verb: Literal["comment"]
    """comment: add to a case of the caller's."""
    object: Literal["Case"] = "Case"
    """This verb works on cases."""


class NameFile(_Strict):
    """How the caller names a record."""

    field: ApiName
    """The text field by which the caller names the record, such as Name."""
    spoken: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The argument that has the name, in braces. How it is grouped does not matter."""


class _OwnRecordFile(SpeakingFile):
    contact: FieldPath | None = None
    """The lookup field, or the path of one, that leads from the record to the caller's contact,
    such as Contact__c or Order__r.Contact__c. Not for Contact or Case."""
    account: FieldPath | None = None
    """The lookup field, or the path of one, that leads to the account of the caller's contact. With
    both, a record of either is the caller's own. Not for Contact or Case."""
    record: NameFile | None = None
    """How the caller names the record. Without a name, and without an argument of the type
    reference, it is the one that this call created last. Not for Contact or Case."""


class UpdateFile(_OwnRecordFile):
    """Change a record of the caller's own: their contact, or a record that leads to it."""

    verb: Literal["update"]
    """update: change the caller's own contact, or another record of theirs."""
    object: ApiName = "Contact"
    """Contact, or the API name of an object of your own, such as Return_Request__c."""
    fields: dict[ApiName, FieldEntry]
    """Salesforce field → its new value: a constant, or a template with arguments in braces. A field
    whose arguments are missing stays as it is. Of Contact: one argument alone, such as
    Email = "{email}"."""


class CloseFile(_OwnRecordFile):
    """Take back what the caller asked for, or close it."""

    verb: Literal["close"]
    """close: take back a case, or another record of the caller's own, or close it."""
    object: ApiName = "Case"
    """Case, or the API name of an object of your own, such as Return_Request__c."""
    fields: dict[ApiName, FieldEntry] = Field(default_factory=dict)
    """Salesforce field → its value in a closed record, such as Status__c = "Cancelled". Not for
    Case."""


class CallBackFile(SpeakingFile):
    """Have a person call back."""

    verb: Literal["call_back"]
    """call_back: leave a task for a person."""
    object: Literal["Task"] = "Task"
    """This verb makes tasks."""


class VerifyFile(_ToolFile):
    """Check what a caller shows about themselves."""

    verb: Literal["verify"]
    """verify: compare what the caller says with their contact."""
    object: Literal["Contact"] = "Contact"
    """This verb compares with contacts."""
    pin: ApiName | None = None
    """The field of Contact that has the PIN, such as Voice_PIN__c. A caller who knows it is
    verified."""
    code: bool = False
    """true: a caller may also be verified by a one-time code, which goes by text message to a
    number on their contact. Offered only where TWILIO_VERIFY_SERVICE_SID is set."""
    knowledge: dict[ApiName, str] = Field(default_factory=dict)
    """Field of Contact → the argument that must be equal, such as
    MailingPostalCode = "{postalCode}". A caller who knows all of them is known."""


AnyFile = (
    IdentifyFile
    | ReadFile
    | CreateFile
    | CommentFile
    | UpdateFile
    | CloseFile
    | CallBackFile
    | VerifyFile
)
"""One model for each verb."""

ToolFile = Annotated[AnyFile, Field(discriminator="verb")]


def file_of(verb: Verb) -> type[_ToolFile]:
    """The model of a verb's files."""
    files: tuple[type[_ToolFile], ...] = get_args(AnyFile)
    return next(file for file in files if verb in get_args(file.model_fields["verb"].annotation))


def is_of_team(file: AnyFile) -> bool:
    """Whether it works on an object of the team's, of which the code knows nothing."""
    return Verb(file.verb) in OBJECTS and getattr(file, "object", "") != OBJECTS[Verb(file.verb)]


def takes(file: AnyFile) -> tuple[str, ...]:
    """The meanings that the code takes arguments of this file for."""
    if not is_of_team(file):
        return TAKES.get(file.verb, ())
    return ("reference",) if isinstance(file, UpdateFile | CloseFile) else ()


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
