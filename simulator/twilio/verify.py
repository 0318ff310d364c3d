"""Verify v2: one service that sends codes and checks them.

Shapes: API reference, Verification and VerificationCheck. The same number gets the same code while
it is valid, ten minutes ("Rate limits and timeouts"); five messages and five checks of each
(errors 60203 and 60202). What is approved, or used up, is found no more (404).
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.twilio.account import SID
from simulator.twilio.answers import refused
from simulator.twilio.faults import Faults
from simulator.twilio.phones import E164, Phones

SERVICE = f"VA{1:032d}"
PATH = f"/v2/Services/{SERVICE}"
VALID_S = 600
MAX_SENT = MAX_CHECKED = 5


@dataclass
class _Verification:
    sid: str
    to: str
    code: str
    until: float
    sent: int = 0
    checked: int = 0

    def as_json(self, status: str = "pending") -> dict[str, Any]:
        return {
            "sid": self.sid, "service_sid": SERVICE, "account_sid": SID, "to": self.to,
            "channel": "sms", "status": status, "valid": status == "approved",
            "lookup": {}, "amount": None, "payee": None, "send_code_attempts": [],
        }  # fmt: skip


class Verify:
    def __init__(self, faults: Faults, phones: Phones) -> None:
        self._faults = faults
        self._phones = phones
        self._pending: dict[str, _Verification] = {}

    def reset(self) -> None:
        self._pending.clear()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(PATH, self._show)
        router.add_post(f"{PATH}/Verifications", self._start)
        router.add_post(f"{PATH}/VerificationCheck", self._check)
        router.add_delete("/_twilio/codes", self._expire)

    async def _show(self, _: web.Request) -> web.Response:
        shown = {"sid": SERVICE, "account_sid": SID, "friendly_name": "Acme", "code_length": 6}
        return web.json_response(shown)

    async def _start(self, request: web.Request) -> web.Response:
        if refusal := await self._faults.before():
            return refusal
        form = await request.post()
        to = str(form.get("To", ""))
        if not E164.fullmatch(to) or form.get("Channel") != "sms":
            return refused(400, 60200, "Invalid parameter")
        found = self._of(to)
        if found is None:
            code, until = f"{secrets.randbelow(1_000_000):06d}", time.monotonic() + VALID_S
            found = _Verification(f"VE{secrets.token_hex(16)}", to, code, until)
            self._pending[found.sid] = found
        if found.sent == MAX_SENT:
            return refused(429, 60203, "Max send attempts reached")
        found.sent += 1
        self._phones.get(to, code=found.code)
        self._faults.after(request)
        return web.json_response(found.as_json(), status=201)

    async def _check(self, request: web.Request) -> web.Response:
        if refusal := await self._faults.before():
            return refusal
        form = await request.post()
        sid = str(form.get("VerificationSid", ""))
        found = self._pending.get(sid) or self._of(str(form.get("To", "")))
        if found is None or found.until < time.monotonic():
            return refused(404, 20404, f"The requested resource {request.path} was not found")
        if found.checked == MAX_CHECKED:
            return refused(429, 60202, "Max check attempts reached")
        found.checked += 1
        is_right = form.get("Code") == found.code
        if is_right:
            del self._pending[found.sid]
        self._faults.after(request)
        return web.json_response(found.as_json("approved" if is_right else "pending"))

    async def _expire(self, _: web.Request) -> web.Response:
        self.reset()
        return web.json_response({})

    def _of(self, to: str) -> _Verification | None:
        pending = (it for it in self._pending.values() if it.to == to)
        return next((it for it in pending if it.until >= time.monotonic()), None)
