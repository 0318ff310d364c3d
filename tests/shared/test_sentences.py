"""Sentences: every language is complete, short and right; a mistake in a file is named."""

import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.dates import format_date

from shared.agent.errors import AgentError
from shared.agent.languages import AGENT_FOLDER, default_language, matching
from shared.agent.sentences import Sentences, Value, own, phrase
from shared.settings import SettingsError
from tests.conftest import change_settings, make_settings

SENTENCES = Sentences.load(AGENT_FOLDER)
VALUES: dict[str, Value] = {
    "account": "Acme Corporation",
    "amount": Decimal("0.1234"),
    "assistants": "Anna",
    "call": "call-1",
    "cases": "x",
    "choices": "low or high",
    "claim": phrase("claim-opened"),
    "claims": [phrase("claim-opened"), phrase("claim-changed")],
    "count": 2,
    "day": "27",
    "digits": "4 2",
    "direction": "inbound",
    "facts": [phrase("read-fact", name="status", value="Shipped")],
    "field": phrase("field-Email"),
    "fields": [phrase("field-Phone"), phrase("field-MailingCity"), phrase("field-MailingState")],
    "first": phrase("number-shared", count=2),
    "hour": "16",
    "how": "busy",
    "issueType": "technical",
    "kind": "case-create",
    "letters": "j a n e",
    "minute": "30",
    "month": "11",
    "name": "Jane Miller",
    "named": phrase("named-by-reference", reference="K7M 2QX"),
    "normalized": Decimal(80),
    "number": "1008",
    "phone": "+14155550101",
    "reason": "customer-ended-call",
    "records": "x",
    "reference": "K7M 2QX",
    "references": ["K7M 2QX", "B4N 7TR"],
    "result": "x",
    "score": Decimal("4.5"),
    "sentence": "x",
    "speaker": "caller",
    "status": "being-opened",
    "subject": "Technical: the line is dead",
    "to": phrase("record-somebody"),
    "tool": "createSalesforceCase",
    "tools": ["lookupCustomer", "createSalesforceCase"],
    "type": "verbal",
    "url": "https://example.com/1",
    "value": "Shipped",
    "version": "v2",
    "words": "This call is recorded.",
    "who": phrase("customer-of-account", name="Jane Miller", account="Acme Corporation"),
    "whom": phrase("transfer-to-colleague"),
    "year": "2026",
    "zone": "Europe/Berlin",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(AGENT_FOLDER / "sentences", tmp_path / "sentences")
    return tmp_path


def test_english_german_and_spanish_are_there() -> None:
    assert SENTENCES.languages == ("de", "en", "es")
    assert SENTENCES.default == "en"


@pytest.mark.parametrize("language", SENTENCES.languages)
@pytest.mark.parametrize("key", sorted(SENTENCES.keys))
def test_every_sentence_can_be_said_and_is_short(language: str, key: str) -> None:
    said = SENTENCES.say(language, key, **VALUES)
    assert 0 < len(said) <= 300
    assert said == said.strip()
    assert not re.search(r"[\u2066-\u2069]|\s\s|\n|\.\.|[{}]|\$", said)


@pytest.mark.parametrize("language", ["de", "es"])
def test_a_translation_is_one(language: str) -> None:
    same = {
        key
        for key in SENTENCES.keys
        if SENTENCES.say(language, key, **VALUES) == SENTENCES.say("en", key, **VALUES)
    }
    assert same <= {
        "customer",
        "customer-of-account",
        "argument-name-name",
        "argument-name-pin",
        "field",
        "letter-at",
        "letter-plus",
        "read-fact",
        "record-no",
    }


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 0, "no open cases"),
        ("en", 1, "one open case"),
        ("en", 2, "two open cases"),
        ("en", 10, "ten open cases"),
        ("en", 11, "11 open cases"),
        ("de", 0, "keinen offenen Vorgang"),
        ("de", 1, "einen offenen Vorgang"),
        ("de", 7, "sieben offene Vorgänge"),
        ("de", 11, "11 offene Vorgänge"),
        ("es", 0, "ningún caso abierto"),
        ("es", 1, "un caso abierto"),
        ("es", 3, "tres casos abiertos"),
        ("es", 11, "11 casos abiertos"),
    ],
)
def test_small_numbers_are_words_and_nouns_agree(language: str, count: int, said: str) -> None:
    assert SENTENCES.say(language, "open-cases", count=count) == said


@pytest.mark.parametrize(
    ("language", "minutes", "hours"),
    [
        ("en", "As of one minute ago", "As of three hours ago"),
        ("de", "der Stand von vor einer Minute", "der Stand von vor drei Stunden"),
        ("es", "Según los últimos datos, de hace un minuto", "de hace tres horas"),
    ],
)
def test_the_age_of_what_is_known_agrees(language: str, minutes: str, hours: str) -> None:
    assert minutes in SENTENCES.say(language, "known-minutes-ago", count=1, sentence="x")
    assert hours in SENTENCES.say(language, "known-hours-ago", count=3, sentence="x")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "phone number, city and state"),
        ("de", "Telefonnummer, Ort und Bundesland"),
        ("es", "teléfono, ciudad y provincia"),
    ],
)
def test_a_list_is_joined_as_the_language_does(language: str, said: str) -> None:
    assert said in SENTENCES.say(language, "update-accepted", **VALUES)


def test_a_date_is_spoken_as_the_language_does(folder: Path) -> None:
    for language in ("en", "de", "es"):
        file = folder / "sentences" / f"{language}.ftl"
        file.write_text(file.read_text() + "\nappointment-at = { $when }\n")
    sentences = Sentences.load(folder)
    day = date(2026, 11, 27)
    assert sentences.say("en", "appointment-at", when=day) == "November 27, 2026"
    assert sentences.say("de", "appointment-at", when=day) == "27. November 2026"
    assert sentences.say("es", "appointment-at", when=day) == format_date(day, "long", "es")
    moment = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    assert sentences.say("de", "appointment-at", when=moment) == "27. November 2026, 16:30"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("de-AT", "de"), ("de_CH", "de"), ("EN-us", "en"), ("fr", None), ("", None),
     ("German", None), ("multi", None), ("es-419", "es")],
)  # fmt: skip
def test_a_tag_means_the_nearest_language(tag: str, language: str | None) -> None:
    assert SENTENCES.matching(tag) == language


def test_a_language_without_a_file_gets_the_default() -> None:
    assert SENTENCES.say("fr-CA", "nothing-saved") == "Nothing was saved."
    assert matching("pt-BR", ["pt", "pt-PT"]) == "pt"
    assert [SENTENCES.region_tag(language) for language in ("en", "de", "es")] == [
        "en-US", "de-DE", "es-ES",
    ]  # fmt: skip


def test_a_tool_says_its_own_sentence_before_the_one_of_its_verb() -> None:
    keys = own("createSalesforceCase", "create", "accepted")
    said = SENTENCES.first("en", keys, issueType="billing", reference="K7M 2QX")
    assert said == "The billing case is being opened. Its reference is K7M 2QX."
    other = SENTENCES.first("en", own("orderPart", "create", "accepted"), reference="K7M 2QX")
    assert other == "That is being saved. The reference is K7M 2QX."
    assert own("x", "call_back", "accepted") == ("x-accepted", "call-back-accepted")


def test_what_a_caller_says_is_no_markup() -> None:
    said = SENTENCES.say("en", "case-has-number", number='{ $x } <b> { "1" }')
    assert said == 'The case has number { $x } <b> { "1" }.'


@pytest.mark.parametrize(("key", "values"), [("no-such-key", {}), ("case-has-number", {})])
def test_a_sentence_with_a_hole_is_never_said(key: str, values: dict[str, Any]) -> None:
    with pytest.raises(LookupError):
        SENTENCES.say("en", key, **values)


# -- one more language -----------------------------------------------------------------------------


def test_a_language_is_added_by_one_file(folder: Path) -> None:
    english = (folder / "sentences" / "en.ftl").read_text()
    french = english.replace("Nothing was saved.", "Rien n'a été enregistré.")
    (folder / "sentences" / "fr.ftl").write_text(french)
    sentences = Sentences.load(folder)
    assert sentences.say("fr-CA", "nothing-saved") == "Rien n'a été enregistré."
    assert sentences.say("en", "nothing-saved") == "Nothing was saved."


@pytest.mark.parametrize("default", ["de", "es"])
def test_any_language_may_be_the_default(default: str) -> None:
    sentences = Sentences.load(AGENT_FOLDER, default)
    assert sentences.say("fr", "nothing-saved") == SENTENCES.say(default, "nothing-saved")


def test_a_default_language_without_a_file_is_refused_by_the_settings_name() -> None:
    settings = make_settings("redis://127.0.0.1:1/0", "http://127.0.0.1:1", default_language="fr")
    with pytest.raises(SettingsError, match=r"DEFAULT_LANGUAGE .* which has de, en, es; add fr"):
        default_language(settings)
    here = change_settings(settings, default_language="de-AT")
    assert default_language(here) == "de"


# -- mistakes --------------------------------------------------------------------------------------


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(AgentError) as refused:
        Sentences.load(folder)
    return [str(mistake) for mistake in refused.value.mistakes]


def edit(folder: Path, language: str, old: str, new: str) -> int:
    """The line of what was replaced."""
    file = folder / "sentences" / f"{language}.ftl"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return text.count("\n", 0, text.index(old)) + 1


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("close-nothing = ", "close-nothing ", "is not Fluent"),
        ("gespeichert. Die Referenz ist { $reference }.", "gespeichert. Die Referenz ist { $ref }.",
         "create-accepted does not know $ref; it has $reference"),
        ("Vorgang { $number } { case-state }.", "Vorgang { case-state }.",
         "case-with-number leaves $number out"),
        ("case-has-number = Der Vorgang", "case-has-number = { foo } Der Vorgang",
         "case-has-number refers to the sentence foo, which is not in this file"),
        ("case-has-number = Der Vorgang", "case-has-number = { SPELL($number) } Der Vorgang",
         "case-has-number uses SPELL()"),
        ("number-first = ", "number-first = { number-first }", "number-first refers to itself"),
        ("transfer-summary = ", "transfer-nobody = x\ntransfer-summary = ",
         "transfer-nobody is there twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_line(
    folder: Path, old: str, new: str, problem: str
) -> None:
    line = edit(folder, "de", old, new)
    found = [text for text in mistakes(folder) if problem in text]
    assert found
    assert re.match(r"sentences/de\.ftl:\d+: ", found[0])
    assert abs(int(found[0].split(":")[1]) - line) <= 1


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    edit(folder, "de", "nothing-saved = ", "nothing-saved = { $why } ")
    edit(folder, "es", "number-not-shown = ", "number-not-shown = { $count } ")
    (folder / "sentences" / "klingon-x.ftl").write_text("a = b\n")
    (folder / "sentences" / "it.ftl").write_bytes(b"a = \xff\n")
    found = "\n".join(mistakes(folder))
    assert "nothing-saved does not know $why" in found
    assert "number-not-shown does not know $count" in found
    assert "sentences/klingon-x.ftl: is named after no language" in found
    assert "sentences/it.ftl: is not UTF-8" in found


def test_a_folder_names_only_what_it_says_differently(folder: Path) -> None:
    (folder / "sentences" / "de.ftl").write_text("nothing-saved = Da ist nichts passiert.\n")
    (folder / "sentences" / "en.ftl").unlink()
    sentences = Sentences.load(folder)
    assert sentences.say("de", "nothing-saved") == "Da ist nichts passiert."
    assert sentences.say("de", "call-has-ended") == SENTENCES.say("de", "call-has-ended")
    assert sentences.say("en", "nothing-saved") == "Nothing was saved."


def test_a_language_of_ones_own_has_every_sentence(folder: Path) -> None:
    english = (folder / "sentences" / "en.ftl").read_text()
    french = english.replace("close-nothing = ", "close-none = ")
    (folder / "sentences" / "fr.ftl").write_text(french)
    assert mistakes(folder) == ["sentences/fr.ftl: has no sentence close-nothing; add it"]
