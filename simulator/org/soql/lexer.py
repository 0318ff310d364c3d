"""SOQL text to tokens, and errors that point at a place in it.

Sources: SOQL and SOSL Reference, "Quoted String Escape Sequences", "Date Formats".
"""

import re
from dataclasses import dataclass

from simulator.org.errors import OrgError

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<datetime>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)(?!\w))
    |(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,3})?[Zz](?!\w))
    |(?P<date>\d{4}-\d\d-\d\d(?![\w-]))
    |(?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+))
    |(?P<word>[A-Za-z][A-Za-z0-9_]*)
    |(?P<operator><=|>=|!=|<>|=|<|>)
    |(?P<mark>[(),.:])
    |(?P<quote>')
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """kind: word number date datetime time string operator mark end. A string's text is raw."""

    kind: str
    text: str
    position: int

    @property
    def end(self) -> int:
        """The end of a token that is not a string."""
        return self.position + len(self.text)

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words

    def is_mark(self, mark: str) -> bool:
        return self.kind == "mark" and self.text == mark


def query_error(code: str, query: str, position: int, message: str) -> OrgError:
    """An error that shows the line, a caret under the place, and `ERROR at Row:r:Column:c`."""
    before = query[:position]
    row = before.count("\n") + 1
    start = before.rfind("\n") + 1
    column = position - start + 1
    end = query.find("\n", position)
    line = query[start : end if end >= 0 else len(query)]
    text = f"\n{line}\n{' ' * (column - 1)}^\nERROR at Row:{row}:Column:{column}\n{message}"
    return OrgError(400, code, text)


def malformed(query: str, position: int, message: str) -> OrgError:
    return query_error("MALFORMED_QUERY", query, position, message)


def unexpected(query: str, token: Token) -> OrgError:
    shown = "<EOF>" if token.kind == "end" else f"'{token.text}'"
    return malformed(query, token.position, f"unexpected token: {shown}")


def tokenise(query: str) -> list[Token]:
    """All tokens and a closing `end`. Raises MALFORMED_QUERY at an unexpected character."""
    tokens: list[Token] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise malformed(query, position, f"unexpected token: '{query[position]}'")
        kind = str(match.lastgroup)
        if kind == "quote":
            token = _string(query, position)
            tokens.append(token)
            position += len(token.text) + 2
            continue
        if kind != "space":
            tokens.append(Token(kind, match.group(), position))
        position = match.end()
    tokens.append(Token("end", "", len(query)))
    return tokens


def _string(query: str, position: int) -> Token:
    scan = position + 1
    while scan < len(query):
        if query[scan] == "\\":
            scan += 2
        elif query[scan] == "'":
            return Token("string", query[position + 1 : scan], position)
        elif query[scan] == "\n":
            raise malformed(query, position, "line breaks not allowed in string literals")
        else:
            scan += 1
    raise malformed(query, position, "unexpected token: '''")


def unescape(query: str, token: Token, pattern: bool = False) -> str:
    r"""The value of a string token. In a pattern of LIKE `\%`, `\_` and `\\` stay as they are.

    Allowed escapes: \n \r \t \b \f \" \' \\ \uXXXX, in a pattern \_ \% too. Others are errors.
    """
    raw = token.text
    parts: list[str] = []
    position = 0
    while position < len(raw):
        if raw[position] != "\\":
            parts.append(raw[position])
            position += 1
            continue
        escaped = raw[position + 1 : position + 2]
        if escaped.lower() in ESCAPES:
            value = ESCAPES[escaped.lower()]
            parts.append("\\\\" if pattern and value == "\\" else value)
            position += 2
        elif pattern and escaped in ("_", "%"):
            parts.append(f"\\{escaped}")
            position += 2
        elif escaped.lower() == "u" and re.match(
            r"[0-9A-Fa-f]{4}", raw[position + 2 : position + 6]
        ):
            parts.append(chr(int(raw[position + 2 : position + 6], 16)))
            position += 6
        else:
            raise malformed(
                query,
                token.position + 1 + position,
                f"Illegal character sequence '\\{escaped}' in string literal",
            )
    # A character above U+FFFF is written as two \u escapes.
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
