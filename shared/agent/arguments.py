"""The arguments of a tool: a model that validates what arrives, made from the tool's file.

The same model produces the JSON schema that is provisioned to Vapi, so the two can't drift apart.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Annotated, Any, Final, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from shared.agent.tool_files import ArgumentFile, ArgumentType, meaning_of
from shared.domain import case_numbers
from shared.domain.identifiers import spoken_form, written_form
from shared.domain.reference import as_reference
from shared.domain.text import MAX_COMMENT_BYTES, html_bytes, stored_length
from shared.errors import ServiceError
from shared.phone import as_e164
from shared.redaction import DEFAULT, Kind, clean, redact

MAX_SPOKEN_COMMENT_BYTES = MAX_COMMENT_BYTES - 100
"""A comment also contains the reference, which needs some of the space."""

MAX_TEXT = 32_000

FIRST_YEAR, LAST_YEAR = 1700, 4000
"""Salesforce stores days of these years (SOAP API, primitive data types; not confirmed)."""

MAX_NUMBER = 10**15 - 1
"""The largest number that is accepted, and its negative is the smallest: 15 digits are exact in
every number field and in JSON."""

NOT_GIVEN = frozenset(
    {"n/a", "none", "null", "nil", "unknown", "not given", "not provided", "undefined"}
)
"""What models write for an argument that the caller did not give."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one argument; argument: "" for all of them together. choices: what it may
    be."""

    argument: str
    what: Literal["missing", "wrong", "too_long", "nothing"]
    choices: tuple[str, ...] = ()


class BadArgumentsError(ServiceError):
    """The arguments can't be used. Never repeats what the caller said."""

    def __init__(self, *problems: Problem) -> None:
        self.problems: Final = problems
        super().__init__(", ".join(f"{it.argument} {it.what}" for it in problems))


@dataclass(frozen=True)
class Given:
    """The arguments of a tool call, validated and normalised.

    values: what was given, by the arguments' names; a choice as the caller may say it. Those with a
    default are always there.
    """

    values: Mapping[str, Any]
    schema: "ArgumentSchema"

    def get(self, meaning: str) -> Any:
        """The argument with this meaning, whatever its name is; None if it was not given."""
        name = self.schema.names.get(meaning, meaning)
        return self.values.get(name)

    def stored(self) -> dict[str, Any]:
        """As Salesforce stores them: choices in their stored values."""
        return {name: self.schema.stored(name, value) for name, value in self.values.items()}


@dataclass(frozen=True)
class ArgumentSchema:
    """names: meaning → argument. choices: argument → spoken → stored value, where these differ.
    spoken_choices: argument → what the caller may say. identifiers: the arguments of that type.
    """

    model: type[BaseModel]
    names: Mapping[str, str]
    choices: Mapping[str, Mapping[str, Any]]
    spoken_choices: Mapping[str, Sequence[str]]
    identifiers: frozenset[str]

    def read(self, given: Any, region: str, removes: frozenset[Kind] = DEFAULT) -> Given:
        """region: whose phone numbers may lack the country code. removes: the kinds of secrets that
        are taken out. Raises BadArgumentsError."""
        try:
            context = {"region": region, "removes": removes}
            parsed = self.model.model_validate(given, context=context)
        except ValidationError as refused:
            problems = [
                replace(problem, choices=tuple(self.spoken_choices.get(problem.argument, ())))
                for problem in _problems(refused)
            ]
            raise BadArgumentsError(*problems) from None
        return Given(parsed.model_dump(by_alias=True, exclude_none=True), self)

    def stored(self, name: str, value: Any) -> Any:
        if name in self.identifiers:
            return written_form(str(value))
        return self.choices.get(name, {}).get(value, value)

    def spoken(self, name: str, value: Any) -> Any:
        """The inverse of `stored`."""
        by_value = {stored: spoken for spoken, stored in self.choices.get(name, {}).items()}
        return by_value.get(value, value)

    def json_schema(self, *, without: Collection[str] = ()) -> dict[str, Any]:
        """In the subset that Vapi accepts (OpenAPI description, JsonSchema): no lengths, no titles,
        and "may be omitted" instead of "or null".

        without: arguments that are not offered to the model.
        """
        schema = self.model.model_json_schema(by_alias=True)
        properties = {}
        for name, given in schema.get("properties", {}).items():
            if name in without:
                continue
            kinds = [kind for kind in given.get("anyOf", [given]) if kind.get("type") != "null"]
            properties[name] = {
                key: value
                for key, value in {**kinds[0], **given}.items()
                if key in ("type", "enum", "description")
            }
        return {
            "type": "object",
            "properties": properties,
            "required": list(schema.get("required", [])),
        }


REPLACES = ArgumentFile(
    type=ArgumentType.REFERENCE,
    means="replaces",
    description="Only for a correction: the reference of the request of this call that this one "
    "replaces.",
)


def on_existing(choices: list[str]) -> ArgumentFile:
    return ArgumentFile(
        type=ArgumentType.CHOICE,
        choices=choices,
        description="What the caller answered when this tool asked about an earlier "
        + (
            "case: comment adds to it, new opens another one."
            if "comment" in choices
            else "request: new makes another one."
        ),
    )


CODE_ARGUMENTS = {
    "sendCode": ArgumentFile(
        type=ArgumentType.BOOLEAN,
        means="sendCode",
        description="true sends a one-time code by text message to a number on file. Only if the "
        "caller wants one.",
    ),
    "code": ArgumentFile(
        type=ArgumentType.SECRET,
        means="code",
        description="The code that the caller got, as digits.",
    ),
}
"""Of a tool that verifies by a one-time code."""

REFERENCE_ARGUMENTS = {
    "sendReference": ArgumentFile(
        type=ArgumentType.BOOLEAN,
        means="sendReference",
        description="true sends the reference by text message, to the number of this call unless "
        "textTo is given. Only if the caller wants it in writing.",
    ),
    "textTo": ArgumentFile(
        type=ArgumentType.PHONE,
        means="textTo",
        description="Only with sendReference: another number of the caller, which must be on file.",
    ),
}
"""Of a tool that sends references in writing."""


def schema_of(arguments: Mapping[str, ArgumentFile], *, needs_one: bool = False) -> ArgumentSchema:
    """needs_one: at least one argument must be given."""
    fields: dict[str, Any] = {}
    for name, argument in arguments.items():
        kind = _type_of(argument)
        field = Field(
            ... if argument.required else None,
            alias=name,
            description=argument.description or _DESCRIPTIONS.get(argument.type) or None,
        )
        fields[f"argument_{name}"] = (kind if argument.required else kind | None, field)
    base = _AtLeastOne if needs_one else _Arguments
    return ArgumentSchema(
        create_model("Arguments", __base__=base, **fields),
        {meaning_of(name, argument): name for name, argument in arguments.items()},
        {
            name: argument.choices
            for name, argument in arguments.items()
            if isinstance(argument.choices, dict)
        },
        {name: list(argument.choices) for name, argument in arguments.items() if argument.choices},
        frozenset(
            name for name, argument in arguments.items() if argument.type is ArgumentType.IDENTIFIER
        ),
    )


class _Arguments(BaseModel):
    """Unknown arguments are ignored: the model invents some."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        cleaned = {name: _clean(value) for name, value in given.items()}
        return {name: value for name, value in cleaned.items() if value is not None}


class _AtLeastOne(_Arguments):
    @model_validator(mode="after")
    def _something(self) -> "_AtLeastOne":
        if not self.model_fields_set - {"argument_replaces"}:
            raise PydanticCustomError("nothing", "nothing to change")
        return self


def _clean(value: Any) -> Any:
    """Numbers become text; null and blanks become "not given"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        value = str(int(value) if whole else value)
    if isinstance(value, str):
        text = value.strip()
        return None if not text or text.casefold() in NOT_GIVEN else text
    return value


_DESCRIPTIONS = {
    ArgumentType.PHONE: "All digits of it.",
    ArgumentType.REFERENCE: "Three and three letters or digits, such as K7M 2QX.",
    ArgumentType.CASE_NUMBER: "Digits, with letters if the caller says some.",
    ArgumentType.DATE: "As YYYY-MM-DD.",
    ArgumentType.TIME: "As HH:MM, 24 hours.",
    ArgumentType.DATETIME: "As YYYY-MM-DDTHH:MM, in the caller's time.",
}


def _type_of(argument: ArgumentFile) -> Any:
    checks: list[Any] = []
    match argument.type:
        case ArgumentType.CHOICE:
            spoken = list(argument.choices or ())
            by_word = {choice.lower(): choice for choice in spoken}
            return Annotated[
                Literal[tuple(spoken)],
                BeforeValidator(
                    lambda value: (
                        by_word.get(value.strip().lower(), value)
                        if isinstance(value, str)
                        else value
                    )
                ),
            ]
        case ArgumentType.INTEGER:
            return Annotated[int, *_bounds(argument)]
        case ArgumentType.NUMBER:
            return Annotated[float, *_bounds(argument), AllowInfNan(False)]
        case ArgumentType.BOOLEAN:
            return bool
        case ArgumentType.PHONE:
            checks.append(BeforeValidator(_phone))
        case ArgumentType.EMAIL:
            checks.append(BeforeValidator(_email))
        case ArgumentType.REFERENCE:
            checks.append(BeforeValidator(_normal(as_reference, "reference")))
        case ArgumentType.CASE_NUMBER:
            checks.append(BeforeValidator(_no_payment_number))
            checks.append(BeforeValidator(_normal(case_numbers.normal_form, "case_number")))
        case ArgumentType.TEXT:
            checks.append(BeforeValidator(_without_secrets))
        case ArgumentType.COMMENT:
            checks.append(BeforeValidator(_without_secrets))
            checks.append(AfterValidator(_fits_a_comment))
        case ArgumentType.IDENTIFIER:
            checks.append(BeforeValidator(_without_payment_numbers))
            checks.append(AfterValidator(_has_letters_or_digits))
        case ArgumentType.DATE:
            checks.append(BeforeValidator(_iso(_day)))
        case ArgumentType.TIME:
            checks.append(BeforeValidator(_iso(lambda text: time.fromisoformat(text))))
        case ArgumentType.DATETIME:
            checks.append(BeforeValidator(_iso(_moment)))
    checks.append(AfterValidator(_not_longer(argument.max_length or MAX_TEXT)))
    if argument.pattern:
        checks.append(AfterValidator(_matches(argument.pattern)))
    return Annotated[(str, *checks)]


def _bounds(argument: ArgumentFile) -> tuple[Any, ...]:
    """The file's, within those of every number."""
    return Field(ge=-MAX_NUMBER, le=MAX_NUMBER), Field(ge=argument.minimum, le=argument.maximum)


def _without_secrets(value: Any, info: Any) -> Any:
    """Removes card numbers, PINs and the like, which are stored nowhere."""
    if not isinstance(value, str):
        return value
    return redact(clean(value), _removes(info))


def _removes(info: Any) -> frozenset[Kind]:
    found: frozenset[Kind] = (info.context or {}).get("removes", DEFAULT)
    return found


_PAYMENT = frozenset({Kind.CARD, Kind.BANK_ACCOUNT})
"""What has a check digit. An account number may be written like a social security number."""


def _without_payment_numbers(value: Any, info: Any) -> Any:
    """An identifier, unless it is the number of a card or of a bank account."""
    if not isinstance(value, str):
        return value
    kinds = _PAYMENT & _removes(info)
    text, spelled = redact(clean(value), kinds), spoken_form(value)
    found = redact(spelled, kinds)
    return text if found == spelled or text != clean(value) else found


def _no_payment_number(value: Any, info: Any) -> Any:
    if isinstance(value, str) and _without_payment_numbers(value, info) != clean(value):
        raise PydanticCustomError("wrong", "a payment number")
    return value


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


def _normal(normalise: Callable[[str], str | None], name: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = normalise(value)
        if found is None:
            raise PydanticCustomError("wrong", name)
        return found

    return check


def _iso(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        try:
            return parse(value).isoformat() if isinstance(value, str) else value
        except ValueError:
            raise PydanticCustomError("wrong", "not a date or time") from None

    return check


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError
    return day


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    # A year of room at both ends: by another clock it may be another day.
    if not FIRST_YEAR < moment.year < LAST_YEAR:
        raise ValueError
    return moment


def _fits_a_comment(value: str) -> str:
    if html_bytes(value) > MAX_SPOKEN_COMMENT_BYTES:
        raise PydanticCustomError("string_too_long", "too long for a comment")
    return value


def _has_letters_or_digits(value: str) -> str:
    if not spoken_form(value):
        raise PydanticCustomError("wrong", "no letter or digit")
    return value


def _not_longer(limit: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if stored_length(value) > limit:
            raise PydanticCustomError("string_too_long", "too long")
        return value

    return check


def whole(pattern: str) -> SchemaValidator:
    """A validator of texts that match the pattern from beginning to end, in linear time. Python's
    `re` can take hours for a text of fifty letters, and the process answers nobody meanwhile.

    Raises SchemaError for an invalid pattern; its last line says why.
    """
    SchemaValidator(
        core_schema.str_schema(pattern=pattern)
    )  # refuses "a)|(?:b", which would be valid inside the brackets below
    return SchemaValidator(core_schema.str_schema(pattern=f"^(?:{pattern})$"))


def _matches(pattern: str) -> Callable[[str], str]:
    fits = whole(pattern)

    def check(value: str) -> str:
        if not fits.isinstance_python(value):
            raise PydanticCustomError("wrong", "has another form")
        return value

    return check


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
    return list(dict.fromkeys(problems))
