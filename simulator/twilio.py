"""`python -m simulator twilio --port N`: the part of Twilio's REST API that provisioning uses.

It has one account with two numbers, and prints the account when it is ready. Shapes: Twilio's API
reference, Account and IncomingPhoneNumber. `PUT /_twilio/account` and `PUT /_twilio/number` change
fields as a person does in Twilio's console; `DELETE /_twilio` restores everything.
"""

import argparse
import base64
from typing import Any

from aiohttp import web

SID = f"AC{1:032d}"
TOKEN = "demo-twilio-token"
NUMBER = "+14155550199"
ANOTHER = "+14155550198"
ACCOUNT = f"/2010-04-01/Accounts/{SID}"
CHANGEABLE = {
    "VoiceUrl": "voice_url", "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url", "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback", "StatusCallbackMethod": "status_callback_method",
    "SmsUrl": "sms_url", "SmsMethod": "sms_method", "FriendlyName": "friendly_name",
    "VoiceApplicationSid": "voice_application_sid", "TrunkSid": "trunk_sid",
}  # fmt: skip


def _number(nth: int, number: str) -> dict[str, Any]:
    sid = f"PN{nth:032d}"
    return dict.fromkeys(CHANGEABLE.values()) | {
        "sid": sid, "account_sid": SID, "phone_number": number, "friendly_name": number,
        "voice_url": "https://demo.twilio.com/welcome/voice/", "voice_method": "POST",
        "voice_fallback_url": "", "voice_fallback_method": "POST",
        "status_callback": "", "status_callback_method": "POST",
        "sms_url": "https://demo.twilio.com/welcome/sms/reply", "sms_method": "POST",
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        "status": "in-use", "origin": "twilio", "api_version": "2010-04-01", "beta": False,
        "uri": f"{ACCOUNT}/IncomingPhoneNumbers/{sid}.json",
    }  # fmt: skip


def _world() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    account = {
        "sid": SID, "owner_account_sid": SID, "friendly_name": "Acme", "status": "active",
        "type": "Full", "auth_token": TOKEN, "uri": f"{ACCOUNT}.json",
    }  # fmt: skip
    numbers = [_number(1, ANOTHER), _number(2, NUMBER)]
    return account, {str(number["sid"]): number for number in numbers}


def twilio_app() -> web.Application:
    account, numbers = _world()

    @web.middleware
    async def authentic(request: web.Request, handler: Any) -> web.StreamResponse:
        wanted = base64.b64encode(f"{SID}:{account['auth_token']}".encode()).decode()
        given = request.headers.get("Authorization", "")
        if not request.path.startswith("/_twilio") and given != f"Basic {wanted}":
            return _refused(401, 20003, "Authenticate")
        answered: web.StreamResponse = await handler(request)
        return answered

    async def show_account(_: web.Request) -> web.Response:
        return web.json_response(account)

    async def list_numbers(request: web.Request) -> web.Response:
        part = request.query.get("PhoneNumber", "")
        found = [number for number in numbers.values() if part in number["phone_number"]]
        page = {
            "incoming_phone_numbers": found, "page": 0, "page_size": 50, "start": 0,
            "end": max(0, len(found) - 1), "next_page_uri": None, "previous_page_uri": None,
            "uri": request.path_qs, "first_page_uri": request.path_qs,
        }  # fmt: skip
        return web.json_response(page)

    async def show_number(request: web.Request) -> web.Response:
        number = numbers.get(request.match_info["sid"])
        if number is None:
            return _refused(404, 20404, f"The requested resource {request.path} was not found")
        return web.json_response(number)

    async def change_number(request: web.Request) -> web.Response:
        number = numbers.get(request.match_info["sid"])
        if number is None:
            return _refused(404, 20404, f"The requested resource {request.path} was not found")
        form = {name: str(value) for name, value in (await request.post()).items()}
        for name, value in form.items():
            if name.endswith(("Url", "Callback")) and value and "://" not in value:
                return _refused(400, 21502, f"{name} is not a valid URL: {value}")
            if name in CHANGEABLE:
                number[CHANGEABLE[name]] = value
        return web.json_response(number)

    async def change_by_hand(request: web.Request) -> web.Response:
        resource = account
        if request.match_info["what"] == "number":
            (resource,) = (row for row in numbers.values() if row["phone_number"] == NUMBER)
        resource.update(await request.json())
        return web.json_response(resource)

    async def reset(_: web.Request) -> web.Response:
        first, all_numbers = _world()
        account.update(first)
        numbers.update(all_numbers)
        return web.json_response({})

    app = web.Application(middlewares=[authentic])
    app.router.add_get(f"{ACCOUNT}.json", show_account)
    app.router.add_get(f"{ACCOUNT}/IncomingPhoneNumbers.json", list_numbers)
    app.router.add_get(f"{ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", show_number)
    app.router.add_post(f"{ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", change_number)
    app.router.add_put("/_twilio/{what:account|number}", change_by_hand)
    app.router.add_delete("/_twilio", reset)
    return app


def _refused(status: int, code: int, message: str) -> web.Response:
    body = {
        "code": code, "message": message, "status": status,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
    }  # fmt: skip
    return web.json_response(body, status=status)


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
            f"number {NUMBER}",
            flush=True,
        ),
    )
    return 0
