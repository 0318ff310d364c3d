"""Removes characters that can't be seen, and keeps a text from being read as a formula."""

import re

from shared.domain.text import folded

_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")

_UNSEEN = re.compile(
    # Controls except tab and line feed, unpaired surrogates, noncharacters.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
    # Bidi controls.
    "|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
    # Without width, and tags, which can carry a text that nobody sees.
    "|[\u00ad\u034f\u180b-\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb]"
    "|[\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)

_SHAPED = (
    "\u0600-\u061b\u061d-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
    "\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1820-\u18af"
)
"""Letters that joiners shape: Arabic; Indic scripts, Burmese, Khmer, Mongolian."""
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u2300-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
_IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SELECTORS = "\ufe00-\ufe0f"

_MISPLACED = re.compile(
    # More than a single selector, which could carry a text too.
    f"(?<=[{_SELECTORS}\U000e0100-\U000e01ef])[\u200c\u200d]*[{_SELECTORS}]"
    f"|(?<![{_IDEOGRAPHS}])[\U000e0100-\U000e01ef]"
    # Joiners, except in an emoji and between letters that they shape.
    f"|(?<![{_SHAPED}{_EMOJI}\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![{_SHAPED}{_EMOJI}])"
)

_FORMULA = re.compile("[\t\r\n]|[ \u00a0]*[=+\\-@\t\r\n＝＋－＠]")
_HARMLESS = re.compile(r"\+[1-9][0-9]{6,14}|-[0-9]+(?:[.,][0-9]+)*")
"""A phone number in E.164, and a negative number."""


def clean(text: str) -> str:
    """The text with LF as its only line end, and without characters that can't be seen.

    Those are controls other than tab and LF, bidi controls, and characters without width. Joiners
    stay in an emoji and where a script needs them.
    """
    text = _UNSEEN.sub("", folded(_LINE_ENDS.sub("\n", text)))
    return _MISPLACED.sub("", text)


def without_formula(text: str) -> str:
    """The value of a cell: with an apostrophe before it if a spreadsheet might calculate it.

    A phone number in E.164 and a negative number stay as they are.
    """
    if _FORMULA.match(text) and not _HARMLESS.fullmatch(text):
        return "'" + text
    return text
