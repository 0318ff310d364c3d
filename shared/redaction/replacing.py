"""Puts a label in place of each part of the utterances that has to go."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from shared.redaction.document import Document, Span

_FILLERS = ("links", "hesitations", "positions")


def replaced(texts: Sequence[str], document: Document, spans: Iterable[Span]) -> list[str]:
    """The utterances of the document. Of spans that overlap the first one counts."""
    covered = bytearray(len(document.text))
    pieces: list[list[Span]] = [[] for _ in texts]
    for span in spans:
        if not any(covered[span.start : span.end]):
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
            for part, piece in _by_part(document, span, texts):
                pieces[part].append(piece)
    return [
        _with_labels(text, start, found)
        for text, start, found in zip(texts, document.starts, pieces, strict=True)
    ]


def _with_labels(text: str, offset: int, spans: list[Span]) -> str:
    written = []
    at = 0
    for span in sorted(spans, key=lambda span: span.start):
        written += [text[at : span.start - offset], span.kind.label]
        at = span.end - offset
    return "".join([*written, text[at:]])


def _by_part(document: Document, span: Span, texts: Sequence[str]) -> Iterator[tuple[int, Span]]:
    """The part of each utterance that belongs to the span, without fillers at its ends."""
    first = bisect_right(document.starts, span.start) - 1
    last = bisect_right(document.starts, span.end - 1) - 1
    if first == last:
        yield first, span
        return
    for part in range(first, last + 1):
        start = document.starts[part]
        piece = Span(max(span.start, start), min(span.end, start + len(texts[part])), span.kind)
        tokens = _tokens_in(document, piece)
        if tokens:
            yield part, document.span(tokens[0], tokens[-1], span.kind)


def _tokens_in(document: Document, span: Span) -> range:
    first = bisect_left(document.tokens, span.start, key=lambda token: token.start)
    end = bisect_left(document.tokens, span.end, key=lambda token: token.start)
    while first < end and _is_filler(document, first):
        first += 1
    while first < end and _is_filler(document, end - 1):
        end -= 1
    return range(first, end)


def _is_filler(document: Document, at: int) -> bool:
    return not document.numbers.digits_at(at) and any(document.is_in(name, at) for name in _FILLERS)
