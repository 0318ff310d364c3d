"""`python -m cli find`: the call and the writes that belong to whatever an operator has."""

import json
from dataclasses import dataclass
from typing import Any

import click
import redis

from cli.intent_lines import printed
from cli.pages import REVEAL
from cli.store import open_actions, open_journal, open_store
from shared.calls.calls import Calls
from shared.journal.listing import Listing
from shared.operators.search import MAX_FOUND, Search
from shared.settings import REDIS_PREFIX, load_settings
from shared.store import translated

PAGE = 500
MAX_ANSWERS = 200_000
"""Stored answers that are looked through for the id of a tool call."""

LEAST_LENGTH = 8
"""A shorter word is not taken for a tool call's id."""


@dataclass(frozen=True)
class Answered:
    """A tool call that was answered in the last twelve hours. conversation: the id of its call,
    or of its chat or session with that word before it."""

    conversation: str
    tool: str


@click.command()
@click.argument("word")
@REVEAL
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def find(word: str, reveal: bool, as_json: bool) -> None:
    """Find the call and the writes of WORD.

    WORD is a reference, a case number, a phone number, or the id of a call, a tool call or an
    intent. A phone number finds what was accepted in the last day, and what is open or parked. The
    id of a tool call is found for 12 hours. Exit code 1 when nothing is found.
    """
    store, journal = open_store(), open_journal()
    region = load_settings().calls.phone_region
    found = Search(journal, Listing(store, journal), Calls(store), region).find(word)
    call_id, intents, tool = found.call_id, list(found.intents), ""
    if not call_id and not intents and (answered := _answered(store, word.strip())):
        call_id, tool = answered.conversation, answered.tool
        intents = journal.of_call(call_id)[:MAX_FOUND]
    if not call_id and not intents:
        raise click.ClickException(
            "nothing is stored of it. What was purged is in Salesforce: search its Tasks"
        )
    if reveal:
        open_actions().note("reveal", about="find", ids=[intent.id for intent in intents])
    if call_id:
        click.echo(_head(call_id, tool, as_json=as_json))
    for intent in intents:
        click.echo(printed(intent, as_json=as_json, reveal=reveal))


def _head(call_id: str, tool: str, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"call_id": call_id} | ({"tool": tool} if tool else {}))
    asked = f", in which the agent called {tool}" if tool else ""
    return f"call {call_id}{asked} (python -m cli calls show {call_id})"


def _answered(store: redis.Redis, tool_call_id: str) -> Answered | None:
    """No key leads from a tool call's id to its answer, so the answers are looked through."""
    if len(tool_call_id) < LEAST_LENGTH:
        return None
    client: Any = store
    begins = f"{REDIS_PREFIX}answer:"
    cursor, looked_at = 0, 0
    while looked_at < MAX_ANSWERS:
        with translated():
            cursor, keys = client.scan(cursor, match=f"{begins}*", count=PAGE)
            texts = client.mget(keys) if keys else []
        looked_at += PAGE
        for key, text in zip(keys, texts, strict=True):
            entry = _entry(text)
            if entry.get("toolCallId") == tool_call_id:
                conversation = str(key).removeprefix(begins).rpartition(":")[0]
                return Answered(conversation, str(entry.get("name", "")))
        if cursor == 0:
            break
    return None


def _entry(text: str | None) -> dict[str, Any]:
    """{} while somebody is working on the answer."""
    try:
        entry = json.loads(text or "{}")
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
