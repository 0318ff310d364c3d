"""Vapi's list of calls, as its OpenAPI description has it (CallController_findAll, findOne).

`GET /call` takes id, assistantId, phoneNumberId, limit (100 unless given, at most 1000), and
createdAt and updatedAt with Gt, Ge, Lt and Le. It answers a plain list. The description does not
name an order; newest first is what Vapi's support says (t/27100877).

`PUT /_vapi/calls/{id}` puts a call into the list (`simulator vapi play --control` does),
`DELETE /_vapi/calls` empties it and clears the faults. `PUT /_vapi/calls` sets faults:
`{"status": 429, "times": 2, "retry_after": 1}` refuses that many requests, `{"lag_s": 5}` hides a
call for so long after its last change, `{"order": "ascending"}` lists the oldest first.
"""

import time
from collections.abc import Callable
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any

from aiohttp import web

from simulator.vapi.rest import KEY, bad_request

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"Gt": gt, "Ge": ge, "Lt": lt, "Le": le}
PARAMETERS = {"limit", "id", "assistantId", "phoneNumberId"} | {
    f"{field}{comparison}" for field in ("createdAt", "updatedAt") for comparison in COMPARISONS
}


def add_call_list(app: web.Application) -> None:
    """Add the routes."""
    calls: dict[str, tuple[float, dict[str, Any]]] = {}
    faults: dict[str, Any] = {}

    def check(request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise web.HTTPUnauthorized(text='{"message": "Invalid Key.", "statusCode": 401}')
        if faults.get("times", 0) > 0:
            faults["times"] -= 1
            after = str(faults.get("retry_after", ""))
            raise _refusal(int(faults["status"]), {"Retry-After": after} if after else {})

    def visible() -> list[dict[str, Any]]:
        since = time.monotonic() - float(faults.get("lag_s", 0))
        return [record for changed, record in calls.values() if changed <= since]

    async def list_calls(request: web.Request) -> web.Response:
        check(request)
        query = request.query
        if unknown := sorted(set(query) - PARAMETERS):
            raise bad_request([f"property {name} should not exist" for name in unknown])
        limit = int(query.get("limit", DEFAULT_LIMIT))
        if not 0 <= limit <= MAX_LIMIT:
            raise bad_request([f"limit must not be greater than {MAX_LIMIT}"])
        found = [record for record in visible() if _fits(record, dict(query))]
        newest_first = faults.get("order") != "ascending"
        found.sort(key=lambda record: _at(record["createdAt"]), reverse=newest_first)
        return web.json_response(found[:limit])

    async def show(request: web.Request) -> web.Response:
        check(request)
        for record in visible():
            if record["id"] == request.match_info["id"]:
                return web.json_response(record)
        raise web.HTTPNotFound(
            text='{"message": "Not found", "statusCode": 404}', content_type="application/json"
        )

    async def put(request: web.Request) -> web.Response:
        calls[request.match_info["id"]] = (time.monotonic(), await request.json())
        return web.json_response({})

    async def set_faults(request: web.Request) -> web.Response:
        faults.clear()
        faults.update(await request.json())
        return web.json_response({})

    async def empty(_: web.Request) -> web.Response:
        calls.clear()
        faults.clear()
        return web.json_response({})

    app.router.add_get("/call", list_calls)
    app.router.add_get("/call/{id}", show)
    app.router.add_put("/_vapi/calls/{id}", put)
    app.router.add_put("/_vapi/calls", set_faults)
    app.router.add_delete("/_vapi/calls", empty)


def _fits(record: dict[str, Any], query: dict[str, str]) -> bool:
    for name, wanted in query.items():
        field, comparison = name[:-2], COMPARISONS.get(name[-2:])
        if name != "limit" and comparison is None and record.get(name) != wanted:
            return False
        if comparison and not comparison(_at(record[field]), _at(wanted)):
            return False
    return True


def _at(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise bad_request([f"{text} must be a valid ISO 8601 date string"]) from None


def _refusal(status: int, headers: dict[str, str]) -> web.HTTPException:
    class Refusal(web.HTTPException):
        status_code = status

    return Refusal(headers=headers, text='{"message": "Too Many Requests"}')
