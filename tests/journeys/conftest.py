"""The service, installed as README says, and run as processes; once for all journeys.

The proxy's tests are not collected unless NGINX names an nginx.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stack import Stack
from tests.journeys.installation import Terminal, bare_environment, clone, steps

collect_ignore = [] if os.environ.get("NGINX") else ["test_proxy.py"]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which README's first block of commands was run: its .venv holds the packages of
    requirements.txt and nothing else."""
    folder = clone(tmp_path_factory.mktemp("installed") / "vapi-salesforce")
    terminal = Terminal(folder, bare_environment(tmp_path_factory.mktemp("home")))
    said, code = terminal.run(steps()[1][0])
    terminal.close()
    assert code == 0, said
    return folder


@pytest.fixture(scope="session")
def programs(installed: Path) -> Path:
    """gunicorn, celery and python of the installation."""
    return installed / ".venv" / "bin"


@pytest.fixture(scope="session")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, ("web", "worker", "beat", "flower"), programs=programs) as running:
        yield running
