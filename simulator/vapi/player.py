"""Plays scenarios against a webhook URL and reports the answers."""

import json
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import requests

from simulator.vapi.scenario import Scenario, Step
from simulator.vapi.wire import Call, as_bytes, proof

TOOL_TIMEOUT_S = 20.0
"""Vapi's default for a tool's server (docs/vendors.md V5)."""

EVENT_RETRIES_S = (1.0, 2.0, 4.0)
"""The back-off plan of Vapi's templates. Without a plan Vapi never repeats."""

REFERENCE = re.compile(r"\b[A-HJ-NP-Z2-9]{3} [A-HJ-NP-Z2-9]{3}\b")


@dataclass(frozen=True)
class ToolAnswer:
    """An answer of the webhook to a tool call. kind: "look" or "write". reference: "" for none.
    at_ms: epoch ms of the tool call."""

    call_id: str
    scenario: str
    kind: str
    tool: str
    text: str
    is_error: bool
    reference: str
    at_ms: int
    took_ms: float


@dataclass(frozen=True)
class Webhook:
    url: str
    secret: str = field(repr=False)
    auth: str
    repeats: bool = True
    """Events are posted again, as a back-off plan says. Without a plan Vapi never repeats."""

    def post(
        self, message: dict[str, Any], *, timeout_s: float = TOOL_TIMEOUT_S
    ) -> requests.Response:
        body = as_bytes(message)
        headers = {"Content-Type": "application/json", **proof(body, self.secret, self.auth)}
        return requests.post(self.url, data=body, headers=headers, timeout=timeout_s)

    def post_event(self, message: dict[str, Any]) -> None:
        """Posts an event, and again after a 5xx or a lost connection."""
        for wait_s in (*(EVENT_RETRIES_S if self.repeats else ()), None):
            try:
                status = self.post(message).status_code
            except requests.RequestException:
                status = 599
            if status < 500 or wait_s is None:
                return
            time.sleep(wait_s)


class Player:
    """Plays one call. report: called with each line for the reader."""

    def __init__(
        self,
        webhook: Webhook,
        scenario: Scenario,
        *,
        seed: int,
        nth: int,
        report: Callable[[str], None],
        control_base: str = "",
    ) -> None:
        self._webhook = webhook
        self._scenario = scenario
        self._nth = nth
        self._report = report
        self._random = random.Random(f"{seed}/{scenario.name}/{nth}")
        call_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        self._call = Call(
            id=call_id,
            caller=scenario.caller.replace("{nth4}", f"{nth:04d}"),
            started_ms=int(time.time() * 1000),
            control_url=f"{control_base}/{call_id}/control" if control_base else "",
        )
        self._list_url = f"{control_base}/_vapi/calls/{call_id}" if control_base else ""
        self._reference = ""
        self.answers: list[ToolAnswer] = []
        self.unanswered = 0

    def play(self) -> list[ToolAnswer]:
        call, scenario = self._call, self._scenario
        self._report(f"☎ {scenario.title}: {scenario.caller or 'a withheld number'}")
        self._list()
        self._webhook.post_event(call.status("in-progress"))
        asides: list[threading.Thread] = []
        for step in scenario.steps:
            if step.aside_ms is None:
                _join(asides)
                self._play(step)
            else:
                late_s = self._random.uniform(*step.aside_ms) / 1000
                asides.append(threading.Thread(target=self._play_late, args=(step, late_s)))
                asides[-1].start()
        _join(asides)
        self._list(scenario.reason, scenario.summary)
        self._webhook.post_event(call.status("ended", endedReason=scenario.reason))
        self._webhook.post_event(call.report(scenario.reason, scenario.summary))
        self._report("  call ended")
        return self.answers

    def _list(self, reason: str = "", summary: str = "") -> None:
        """Put the call into the list of `serve`. reason: "" while the call lasts."""
        if self._list_url:
            record = self._call.record(reason, summary)
            requests.put(self._list_url, json=record, timeout=10).raise_for_status()

    def _play_late(self, step: Step, late_s: float) -> None:
        time.sleep(late_s)
        self._play(step)

    def _play(self, step: Step) -> None:
        if isinstance(step.pause_s, list):
            time.sleep(self._random.uniform(*step.pause_s))
        elif step.pause_s:
            time.sleep(step.pause_s)
        elif step.speech:
            self._webhook.post_event(self._call.speech(step.speech))
        elif step.partial:
            self._webhook.post_event(self._call.partial(step.partial))
        elif step.interrupted:
            self._webhook.post_event(self._call.interrupted())
        elif step.caller:
            self._report(f"  caller: {step.caller}")
            self._webhook.post_event(self._call.transcript("user", step.caller))
        elif step.agent:
            self._report(f"  agent: {step.agent}")
            self._webhook.post_event(self._call.transcript("assistant", step.agent))
        else:
            self._ask(step)

    def _ask(self, step: Step) -> None:
        give_up = time.monotonic() + step.for_s
        previous = ""
        while True:
            previous = self._ask_once(step, previous).text
            if not step.until or re.search(step.until, previous):
                return
            if time.monotonic() > give_up:
                self._report(f"  (no answer matched {step.until!r})")
                return
            time.sleep(0.5)

    def _ask_once(self, step: Step, previous: str) -> ToolAnswer:
        """previous: the last answer, which is not reported again; "" the first time."""
        tool = step.look or step.write
        arguments = self._filled(step.arguments if step.arguments is not None else {})
        call_id = f"call_{self._random.getrandbits(96):024x}"
        shown = json.dumps(arguments, ensure_ascii=False) if arguments else ""
        if not previous:
            self._report(f"  tool {tool} {shown}".rstrip())
        self._call.note_tool_call(call_id, tool, arguments)
        at_ms = int(time.time() * 1000)
        started = time.monotonic()
        text, is_error = self._answer(self._call.tool_calls((call_id, tool, arguments)), call_id)
        took_ms = (time.monotonic() - started) * 1000
        self._call.note_result(call_id, tool, text)
        found = REFERENCE.search(text)
        if found and step.write:
            self._reference = found.group()
        if text != previous:
            self._report(f"    {'✗' if is_error else '→'} {text}   [{took_ms:.0f} ms]")
        answer = ToolAnswer(
            call_id=self._call.id,
            scenario=self._scenario.name,
            kind="look" if step.look else "write",
            tool=tool,
            text=text,
            is_error=is_error,
            reference=found.group() if found and step.write else "",
            at_ms=at_ms,
            took_ms=round(took_ms, 1),
        )
        self.answers.append(answer)
        return answer

    def _answer(self, message: dict[str, Any], call_id: str) -> tuple[str, bool]:
        """What the model gets. Vapi matches the id, and ignores every status but 200."""
        try:
            answer = self._webhook.post(message)
            results = answer.json()["results"] if answer.status_code == 200 else []
            why = f"HTTP {answer.status_code}"
        except (requests.RequestException, ValueError, KeyError, TypeError) as trouble:
            results, why = [], type(trouble).__name__
        for result in results:
            if result.get("toolCallId") == call_id:
                text = result.get("result") or result.get("error") or ""
                return str(text), "error" in result
        self.unanswered += 1
        return f"No result returned ({why}).", True

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace("{reference}", self._reference).replace("{nth}", str(self._nth))
            return value.replace("{nth4}", f"{self._nth:04d}")
        if isinstance(value, dict):
            return {name: self._filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        return value


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
    threads.clear()


def as_line(answer: ToolAnswer) -> str:
    return json.dumps(asdict(answer), ensure_ascii=False)
