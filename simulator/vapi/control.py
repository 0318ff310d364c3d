"""Vapi's live call control (docs/vendors.md V11), and the commands that were posted to it.

`POST /{call}/control` accepts a command and refuses an unknown one.
`GET /_vapi/control` lists the commands, oldest first, as `{"call": ..., "command": {...}}`;
`DELETE /_vapi/control` deletes them.
"""

from typing import Any

from aiohttp import web

from simulator.vapi.call_list import add_call_list
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
"""Command → its required fields (SDK ClientInboundMessage*, docs call-features)."""


def control_app(base: str = "", twilio: str = "") -> web.Application:
    """base: this server's address. twilio: the address that numbers are imported from, or ""."""
    posted: list[dict[str, Any]] = []

    async def post_command(request: web.Request) -> web.Response:
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

    async def list_commands(_: web.Request) -> web.Response:
        return web.json_response(posted)

    async def delete_commands(_: web.Request) -> web.Response:
        posted.clear()
        return web.json_response({})

    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_get("/_vapi/control", list_commands)
    app.router.add_delete("/_vapi/control", delete_commands)
    app.router.add_post("/{call}/control", post_command)
    add_call_list(app)
    add_rest(app, base, twilio)
    return app


def serve(port: int, twilio: str = "") -> None:
    """Serve until SIGTERM or Ctrl-C; prints the address once it listens."""
    base = f"http://127.0.0.1:{port}"
    web.run_app(
        control_app(base, twilio),
        host="127.0.0.1",
        port=port,
        print=lambda *_: print(f"vapi: ready on {base}", flush=True),
    )
