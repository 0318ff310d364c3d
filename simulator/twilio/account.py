"""The account and its two numbers. Shapes: API reference, Account and IncomingPhoneNumber."""

from typing import Any

from aiohttp import web

from simulator.twilio.answers import refused

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


class Account:
    """One account with two numbers."""

    def __init__(self) -> None:
        self.account: dict[str, Any] = {}
        self.numbers: dict[str, dict[str, Any]] = {}
        self.reset()

    def reset(self) -> None:
        self.account.update({
            "sid": SID, "owner_account_sid": SID, "friendly_name": "Acme", "status": "active",
            "type": "Full", "auth_token": TOKEN, "uri": f"{ACCOUNT}.json",
        })  # fmt: skip
        numbers = [_number(1, ANOTHER), _number(2, NUMBER)]
        self.numbers.update({str(number["sid"]): number for number in numbers})

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(f"{ACCOUNT}.json", self._show)
        router.add_get(f"{ACCOUNT}/IncomingPhoneNumbers.json", self._list_numbers)
        router.add_get(f"{ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", self._show_number)
        router.add_post(f"{ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", self._change_number)
        router.add_put("/_twilio/{what:account|number}", self._change_by_hand)

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(self.account)

    async def _list_numbers(self, request: web.Request) -> web.Response:
        part = request.query.get("PhoneNumber", "")
        found = [number for number in self.numbers.values() if part in number["phone_number"]]
        page = {
            "incoming_phone_numbers": found, "page": 0, "page_size": 50, "start": 0,
            "end": max(0, len(found) - 1), "next_page_uri": None, "previous_page_uri": None,
            "uri": request.path_qs, "first_page_uri": request.path_qs,
        }  # fmt: skip
        return web.json_response(page)

    async def _show_number(self, request: web.Request) -> web.Response:
        number = self.numbers.get(request.match_info["sid"])
        return web.json_response(number) if number else _not_found(request)

    async def _change_number(self, request: web.Request) -> web.Response:
        number = self.numbers.get(request.match_info["sid"])
        if number is None:
            return _not_found(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        for name, value in form.items():
            if name.endswith(("Url", "Callback")) and value and "://" not in value:
                return refused(400, 21502, f"{name} is not a valid URL: {value}")
            if name in CHANGEABLE:
                number[CHANGEABLE[name]] = value
        return web.json_response(number)

    async def _change_by_hand(self, request: web.Request) -> web.Response:
        resource = self.account
        if request.match_info["what"] == "number":
            (resource,) = (it for it in self.numbers.values() if it["phone_number"] == NUMBER)
        resource.update(await request.json())
        return web.json_response(resource)


def _not_found(request: web.Request) -> web.Response:
    return refused(404, 20404, f"The requested resource {request.path} was not found")
