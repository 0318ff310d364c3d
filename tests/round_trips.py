"""Counts how often a process goes to Redis."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis.connection import AbstractConnection


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The commands sent inside; a pipeline is one."""
    sent: list[Any] = []
    send = AbstractConnection.send_packed_command

    def sending(self: AbstractConnection, command: Any, *args: Any, **options: Any) -> Any:
        sent.append(command)
        return send(self, command, *args, **options)  # type: ignore[no-untyped-call]

    with monkeypatch.context() as patched:
        patched.setattr(AbstractConnection, "send_packed_command", sending)
        yield sent
