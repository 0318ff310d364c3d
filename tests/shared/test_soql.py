"""A value that SOQL has no literal for is refused; tests/fuzz/test_soql.py has all the others."""

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from shared.salesforce.soql import soql


@pytest.mark.parametrize(
    "value",
    [
        [],
        math.inf,
        [1.0, math.nan],
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
    ],
)
def test_a_value_without_a_literal_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        soql("SELECT Id FROM Case WHERE A IN {a}", a=value)
