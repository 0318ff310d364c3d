"""Finds the digits that belong to a cue: "the CVV on the back is 1 2 3", "4271 is my PIN"."""

from shared.redaction.document import Break, Cue, Document, Run, is_tight

_MAX_BETWEEN = 14
"""Tokens between a cue and its digits."""
_MAX_PHRASE = 8
"""Tokens of "for my account", "that you sent me"."""
_CONNECTORS = ("connectors", "announcing", "hesitations")
_SENTENCE_ENDS = frozenset(".?!;")


def digits_of(document: Document, cue: Cue, sizes: range) -> tuple[int, int] | None:
    """First and last token of the digits that the cue announces. sizes: how many digits fit."""
    return _digits_after(document, cue, sizes) or digits_before(document, cue, sizes)


def _digits_after(document: Document, cue: Cue, sizes: range) -> tuple[int, int] | None:
    at = document.after_places(cue.end)
    phrase = 0
    """How many tokens of a phrase are read: after "the PIN" "for my account" until "is"."""
    while at < min(cue.end + _MAX_BETWEEN, len(document.tokens)):
        if phrase and not _SENTENCE_ENDS.isdisjoint(document.tokens[at].before):
            return None
        run, number = document.run_of_first.get(at, ([], 0))
        if run and (not phrase or document.is_in("announcing", at - 1)):
            last = _last_number(run, number, sizes)
            if last is not None and not document.is_in("units", run[last].last + 1):
                return run[number].first, run[last].last
            if not document.is_in("units", run[number].last + 1):
                return None
            at = run[number].last + 2
        elif run:
            at = run[number].last + 1
        elif document.is_in("copulas", at):
            phrase, at = 0, at + 1
        elif phrase or document.is_in("prepositions", at):
            if document.is_in("areas", at) or phrase > _MAX_PHRASE:
                return None
            phrase, at = phrase + 1, at + 1
        elif any(document.is_in(name, at) for name in _CONNECTORS):
            at += 1
        else:
            return None
    return None


def _last_number(run: Run, first: int, sizes: range) -> int | None:
    """The number of the run with which the digits end: after as many as fit."""
    size = 0
    last = None
    for at in range(first, len(run)):
        separated = at > first and not is_tight(run, at)
        if separated and size >= sizes.start:
            last = at - 1
            goes_on = run[at].is_short and run[at - 1].is_short
            if not goes_on or run[at].before > Break.PAUSE:
                return last
        size += len(run[at].digits)
        if size >= sizes.stop:
            return last
    return len(run) - 1 if size in sizes else last


def digits_before(document: Document, cue: Cue, sizes: range) -> tuple[int, int] | None:
    """First and last token of the digits in "4271 is my PIN"."""
    at = cue.first - 1
    if document.is_in("possessives", at):
        at -= 1
    if not (document.is_in("copulas", at) or document.is_in("stands_for", at)):
        return None
    run, number = document.run_of_last.get(at - 1, ([], 0))
    size = 0
    for first in range(number, -1, -1) if run else ():
        size += len(run[first].digits)
        if size in sizes and not is_tight(run, first):
            return run[first].first, run[number].last
        if size >= sizes.stop:
            return None
    return None
