"""The simulated Twilio for tests: what phones got, and faults."""

from dataclasses import dataclass
from typing import Any

import requests

SERVICE = f"VA{1:032d}"
SENDER = "+14155550199"


@dataclass(frozen=True)
class Phones:
    url: str

    @property
    def settings(self) -> dict[str, Any]:
        """The variables that name this Twilio, in lower case."""
        return {
            "twilio_account_sid": f"AC{1:032d}",
            "twilio_auth_token": "demo-twilio-token",
            "twilio_verify_service_sid": SERVICE,
            "twilio_verify_base_url": self.url,
            "twilio_base_url": self.url,
            "sms_from": SENDER,
            "public_url": "https://voice.acme.example",
        }

    def got(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/_twilio/phones", timeout=10).json())

    @property
    def code(self) -> str:
        """The last code that a phone got."""
        return str([message["code"] for message in self.got() if "code" in message][-1])

    def fault(self, **faults: Any) -> None:
        requests.put(f"{self.url}/_twilio/faults", json=faults, timeout=10).raise_for_status()

    def let_codes_expire(self) -> None:
        requests.delete(f"{self.url}/_twilio/codes", timeout=10).raise_for_status()

    def reset(self) -> None:
        requests.delete(f"{self.url}/_twilio", timeout=10).raise_for_status()
