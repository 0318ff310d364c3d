"""Makes a text from Salesforce safe to quote to the language model."""

import html
import re

from shared.domain.text import fit_line
from shared.redaction.cleaning import clean

_MAX_ROUNDS = 5
"""What is removed may hide more of it: "&amp;lt;b&amp;gt;", "{<b>{"."""
_MAX_LENGTH_FACTOR = 20
"""How much longer than the result the text may be, with its markup. More is cut off first."""
_MIN_READ = 20_000

_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}(?![0-9])|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F])|[A-Za-z][A-Za-z0-9]{1,31});?"
)
_HIDDEN = re.compile(r"<(?:!--|(script|style|template)\b)", re.I)
_HIDDEN_END = {"--": re.compile("-->")} | {
    name: re.compile(rf"</{name}\b[^<>]*>?", re.I) for name in ("script", "style", "template")
}
_BLOCK = re.compile(
    r"</?(?:p|div|br|hr|li|ul|ol|tr|td|th|table|h[1-6]|blockquote|pre)\b[^<>]*>", re.I
)
_TAG = re.compile(r"<[A-Za-z/!?|][^<>]*>|<\|[^<>|]*\|>")
_TEMPLATE = re.compile(r"\{\{|\{!|\}\}|\{%|%\}|\{#|#\}|[$#@]\{|<\||\|>|<%|%>")
_ADDRESS = r"[^\s<>\"'()\[\]{}]*"
_URL = re.compile(
    rf"(?:(?<![a-z0-9+.-])[a-z0-9][a-z0-9+.-]{{0,20}})?://{_ADDRESS}|\bwww\.{_ADDRESS}"
    r"|(?:javascript|vbscript|\bmailto|\bdata(?=:[a-z]+/))\s*:",
    re.I,
)
_BEGINNING_OF_TAG = re.compile(r"<(?=[A-Za-z/!?|%])")
_EMPTY = re.compile(r"\(\s*\)|\[\s*\]|<\s*>")
_ANY_MARK = re.compile("[<>{}|%$#@&:;]")
_DOUBLE_QUOTES = re.compile(
    '["«»\u02ba\u02dd\u02ee\u02f6\u05f4\u201c-\u201f\u2033\u2034\u2036\u2037\u2057\u275d\u275e\u2760\u2e42'
    "\u3003\u301d-\u301f\uff02\U0001f676-\U0001f678]"
)
"""What looks like a double quote, and what Unicode calls one; also three and four primes."""


def plain_line(text: str, max_length: int) -> str:
    """The text in one line, to put between double quotes: it contains none.

    Without HTML, template marks, URLs and characters that can't be seen. At most max_length
    characters; what is cut off is shown by "…".
    """
    text = text[: max(_MIN_READ, max_length * _MAX_LENGTH_FACTOR)]
    for _ in range(_MAX_ROUNDS):
        before = text
        text = _without_marks(before)
        if text == before:
            break
    else:
        text = _ANY_MARK.sub(" ", text)
    line = _DOUBLE_QUOTES.sub("'", clean(text))
    # A backslash at the end would take the quote after it for a part of the text.
    return fit_line(line, max_length).rstrip("\\ ") if max_length > 0 else ""


def _without_marks(text: str) -> str:
    text = clean(_ENTITY.sub(lambda match: html.unescape(match[0]), text))
    text = _without_hidden(text)
    text = _TAG.sub("", _BLOCK.sub(" ", text))
    text = _EMPTY.sub(" ", _URL.sub(" ", text))
    return _BEGINNING_OF_TAG.sub("", _TEMPLATE.sub("", text))


def _without_hidden(text: str) -> str:
    """Without comments, and without the content of elements that a browser does not show."""
    pieces = []
    at = 0
    unclosed: set[str] = set()
    for match in _HIDDEN.finditer(text):
        name = (match[1] or "--").lower()
        if match.start() < at or name in unclosed:
            continue
        end = _HIDDEN_END[name].search(text, match.end())
        if end is None:
            unclosed.add(name)
            continue
        pieces += [text[at : match.start()], " "]
        at = end.end()
    return "".join([*pieces, text[at:]])
