"""Tool calls of an agent that never reached this service, as far as Vapi's list of calls shows.

Nothing was promised in their answer, so nobody may guess what the caller wants: a person calls
back.
"""

from collections.abc import Collection, Sequence

from shared.agent.folder import Agent
from shared.domain.intent import Intent
from shared.journal.answers import Answers
from shared.vapi.call_records import MadeToolCall

SAME_REQUEST_MS = 60_000
"""An intent of the same tool, asked for within this time of a tool call, is that call's."""


def unanswered(
    made: Sequence[MadeToolCall], agent: Agent, *, call_was_seen: bool
) -> list[MadeToolCall]:
    """The calls of the agent's own tools without a result, and not made good in the same call.

    call_was_seen: an event of the call arrived here. If none did, no result can be ours. A lookup
    is made good by a later answer of the same tool, a write by one to the same arguments.
    """
    ours = [each for each in made if each.call.id and each.call.name in agent.tools]
    if not call_was_seen:
        return ours
    missing = []
    for place, each in enumerate(ours):
        answered = [later for later in ours[place + 1 :] if later.result]
        if agent.tools[each.call.name].is_lookup:
            is_made_good = each.call.name in {later.call.name for later in answered}
        else:
            is_made_good = each.asked in {later.asked for later in answered}
        if not each.result and not is_made_good:
            missing.append(each)
    return missing


def unknown_here(
    missing: Sequence[MadeToolCall],
    call_id: str,
    shown: Collection[str],
    answers: Answers,
    intents: Sequence[Intent],
) -> list[MadeToolCall]:
    """Those of which this service knows nothing: it stored no answer for them, and no intent is
    theirs. Any other call arrived, and only its answer was lost: its promise is kept.

    shown: the caller's numbers, as in the message of a tool call. Raises StoreUnavailableError.
    """
    keys = [
        answers.key_of(call_id, each.call.id, list(shown), each.call.name, each.call.arguments)
        for each in missing
    ]
    unstored = [
        each
        for each, is_stored in zip(missing, answers.are_stored(keys), strict=True)
        if not is_stored
    ]
    return [each for each in unstored if not any(_asked_for(each, intent) for intent in intents)]


def _asked_for(made: MadeToolCall, intent: Intent) -> bool:
    is_near = abs(intent.requested_at_ms - made.at_ms) <= SAME_REQUEST_MS
    return intent.tool == made.call.name and is_near
