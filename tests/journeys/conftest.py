"""The whole service as processes, started once for all journeys."""

from collections.abc import Iterator

import pytest

from demo.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, ("web", "worker", "beat", "flower")) as running:
        yield running
