"""Vapi's list of calls, read in windows of time, the oldest first.

The list has no pages and no documented order, so a window that is full is read again in halves. It
may lag behind. It is for reconciliation, never for a live call (docs/vendors.md V36).
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import requests

from shared.errors import ServiceError
from shared.settings import VapiSettings
from shared.vapi.call_records import CallRecord
from shared.vapi.json_text import read_json
from shared.vapi.values import as_iso, as_object, as_objects

TIMEOUT_S = (3.05, 30.0)
LIMIT, MAX_LIMIT = 100, 1000
"""Calls in an answer: what Vapi lists unless asked, and its maximum (OpenAPI)."""

MAX_BYTES = 64 * 1024 * 1024
"""Of an answer. A call of twelve hours has some 2 MB; a larger answer counts as a full window."""

TRIES = 5
MAX_WAIT_S = 30.0
"""A request is tried so often, with exponential back-off and jitter between the tries."""

FIRST_WIDTH_MS, MIN_WIDTH_MS, MAX_WIDTH_MS = 3_600_000, 1_000, 24 * 3_600_000
"""Of a window."""


class CallListError(ServiceError):
    """Vapi's list can't be read. The text says why, with no secret and no data of a call.

    code: "not_reached", "http_429" and so on, "not_json", or "too_many_calls".
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code: Final = code


@dataclass(frozen=True)
class Window:
    """The calls that were created from start_ms on and before end_ms (epoch ms)."""

    start_ms: int
    end_ms: int
    records: list[CallRecord]


class CallList:
    """Reads the list. Every method raises CallListError.

    wait: called with seconds between two tries.
    """

    def __init__(
        self, settings: VapiSettings, wait: Callable[[float], object] = time.sleep
    ) -> None:
        """Raises CallListError when VAPI_API_KEY is not set."""
        if not settings.api_key:
            raise CallListError("no_key", "VAPI_API_KEY is missing: Vapi lists calls only with it")
        self._url = f"{settings.base_url}/call"
        self._headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        self._wait = wait

    def windows(self, start_ms: int, end_ms: int) -> Iterator[Window]:
        """All calls created between the two times, the oldest window first. One request for each
        step; stop when enough was read."""
        width = FIRST_WIDTH_MS
        while start_ms < end_ms:
            until_ms = min(start_ms + width, end_ms)
            records = self._read(start_ms, until_ms, LIMIT)
            if records is None and until_ms - start_ms > MIN_WIDTH_MS:
                width = max(MIN_WIDTH_MS, (until_ms - start_ms) // 2)
                continue
            if records is None:
                records = self._read(start_ms, until_ms, MAX_LIMIT)
            if records is None:
                raise CallListError(
                    "too_many_calls",
                    f"more than {MAX_LIMIT} calls, or more than {MAX_BYTES // 1024**2} MB, "
                    f"were created in the second from {as_iso(start_ms)}",
                )
            yield Window(start_ms, until_ms, records)
            if len(records) < LIMIT // 2:
                width = min(2 * width, MAX_WIDTH_MS)
            start_ms = until_ms

    def find(self, call_id: str) -> CallRecord | None:
        """One call; None when Vapi does not have it."""
        answer = self._get(f"/{call_id}", {})
        if answer is None or answer.status == 404:
            return None
        return CallRecord(as_object(answer.json()))

    def _read(self, start_ms: int, end_ms: int, limit: int) -> list[CallRecord] | None:
        """None when there may be more calls than the answer can have."""
        parameters = {
            "limit": str(limit),
            "createdAtGe": str(as_iso(start_ms)).replace("+00:00", "Z"),
            "createdAtLt": str(as_iso(end_ms)).replace("+00:00", "Z"),
        }
        answer = self._get("", parameters)
        if answer is None:
            return None
        listed = answer.json()
        if answer.status != 200 or not isinstance(listed, list):
            # Nothing that could be taken for an empty list, such as another server's page.
            raise CallListError("no_list", "GET /call is not answered with a list: VAPI_BASE_URL?")
        if len(listed) >= limit:
            return None
        return [record for body in as_objects(listed) if (record := CallRecord(body)).call_id]

    def _get(self, path: str, parameters: dict[str, str]) -> "_Answer | None":
        """None for an answer that is too large."""
        for nth in range(TRIES):
            last_try = nth == TRIES - 1
            try:
                answer = self._ask(path, parameters)
            except requests.RequestException as trouble:
                if last_try:
                    name = type(trouble).__name__
                    raise CallListError("not_reached", f"Vapi is not reached ({name})") from None
                self._wait(_back_off_s(nth))
                continue
            if answer is None or answer.status in (200, 404):
                return answer
            if last_try or (answer.status != 429 and answer.status < 500):
                hint = " (VAPI_API_KEY must be the private key)" if answer.status == 401 else ""
                text = f"Vapi answered HTTP {answer.status} for GET /call{hint}"
                raise CallListError(f"http_{answer.status}", text)
            self._wait(max(answer.retry_after_s, _back_off_s(nth)))
        raise AssertionError("the last try returns or raises")

    def _ask(self, path: str, parameters: dict[str, str]) -> "_Answer | None":
        with requests.get(
            f"{self._url}{path}",
            params=parameters,
            headers=self._headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=True,
        ) as answer:
            parts, size = [], 0
            for part in answer.iter_content(64 * 1024):
                size += len(part)
                if size > MAX_BYTES:
                    return None
                parts.append(part)
            after = answer.headers.get("Retry-After", "")
            waits_s = min(float(after), MAX_WAIT_S) if after.isdecimal() else 0.0
            return _Answer(answer.status_code, b"".join(parts), waits_s)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    retry_after_s: float

    def json(self) -> Any:
        try:
            return read_json(self.body.decode())
        except ValueError:
            text = "Vapi's answer to GET /call is not JSON"
            raise CallListError("not_json", text) from None


def _back_off_s(nth: int) -> float:
    return min(MAX_WAIT_S, 2.0**nth) * random.uniform(0.5, 1.0)
