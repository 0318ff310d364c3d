"""Live call control as Vapi offers it (docs/vendors.md V11), and what was posted to it.

`POST /{call}/control` takes a command; an unknown one is refused, never ignored.
`GET /_vapi/control` lists what came, oldest first, as `{"call": ..., "command": {...}}`;
`DELETE /_vapi/control` forgets it.
"""

from typing import Any

from aiohttp import web

from simulator.vapi.rest import add_rest

COMMANDS: dict[str, set[str]] = {
    "say": {"content"},
    "add-message": {"message"},
    "append-context": {"kind", "content"},
    "control": {"control"},
    "end-call": set(),
    "transfer": {"destination"},
    "handoff": {"destination"},
    "send-transport-message": {"message"},
}
"""Command → the fields it can't do without (SDK ClientInboundMessage*, docs call-features)."""


def control_app(base: str = "", twilio: str = "") -> web.Application:
    """base: where this is served; twilio: where numbers are imported from, "" for nowhere."""
    posted: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        try:
            command = await request.json()
        except ValueError:
            return web.json_response({"message": "not JSON"}, status=400)
        kind = command.get("type") if isinstance(command, dict) else None
        if kind not in COMMANDS:
            return web.json_response({"message": f"unknown type {kind!r}"}, status=400)
        if missing := sorted(COMMANDS[kind] - set(command)):
            return web.json_response({"message": f"{', '.join(missing)} missing"}, status=400)
        posted.append({"call": request.match_info["call"], "command": command})
        return web.json_response({"success": True})

    async def describe(_: web.Request) -> web.Response:
        return web.json_response(posted)

    async def purge(_: web.Request) -> web.Response:
        posted.clear()
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/_vapi/control", describe)
    app.router.add_delete("/_vapi/control", purge)
    app.router.add_post("/{call}/control", take)
    add_rest(app, base, twilio)
    return app


def serve(port: int, twilio: str = "") -> None:
    """Until SIGTERM or Ctrl-C; prints where once it listens."""
    base = f"http://127.0.0.1:{port}"
    web.run_app(
        control_app(base, twilio),
        host="127.0.0.1",
        port=port,
        print=lambda *_: print(f"vapi: ready on {base}", flush=True),
    )
