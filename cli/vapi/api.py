"""Vapi's REST API, as far as provisioning needs it. For operators' commands, never during a call.

Resources and fields: Vapi's API reference, `/assistant`, `/tool`, `/phone-number`, `/campaign`.
"""

from typing import Any, Final

import requests

from shared.errors import ServiceError
from shared.settings import VapiSettings
from shared.vapi.values import as_number, as_object, as_objects

TIMEOUT_S = (3.05, 20.0)
MAX_LISTED = 1000
MAX_PAGES = 10


class VapiRefusedError(ServiceError):
    """Vapi refused, or could not be reached. The text has Vapi's own words, and no secret of ours.

    status: the HTTP status, 0 when there was no answer.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status: Final = status


class VapiApi:
    """A client for Vapi's API. Every method raises VapiRefusedError."""

    def __init__(self, settings: VapiSettings) -> None:
        key = settings.api_key
        if not key:
            raise VapiRefusedError("Set VAPI_API_KEY to the private key of the account")
        self._base = settings.base_url
        self._headers = {"Authorization": f"Bearer {key.get_secret_value()}"}

    def list_all(self, resource: str) -> list[dict[str, Any]]:
        """All of a resource: "assistant", "tool", "phone-number" or "campaign".

        Campaigns come in pages, of which MAX_PAGES are read; the others come as one list.
        """
        listed: list[dict[str, Any]] = []
        for page in range(1, MAX_PAGES + 1):
            of_page = f"&page={page}" if page > 1 else ""
            found = self._call("GET", f"{resource}?limit={MAX_LISTED}{of_page}")
            has_more = False
            if isinstance(found, dict):
                meta = as_object(found.get("metadata"))
                has_more = page * MAX_LISTED < (as_number(meta.get("totalItems")) or 0)
                found = found.get("results")
            listed += as_objects(found)
            if not has_more:
                break
        return listed

    def find(self, resource: str, id_: str) -> dict[str, Any] | None:
        """None when no resource has that id."""
        try:
            found: dict[str, Any] = self._call("GET", f"{resource}/{id_}")
        except VapiRefusedError as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def create(self, resource: str, body: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._call("POST", resource, body)
        return made

    def change(self, resource: str, id_: str, body: dict[str, Any]) -> None:
        """Change a resource. Vapi replaces objects and lists as a whole (docs/vendors.md V12)."""
        self._call("PATCH", f"{resource}/{id_}", body)

    def delete(self, resource: str, id_: str) -> None:
        self._call("DELETE", f"{resource}/{id_}")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = requests.request(
                method,
                f"{self._base}/{path}",
                json=body,
                headers=self._headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as trouble:
            text = f"VAPI_BASE_URL {self._base} not reached ({type(trouble).__name__})"
            raise VapiRefusedError(text) from None
        if answer.status_code >= 300:
            text = f"HTTP {answer.status_code} for {method} {path}: {_message(answer)}"
            if answer.status_code == 401:
                text += " (VAPI_API_KEY must be the private key of the account)"
            raise VapiRefusedError(text, answer.status_code)
        try:
            return answer.json() if answer.content else None
        except ValueError:
            raise VapiRefusedError(f"the answer to {method} {path} is not JSON") from None


def _message(answer: requests.Response) -> str:
    try:
        message = answer.json().get("message", "")
    except (ValueError, AttributeError):
        return ""
    return "; ".join(map(str, message)) if isinstance(message, list) else str(message)
