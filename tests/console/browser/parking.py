"""Calls and writes for the console's tests in a browser, parked by the worker as in real life."""

import time
import uuid
from typing import Any

import requests

from demo.processes import wait_until
from demo.stack import SECRET, Stack
from shared.journal.journal import Journal
from simulator.vapi.wire import Call, as_bytes, proof
from tests.console.writing import NUMBER, REFUSED, accept

WAIT_S = 60.0
CASE = {"issueType": "billing", "description": "My last invoice is wrong.", "onExisting": "new"}


def new_call() -> Call:
    return Call(str(uuid.uuid4()), NUMBER, int(time.time() * 1000))


def send(stack: Stack, message: dict[str, Any]) -> None:
    body = as_bytes(message)
    answer = requests.post(
        stack.webhook, data=body, headers=proof(body, SECRET, "hmac"), timeout=10
    )
    assert answer.status_code == 200


def park_case(stack: Stack, journal: Journal, call: Call) -> None:
    """The call asks for a case that a rule of the org refuses. The rule stays."""
    stack.org.fault(**REFUSED)
    send(stack, call.tool_calls(("call_of_the_case", "createSalesforceCase", CASE)))
    wait_until(lambda: journal.counts()["parked"] == 1, for_s=WAIT_S, what="the parked case")


def park_group(stack: Stack, journal: Journal, count: int) -> None:
    """Cases that a rule of the org refuses. The rule is gone afterwards."""
    stack.org.fault(**REFUSED)
    for _ in range(count):
        accept(journal)
    wait_until(lambda: journal.counts()["parked"] == count, for_s=WAIT_S, what="the parked cases")
    stack.org.fault()
