"""Secrets in what callers say are removed, and all other numbers stay."""

import hashlib
import hmac
import re
import sys
import tomllib
from collections import Counter
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from demo.stack import ROOT
from shared.redaction import ALL, DEFAULT, Kind, kinds_of, redact, redact_across, redact_values
from tests.redaction.spelling import cards, evenly_spelled, imeis, spelled

KINDS = {
    "card": Kind.CARD,
    "code": Kind.SECURITY_CODE,
    "social": Kind.SOCIAL_SECURITY,
    "bank": Kind.BANK_ACCOUNT,
    "password": Kind.PASSWORD,
    "steuer": Kind.STEUER_ID,
    "dni": Kind.DNI,
}
MARKED = re.compile(r"\{(\w+)\|([^}]*)\}")
WORD = re.compile(r"\[[a-z ]+ removed\]|[^\W_]+")
UTTERANCES = tomllib.loads((ROOT / "tests/redaction/utterances.toml").read_text(encoding="utf-8"))

CARD = Kind.CARD.label
CODE = Kind.SECURITY_CODE.label
SOCIAL = Kind.SOCIAL_SECURITY.label
BANK = Kind.BANK_ACCOUNT.label
PASSWORD = Kind.PASSWORD.label
NOT_SOCIAL = ALL - {Kind.SOCIAL_SECURITY}

many = hypothesis_settings(max_examples=100, deadline=None)


def utterances(part: str, sort: str) -> list[tuple[str, str, str]]:
    """(language, what was said, what has to be left of it)"""
    return [
        (
            language,
            MARKED.sub(lambda match: match[2], text),
            MARKED.sub(lambda match: KINDS[match[1]].label, text),
        )
        for language, sorts in UTTERANCES[part].items()
        for text in sorts[sort]
    ]


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(text))


def leaks(part: str, kinds: frozenset[Kind] = DEFAULT) -> list[str]:
    """What was said where a word of a secret is left."""
    return [
        said
        for _, said, expected in utterances(part, "secret")
        if words(redact(said, kinds)) - words(expected)
    ]


def false_positives(part: str, kinds: frozenset[Kind] = DEFAULT) -> list[str]:
    return [said for _, said, _ in utterances(part, "harmless") if redact(said, kinds) != said]


def test_the_utterances_are_enough_to_measure() -> None:
    count = {
        (part, sort): len(utterances(part, sort))
        for part in ("tuned", "held_out")
        for sort in ("secret", "harmless")
    }
    assert min(count["tuned", "secret"], count["tuned", "harmless"]) >= 250
    assert min(count["held_out", "secret"], count["held_out", "harmless"]) >= 100


@pytest.mark.parametrize(("language", "said", "expected"), utterances("tuned", "secret"))
def test_a_secret_is_removed_and_nothing_else(language: str, said: str, expected: str) -> None:
    assert redact(said) == expected


@pytest.mark.parametrize(("language", "said", "_expected"), utterances("tuned", "harmless"))
def test_what_is_no_secret_stays(language: str, said: str, _expected: str) -> None:
    assert redact(said) == said


def test_of_utterances_that_nobody_tuned_it_on_hardly_a_secret_is_left() -> None:
    assert len(leaks("held_out")) <= 1


def test_of_utterances_that_nobody_tuned_it_on_hardly_a_harmless_text_is_changed() -> None:
    assert len(false_positives("held_out")) <= 2


@many
@given(cards().flatmap(spelled), st.sampled_from(["", "my card is ", "Okay so it's ", "ja, "]))
def test_a_card_number_is_removed_however_it_is_said(number: str, before: str) -> None:
    assert redact(before + number + " thanks") == before + CARD + " thanks"


@many
@given(cards().flatmap(lambda digits: spelled(digits, [4] * 5)), cards().flatmap(spelled))
def test_a_card_number_is_removed_among_other_numbers(number: str, other: str) -> None:
    said = f"zip 94105, it's {number}, expiring 12 27, case 00001234. The other is {other}."
    expected = f"zip 94105, it's {CARD}, expiring 12 27, case 00001234. The other is {CARD}."
    assert redact(said) == expected


@many
@given(
    st.one_of(
        st.from_regex("[0-9]{5,8}", fullmatch=True).flatmap(spelled),
        st.from_regex("[0-9]{10,11}", fullmatch=True).flatmap(spelled),
        st.from_regex("[789][0-9]{11,19}", fullmatch=True).flatmap(evenly_spelled),
    ),
    st.sampled_from(["", "order number ", "case ", "tracking number is ", "meine Bestellung "]),
)
def test_an_order_number_stays(number: str, before: str) -> None:
    assert redact(before + number + " please") == before + number + " please"


@many
@given(
    st.data(),
    imeis(),
    st.sampled_from([[15], [2, 6, 6, 1], [8, 6, 1], [6, 2, 6, 1], [1] * 15]),
)
def test_an_imei_stays(data: st.DataObject, digits: str, sizes: list[int]) -> None:
    text = "the IMEI is " + data.draw(spelled(digits, sizes)) + " okay"
    assert redact(text) == text


@many
@given(
    st.data(),
    st.from_regex("[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    st.sampled_from(["{} {} {}", "({}) {}-{}", "+1{}{}{}", "1-{}-{}-{}", "{}.{}.{}"]),
)
def test_a_phone_number_stays(data: st.DataObject, digits: str, form: str) -> None:
    parts = digits[:3], digits[3:6], digits[6:]
    written = "call " + form.format(*parts) + " please"
    spoken = "call " + data.draw(spelled(digits, [3, 3, 4])) + " please"
    assert (redact(written), redact(spoken)) == (written, spoken)
    two = f"call {digits[:3]} {digits[3:6]} {digits[6:]} or {digits[:3]} {digits[3:6]} 0102"
    assert redact(two) == two


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("49927398716", "49927398716"),  # Luhn, and no length of an issuer
        ("4222 2222 22222", "4222 2222 22222"),  # 13 digits need the word
        ("my visa is 4222 2222 22222", f"my visa is {CARD}"),
        ("+4915123456789012", "+4915123456789012"),
        ("SO4111111111111111", "SO4111111111111111"),
        ("0.4111111111111111", "0.4111111111111111"),
        ("date 24 11:22:33 2022 -0400", None),
        ("4111111111111111 1225", f"{CARD} 1225"),
        ("four one one one " + "one " * 12 + "one two two five", f"{CARD} one two two five"),
        ("94105 4111 1111 1111 1111", f"94105 {CARD}"),
        ("9400 4111 1111 1111 1111", None),  # a longer number
        ("4111 1111 1111 1111 0728 123", f"{CARD} 0728 123"),
        ("4111 1111 1111 1111 1928", None),
        ("٤١١١ ١١١١ ١١١١ ١١١١", CARD),
        ("4111 1111 go ahead 1111 1111", CARD),
        ("4111 1111 1111 1112 4111 1111 1111 1111", f"4111 1111 1111 1112 {CARD}"),
        ("4111 1111 then my dog barked and 1111 1111", None),
        ("?card=4111111111111111&x=1", f"?card={CARD}&x=1"),
        ("a Visa, four ones and four fives, no wait", None),
        ("4, three ones, four ones, four ones, four ones", CARD),
    ],
)
def test_card_numbers(text: str, expected: str | None) -> None:
    assert redact(text) == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "kinds", "expected"),
    [
        ("219-09-9999", ALL, SOCIAL),
        ("219-09-9999", NOT_SOCIAL, None),
        ("my social is 219099999", NOT_SOCIAL, None),
        ("219099999", ALL, None),
        ("000-12-3456 666-12-3456 900-12-3456 219-00-9999 219-09-0000", ALL, None),
        ("219-09 9999", ALL, None),
        ("1-219-09-9999", ALL, None),
        ("part 219-09-9999", ALL, None),
        ("social media 219099999", ALL, None),
    ],
)
def test_social_security_numbers(text: str, kinds: frozenset[Kind], expected: str | None) -> None:
    assert redact(text, kinds) == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89 3704 0044 0532 0130 01", None),  # check digits
        ("DE89 3704 0044 0532 0130 00 12", f"{BANK} 12"),
        ("XX89 3704 0044 0532 0130 00", None),  # no country
        ("de la calle 89 3704 0044 0532 0130 00", None),
        ("la guía es 91 2100 0418 4502 0005 1332", None),  # "es" is a word
        ("la cuenta es 91 2100 0418 4502 0005 1332", f"la cuenta {BANK}"),
        ("IT63 2009 2010 2011 2012 2013 201", None),  # a letter comes first in Italy
        ("DE 89 und dann 3704 0044 0532 0130 00", BANK),
        ("DE 89 und dann ist die nummer das 3704 0044 0532 0130 00", None),
    ],
)
def test_ibans(text: str, expected: str | None) -> None:
    assert redact(text) == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password":"hunter2","user":"bob"}', f'{{"password":"{PASSWORD}","user":"bob"}}'),
        ("password=hunter2&x", f"password={PASSWORD}"),
        ("my password is password", f"my password is {PASSWORD}"),
        ("my password is $ecret", f"my password is {PASSWORD}"),
        ("my password is correct", None),
        ("my password is correct horse", f"my password is {PASSWORD}"),
        ("my password is four digits long", None),
        ("I forgot my password. It is annoying", None),
        ("password bob22@example.com", None),
        ("password is my 4111", f"password is my {PASSWORD}"),
        ("clave 456 4111 is hunter2", f"clave {PASSWORD} is {PASSWORD}"),
        ("la clave es sencilla", None),
        ("mi clave es sencilla", f"mi clave es {PASSWORD}"),
        ("my pin is 123", None),  # too short
        ("my pin is 4271 and 9", f"my pin is {PASSWORD} and 9"),
        (
            "the pin for the card ending 1881 is 4271",
            f"the pin for the card ending 1881 is {PASSWORD}",
        ),
        (f"my pin is {PASSWORD} 4271", None),
    ],
)
def test_passwords_and_pins(text: str, expected: str | None) -> None:
    assert redact(text) == (text if expected is None else expected)


def test_only_the_kinds_asked_for_are_removed() -> None:
    text = "card 4111111111111111 pin 4271"
    assert redact(text, kinds={Kind.CARD}) == f"card {CARD} pin 4271"
    assert redact(text, kinds={Kind.PASSWORD}) == f"card 4111111111111111 pin {PASSWORD}"
    assert redact(text, kinds=()) == text


def test_a_card_number_in_consecutive_utterances_is_removed_from_each() -> None:
    said = ["My card is four one one one.", "And then 1111, uh, 1111", "yes and 1111. Zip 94105"]
    left = [f"My card is {CARD}.", f"And then {CARD}", f"yes and {CARD}. Zip 94105"]
    assert redact_across(said) == left
    assert [redact(text) for text in said] == said


def test_an_utterance_without_a_part_of_the_number_stays() -> None:
    assert redact_across(["4111 1111", "uh", "1111 1111"]) == [CARD, "uh", CARD]


def test_a_card_number_in_more_than_three_utterances_is_none() -> None:
    said = ["4111", "1111", "1111", "1111"]
    assert redact_across(said) == said


def test_an_utterance_may_announce_what_the_next_says() -> None:
    said = ["What is it? My password is", "hunter2", "and the security code", "1 2 3"]
    left = ["What is it? My password is", PASSWORD, "and the security code", CODE]
    assert redact_across(said) == left


def test_no_utterances_are_none_left() -> None:
    assert redact_across([]) == []
    assert redact_across(["", "a"]) == ["", "a"]


def digest(digits: str) -> str:
    return hmac.new(b"key", digits.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's 4271", f"it's {PASSWORD}"),
        ("it's four two uh seven one okay", f"it's {PASSWORD} okay"),
        ("sure: zweiundvierzig einundsiebzig.", f"sure: {PASSWORD}."),
        ("4,271", PASSWORD),
        ("4272 then 4271", f"4272 then {PASSWORD}"),
        ("PIN4271x", f"PIN{PASSWORD}x"),
        ("order 14271, 42 712, 142715", None),
    ],
)
def test_a_value_that_matches_is_removed(text: str, expected: str | None) -> None:
    stored = digest("4271")
    asked: set[int] = set()

    def matches(digits: str) -> bool:
        asked.add(len(digits))
        return digest(digits) == stored

    assert redact_values(text, matches, {4}) == (text if expected is None else expected)
    assert asked <= {4}


@many
@given(st.from_regex("[0-9]{4,8}", fullmatch=True), st.data())
def test_a_value_is_removed_however_it_is_said(digits: str, data: st.DataObject) -> None:
    text = "well " + data.draw(spelled(digits)) + " thanks"
    assert redact_values(text, digits.__eq__, {len(digits)}) == f"well {PASSWORD} thanks"
    assert redact_values(text, lambda _: False, range(20)) == text


LONG_TEXTS = {
    "digits": "1 ",
    "groups": "4111 ",
    "cards": "4,",
    "a stream of cards": "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 ",
    "countries": "DE89 ",
    "letters": "D E ",
    "passwords": "password is ",
    "cues in a word": "password:",
    "PINs": "pin of a ",
    "thousands": "thousand ",
    "interrupted": "4111 foo ",
    "tax numbers": "86095742719, ",
    "almost identity numbers": "X 1 2 3 letra ",
}


@pytest.mark.parametrize("piece", LONG_TEXTS.values(), ids=LONG_TEXTS.keys())
def test_a_text_four_times_as_long_takes_four_times_as_many_steps(piece: str) -> None:
    size = 2000 // len(piece)
    assert steps(piece * size * 4) <= 4.4 * steps(piece * size)


def steps(text: str) -> int:
    """How many calls it takes."""
    calls = 0

    def count(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    redact("")  # reads the words
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        redact(text, ALL)
    finally:
        sys.setprofile(before)
    return calls


# -- kinds that REDACT names -----------------------------------------------------------------------

NATIONAL = ALL - DEFAULT
TAX, DNI = Kind.STEUER_ID.label, Kind.DNI.label


def test_of_national_identifiers_two_are_left() -> None:
    """One in German number words of three digits, one with the Spanish name of its letter."""
    assert len(utterances("national", "secret")) >= 30
    assert len(leaks("national", NATIONAL)) <= 2


def test_no_other_number_is_taken_for_a_national_identifier() -> None:
    for part in ("national", "tuned", "held_out"):
        assert false_positives(part, NATIONAL) == [
            said for said in false_positives(part) if redact(said, NATIONAL) != said
        ]
        assert not false_positives(part, NATIONAL)


def test_without_their_names_national_identifiers_stay() -> None:
    assert redact("86095742719 12345678Z") == "86095742719 12345678Z"
    assert redact("86095742719, 12345678Z", {Kind.DNI}) == f"86095742719, {DNI}"
    assert redact("86095742719, 12345678Z", {Kind.STEUER_ID}) == f"{TAX}, 12345678Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("86095742719", TAX),
        ("86095742718", None),  # check digit
        ("06095742719", None),
        ("12345678903", None),  # every digit once: the form of no tax number
        ("+86095742719", None),
        ("8609574271 9", TAX),
        ("1 86095742719", None),
        ("86095742719 1", None),
        ("1, 86095742719, 1", f"1, {TAX}, 1"),
        ("12345678Z", DNI),
        ("12345678 Z", DNI),
        ("12345678 z", None),  # a word
        ("12345678A", None),
        ("912345678Z", None),
        ("9 12345678Z", f"9 {DNI}"),
        ("9 1 2 3 4 5 6 7 8 Z", None),
        ("X1234567L", DNI),
        ("W1234567L", None),
        ("Y1234567L", None),
    ],
)
def test_form_and_check_digits_of_national_identifiers(text: str, expected: str | None) -> None:
    assert redact(text, NATIONAL) == (text if expected is None else expected)


def test_a_national_identifier_that_goes_on_in_the_next_utterance_is_removed() -> None:
    said = ["mi DNI 1234", "5678 Z"]
    assert redact_across(said, NATIONAL) == [f"mi DNI {DNI}", DNI]
    assert redact_across(["47 036", "892 816"], NATIONAL) == [TAX, TAX]


def test_the_kinds_of_the_setting_have_their_own_names() -> None:
    assert kinds_of("") == DEFAULT
    assert kinds_of(" card , dni") == {Kind.CARD, Kind.DNI}
    assert kinds_of(",".join(kind.setting for kind in Kind)) == ALL
    with pytest.raises(ValueError, match="does not know iban"):
        kinds_of("card,iban")
