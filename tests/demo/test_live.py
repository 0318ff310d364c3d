"""A live call and its client, against a server that behaves as badly as a dying webhook."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from demo import live
from demo.client import Client, UnansweredError
from demo.history.recording import Recording
from demo.history.steps import REPORT, WRITE, Accepted, Answered, Asked
from demo.live import Events, LiveCall

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Webhook:
    """Answers each request with the next of `answers`, and the last again and again."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.messages: list[dict[str, Any]] = []
        self.connections = 0
        self.serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.append(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.messages.append(json.loads(await reader.readexactly(length))["message"])
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def says(status: int, **body: Any) -> Answer:
    """In three parts, as a network may cut it."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        payload = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} Any\r\nServer: any\r\nContent-Length: {len(payload)}\r\n\r\n"
        whole = head.encode() + payload
        for part in (whole[:12], whole[12:-2], whole[-2:]):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


async def dies(writer: asyncio.StreamWriter) -> None:
    writer.close()
    raise ConnectionError


def result(**own: str) -> Answer:
    return says(200, results=[{"toolCallId": "any", **own}])


@asynccontextmanager
async def calling(webhook: Webhook) -> AsyncIterator[tuple[Client, LiveCall, Recording, Events]]:
    server = await asyncio.start_server(webhook.serve, "127.0.0.1", 0)
    client = Client(server.sockets[0].getsockname()[1], "/webhook/vapi", "any secret")
    recording, events = Recording(), Events()
    try:
        yield client, LiveCall(client, recording, events, "+14155550101", 5), recording, events
    finally:
        await client.close()
        server.close()
        await asyncio.gather(*filter(None, webhook.serving))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AGAIN_S", 0.0)


def test_a_request_is_delivered_again_until_it_has_a_result() -> None:
    refused = result(error="I can't be sure that this was saved.")
    webhook = Webhook(dies, says(503), refused, result(result="Its reference is K7M 2QX."))

    async def play() -> list[type]:
        async with calling(webhook) as (_, call, recording, _):
            said = await call.ask("createSalesforceCase", WRITE, {"description": "any"})
            assert said == "Its reference is K7M 2QX."
            return [type(step) for step in recording.steps]

    assert asyncio.run(play()) == [Asked, Asked, Asked, Answered, Asked, Accepted]
    ids = {message["toolCallList"][0]["id"] for message in webhook.messages}
    assert (len(webhook.messages), len(ids)) == (4, 1)


def test_a_request_that_is_never_answered_is_given_up_and_promises_nothing() -> None:
    async def play() -> list[type]:
        async with calling(Webhook(dies)) as (_, call, recording, _):
            assert await call.ask("createSalesforceCase", WRITE, {}) == ""
            return [type(step) for step in recording.steps]

    assert asyncio.run(play()) == [Asked] * 5


def test_a_report_is_delivered_again_until_it_is_acknowledged() -> None:
    webhook = Webhook(says(503), dies, says(200))

    async def play() -> list[type]:
        async with calling(webhook) as (_, call, recording, _):
            await call.end("any", more="any")
            assert all(step.sort == REPORT for step in recording.steps if isinstance(step, Asked))
            return [type(step) for step in recording.steps]

    assert asyncio.run(play()) == [Asked, Asked, Asked, Answered]
    assert webhook.messages[0]["artifact"]["more"] == "any"


def test_events_are_delivered_once_and_those_without_an_answer_are_counted() -> None:
    async def play() -> tuple[int, int]:
        async with calling(Webhook(says(200), says(503), dies, says(200))) as (_, call, _, events):
            for _nth in range(4):
                await call.event(call.vapi.speech("started"))
            return len(events.took_ms), events.unanswered

    assert asyncio.run(play()) == (2, 2)


def test_a_connection_is_used_again_while_it_lasts() -> None:
    webhook = Webhook(says(200), says(200), dies, says(200))

    async def play() -> None:
        async with calling(webhook) as (client, _, _, _):
            assert await client.post({"message": {}}) == (200, {})
            assert await client.post({"message": {}}) == (200, {})
            assert webhook.connections == 1
            with pytest.raises(UnansweredError):
                await client.post({"message": {}})
            assert await client.post({"message": {}}) == (200, {})

    asyncio.run(play())
    assert webhook.connections == 2
