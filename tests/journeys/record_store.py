"""Records what this version accepts: `.venv-dev/bin/python -m tests.journeys.record_store`.

Runs the web process without a worker, lets seeded customers of the local org ask for every kind of
write, and writes `stores/<version>.json`. CONTRIBUTING.md says when.
"""

import hashlib
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import redis
import requests

from demo.stack import OURS, ROOT, SECRET, Stack
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from simulator.vapi.wire import Call, as_bytes, proof
from tests.accounting import unaccounted
from tests.calling import reference_in
from tests.journeys.recording import Answered, Expected, Recording, dump

WINDOW_MS = 8_000
"""Long enough that the first requests can be amended and the last one is recorded as held."""

JANE, LUIS, AISHA, TOM, MEI, ROBERT = (f"+1415555010{last}" for last in (1, 3, 4, 5, 8, 9))
NOBODY, COLLEAGUE = "+14155559999", "+14155550190"
CASE_OF_LUIS, REFERENCE_OF_LUIS = "00001005", "V2C 7QK"
CONTACT_OF_JANE = "003Dn0000000001IAA"
TOO_LONG = 700
"""So many times the same utterance do not fit into a Task, so the transcript becomes a file."""

KINDS = frozenset(Kind) - {Kind.TASK_LINK, Kind.CHANGE_ALERT}
"""Links and alerts are made by a worker, and only while it delivers."""


class Recorder:
    """Plays calls, and collects what was answered and what Salesforce must have in the end."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.answered: list[Answered] = []
        self.expected: list[Expected] = []
        self._asked = 0

    def call(self, name: str, caller: str) -> Call:
        call = Call(id=f"recorded-{name}", caller=caller, started_ms=int(time.time() * 1000))
        self._post(call.status("in-progress"))
        return call

    def ask(self, call: Call, tool: str, **arguments: str) -> str:
        """The sentence that the agent gets."""
        self._asked += 1
        id_ = f"tool-{self._asked}"
        answer = self._post(call.tool_calls((id_, tool, arguments)))
        self.answered.append(Answered(call.id, call.caller, id_, tool, arguments, answer))
        said = answer["results"][0]
        return str(said.get("result") or f"refused: {said['error']}")

    def transfer(self, call: Call) -> None:
        self._post(call.envelope("transfer-destination-request"))

    def end(self, call: Call, summary: str) -> str:
        """The transcript of the whole call."""
        report = call.report("customer-ended-call", summary)
        self._post(report)
        self.expects("Task", CallObject=call.id, TaskSubtype="Call", Description=summary)
        transcript: str = report["message"]["artifact"]["transcript"]
        return transcript

    def expects(self, sobject: str, *, is_new: bool = True, **fields: Any) -> None:
        self.expected.append(Expected(sobject, fields, is_new))

    def _post(self, message: dict[str, Any]) -> dict[str, Any]:
        return post(self.stack.webhook, message)


def post(url: str, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a signed message."""
    body = as_bytes(message)
    headers = {"Content-Type": "application/json", **proof(body, SECRET, "hmac")}
    answer = requests.post(url, data=body, headers=headers, timeout=30)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def play(on: Recorder) -> None:
    """One request of each kind at least: amended, cancelled, due, and last a held one."""
    case = {"issueType": "billing", "onExisting": "new"}

    amended = on.call("amended", ROBERT)
    said = on.ask(amended, "createSalesforceCase", description="The invoyce is wrong", **case)
    reference = reference_in(said)
    on.ask(amended, "createSalesforceCase", description="Is wrong", replaces=reference, **case)
    on.expects("Case", Voice_Reference__c=reference, Description="Is wrong", SuppliedPhone=ROBERT)

    taken_back = on.call("taken-back", AISHA)
    on.ask(taken_back, "createSalesforceCase", description="By mistake", **case)
    on.ask(taken_back, "cancelCase")
    on.end(taken_back, "Took the request back.")

    whole = on.call("whole", JANE)
    on.ask(whole, "lookupCustomer")
    said = on.ask(whole, "createSalesforceCase", description="Billed twice", **case)
    on.expects(
        "Case",
        Voice_Reference__c=reference_in(said),
        Description="Billed twice",
        Type="Billing",
        ContactId=CONTACT_OF_JANE,
    )
    on.ask(whole, "addCaseComment", comment="It was the same in September")
    on.expects("CaseComment", CommentBody="It was the same in September")
    whole.messages += [
        {"role": "user", "message": f"Utterance {nth} of a long call, for the file.", "time": 0}
        for nth in range(TOO_LONG)
    ]
    transcript = on.end(whole, "Was billed twice.")
    on.expects("CaseComment", CommentBody="Was billed twice.")
    on.expects(
        "ContentVersion",
        PathOnClient=whole.id,
        Checksum=hashlib.md5(transcript.encode(), usedforsecurity=False).hexdigest(),
    )

    closing = on.call("closing", LUIS)
    on.ask(closing, "addCaseComment", comment="Is paid by now", caseNumber=CASE_OF_LUIS)
    on.expects("CaseComment", CommentBody="Is paid by now")
    on.ask(closing, "cancelCase", reference=REFERENCE_OF_LUIS, reason="found the letter")
    on.expects("Case", is_new=False, CaseNumber=CASE_OF_LUIS, IsClosed=True)
    on.expects("CaseComment", CommentBody="found the letter")
    on.end(closing, "Closed the case.")
    on.expects("CaseComment", CommentBody="Closed the case.")

    moved = on.call("moved", TOM)
    address = {"MailingStreet": "99 Harbor Street", "MobilePhone": "+14155550177"}
    on.ask(
        moved,
        "updateContact",
        mailingStreet=address["MailingStreet"],
        mobilePhone=address["MobilePhone"],
    )
    on.expects("Contact", is_new=False, LastName="O'Brien", **address)
    on.ask(moved, "requestCallback", when="tomorrow at nine", reason="Wants to pay by card")
    on.expects(
        "Task",
        Subject=f"Call back {TOM}",
        Description="tomorrow at nine\nWhy: Wants to pay",
    )
    on.end(moved, "Moved house.")

    unknown = on.call("unknown", NOBODY)
    said = on.ask(unknown, "createSalesforceCase", description="Nobody knows me", **case)
    on.expects(
        "Case",
        Voice_Reference__c=reference_in(said),
        Description="Nobody knows me",
        ContactId=None,
    )
    on.end(unknown, "A caller without a contact.")
    on.expects("CaseComment", CommentBody="A caller without a contact.")

    passed_on = on.call("passed-on", MEI)
    said = on.ask(passed_on, "createSalesforceCase", description="The oven is cold", **case)
    on.expects("Case", Voice_Reference__c=reference_in(said), Description="The oven is cold")
    on.transfer(passed_on)  # what was held is due, and a wake-up is on its way
    on.expects("CaseComment", CommentBody="The call is being transferred to a colleague")
    on.end(passed_on, "Talked to a colleague.")
    on.expects("CaseComment", CommentBody="Talked to a colleague.")

    held = on.call("held", JANE)
    on.ask(held, "requestCallback", when="on Friday", reason="Is still on the line")
    on.expects("Task", Subject=f"Call back {JANE}", Description="Is still on the line")


def record(folder: Path) -> Recording:
    extra = {"COMMIT_WINDOW_MS": str(WINDOW_MS), "FALLBACK_PHONE_NUMBER": COLLEAGUE}
    with Stack(folder, ("web",), extra, programs=OURS) as stack:
        (case,) = (
            record for record in stack.org.records("Case") if record["CaseNumber"] == CASE_OF_LUIS
        )
        stack.org.edit("Case", case["Id"], Voice_Reference__c=REFERENCE_OF_LUIS)
        on = Recorder(stack)
        play(on)
        with redis.Redis.from_url(stack.store.url, decode_responses=True) as store:
            check(store)
            recorded_at_ms = Journal(store).now_ms()
            keys = dump(store, stack.org.url)
    return Recording(version(), recorded_at_ms, on.answered, on.expected, keys)


def check(store: redis.Redis) -> None:
    """That the recording has what it is for."""
    intents = Journal(store).newest(1000)
    assert unaccounted(store) == []
    assert {intent.kind for intent in intents} == KINDS
    assert {intent.state for intent in intents} >= {State.HELD, State.DUE, State.CANCELLED}
    assert any(kind.held for kind in Journal(store).summary().kinds.values())


def version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: str = project["project"]["version"]
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(record(Path(folder)).write())
