"""Records the steps of calls while they happen, and reads the evidence at the end."""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import redis

from demo.agents import objects_of
from demo.history.checker import Verdict, check
from demo.history.steps import (
    DONE,
    FOUND,
    LOOKUP,
    NOT_LOOKED_UP,
    REFUSED,
    REPORT,
    STATUS,
    WRITE,
    Accepted,
    Answered,
    Asked,
    Record,
    Settled,
    Step,
    digest,
    write,
)
from demo.processes import wait_until
from demo.stack import Stack
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED
from shared.journal.journal import Journal
from shared.store import StoreUnavailableError
from simulator.vapi.player import REFERENCE

MAX_INTENTS = 200_000
CHANGED = "changed "
"""How an argument begins that a record has as it is after a change, in `drill.toml`."""

WRITTEN_REFERENCE = re.compile(r"(?:[Rr]efere\w+:? |^)([A-Z2-9]{3} [A-Z2-9]{3})")
CASE_NUMBER = re.compile(r"\b\d{3,}\b")
NOT_LOOKED = re.compile(r"can't (?:look|tell|find)")


def wait_settled(stack: Stack, for_s: float) -> None:
    """Wait until no intent is open. Raises NotReadyError after for_s seconds."""
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
        journal = Journal(client)

        def settled() -> bool:
            try:
                counts = journal.counts()
            except StoreUnavailableError:
                return False
            return not any(counts[name] for name in counts if name.startswith("open_"))

        wait_until(settled, for_s=for_s, what="the journal")


class Recording:
    """Collects steps as they happen. Its methods may be called from any thread.

    settled_s: when an intent was settled, by this machine's clock (epoch s); a test needs it that
    lets the store's clock jump.
    """

    def __init__(self, settled_s: Callable[[Intent], float] | None = None) -> None:
        self._settled_s = settled_s or (lambda intent: (intent.settled_at_ms or 0) / 1000)
        self._began = time.monotonic()
        self._began_epoch_s = time.time()
        self._lock = threading.Lock()
        self._callers: dict[str, str] = {}
        self.steps: list[Step] = []

    def asked(
        self,
        request: str,
        call: str,
        number: str,
        tool: str,
        sort: str,
        arguments: dict[str, Any] | None = None,
        at: float | None = None,
    ) -> None:
        """Record that a request is about to be sent. number: the caller's, which is not recorded.
        at: when, if not now."""
        with self._lock:
            caller = self._callers.setdefault(number, f"caller-{len(self._callers) + 1}")
        self._add(
            Asked(
                at=self._now() if at is None else at, request=request, call=call, caller=caller,
                tool=tool, sort=sort, value=_value(arguments or {}),
            )
        )  # fmt: skip

    def answered(
        self,
        request: str,
        sort: str,
        text: str,
        *,
        is_error: bool = False,
        at: float | None = None,
    ) -> None:
        """Record an answer: only what it shows or promises. at: when it came, if not now."""
        at = self._now() if at is None else at
        if sort == REPORT:
            self._add(Answered(at=at, request=request, result=DONE))
        elif sort in (LOOKUP, STATUS):
            result = NOT_LOOKED_UP if is_error or NOT_LOOKED.search(text) else FOUND
            self._add(Answered(at=at, request=request, result=result, shows=_shown(text, sort)))
        elif not is_error and (promised := REFERENCE.search(text)):
            self._add(Accepted(at=at, request=request, reference=promised.group()))
        else:
            self._add(Answered(at=at, request=request, result=REFUSED))

    def played(self, answers: Iterable[dict[str, Any]]) -> None:
        """Record the tool calls that `simulator vapi play --answers` noted. They don't name their
        callers, so each call counts as a caller of its own."""
        for nth, answer in enumerate(answers):
            request, call = f"{answer['call_id']}/{nth}", answer["call_id"]
            sort = LOOKUP if answer["kind"] == "look" else WRITE
            at = self._since(answer["at_ms"] / 1000)
            self.asked(request, call, call, answer["tool"], sort, at=at)
            at += answer["took_ms"] / 1000
            self.answered(request, sort, answer["text"], is_error=answer["is_error"], at=at)

    def verdict(self, stack: Stack, save_as: Path | None = None) -> Verdict:
        """Read what journal and org show now, and check it against the recording.

        Call it when everything is settled. The evidence does not become part of the recording, so
        recording can go on. save_as: a file that gets the recording with the evidence.
        """
        settled = list(self._settled(stack))
        steps = [*self.steps, *settled, *self._records(stack, {step.record for step in settled})]
        if save_as:
            write(save_as, steps)
        return check(steps)

    def _settled(self, stack: Stack) -> Iterator[Settled]:
        with redis.Redis.from_url(stack.store.url, decode_responses=True) as client:
            intents = Journal(client).newest(MAX_INTENTS)
        for intent in intents:
            if intent.state in SETTLED:
                receipt = intent.receipt
                yield Settled(
                    at=self._since(self._settled_s(intent)), intent=intent.id,
                    call=intent.call_id, reference=intent.reference, kind=intent.kind,
                    state=intent.state, leases=intent.attempts, reason=intent.reason,
                    record=receipt.record_id if receipt else "",
                    number=(receipt.number or "") if receipt else "",
                )  # fmt: skip

    def _records(self, stack: Stack, receipts: set[str]) -> Iterator[Record]:
        """The records that the service wrote."""
        at = self._now()
        asked = {step.value for step in self.steps if isinstance(step, Asked) and step.value}
        own = [(sobject, "Voice_Reference__c") for sobject in objects_of(stack.agent)]
        for sobject, text in (
            ("Case", "Voice_Reference__c"),
            ("CaseComment", "CommentBody"),
            ("Task", "Description"),
            ("ContentVersion", ""),
            ("Contact", ""),
            *own,
        ):
            for fields in stack.org.records(sobject):
                step = _record(at, sobject, fields, text, asked)
                if step.record in receipts or step.key or step.reference or step.call:
                    yield step

    def _add(self, step: Step) -> None:
        with self._lock:
            self.steps.append(step)

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 6)

    def _since(self, epoch_s: float) -> float:
        return round(epoch_s - self._began_epoch_s, 6)


def _value(arguments: dict[str, Any]) -> str:
    changed = [value for value in arguments.values() if str(value).startswith(CHANGED)]
    return digest(changed[0]) if changed else ""


def _shown(text: str, sort: str) -> tuple[str, ...]:
    if sort != STATUS:
        return ()
    numbers = [number.lstrip("0") for number in CASE_NUMBER.findall(text)]
    return (*REFERENCE.findall(text), *numbers)


def _record(at: float, sobject: str, fields: dict[str, Any], text: str, asked: set[str]) -> Record:
    call = fields.get("CallObject") or ""
    written = None if call else WRITTEN_REFERENCE.findall(fields.get(text) or "")
    values = {
        digest(value)
        for value in fields.values()
        if isinstance(value, str) and value.startswith(CHANGED)
    }
    return Record(
        at=at, sobject=sobject, record=fields["Id"], key=(fields.get("Call_Key__c") or "").lower(),
        reference=written[-1] if written else "", call=call, values=tuple(sorted(values & asked)),
    )  # fmt: skip
