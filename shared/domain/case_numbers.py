"""Case numbers as callers say them and as an org writes them.

CaseNumber is an auto-number with a display format of the org's: `{00000000}` by default, `{00000}`,
`CS-{00000}`, `{YYYY}-{0000}`. Describe does not tell the format, so it is taken from an example, a
CaseNumber of the org. Callers leave out zeros, separators and prefixes.
"""

import re
from collections.abc import Iterator
from itertools import chain

MAX_LENGTH = 30
"""Of CaseNumber (Object Reference)."""
MAX_LETTERS = 10
MAX_DIGITS = 10
"""Of the number in an auto-number field."""

_NOT_MEANT = re.compile(r"\b(?:CASE|NUMBER|NO|NR|DASH|HYPHEN|MINUS|SLASH|DOT|POINT|UNDERSCORE)\b")
_RUN = re.compile(r"[0-9]+")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


def normal_form(spoken: str) -> str | None:
    """ "CS-01001", "cs 0 1 0 0 1" and "case CS 1001" are all "CS1001", "00001001" is "1001".

    None without digits, or for what is too long to be a case number.
    """
    letters, digits = _parts(_NOT_MEANT.sub(" ", spoken.upper()))
    if not digits or len(letters) > MAX_LETTERS or len(letters + digits) > MAX_LENGTH:
        return None
    return letters + (digits.lstrip("0") or "0")


def same_number(spoken: str, number: str) -> bool:
    """Whether somebody who says this may mean the case of that number, as the org writes it.

    Digits are compared without leading zeros, letters only where both have some.
    """
    letters, digits = _parts(normal_form(spoken) or "")
    if not digits or not _fits(letters, _parts(number)[0]):
        return False
    meant = {_parts(number)[1], *(run[0] for run in [_counter(number)] if run)}
    return digits in {item.lstrip("0") or "0" for item in meant if item}


def candidates(spoken: str, example: str | None) -> list[str]:
    """The ways in which the org may write the number that was said; empty when it can't be one.

    example: a CaseNumber of the org, None when none is known.
    """
    letters, digits = _parts(normal_form(spoken) or "")
    if not digits:
        return []
    written = []
    if example and _fits(letters, _parts(example)[0]):
        written += [*_as_counter(digits, example), *_filled_in(digits, example)]
    if not letters or (example and not _parts(example)[0]):
        written += _padded(digits)
    elif letters:
        written += chain.from_iterable(
            (letters + item, f"{letters}-{item}") for item in _padded(digits)
        )
    return list(dict.fromkeys(row for row in written if len(row) <= MAX_LENGTH))


def _parts(text: str) -> tuple[str, str]:
    """Its letters in upper case, and its digits."""
    shown = [item for item in text.upper() if item.isascii()]
    return (
        "".join(item for item in shown if item.isalpha()),
        "".join(item for item in shown if item.isdigit()),
    )


def _fits(said: str, written: str) -> bool:
    """Letters said are those written, perhaps with other words before them; or there are none."""
    return not said or not written or said.endswith(written)


def _counter(number: str) -> re.Match[str] | None:
    """The digits that count up: the last ones that are not a year."""
    runs = list(_RUN.finditer(number))
    counting = [run for run in runs if not _YEAR.fullmatch(run[0])] or runs
    return counting[-1] if counting else None


def _as_counter(digits: str, example: str) -> Iterator[str]:
    """The example with the number said in the place of its own."""
    run = _counter(example)
    if run is None:
        return
    before, after = example[: run.start()], example[run.end() :]
    for padded in (digits.zfill(len(run[0])), digits):
        yield f"{before}{padded}{after}"


def _filled_in(digits: str, example: str) -> Iterator[str]:
    """All digits of the example replaced by those said, which name its year or day as well."""
    places = sum(item.isdigit() for item in example)
    if len(digits) <= places:
        said = iter(digits.zfill(places))
        yield "".join(next(said) if item.isdigit() else item for item in example)


def _padded(digits: str) -> list[str]:
    return [digits.zfill(width) for width in range(len(digits), max(MAX_DIGITS, len(digits)) + 1)]
