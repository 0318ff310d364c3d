"""Commands read the environment themselves."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT, Org, Store, answers, environment
from shared.settings import load_settings


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
def vapi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "simulator", "vapi", "serve", "--port", str(port)]
    log = tmp_path_factory.mktemp("vapi") / "vapi.log"
    process = Process("vapi", command, os.environ, ROOT, log)
    process.start()
    wait_until(lambda: answers(f"{url}/_vapi/control"), for_s=20, what="vapi")
    yield url
    process.stop()


@pytest.fixture
def vapi(vapi_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The simulated Vapi with nothing in it, and a folder of its own for what apply keeps."""
    requests.delete(f"{vapi_server}/_vapi/rest", timeout=10)
    monkeypatch.chdir(tmp_path)
    return vapi_server
