"""The tools of the agent: their names, their arguments, and what can be wrong with an argument.

The models below validate what arrives and produce the JSON schema that is provisioned to Vapi, so
the two can't drift apart.
"""

from typing import Annotated, Any, Final, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from shared.agent.wrong_arguments import Problem
from shared.domain import case_numbers
from shared.domain.reference import as_reference
from shared.domain.text import MAX_COMMENT_BYTES, html_bytes, stored_length
from shared.errors import ServiceError
from shared.phone import as_e164

MAX_SPOKEN_COMMENT_BYTES = MAX_COMMENT_BYTES - 100
"""A comment also contains the reference, which needs some of the space."""


class BadArgumentsError(ServiceError):
    """The arguments can't be used. Never repeats what the caller said."""

    def __init__(self, *problems: Problem) -> None:
        self.problems: Final = problems
        super().__init__(", ".join(f"{it.argument} {it.what}" for it in problems))


def _clean(value: Any) -> Any:
    """Numbers become text; null and blanks become "not given"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        value = str(int(value) if whole else value)
    if isinstance(value, str):
        return value.strip() or None
    return value


def _in_words(*choices: str) -> BeforeValidator:
    by_word = {choice.lower(): choice for choice in choices}

    def fit(value: Any) -> Any:
        return by_word.get(value.strip().lower(), value) if isinstance(value, str) else value

    return BeforeValidator(fit)


def _phone(value: Any, info: Any) -> Any:
    if not isinstance(value, str):
        return value
    number = as_e164(value, (info.context or {}).get("region", "US"))
    if number is None:
        raise PydanticCustomError("phone", "not a full phone number")
    return number


def _email(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        # Whether mail can be delivered does not matter here; a dot in the domain does.
        checked = validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise PydanticCustomError("email", "not an email address") from None
    if "." not in checked.domain:
        raise PydanticCustomError("email", "not an email address")
    return checked.normalized


def _fits_a_comment(value: str) -> str:
    if html_bytes(value) > MAX_SPOKEN_COMMENT_BYTES:
        raise PydanticCustomError("string_too_long", "too long for a comment")
    return value


def _fits_with_breaks(value: str) -> str:
    if stored_length(value) > 255:
        raise PydanticCustomError("string_too_long", "too long for its field")
    return value


def _reference(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    reference = as_reference(value)
    if reference is None:
        raise PydanticCustomError("reference", "not a reference")
    return reference


def _case_number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    number = case_numbers.normal_form(value)
    if number is None:
        raise PydanticCustomError("case_number", "not a case number")
    return number


Text = Annotated[str, StringConstraints(max_length=32_000)]
AccountNumber = Annotated[str, StringConstraints(max_length=40)]
Short = Annotated[str, StringConstraints(max_length=255)]
Phone = Annotated[str, BeforeValidator(_phone), Field(description="All digits of it.")]
Email = Annotated[str, StringConstraints(max_length=80), BeforeValidator(_email)]
Reference = Annotated[
    str,
    BeforeValidator(_reference),
    Field(description="Three and three letters or digits, such as K7M 2QX."),
]
Replaces = Annotated[
    Reference,
    Field(
        description="Only for a correction: the reference of the request of this call that this "
        "one replaces."
    ),
]
CaseNumber = Annotated[
    str,
    BeforeValidator(_case_number),
    Field(description="Digits, with letters if the caller says some."),
]
IssueType = Annotated[
    Literal["billing", "technical", "account"], _in_words("billing", "technical", "account")
]
Priority = Annotated[Literal["Low", "Medium", "High"], _in_words("Low", "Medium", "High")]
OnExisting = Annotated[
    Literal["ask", "comment", "new"],
    _in_words("ask", "comment", "new"),
    Field(
        description="What the caller answered when this tool asked about an earlier case: comment "
        "adds to it, new opens another one."
    ),
]


class Arguments(BaseModel):
    """Named in camelCase on the wire. Unknown arguments are ignored: the model invents some."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=False, extra="ignore", frozen=True
    )

    @classmethod
    def tool(cls) -> str:
        """The tool's name, which begins the keys of its own sentences."""
        return next(name for name, model in TOOLS.items() if model is cls)

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        cleaned = {name: _clean(value) for name, value in given.items()}
        return {name: value for name, value in cleaned.items() if value is not None}


class LookupCustomer(Arguments):
    """Find out who is calling. Knows the caller by their number."""

    account_number: AccountNumber | None = None
    email: Short | None = None
    name: Short | None = None
    phone: Short | None = None


class GetCaseStatus(Arguments):
    """Tell how a case stands; without arguments, the caller's newest open one."""

    case_number: CaseNumber | None = None
    reference: Reference | None = None


class RetrieveCustomerCase(Arguments):
    """List the caller's open cases, newest first."""

    account_number: AccountNumber | None = None
    issue_type: IssueType | None = None


class WriteArguments(Arguments):
    """The arguments that all tools have that change something."""

    replaces: Replaces | None = None


class CreateSalesforceCase(WriteArguments):
    """Open a case. First read issue type and description back and ask "Is this correct?"; call
    only after a yes. If the caller corrects a case of this call, call again with everything as it
    is now and its reference in `replaces`. Without `replaces` it is another case."""

    issue_type: IssueType
    description: Text
    account_number: AccountNumber | None = None
    priority: Priority | None = None
    on_existing: OnExisting = "ask"


class AddCaseComment(WriteArguments):
    """Add a comment to a case, or to the case of this call. Read it back first. It adds to what
    was said before; only with the reference of an earlier comment in `replaces` does it replace
    that."""

    comment: Annotated[str, AfterValidator(_fits_a_comment)]
    case_number: CaseNumber | None = None
    reference: Reference | None = None


class UpdateContact(WriteArguments):
    """Change the caller's own contact details. First read each new detail back and ask "Is this
    correct?"; call only after a yes. If the caller corrects a change of this call, call again with
    its reference in `replaces`."""

    phone: Phone | None = None
    mobile_phone: Phone | None = None
    email: Email | None = None
    mailing_street: Annotated[Short, AfterValidator(_fits_with_breaks)] | None = None
    mailing_city: Annotated[str, StringConstraints(max_length=40)] | None = None
    mailing_state: Annotated[str, StringConstraints(max_length=80)] | None = None
    mailing_postal_code: Annotated[str, StringConstraints(max_length=20)] | None = None
    mailing_country: Annotated[str, StringConstraints(max_length=80)] | None = None

    @model_validator(mode="after")
    def _something(self) -> "UpdateContact":
        if not self.model_fields_set - {"replaces"}:
            raise PydanticCustomError("nothing", "nothing to change")
        return self


class CancelCase(WriteArguments):
    """Take back the case opened last in this call, or close it, when the caller does not want it
    any more. Never say that it was taken back before this says so."""

    reference: Reference | None = None
    reason: Short | None = None


class RequestCallback(WriteArguments):
    """Have somebody call the caller back. Read number and time back first and ask "Is this
    correct?". If the caller corrects it, call again with its reference in `replaces`."""

    phone: Annotated[Phone, Field(description="Only if not the one they call from.")] | None = None
    when: Annotated[Short, Field(description="In the caller's words.")] | None = None
    reason: Text | None = None


TOOLS: dict[str, type[Arguments]] = {
    "lookupCustomer": LookupCustomer,
    "getCaseStatus": GetCaseStatus,
    "retrieveCustomerCase": RetrieveCustomerCase,
    "createSalesforceCase": CreateSalesforceCase,
    "addCaseComment": AddCaseComment,
    "updateContact": UpdateContact,
    "cancelCase": CancelCase,
    "requestCallback": RequestCallback,
}


def read_arguments(tool: str, given: dict[str, Any], region: str) -> Arguments:
    """The validated, normalised arguments. Raises BadArgumentsError, KeyError without tool."""
    try:
        return TOOLS[tool].model_validate(given, context={"region": region})
    except ValidationError as refused:
        raise BadArgumentsError(*_problems(refused)) from None


def _problems(refused: ValidationError) -> list[Problem]:
    problems = []
    for error in refused.errors(include_input=False, include_url=False):
        name = str(error["loc"][0]) if error["loc"] else ""
        match error["type"]:
            case "missing":
                problems.append(Problem(name, "missing"))
            case "nothing":
                problems.append(Problem("", "nothing"))
            case "string_too_long":
                problems.append(Problem(name, "too_long"))
            case _:
                problems.append(Problem(name, "wrong"))
    return problems
