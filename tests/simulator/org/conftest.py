"""One org process for all tests of this folder, reset before each test."""

from collections.abc import Iterator

import pytest

from tests.simulator.org.harness import LocalOrg


@pytest.fixture(scope="session")
def running_org() -> Iterator[LocalOrg]:
    org = LocalOrg()
    yield org
    org.close()


@pytest.fixture
def org(running_org: LocalOrg) -> LocalOrg:
    """The shared org after a reset, with a valid token."""
    running_org.reset()
    running_org.token = ""
    running_org.request("GET", "/services/data")
    running_org.http.delete(f"{running_org.url}/_org", timeout=10)
    return running_org


@pytest.fixture(scope="session")
def strict_org() -> Iterator[LocalOrg]:
    org = LocalOrg("--strict-clients")
    yield org
    org.close()
