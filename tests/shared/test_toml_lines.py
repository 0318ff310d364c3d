"""Each key of a TOML file has the line on which it stands."""

import tomllib
from typing import Any

import pytest

from shared.agent.toml_lines import line_of, lines_of

EXAMPLE = '''\
# a comment = "no key"
title = "agent"

[call_log]   # with a comment
status = "Done"
"quoted key" = 1
text = """
status = "not a key"
[nor.a.table]
"""
list = [
  "one", # a = 1
  "two",
]
"Task.Field__c" = "structured.Call Summary"

[call_log.fields]
Department__c = "Voice"
inline = {a = 1, b = "c = d"}

[[tools]]
name = "first"
[[tools]]
name = "second"
raw = \'\'\'
name = "no"\'\'\'
after.dotted = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("call_log",), 4),
        (("call_log", "status"), 5),
        (("call_log", "quoted key"), 6),
        (("call_log", "text"), 7),
        (("call_log", "list"), 11),
        (("call_log", "Task.Field__c"), 15),
        (("call_log", "fields"), 17),
        (("call_log", "fields", "Department__c"), 18),
        (("call_log", "fields", "inline", "b"), 19),
        (("tools", "0"), 21),
        (("tools", "0", "name"), 22),
        (("tools", "1", "name"), 24),
        (("tools", "1", "raw"), 25),
        (("tools", "1", "after", "dotted"), 27),
    ],
)
def test_a_key_has_its_line(path: tuple[str, ...], line: int) -> None:
    assert line_of(lines_of(EXAMPLE), path) == line


def test_a_key_that_is_missing_has_the_line_of_its_table() -> None:
    lines = lines_of(EXAMPLE)
    assert line_of(lines, ("call_log", "fields", "Missing__c")) == 17
    assert line_of(lines, ("missing", "status")) == 0


def test_what_stands_inside_a_value_is_no_key() -> None:
    def paths(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        parts = list(value.items()) if isinstance(value, dict) else []
        if isinstance(value, list):
            parts = [(str(at), item) for at, item in enumerate(value)]
        return {path} | {found for name, item in parts for found in paths(item, (*path, name))}

    assert set(lines_of(EXAMPLE)) <= paths(tomllib.loads(EXAMPLE))
