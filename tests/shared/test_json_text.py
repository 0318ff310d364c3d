"""How JSON that others wrote is read, beyond what tests/fuzz/test_messages.py compares."""

import math

import pytest

from shared.vapi import json_text
from shared.vapi.json_text import read_json


def test_fractions_are_read_by_pythons_own_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time does not depend on the number. msgspec's refuses the largest."""
    monkeypatch.setattr(json_text, "read_slowly", None)
    assert read_json("[1e308, 1e400, 0.1]") == [1e308, math.inf, 0.1]
