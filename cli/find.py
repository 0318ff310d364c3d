"""`python -m cli find`: the call and the writes that belong to whatever an operator has."""

import json

import click

from cli.intent_lines import printed
from cli.pages import REVEAL
from cli.store import open_actions, open_journal, open_store
from shared.calls.calls import Calls
from shared.domain.trace import trace_of_call
from shared.journal.answers import Answers
from shared.journal.listing import Listing
from shared.operators.search import Search
from shared.settings import load_settings

NO_CALLS = ("chat:", "session:")
"""How the names of other conversations begin."""


@click.command()
@click.argument("word")
@REVEAL
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def find(word: str, reveal: bool, as_json: bool) -> None:
    """Find the call and the writes of WORD.

    WORD is a reference, a case number, a phone number, or the id of a call, a tool call, an
    intent or a trace. A phone number finds what was accepted in the last day, and what is open or
    parked. The id of a tool call is found for 12 hours. Exit code 1 when nothing is found.
    """
    store, journal = open_store(), open_journal()
    region = load_settings().calls.phone_region
    search = Search(journal, Listing(store, journal), Calls(store), Answers(store), region)
    found = search.find(word)
    call_id, intents, tool = found.call_id, found.intents, found.tool
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
    is_call = not call_id.startswith(NO_CALLS)
    trace = trace_of_call(call_id) if is_call else ""
    if as_json:
        ids = {"call_id": call_id, "trace_id": trace, "tool": tool}
        return json.dumps({name: id_ for name, id_ in ids.items() if id_})
    asked = f", in which the agent called {tool}" if tool else ""
    traced = f", trace {trace}" if trace else ""
    return f"call {call_id}{asked}{traced} (python -m cli calls show {call_id})"
