"""Servers that exist only in this process, to test the judge: what they answer is given."""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.hostile.attack.interface import OBJECTS
from tests.hostile.attack.wire import Reply, Sent

TOLERANCE_S = 300.0

Answer = Callable[[dict[str, Any]], str]


class StubServer:
    """answer: the body for a message. It keeps an org of its own, in which nothing happens."""

    secret = "a-secret-of-sixteen"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.org: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in OBJECTS}
        self.logged, self.shown = "", ""
        self.written: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.delivers: Callable[[], None] = lambda: None
        self._numbers = itertools.count(1001)

    def post(self, sent: Sent) -> Reply:
        if not is_authentic(sent, self.secret):
            return Reply(401, "")
        message = json.loads(sent.body)["message"]
        self.messages.append(message)
        return Reply(200, self.answer(message))

    def records(self, sobject: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.org[sobject].values()]

    def create(self, sobject: str, rows: list[dict[str, Any]]) -> list[str]:
        created = []
        for row in rows:
            number = next(self._numbers)
            id_ = f"{sobject}-{number}"
            numbered = {"CaseNumber": f"{number:08}"} if sobject == "Case" else {}
            self.org[sobject][id_] = {"Id": id_, **numbered, **row}
            created.append(id_)
        return created

    def edit(self, sobject: str, record_id: str, **fields: Any) -> None:
        self.org[sobject][record_id] |= fields

    def enroll(self, contact_id: str, pin: str) -> bool:
        return True

    def settle(self) -> None:
        self.delivers()

    def logs(self) -> Mapping[str, str]:
        return {"web": self.logged}

    def stored(self) -> Iterator[str]:
        yield from self.written

    def pages(self) -> Mapping[str, str]:
        return {"/metrics": self.shown}


def is_authentic(sent: Sent, secret: str) -> bool:
    at_ms = sent.headers.get("x-timestamp", "0")
    digest = hmac.new(secret.encode(), at_ms.encode() + b"." + sent.body, hashlib.sha256)
    is_signed = sent.headers.get("x-signature") == digest.hexdigest()
    return is_signed and abs(time.time() - int(at_ms) / 1000) < TOLERANCE_S


def results(message: dict[str, Any], text: str) -> str:
    """Every tool call of a message is answered with this text."""
    calls = message.get("toolCallList", [])
    return json.dumps({"results": [{"toolCallId": call["id"], "result": text} for call in calls]})


def refuses(message: dict[str, Any]) -> str:
    """Gives nothing to anybody."""
    return results(message, "I can't do that.") if message["type"] == "tool-calls" else "{}"
