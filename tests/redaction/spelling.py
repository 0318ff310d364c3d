"""Numbers as callers say them and as transcribers write them."""

from collections.abc import Sequence

from hypothesis import strategies as st

_EN = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"""
_DE = """null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn
fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig
neunzig"""
_ES = """cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince
dieciséis diecisiete dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta
noventa"""
NUMBERS = {"en": _EN.split(), "de": _DE.split(), "es": _ES.split()}
"""For 0 to 19, then for the tens."""

FAMILIAR = {"en": {"0": "oh"}, "de": {"2": "zwo"}, "es": {}}
DOUBLES = {"en": "double", "de": "doppel", "es": "doble"}
TWENTIES = ["uno", "dós", "trés", "cuatro", "cinco", "séis", "siete", "ocho", "nueve"]
PAUSES = [", ", ". ", "... ", " - ", "-", ",", "; "]
WORDS = {
    "en": [" uh ", ", um, ", " and then ", " then ", ", and ", " dash "],
    "de": [" äh ", ", ähm, ", " und dann ", " dann ", ", und ", " Bindestrich "],
    "es": [" eh ", ", este, ", " y luego ", " luego ", ", y ", " guion "],
}


def pair(digits: str, language: str) -> str:
    """ "41" as a number."""
    tens, unit = int(digits[0]), int(digits[1])
    if tens == 0:
        return f"{FAMILIAR[language].get('0', NUMBERS[language][0])} {NUMBERS[language][unit]}"
    if tens == 1:
        return NUMBERS[language][10 + unit]
    word = NUMBERS[language][18 + tens]
    if unit == 0:
        return word
    if language == "de":
        return ("ein" if unit == 1 else NUMBERS["de"][unit]) + "und" + word
    if language == "es":
        return f"veinti{TWENTIES[unit - 1]}" if tens == 2 else f"{word} y {NUMBERS['es'][unit]}"
    return f"{word}-{NUMBERS['en'][unit]}"


def doubled(digits: str, language: str) -> str:
    """ "double four one", single digits otherwise."""
    words: list[str] = []
    at = 0
    while at < len(digits):
        is_double = digits[at : at + 2] == digits[at] * 2
        words += [DOUBLES[language]] if is_double else []
        words.append(NUMBERS[language][int(digits[at])])
        at += 2 if is_double else 1
    return " ".join(words)


@st.composite
def group(draw: st.DrawFn, digits: str, language: str) -> str:
    """A group of digits that the caller says without a pause."""
    style = draw(st.sampled_from(["written", "spaced", "spoken", "familiar", "doubled", "pairs"]))
    if style == "written":
        return digits
    if style == "spaced":
        return " ".join(digits)
    if style == "doubled":
        return doubled(digits, language)
    if style == "pairs" and len(digits) % 2 == 0:
        return " ".join(pair(digits[at : at + 2], language) for at in range(0, len(digits), 2))
    words = [NUMBERS[language][int(digit)] for digit in digits]
    if style == "familiar":
        words = [FAMILIAR[language].get(digit, NUMBERS[language][int(digit)]) for digit in digits]
    return " ".join(words)


@st.composite
def spelled(draw: st.DrawFn, digits: str, sizes: Sequence[int] = ()) -> str:
    """The digits in any way that callers say them. sizes: of the groups, any if there are none."""
    language = draw(st.sampled_from(sorted(NUMBERS)))
    separator = st.sampled_from(PAUSES + WORDS[language])
    if draw(st.booleans()):
        separator = st.just(draw(separator))
    text = ""
    for part in draw(st.just(cut(digits, sizes)) if sizes else groups(digits)):
        pause = draw(separator) if text else ""
        if pause == "-" and text.endswith(tuple(NUMBERS[language][20:])):
            pause = ", "  # "sixty-one" is 61
        text += pause + draw(group(part, language))
    return draw(st.sampled_from([str.lower, str.title, str.upper]))(text)


@st.composite
def evenly_spelled(draw: st.DrawFn, digits: str) -> str:
    """The digits in equal groups with equal pauses, as long numbers are read out."""
    language = draw(st.sampled_from(sorted(NUMBERS)))
    size = draw(st.sampled_from([1, 2, 3, 4, 5, len(digits)]))
    separator = draw(st.sampled_from([" ", *PAUSES, *WORDS[language]]))
    is_spoken = draw(st.booleans()) and separator != " "
    parts = cut(digits, [size] * len(digits))
    return separator.join(doubled(part, language) if is_spoken else part for part in parts)


@st.composite
def groups(draw: st.DrawFn, digits: str) -> list[str]:
    """The digits in groups, most often of four."""
    sizes = draw(
        st.one_of(
            st.just([4] * 5),
            st.just([2] * 10),
            st.just([20]),
            st.just([1] * 20),
            st.just([4, 6, 5]),
            st.lists(st.integers(1, 7), min_size=20, max_size=20),
        )
    )
    return cut(digits, sizes)


def cut(digits: str, sizes: Sequence[int]) -> list[str]:
    parts = []
    for size in sizes:
        parts.append(digits[:size])
        digits = digits[size:]
    return [part for part in [*parts, digits] if part]


def with_check_digit(digits: str) -> str:
    """The digits and the one that makes them pass Luhn."""
    doubled_sum = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 == 0 else 1)
        doubled_sum += value - 9 if value > 9 else value
    return digits + str(-doubled_sum % 10)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A card number of an issuer, with its length and check digit."""
    prefix, length = draw(
        st.one_of(
            st.tuples(st.just("4"), st.just(16)),
            st.tuples(st.integers(51, 55), st.just(16)),
            st.tuples(st.integers(2221, 2720), st.just(16)),
            st.tuples(st.sampled_from([34, 37]), st.just(15)),
            st.tuples(st.sampled_from([6011, 65, *range(644, 650)]), st.just(16)),
            st.tuples(st.sampled_from([36, 38, *range(300, 306)]), st.just(14)),
            st.tuples(st.integers(3528, 3589), st.just(16)),
            st.tuples(st.just(62), st.integers(16, 19)),
            st.tuples(st.just(6759), st.sampled_from([16, 18, 19])),
        )
    )
    rest = length - len(str(prefix)) - 1
    return with_check_digit(f"{prefix}{draw(st.integers(0, 10**rest - 1)):0{rest}}")


@st.composite
def imeis(draw: st.DrawFn) -> str:
    begin = draw(st.sampled_from(["01", "35", "86", "99"]))
    return with_check_digit(f"{begin}{draw(st.integers(0, 10**12 - 1)):012}")
