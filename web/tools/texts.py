"""What the texts of tool calls may hold: so much, and not what the caller said to be verified."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.agent.arguments import Given
from shared.agent.tool_files import ArgumentType, Verb
from shared.agent.tools import Tool
from shared.calls.secrets_said import SecretsSaid
from shared.domain.intent import Intent
from shared.journal.results import Reworded
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


_TEXTS = ("description", "text", "when", "reason")
"""What drafts hold of a caller's words, besides their arguments."""

_FREE_TEXT = frozenset({ArgumentType.TEXT, ArgumentType.COMMENT})


def without_secrets(turn: Turn, tool: Tool, given: Given) -> Given:
    """The arguments without what was said to be verified, in the texts that staff will read.

    A contact's own data stay as they are: the postal code that was asked for may be part of them.
    """
    is_of_contact = tool.verb is Verb.UPDATE and not tool.change
    if tool.is_lookup or is_of_contact or not turn.state.secrets_said:
        return given
    return replace(given, values=_cleaned(tool, given.values, _secrets(turn)))


def arguments_for_operators(tool: Tool, given: Given) -> dict[str, Any]:
    """The arguments without anything that the caller may say to be verified, now or later in the
    call. A text is replaced by its length."""
    if tool.verb is Verb.VERIFY:
        return dict.fromkeys(given.values, "hidden")
    return {
        name: f"{len(value)} characters" if _is_free_text(tool, name, value) else value
        for name, value in given.values.items()
        if value is not None
    }


def remove_from_requests(turn: Turn) -> None:
    """What was said to be verified is removed from the texts of what this call asked for before, as
    far as nothing of it may have reached Salesforce."""
    journal, secrets = turn.service.journal, _secrets(turn)
    cleaned = []
    for intent in journal.of_call(turn.state.call_id):
        if intent.is_purged or not intent.can_be_cancelled or intent.in_doubt:
            continue
        payload, said = _reworded(turn, intent, secrets), secrets.remove_from(intent.said)
        if (payload, said) != (intent.payload, intent.said):
            cleaned.append(Reworded(intent.id, intent.payload, payload, said))
    if cleaned:
        journal.reword(cleaned)
        turn.changed(*(it.intent_id for it in cleaned))


def _reworded(turn: Turn, intent: Intent, secrets: SecretsSaid) -> dict[str, Any]:
    tool = turn.agent.tools.get(intent.tool)
    texts: dict[str, Any] = {
        name: secrets.remove_from(value)
        for name, value in intent.payload.items()
        if name in _TEXTS and isinstance(value, str)
    }
    if tool and isinstance(arguments := intent.payload.get("arguments"), dict):
        texts["arguments"] = _cleaned(tool, arguments, secrets)
    return intent.payload | texts


def _secrets(turn: Turn) -> SecretsSaid:
    key = turn.service.settings.vapi.server_secrets[0].encode()
    return SecretsSaid(key, turn.state.secrets_said)


def _cleaned(tool: Tool, values: Mapping[str, Any], secrets: SecretsSaid) -> dict[str, Any]:
    return {
        name: secrets.remove_from(value) if _is_free_text(tool, name, value) else value
        for name, value in values.items()
    }


def _is_free_text(tool: Tool, name: str, value: object) -> bool:
    argument = tool.file.arguments.get(name)
    return argument is not None and argument.type in _FREE_TEXT and isinstance(value, str)
