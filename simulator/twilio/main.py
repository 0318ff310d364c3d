"""`python -m simulator twilio --port N`: the part of Twilio's REST API that the service uses.

It has one account with two numbers and a Verify service, and prints them when it is ready. All of
Twilio's hosts are one here. `PUT /_twilio/account` and `PUT /_twilio/number` change fields as a
person does in Twilio's console; `GET /_twilio/phones` lists what phones got, `DELETE
/_twilio/codes` lets all codes expire, `PUT /_twilio/faults` makes faults, and `DELETE /_twilio`
restores everything.
"""

import argparse
import base64
from typing import Any

from aiohttp import web

from simulator.twilio.account import NUMBER, SID, TOKEN, Account
from simulator.twilio.answers import refused
from simulator.twilio.faults import Faults
from simulator.twilio.messages import Messages
from simulator.twilio.phones import Phones
from simulator.twilio.verify import SERVICE, Verify


def twilio_app() -> web.Application:
    account, faults, phones = Account(), Faults(), Phones()
    verify = Verify(faults, phones)

    @web.middleware
    async def authentic(request: web.Request, handler: Any) -> web.StreamResponse:
        wanted = base64.b64encode(f"{SID}:{account.account['auth_token']}".encode()).decode()
        given = request.headers.get("Authorization", "")
        if not request.path.startswith("/_twilio") and given != f"Basic {wanted}":
            return refused(401, 20003, "Authenticate")
        answered: web.StreamResponse = await handler(request)
        return answered

    async def reset(_: web.Request) -> web.Response:
        for part in (account, faults, phones, verify):
            part.reset()
        return web.json_response({})

    app = web.Application(middlewares=[authentic])
    account.add_routes(app.router)
    verify.add_routes(app.router)
    Messages(account, faults, phones).add_routes(app.router)
    app.router.add_get("/_twilio/phones", phones.show)
    app.router.add_put("/_twilio/faults", faults.change)
    app.router.add_delete("/_twilio", reset)
    return app


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C; prints the address once it listens."""
    parser = argparse.ArgumentParser(prog="python -m simulator twilio", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args(argv).port
    web.run_app(
        twilio_app(),
        host="127.0.0.1",
        port=port,
        print=lambda *_: print(
            f"twilio: ready on http://127.0.0.1:{port}, account {SID}, token {TOKEN}, "
            f"number {NUMBER}, Verify service {SERVICE}",
            flush=True,
        ),
    )
    return 0
