"""On which line of a TOML file each key stands, for messages that name the place of a mistake.

`tomllib` tells no lines. This reads only as much of TOML as names them: table headers and keys.
"""

import re

Path = tuple[str, ...]

_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_BARE = r"""(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_\-]+)"""
_KEY = re.compile(rf"^\s*({_BARE}(?:\s*\.\s*{_BARE})*)\s*=(.*)$")
_NAME = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_\-]+))\s*\.?""")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|' + r"'[^']*'")


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of each table and key, by its path. Elements of arrays of tables have their
    index as a part of the path: ("messages", "0", "content")."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    closing = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            if closing in line:
                closing = ""
            continue
        if depth:
            depth += _depth(line)
            continue
        if header := _HEADER.match(line):
            table = _names(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                lines.setdefault(table, number)
                table = (*table, str(index))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            path = (*table, *_names(key[1]))
            for length in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:length], number)
            value = key[2].strip()
            for quotes in ('"""', "'''"):
                if value.startswith(quotes) and quotes not in value[3:]:
                    closing = quotes
            if not closing:
                depth = _depth(value)
                for name in _inline_names(value):
                    lines.setdefault((*path, name), number)
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of the key, else of the nearest table or key around it; 0 for the whole file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def _names(dotted: str) -> Path:
    return tuple(next(filter(None, found), "") for found in _NAME.findall(dotted))


def _depth(line: str) -> int:
    """By how many brackets the line opens more than it closes."""
    bare = _STRING.sub("", line).split("#")[0]
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")


def _inline_names(value: str) -> list[str]:
    if not value.startswith("{"):
        return []
    return re.findall(r"[{,]\s*\"?([A-Za-z0-9_\-]+)\"?\s*=", _STRING.sub('""', value))
