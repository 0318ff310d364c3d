"""On which line of a TOML file each key stands, for messages that name the place of a mistake.

`tomllib` tells no lines. This reads a text that `tomllib` has accepted, and only as much of it as
names the lines: headers, keys and the elements of arrays.
"""

import re
from bisect import bisect_left

Path = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:"((?:\\.|[^"\\])*)"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*""")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""+' r"|'''.*?'''+" r'|"(?:\\.|[^"\\])*"' r"|'[^']*'", re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}\r\n#]+")


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of each table, key and element, by its path. Elements of arrays have their
    index as a part of the path: ("choices", "0") or ("messages", "0", "content")."""
    return _Reader(text.replace("\r\n", "\n")).read()


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of the key, else of the nearest table or key around it; 0 for the whole file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self._sizes: dict[Path, int] = {}
        """Arrays of tables → how many tables they have so far."""

    def read(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            table = self._header() if self._next("[") else self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Path:
        is_array = self._next("[[")
        line = self._line()
        self._at += 2 if is_array else 1
        *around, name = self._keys()
        table: Path = ()
        for part in around:
            self._lines.setdefault((*table, part), line)
            table = self._last((*table, part))
        table = (*table, name)
        if is_array:
            self._lines.setdefault(table, line)
            self._sizes[table] = self._sizes.get(table, 0) + 1
        table = self._last(table)
        self._lines.setdefault(table, line)
        self._at = self._text.index("]", self._at) + (2 if is_array else 1)
        return table

    def _last(self, table: Path) -> Path:
        """A table's path; of an array of tables, that of the last one."""
        size = self._sizes.get(table)
        return (*table, str(size - 1)) if size else table

    def _pair(self, table: Path) -> Path:
        """A key and its value. Returns the table, which goes on after it."""
        line = self._line()
        path = table
        for name in self._keys():
            path = (*path, name)
            self._lines.setdefault(path, line)
        self._at = self._text.index("=", self._at) + 1
        self._value(path)
        return table

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        if self._next("["):
            self._array(path)
        elif self._next("{"):
            self._at += 1
            self._skip(_BLANK)
            while not self._next("}"):
                self._pair(path)
                self._skip(_BLANK)
            self._at += 1
        elif not self._skip(_STRING):
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        self._skip(_BLANK)
        index = 0
        while not self._next("]"):
            element = (*path, str(index))
            self._lines.setdefault(element, self._line())
            self._value(element)
            self._skip(_BLANK)
            index += 1
        self._at += 1

    def _keys(self) -> list[str]:
        names = []
        while match := _KEY.match(self._text, self._at):
            names.append(next((part for part in match.groups() if part is not None), ""))
            self._at = match.end()
            if not self._next("."):
                break
            self._at += 1
        return names

    def _next(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match is not None

    def _line(self) -> int:
        return bisect_left(self._ends, self._at) + 1
