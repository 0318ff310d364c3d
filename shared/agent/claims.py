"""Which calls an agent folder answers when AGENT_DIR names several: its `calls.toml`."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.agent.errors import AgentError, Mistake
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of

FILE = "calls.toml"

_REMEDIES = {
    "numbers": 'write a list of numbers, such as ["+14155550100"]',
    "assistants": "write a list of the ids that Vapi gave the assistants, each in quotes",
}


class Claims(BaseModel):
    """numbers: those that callers dial, in E.164. assistants: ids at Vapi; the first of them
    answers a call for which Vapi asks the server for an assistant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    numbers: tuple[Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")], ...] = ()
    assistants: tuple[Annotated[str, StringConstraints(pattern=r"^[\w-]{1,100}$")], ...] = ()


def read_claims(folder: Path) -> Claims:
    """A folder without the file claims no calls. Raises AgentError."""
    path = folder / FILE
    if not path.exists():
        return Claims()
    try:
        text = path.read_text(encoding="utf-8-sig")
        return Claims.model_validate(tomllib.loads(text))
    except (OSError, UnicodeError):
        remedy = "save it as UTF-8, for the service's user to read"
        raise AgentError([Mistake(FILE, 0, "can't be read", remedy)], folder) from None
    except tomllib.TOMLDecodeError as wrong:
        raise AgentError([not_toml(FILE, text, wrong)], folder) from None
    except ValidationError as refused:
        lines = lines_of(text)
        errors = refused.errors(include_url=False, include_input=False)
        mistakes = dict.fromkeys(_mistake(error, lines) for error in errors)
        raise AgentError(list(mistakes), folder) from None


def _mistake(error: Any, lines: dict[tuple[str, ...], int]) -> Mistake:
    key = str(error["loc"][0])
    line = line_of(lines, (key,))
    if key not in _REMEDIES:
        return Mistake(FILE, line, f"{key} is unknown", f"use {' or '.join(_REMEDIES)}")
    return Mistake(FILE, line, f"{key} has another form", _REMEDIES[key])
