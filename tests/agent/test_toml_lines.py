"""Every key, table and element of a TOML file is found on the line on which it stands."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.languages import AGENT_FOLDER
from shared.agent.toml_lines import line_of, lines_of
from tests.agent.conftest import ORDER_STATUS, RETURN_ITEM

HARD = (
    """\
# c = 0
a."b c".'d.e' = 1 # x = 1
[ t . "u" ]  # [no.table]
list = [ # c = 1
  "a # ]", 'b = 2',
  { p = 1, q = { r = """
    + "'''"
    + """
z = 3
[no.table]
"""
    + "'''"
    + """ } },
  [ 1, 2 ],
]
text = """
    + '"""'
    + """
k = 1 \\"
"""
    + '"""'
    + """
empty = ""
date = 1979-05-27 07:32:00
after = "a\\"b = 1"
[[m]]
c = 1
[m.sub]
d = 2
[[m]]
c = 2
[[m.n]]
e = 1
"""
)

PLACES: dict[tuple[str, ...], int] = {
    ("a", "b c", "d.e"): 2,
    ("t", "u"): 3,
    ("t", "u", "list"): 4,
    ("t", "u", "list", "0"): 5,
    ("t", "u", "list", "1"): 5,
    ("t", "u", "list", "2", "q", "r"): 6,
    ("t", "u", "list", "3", "1"): 10,
    ("t", "u", "text"): 12,
    ("t", "u", "empty"): 15,
    ("t", "u", "date"): 16,
    ("t", "u", "after"): 17,
    ("m", "0"): 18,
    ("m", "0", "c"): 19,
    ("m", "0", "sub", "d"): 21,
    ("m", "1"): 22,
    ("m", "1", "c"): 23,
    ("m", "1", "n", "0", "e"): 25,
}


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Of every key and element of what tomllib read."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, str(key))
        if isinstance(inner, dict | list):
            yield from paths(inner, (*path, str(key)))


@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_a_key_is_on_its_line(path: tuple[str, ...]) -> None:
    assert lines_of(HARD)[path] == PLACES[path]


TEXTS = {path.name: path.read_text() for path in (AGENT_FOLDER / "tools").glob("*.toml")}
TEXTS |= {"returnItem": RETURN_ITEM, "orderStatus": ORDER_STATUS, "hard": HARD}


@pytest.mark.parametrize("name", TEXTS)
def test_what_tomllib_reads_has_a_line_and_nothing_else_has(name: str) -> None:
    text = TEXTS[name]
    for ends in (text, text.replace("\n", "\r\n")):
        lines = lines_of(ends)
        assert set(lines) == set(paths(tomllib.loads(text)))
        written = text.split("\n")
        for path, line in lines.items():
            name_or_index = path[-1]
            assert name_or_index.isdigit() or name_or_index in written[line - 1]


@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ab#=[]{}\u2028 \x85\\n"), max_size=8),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_whatever_stands_in_texts_and_comments_moves_no_line(
    entries: list[tuple[str, int, bool]],
) -> None:
    """Each entry: a text, the blank lines before its key, and whether its key is in a table."""
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for nth, (text, blanks, in_table) in enumerate(entries):
        lines += [""] * blanks
        path: tuple[str, ...] = (f"t{nth}",)
        lines.append(f"[t{nth}] # {text.replace(chr(10), '')}")
        expected[path] = len(lines)
        written = text.replace("\\", "\\\\")
        key = (*path, "k") if not in_table else (*path, "in", "k")
        for length in range(2, len(key) + 1):
            expected[key[:length]] = len(lines) + 1
        value = '"""' + written + '"""'
        entry = f"k = {value}" if not in_table else f"in = {{ k = {value} }}"
        lines += entry.split("\n")
    document = "\n".join(lines)
    try:
        tomllib.loads(document)
    except tomllib.TOMLDecodeError:
        return  # a control character
    assert lines_of(document) == expected


def test_a_path_without_a_line_has_that_of_what_is_around_it() -> None:
    lines = lines_of(HARD)
    assert line_of(lines, ("m", "1", "gone")) == 22
    assert line_of(lines, ("gone",)) == 0
