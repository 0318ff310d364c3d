"""Who takes a call, before the assistant answers and after: `transfer.toml` of the agent folder.

The account's owner, a queue for each issue type, opening hours and what a call outside them gets,
VIPs, and handoffs to other assistants.
"""

import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from shared.agent import destinations, hours, vip
from shared.agent.destinations import AssistantId, Destination
from shared.agent.errors import AgentError, Mistake
from shared.agent.handoff import Handoff
from shared.agent.hours import Hours
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.transfer_plan import MAX_HEADER, TransferPlan
from shared.agent.vip import Vip

FILE = "transfer.toml"


class Rules(TransferPlan):
    """owner: try the account's owner first. queues: issue type → number or SIP address.

    closed: what a call outside the hours gets before the assistant answers: the assistant, another
    one (closed_assistant, its id at Vapi), the fallback number, or a sentence. vip: who reaches a
    person at once. handoff: which assistant takes over.
    """

    owner: bool = False
    queues: dict[str, Destination] = Field(default_factory=dict)
    closed: Literal["assistant", "another-assistant", "transfer", "sentence"] = "assistant"
    closed_assistant: AssistantId | None = None
    hours: Hours | None = None
    vip: Vip | None = None
    handoff: Handoff | None = None

    @model_validator(mode="after")
    def _closed_when(self) -> Self:
        if self.closed != "assistant" and self.hours is None:
            raise ValueError("closed needs [hours]")
        if self.closed == "another-assistant" and self.closed_assistant is None:
            raise ValueError('closed = "another-assistant" needs closed_assistant')
        if self.closed != "another-assistant" and self.closed_assistant is not None:
            raise ValueError('closed_assistant needs closed = "another-assistant"')
        return self

    @property
    def at_vapi(self) -> dict[str, tuple[str, str]]:
        """Key of the file → Vapi's resource and the id of what it names there."""
        named = {
            "closed_assistant": ("assistant", self.closed_assistant),
            "vip.assistant": ("assistant", self.vip.assistant if self.vip else None),
        }
        for name, target in (self.handoff.to if self.handoff else {}).items():
            named[f"handoff.to.{name}.assistant_id"] = ("assistant", target.assistant_id)
            named[f"handoff.to.{name}.squad_id"] = ("squad", target.squad_id)
        return {key: (resource, id_) for key, (resource, id_) in named.items() if id_}

    def is_open(self, moment: datetime) -> bool:
        return self.hours is None or self.hours.open_at(moment)


def read_rules(folder: Path) -> Rules:
    """The rules of an agent folder; the defaults for a folder without the file. Raises AgentError,
    which names what is wrong in our words."""
    path = folder / FILE
    if not path.exists():
        return Rules()
    try:
        text = path.read_text(encoding="utf-8-sig")
        return Rules.model_validate(tomllib.loads(text))
    except (OSError, UnicodeError):
        wrong = Mistake(
            FILE, 0, "can't be read", "save it as UTF-8, for the service's user to read"
        )
        raise AgentError([wrong], folder) from None
    except tomllib.TOMLDecodeError as trouble:
        raise AgentError([not_toml(FILE, text, trouble)], folder) from None
    except ValidationError as refused:
        raise AgentError(list(_mistakes(text, refused)), folder) from None


def _mistakes(text: str, refused: ValidationError) -> Iterator[Mistake]:
    lines = lines_of(text)
    for error in refused.errors(include_url=False, include_input=False):
        path = tuple(str(part) for part in error["loc"] if not isinstance(part, int))
        path = tuple(part for part in path if part != "days")
        where = ".".join(path)
        own = str(error.get("ctx", {}).get("error", ""))
        named = next((name for name in lines if own.startswith(".".join(name) + " ")), path)
        problem, remedy = _in_our_words(error, where, own)
        yield Mistake(FILE, line_of(lines, named), problem, remedy)


def _in_our_words(error: Any, where: str, own: str) -> tuple[str, str]:
    if own:
        return f"{where} {own}".strip(), "agent/transfer.toml shows the form"
    if error["type"] == "extra_forbidden":
        return f"{where} is unknown", "remove it, or mend the spelling"
    if error["type"] == "missing":
        return f"{where} is missing", f"add {where.rpartition('.')[2]}"
    if error["type"] == "literal_error":
        return f"{where} has another value", f"use {error['ctx']['expected']}"
    return f"{where} has another form", f"write {_form_of(where)}"


_FORMS = {
    "owner": "true or false",
    "caller_id": 'a number such as +14155550100, or "caller", or "called"',
    "summary_prompt": "what the summary should say, up to 2,000 characters",
    "wait_s": "seconds, from 1 to 600",
    "dial_s": "seconds, from 1 to 600",
    "hold_audio": "an address that begins with https://",
    "handoff.parameter": 'the name of a parameter, such as "department"',
    "handoff.to": "a table for each destination, such as [handoff.to.billing]",
    "closed_assistant": "the id that Vapi gave the assistant",
    "hours.timezone": hours.ZONE,
    "hours.holidays": hours.HOLIDAYS,
    "vip.field": vip.FORM,
    "vip.values": 'a list of values, such as ["Hot"] or [true]',
    "vip.number": destinations.FORM,
    "vip.assistant": "the id that Vapi gave the assistant",
    "vip.when_closed": "true or false",
}


def _form_of(where: str) -> str:
    if where in _FORMS:
        return _FORMS[where]
    if where.startswith("hours."):
        return hours.OPENING
    if where.startswith("sip_headers"):
        return f"a name such as X-Case, with a text of up to {MAX_HEADER} characters"
    if where.endswith(("assistant_id", "squad_id")):
        return "an id that Vapi gave"
    return destinations.FORM if where.startswith("queues.") else "a table"
