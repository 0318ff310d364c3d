"""Finds what is a secret only because of the words before it: security codes, PINs, SSNs."""

from collections.abc import Iterator

from shared.redaction.cues import digits_of
from shared.redaction.document import Break, Document, Run, Span
from shared.redaction.kinds import Kind

_SECURITY_CODE = range(3, 9)
"""Three or four digits on a card. Other codes that callers call so are longer."""
_PIN = range(4, 13)
_SOCIAL_SECURITY = range(9, 10)
_GROUPS = [3, 2, 4]
_LABEL_REACH = 3


def security_codes(document: Document) -> Iterator[Span]:
    return _announced(document, "security_code", _SECURITY_CODE, Kind.SECURITY_CODE)


def pins(document: Document) -> Iterator[Span]:
    return _announced(document, "pin", _PIN, Kind.PASSWORD)


def social_security_numbers(document: Document) -> Iterator[Span]:
    """US numbers: written 3-2-4 in the ranges that are assigned, or nine digits after a cue."""
    yield from _announced(document, "social", _SOCIAL_SECURITY, Kind.SOCIAL_SECURITY)
    for run in document.runs:
        for at in range(len(run) - 2):
            if _is_formatted(document, run, at) and not _is_labelled(document, run[at].first):
                yield document.span(run[at].first, run[at + 2].last, Kind.SOCIAL_SECURITY)


def _announced(document: Document, name: str, sizes: range, kind: Kind) -> Iterator[Span]:
    for cue in document.cues[name]:
        if found := digits_of(document, cue, sizes):
            yield document.span(*found, kind)


def _is_formatted(document: Document, run: Run, at: int) -> bool:
    group = run[at : at + 3]
    if [len(number.digits) for number in group] != _GROUPS:
        return False
    if not all(number.written and number.first == number.last for number in group):
        return False
    area, pair, serial = (number.digits for number in group)
    if area in ("000", "666") or area >= "900" or pair == "00" or serial == "0000":
        return False
    between = {document.tokens[number.first].before for number in group[1:]}
    separator = between.pop()
    if between or separator not in ("-", "‐", "‑", "–", ".", " "):
        return False
    around = [run[at].before] if at else []
    around += [run[at + 3].before] if at + 3 < len(run) else []
    if separator == " ":
        return all(before >= Break.PAUSE for before in around)
    ends = [run[at].first, *([run[at + 3].first] if at + 3 < len(run) else [])]
    return all(document.tokens[end].before != separator for end in ends)


def _is_labelled(document: Document, first: int) -> bool:
    """Whether it is said to be another number: "case number 123-45-6789"."""
    return any(document.is_in("other_numbers", first - back) for back in range(1, _LABEL_REACH + 1))
