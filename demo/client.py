"""An HTTP client for thousands of small requests a second: one process, connections stay open.

It shares the machine with what it measures, so it does what the webhook's answers need and nothing
more: HTTP/1.1, a known length, one request at a time on a connection.
"""

import asyncio
import json
import re
from typing import Any

from simulator.vapi.wire import as_bytes, proof

TIMEOUT_S = 20.0
"""Vapi's default for a tool's server (docs/vendors.md V5)."""

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class UnansweredError(Exception):
    """The request got no answer: no connection, a lost one, or none within TIMEOUT_S."""


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    async def send(self, request: bytes) -> tuple[int, bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        if not self._transport or not self.is_open:
            raise UnansweredError
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if found else None
        if not found or (length and len(body) < int(length[1])):
            return
        self._received = b""
        if CLOSES.search(head):
            self.close()
        if self._answer and not self._answer.done():
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, _trouble: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(UnansweredError())


class Client:
    """Posts messages to the webhook, signed as Vapi signs them. A connection that is free serves
    the next message."""

    def __init__(self, port: int, path: str, secret: str) -> None:
        self._port = port
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._secret = secret
        self._free: list[_Connection] = []

    async def post(self, message: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON of the answer. Raises UnansweredError."""
        body = as_bytes(message)
        headers = "".join(
            f"\r\n{name}: {value}" for name, value in proof(body, self._secret, "hmac").items()
        )
        request = f"{self._head}{len(body)}{headers}\r\n\r\n".encode() + body
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                connection = await self._connection()
                status, answer = await connection.send(request)
        except (TimeoutError, OSError, UnansweredError):
            if connection:
                connection.close()
            raise UnansweredError from None
        if connection.is_open:
            self._free.append(connection)
        try:
            return status, json.loads(answer) if answer else None
        except ValueError:
            return status, None

    async def _connection(self) -> _Connection:
        while self._free:
            if (free := self._free.pop()).is_open:
                return free
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
        return connection

    async def close(self) -> None:
        """Close the connections that are free."""
        for connection in self._free:
            connection.close()
        self._free.clear()
        await asyncio.sleep(0)  # a connection closes in the loop's next round
