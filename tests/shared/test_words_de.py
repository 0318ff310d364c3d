"""German words that take a request back, correct it, add another one, or only sound so."""

import pytest

from shared.calls.words import Sense, correct_only, senses_of_caller

TAKING_BACK = {Sense.TAKES_BACK, Sense.DECLINES}

TAKES_BACK = """
Stornieren Sie das.
Moment, stornieren Sie das bitte.
Nein, nein. Stornieren Sie den Vorgang.
Legen Sie einen Vorgang für die Rechnung an... warten Sie, stornieren Sie das.
Vergessen Sie es.
Vergiss es, es geht wieder.
Ach, vergessen Sie das bitte.
Brechen Sie das ab.
Können Sie das stornieren?
Könnten Sie das wieder rückgängig machen?
Nehmen Sie das bitte zurück.
Das nehme ich zurück.
Ich nehme das wieder zurück.
Machen Sie das rückgängig.
Ich habe es mir anders überlegt.
Ich hab mir das anders überlegt, danke.
Streichen Sie das.
Streichen Sie meinen Rückruf.
Lassen Sie es.
Nein, lassen Sie das bitte.
Schon gut.
Das hat sich erledigt.
Ist nicht mehr nötig.
Machen Sie das bitte nicht.
Legen Sie das lieber nicht an.
Ich brauche das doch nicht.
Das will ich nicht mehr.
Ich möchte doch keinen Vorgang.
Nein, doch nicht.
"""

DOES_NOT = """
Ich möchte meinen Vertrag stornieren.
Stornieren Sie meine Bestellung.
Bitte stornieren Sie die Bestellung 12345.
Kann ich das Abo stornieren?
Stornieren Sie das nicht!
Vergessen Sie meine alte Adresse, die neue ist Hafenstraße 12.
Ich habe mein Passwort vergessen.
Ich habe das vergessen.
Warten Sie, ich brauche auch die Rechnung.
Nein, das andere Konto.
Ich habe meine Adresse geändert.
Ich will auf dieser Nummer nicht angerufen werden.
Die App hat das von selbst storniert.
Da steht, stornieren Sie das, auf dem Knopf
Lassen Sie mich bitte ausreden.
Lassen Sie den Techniker kommen.
Ich will mein altes Telefon zurück.
Stopp.
Nein.
Nein, das will ich nicht. Ich möchte einen technischen Vorgang.
Vergessen Sie es. Was ist mit meiner Rechnung?
Schon gut, schicken Sie mir einfach die Rechnung
Das brauche ich nicht, kann ich mit jemandem sprechen
Mein Sohn hat gesagt, das will ich nicht mehr haben
Wenn ich auf Abbrechen drücke, vergessen Sie es, passiert nichts
Es ist nicht gut, wie das läuft.
"""

CORRECTS = """
Nein, technisch.
Nein, es geht um die Leitung.
nein es ist die leitung
Moment, es ist die Leitung.
Warten Sie, es geht um das Konto.
Ich meine das technische Problem.
Entschuldigung, ich meinte technisch.
Machen Sie daraus ein technisches Problem.
Ach nein, es ist die Technik.
Halt, es ist die andere Nummer.
Doch lieber morgen um neun.
Korrektur: Hafenstraße 12.
"""

ADDS = """
Ja, und meine Leitung ist tot.
Nein, und meine Leitung ist tot.
Meine Leitung ist auch tot.
Außerdem ist meine Leitung tot.
Moment, ich habe noch ein Problem.
Nein, ich brauche beides.
Nein, warten Sie, da ist noch etwas.
Ich brauche dazu ebenfalls eine Rechnung.
"""

NEITHER = """
Ja, das ist richtig.
Ich habe keinen Wählton.
Ich warte seit zwei Wochen.
Meine Leitung ist im Moment tot.
Sie wissen, was ich meine
Die Leitung ist tot.
Ach, die Leitung ist tot.
Das ist ein technisches Problem.
"""


@pytest.mark.parametrize("language", ["de", "de-AT", ""])
@pytest.mark.parametrize("words", TAKES_BACK.strip().splitlines())
def test_unmistakable_words_take_back(words: str, language: str) -> None:
    assert senses_of_caller(words, language) & TAKING_BACK


@pytest.mark.parametrize("language", ["de", ""])
@pytest.mark.parametrize("words", DOES_NOT.strip().splitlines())
def test_what_asks_for_something_takes_nothing_back(words: str, language: str) -> None:
    assert not senses_of_caller(words, language) & TAKING_BACK


@pytest.mark.parametrize("words", ["Schon gut.", "Das brauche ich nicht.", "Lassen Sie es."])
def test_what_may_answer_a_question_is_recognised(words: str) -> None:
    assert senses_of_caller(words, "de") & TAKING_BACK == {Sense.DECLINES}


@pytest.mark.parametrize("words", CORRECTS.strip().splitlines())
def test_words_correct(words: str) -> None:
    assert correct_only(senses_of_caller(words, "de"))


@pytest.mark.parametrize("words", ADDS.strip().splitlines())
def test_words_that_add_correct_nothing(words: str) -> None:
    assert Sense.ADDS in senses_of_caller(words, "de")
    assert not correct_only(senses_of_caller(words, "de"))


@pytest.mark.parametrize("words", NEITHER.strip().splitlines())
def test_other_words_neither_correct_nor_add(words: str) -> None:
    assert not senses_of_caller(words, "de") & {Sense.CORRECTS, Sense.ADDS}
