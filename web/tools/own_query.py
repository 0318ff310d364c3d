"""The query that a lookup tool's own file describes, and the tool's pause when the org refuses it.

A field is gone, a right removed: then every call of the tool would fail in the same way. So the
tool waits, callers hear at once that it can't be done, and after a while one call tries again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.logs import log
from shared.salesforce.failures import FailureClass, SalesforceError, delay_ms
from shared.store import StoreUnavailableError
from web.tools.turn import Turn

T = TypeVar("T")

NO_LONGER_FITS = frozenset(
    {FailureClass.MISSING_FIELD, FailureClass.MISCONFIGURED, FailureClass.DENIED}
)


def ask_as_tool(turn: Turn, tool: Tool, find: Callable[[Deadline], T], deadline: Deadline) -> T:
    """What the tool's own query finds. Raises SalesforceError.

    When the queries of two different calls were refused, the tool waits. The first answer after
    that ends it.
    """
    try:
        found = turn.ask(find, deadline, is_proof=tool.verb is Verb.VERIFY)
    except SalesforceError as error:
        if error.failure in NO_LONGER_FITS:
            with suppress(StoreUnavailableError):
                _refused(turn, turn.source(tool.name), error)
        raise
    if turn.stops.is_stopped(turn.source(tool.name)):
        with suppress(StoreUnavailableError):
            turn.service.journal.lookup_works(turn.source(tool.name))
    return found


def _refused(turn: Turn, source: str, error: SalesforceError) -> None:
    before = turn.stops.waits.get(source)
    wait_ms = delay_ms(
        replace(error, failure=FailureClass.MISCONFIGURED),
        before.failures_in_a_row if before else 0,
    )
    conversation = turn.conversation_id or turn.message_id
    if turn.service.journal.refuse_lookup(source, conversation, str(error), delay_ms=wait_ms):
        # For an alarm: the name of the event does not change.
        log.error("tool_paused", tool=source, reason=str(error))
