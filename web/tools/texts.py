"""What the texts of tool calls may hold: so much, and not what the caller said to be verified."""

from dataclasses import replace
from typing import Any

from shared.agent.arguments import Given
from shared.agent.tool_files import ArgumentType, Verb
from shared.agent.tools import Tool
from shared.calls.secrets_said import SecretsSaid
from shared.vapi.messages import ToolCall
from web.tools.turn import Turn

MAX_ARGUMENTS = 48_000
"""Characters of all arguments of a message together. Redacting them takes time that other callers
wait for."""


def within_limits(calls: list[ToolCall], most: int) -> list[ToolCall]:
    """The first calls of a message that are not too many, nor too long together."""
    left = MAX_ARGUMENTS
    for nth, call in enumerate(calls[:most]):
        left -= _length(call.arguments)
        if left < 0:
            return calls[:nth]
    return calls[:most]


def _length(arguments: Any) -> int:
    match arguments:
        case str():
            return len(arguments)
        case dict():
            return sum(map(_length, arguments.values()))
        case list():
            return sum(map(_length, arguments))
    return 0


_FREE_TEXT = frozenset({ArgumentType.TEXT, ArgumentType.COMMENT})


def without_secrets(turn: Turn, tool: Tool, given: Given) -> Given:
    """The arguments without what was said to be verified, in the texts that staff will read.

    A contact's own data stay as they are: the postal code that was asked for may be part of them.
    """
    is_of_contact = tool.verb is Verb.UPDATE and not tool.change
    if tool.is_lookup or is_of_contact or not turn.state.secrets_said:
        return given
    key = turn.service.settings.vapi.server_secrets[0].encode()
    secrets = SecretsSaid(key, turn.state.secrets_said)
    values = {
        name: secrets.remove_from(value) if _is_free_text(tool, name, value) else value
        for name, value in given.values.items()
    }
    return replace(given, values=values)


def _is_free_text(tool: Tool, name: str, value: object) -> bool:
    argument = tool.file.arguments.get(name)
    return argument is not None and argument.type in _FREE_TEXT and isinstance(value, str)
