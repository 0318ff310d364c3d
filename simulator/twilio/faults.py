"""Faults of Verify and of text messages: `PUT /_twilio/faults`.

seconds: how long an answer takes. status, code: refuses every request so. lose_answer: does what
was asked and closes the connection without an answer. `{}` heals.
"""

import asyncio
from typing import Any

from aiohttp import web

from simulator.twilio.answers import refused

KNOWN: dict[str, tuple[type, ...]] = {
    "seconds": (int, float),
    "status": (int,),
    "code": (int,),
    "lose_answer": (bool,),
}


class Faults:
    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def reset(self) -> None:
        self.given = {}

    async def change(self, request: web.Request) -> web.Response:
        given = await request.json()
        wrong = [
            name
            for name, value in given.items()
            if name not in KNOWN or not isinstance(value, KNOWN[name])
        ]
        if wrong:
            return web.json_response({"unknown": wrong}, status=400)
        self.given = given
        return web.json_response(given)

    async def before(self) -> web.Response | None:
        """The refusal in place of an answer; None where the request is served."""
        await asyncio.sleep(self.given.get("seconds", 0))
        if status := self.given.get("status"):
            return refused(status, self.given.get("code", 20001), "As asked for")
        return None

    def after(self, request: web.Request) -> None:
        if self.given.get("lose_answer") and request.transport:
            request.transport.abort()
