"""Text messages from a number of the account. Shape: API reference, Message."""

import secrets

from aiohttp import web

from simulator.twilio.account import ACCOUNT, SID, Account
from simulator.twilio.answers import refused
from simulator.twilio.faults import Faults
from simulator.twilio.phones import E164, Phones

MAX_LENGTH = 1_600
"""Characters of a message (error 21617)."""


class Messages:
    def __init__(self, account: Account, faults: Faults, phones: Phones) -> None:
        self._account = account
        self._faults = faults
        self._phones = phones

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"{ACCOUNT}/Messages.json", self._send)

    async def _send(self, request: web.Request) -> web.Response:
        if refusal := await self._faults.before():
            return refusal
        form = {name: str(value) for name, value in (await request.post()).items()}
        to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        if not E164.fullmatch(to):
            return refused(400, 21211, "The 'To' number is not a valid phone number")
        if sender not in {number["phone_number"] for number in self._account.numbers.values()}:
            return refused(400, 21606, "The 'From' number is not a message-capable number of yours")
        if not 0 < len(body) <= MAX_LENGTH:
            return refused(400, 21617 if body else 21602, "The 'Body' can't be sent")
        sid = f"SM{secrets.token_hex(16)}"
        self._phones.get(to, text=body)
        self._faults.after(request)
        sent = {
            "sid": sid, "account_sid": SID, "to": to, "from": sender, "body": body,
            "status": "queued", "error_code": None, "error_message": None, "num_segments": "1",
            "direction": "outbound-api", "uri": f"{ACCOUNT}/Messages/{sid}.json",
        }  # fmt: skip
        return web.json_response(sent, status=201)
