"""Answers in Twilio's shapes (docs, "Twilio's response": errors)."""

from aiohttp import web


def refused(status: int, code: int, message: str) -> web.Response:
    body = {
        "code": code, "message": message, "status": status,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
    }  # fmt: skip
    return web.json_response(body, status=status)
