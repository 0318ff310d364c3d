"""What phones got: every text message, with the number that it went to."""

import re
from typing import Any

from aiohttp import web

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Phones:
    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []

    def reset(self) -> None:
        self.got.clear()

    def get(self, to: str, **message: Any) -> None:
        self.got.append({"to": to, **message})

    async def show(self, _: web.Request) -> web.Response:
        return web.json_response(self.got)
