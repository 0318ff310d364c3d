"""Case numbers as callers say them and as an org writes them.

CaseNumber is an auto-number with a display format that the org chooses: `{00000000}` by default,
`{00000}`, `CS-{00000}`, `{YYYY}-{0000}`. Describe does not show the format, so it is derived from
an example, a CaseNumber of the org. Callers omit zeros, separators and prefixes.
"""

import re
from collections.abc import Iterator
from itertools import chain

MAX_LENGTH = 30
"""Length of CaseNumber (Object Reference)."""
MAX_LETTERS = 10
MAX_DIGITS = 10
"""Digits of the number in an auto-number field."""

_NOT_MEANT = re.compile(r"\b(?:CASE|NUMBER|NO|NR|DASH|HYPHEN|MINUS|SLASH|DOT|POINT|UNDERSCORE)\b")
_RUN = re.compile(r"[0-9]+")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


def normal_form(spoken: str) -> str | None:
    """ "CS-01001", "cs 0 1 0 0 1" and "case CS 1001" are all "CS1001", "00001001" is "1001".

    None without digits, or when the text is too long for a case number.
    """
    letters, digits = _parts(_NOT_MEANT.sub(" ", spoken.upper()))
    if not digits or len(letters) > MAX_LETTERS or len(letters + digits) > MAX_LENGTH:
        return None
    return letters + (digits.lstrip("0") or "0")


def same_number(spoken: str, number: str) -> bool:
    """Whether a caller who says this may mean the case with that number, as the org writes it.

    Compares digits without leading zeros, and letters only where both have some.
    """
    letters, digits = _parts(normal_form(spoken) or "")
    if not digits or not _fits(letters, _parts(number)[0]):
        return False
    meant = {_parts(number)[1], *(run[0] for run in [_counter(number)] if run)}
    return digits in {number_.lstrip("0") or "0" for number_ in meant if number_}


def candidates(spoken: str, example: str | None) -> list[str]:
    """The ways in which the org may write the number that was said; [] when it can't be a number.

    example: a CaseNumber of the org, None if none is known.
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
            (letters + padded, f"{letters}-{padded}") for padded in _padded(digits)
        )
    return list(dict.fromkeys(number for number in written if len(number) <= MAX_LENGTH))


def _parts(text: str) -> tuple[str, str]:
    """The letters of a text in upper case, and its digits."""
    characters = [character for character in text.upper() if character.isascii()]
    return (
        "".join(character for character in characters if character.isalpha()),
        "".join(character for character in characters if character.isdigit()),
    )


def _fits(spoken: str, written: str) -> bool:
    """The letters spoken are those written, perhaps after other words; or one side has none."""
    return not spoken or not written or spoken.endswith(written)


def _counter(number: str) -> re.Match[str] | None:
    """The digits that count up: the last group that is not a year."""
    runs = list(_RUN.finditer(number))
    counting = [run for run in runs if not _YEAR.fullmatch(run[0])] or runs
    return counting[-1] if counting else None


def _as_counter(digits: str, example: str) -> Iterator[str]:
    """The example with its own counter replaced by the number said."""
    run = _counter(example)
    if run is None:
        return
    before, after = example[: run.start()], example[run.end() :]
    for padded in (digits.zfill(len(run[0])), digits):
        yield f"{before}{padded}{after}"


def _filled_in(digits: str, example: str) -> Iterator[str]:
    """The example with all digits replaced by the number said, which includes its year or day."""
    places = sum(character.isdigit() for character in example)
    if len(digits) <= places:
        replacement = iter(digits.zfill(places))
        yield "".join(next(replacement) if old.isdigit() else old for old in example)


def _padded(digits: str) -> list[str]:
    return [digits.zfill(width) for width in range(len(digits), max(MAX_DIGITS, len(digits)) + 1)]
