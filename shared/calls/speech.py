"""Signs of the caller's speech, as they are stored.

A sign is a short text with its own time, so a set of signs is the same in whatever order they came
and however often:

    S      the caller began to speak (speech-update)
    E      the caller stopped
    P{n}   a partial transcript of the caller with n words
    I      Vapi stopped the agent because the caller spoke (user-interrupted)
    F      a final transcript of the caller
    C      a final transcript that corrects the request: the agent needs a moment to send it again

`shared/journal/scripts/_common.lua` decides by them whether a held write may become due.
"""

from collections.abc import Collection

from shared.calls.words import Sense, correct_only
from shared.vapi.messages import Message

NO_SIGN = ""


def sign(message: Message, senses: Collection[Sense] = ()) -> str:
    """The sign in an event, "" for none. senses: what the words of a final transcript mean."""
    body = message.body
    if message.type == "user-interrupted":
        return "I"
    if body.get("role") != "user":
        return NO_SIGN
    if message.type == "speech-update":
        return {"started": "S", "stopped": "E"}.get(str(body.get("status")), NO_SIGN)
    if message.type == "transcript":
        words = len(str(body.get("transcript") or "").split())
        if not words:
            return NO_SIGN
        if body.get("transcriptType") != "final":
            return f"P{words}"
        return "C" if correct_only(senses) else "F"
    return NO_SIGN
