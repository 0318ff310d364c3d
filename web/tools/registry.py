"""The registry: which code serves which verb. The tools are files of the agent folder."""

from collections.abc import Callable

from shared.agent.arguments import Given
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.vapi.answers import Answer
from web.tools import call_back, close, comment, create, identify, read, update, verify
from web.tools.request import WriteRequest
from web.tools.turn import Turn

LOOKUPS: dict[Verb, Callable[[Turn, Tool, Given, Deadline], Answer]] = {
    Verb.IDENTIFY: identify.lookup_customer,
    Verb.READ: read.read,
    Verb.VERIFY: verify.verify_caller,
}
"""They answer from the snapshot or from Salesforce, before a deadline."""

WRITES: dict[Verb, Callable[[Turn, Tool, Given], WriteRequest | Answer]] = {
    Verb.CREATE: create.create,
    Verb.COMMENT: comment.add_comment,
    Verb.UPDATE: update.update,
    Verb.CLOSE: close.close,
    Verb.CALL_BACK: call_back.request_callback,
}
"""They make a write request of their arguments, or say why they can't."""
