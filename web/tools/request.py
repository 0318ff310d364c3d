"""A write request: what a write tool asks for, as data."""

from dataclasses import dataclass

from shared.domain.drafts import Draft
from shared.domain.intent import NewIntent
from shared.domain.kinds import Kind


@dataclass(frozen=True)
class WriteRequest:
    """What is to be accepted.

    said: the sentence for the agent; REFERENCE stands in it for the reference.
    after: ids of intents that have to be settled first. also: intents accepted in the same step.
    dedup_keys: what the request is about, across calls. asks: if an earlier request has one of
    these keys, nothing is saved and the agent asks the caller what to do.
    target: distinguishes this request from another one with the same arguments.
    id: the intent's, where `also` has to name it; "" for a new one.
    """

    kind: Kind
    draft: Draft
    said: str
    after: tuple[str, ...] = ()
    also: tuple[NewIntent, ...] = ()
    dedup_keys: tuple[str, ...] = ()
    asks: bool = False
    target: str = ""
    id: str = ""
