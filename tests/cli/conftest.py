"""Commands read the environment themselves."""

from typing import Any

import pytest
import redis

from demo.stack import Org, Store, environment
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
