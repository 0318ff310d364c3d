"""What the texts of a tool call may hold: not what the caller said to be verified."""

from dataclasses import replace

from shared.agent.arguments import Given
from shared.agent.tool_files import ArgumentType, Verb
from shared.agent.tools import Tool
from shared.calls.secrets_said import SecretsSaid
from web.tools.turn import Turn

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
