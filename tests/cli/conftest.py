"""The environment that the commands read, and the simulated Vapi and Twilio."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from demo.stack import Org, Store, environment
from shared.settings import load_settings
from tests.simulated import simulated


@pytest.fixture(autouse=True)
def _environment(
    store: redis.Redis, store_server: Store, org: Org, monkeypatch: pytest.MonkeyPatch
) -> Any:
    for name, value in environment(store_server.url, org.url, 8080).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.fixture(scope="session")
def twilio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated(tmp_path_factory.mktemp("twilio"), "twilio") as url:
        yield url


@pytest.fixture(scope="session")
def vapi_server(twilio_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    words = ("vapi", "serve", "--twilio", twilio_server)
    with simulated(tmp_path_factory.mktemp("vapi"), *words) as url:
        yield url


@pytest.fixture
def vapi(vapi_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The empty simulated Vapi, and an empty working folder in which apply stores its files."""
    requests.delete(f"{vapi_server}/_vapi/rest", timeout=10)
    monkeypatch.chdir(tmp_path)
    return vapi_server


@dataclass(frozen=True)
class Twilio:
    """The simulated Twilio with an unused number. env: the settings for it."""

    url: str
    env: dict[str, str]

    def number(self) -> dict[str, Any]:
        """The number as Twilio has it."""
        return dict(requests.put(f"{self.url}/_twilio/number", json={}, timeout=10).json())

    def by_hand(self, what: str, **fields: Any) -> None:
        """what: "account" or "number"."""
        answer = requests.put(f"{self.url}/_twilio/{what}", json=fields, timeout=10)
        answer.raise_for_status()


@pytest.fixture
def twilio(twilio_server: str) -> Twilio:
    requests.delete(f"{twilio_server}/_twilio", timeout=10)
    env = {
        "TWILIO_BASE_URL": twilio_server,
        "TWILIO_ACCOUNT_SID": f"AC{1:032d}",
        "TWILIO_AUTH_TOKEN": "demo-twilio-token",
        "TWILIO_PHONE_NUMBER": "+14155550199",
        "FALLBACK_PHONE_NUMBER": "+14155550123",
    }
    return Twilio(twilio_server, env)
