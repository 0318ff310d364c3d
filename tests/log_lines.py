"""What a test makes the service log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.logs import log


@contextmanager
def log_lines() -> Iterator[list[str]]:
    """The lines that are logged inside, as they are written. Begin it after `create_app`."""
    bound: Any = log.bind()
    processors: list[Any] = bound._processors  # of the logger, which keeps its first configuration
    renderer, lines = processors[-1], list[str]()

    def render(*event: Any) -> Any:
        line = renderer(*event)
        lines.append(str(line))
        return line

    processors[-1] = render
    try:
        yield lines
    finally:
        processors[-1] = renderer
