r"""A search expression: words, "phrases", * and ?, AND, OR, AND NOT, parentheses.

Source: SOSL Reference, "FIND {SearchQuery}". Reserved characters are escaped with a backslash; SOSL
refuses them bare, parameterised search takes them as blanks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from simulator.org.errors import OrgError
from simulator.org.search.index import national_digits, words

Test = Callable[[frozenset[str]], bool]
BARE_RESERVED = frozenset("[]{}^~:'+-")
MAX_QUERY = 10_000
MIN_PHONE_DIGITS = 7

_PHONE_LIKE = re.compile(r"[\s\d()+./-]+\Z")


def malformed_search(message: str) -> OrgError:
    return OrgError(400, "MALFORMED_SEARCH", message)


@dataclass(frozen=True, slots=True)
class Word:
    """One piece of the expression. quoted: a phrase, so not an operator; text keeps * and ?."""

    text: str
    quoted: bool = False


def compile_expression(text: str, strict: bool) -> Test:
    """A test over a record's words. strict: bare reserved characters are an error (SOSL)."""
    if len(text) > MAX_QUERY:
        raise malformed_search(f"search query cannot be longer than {MAX_QUERY} characters")
    plain = text.replace("\\", "")
    if _PHONE_LIKE.match(plain) and len(national_digits(plain)) >= MIN_PHONE_DIGITS:
        if strict:
            _pieces(text, strict)
        number = national_digits(plain)
        return lambda known: number in known
    reader = _Reader(_pieces(text, strict))
    if not reader.pieces:
        raise malformed_search("search term must be longer than one character: ")
    try:
        test = reader.either()
    except RecursionError:
        raise malformed_search("search query is too complicated") from None
    if reader.at < len(reader.pieces):
        raise malformed_search(f"unexpected token: {reader.pieces[reader.at].text}")
    return test


def _pieces(text: str, strict: bool) -> list[Word]:
    """The expression cut into words, phrases, `(`, `)` and operators."""
    found: list[Word] = []
    current, at = "", 0

    def close() -> None:
        nonlocal current
        if current.strip():
            found.append(Word(current))
        current = ""

    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            # An escaped character is no operator. A character outside words separates words.
            current += text[at + 1] if text[at + 1].isalnum() else "\x00"
            at += 1
        elif char == '"':
            end = text.find('"', at + 1)
            if end < 0:
                raise malformed_search("No closing quote in search query")
            close()
            found.append(Word(text[at + 1 : end], quoted=True))
            at = end
        elif char in "()":
            close()
            found.append(Word(char))
        elif char in "&|!":
            close()
            found.append(Word({"&": "AND", "|": "OR", "!": "NOT"}[char]))
        elif char in BARE_RESERVED and strict:
            raise malformed_search(f"line 1:{at + 1} unexpected character '{char}' in search query")
        elif char.isspace():
            close()
        else:
            current += char if char not in BARE_RESERVED else "\x00"
        at += 1
    close()
    return found


class _Reader:
    """Recursive descent over the pieces: OR binds weakest, words side by side are AND."""

    def __init__(self, pieces: list[Word]) -> None:
        self.pieces = pieces
        self.at = 0

    def peek(self) -> str:
        if self.at >= len(self.pieces) or self.pieces[self.at].quoted:
            return ""
        return self.pieces[self.at].text

    def either(self) -> Test:
        tests = [self.both()]
        while self.peek() == "OR":
            self.at += 1
            tests.append(self.both())
        return lambda known: any(test(known) for test in tests)

    def both(self) -> Test:
        tests = [self.term()]
        while self.at < len(self.pieces) and self.peek() not in ("OR", ")"):
            if self.peek() == "AND":
                self.at += 1
            if self.peek() == "NOT":
                self.at += 1
                refused = self.term()
                tests.append(lambda known, refused=refused: not refused(known))  # type: ignore[misc]
            else:
                tests.append(self.term())
        return lambda known: all(test(known) for test in tests)

    def term(self) -> Test:
        if self.at >= len(self.pieces):
            raise malformed_search("unexpected end of search query")
        piece = self.pieces[self.at]
        self.at += 1
        if piece.text == "(" and not piece.quoted:
            test = self.either()
            if self.peek() != ")":
                raise malformed_search("No closing parenthesis in search query")
            self.at += 1
            return test
        return _word_test(piece)


def _word_test(piece: Word) -> Test:
    text = piece.text.replace("\x00", " ").strip()
    if len(text.strip("*?")) < 2:
        raise malformed_search(f"search term must be longer than one character: {text}")
    if not piece.quoted and ("*" in text or "?" in text):
        pattern = "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in text)
        expression = re.compile(pattern, re.IGNORECASE)
        return lambda known: any(expression.fullmatch(word) for word in known)
    needed = words(text)
    return lambda known: all(word in known for word in needed)
