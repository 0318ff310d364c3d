"""Spanish words that take a request back, correct it, or add another one, and words that only sound
so."""

import pytest

from shared.calls.words import Sense, correct_only, senses_of_caller

TAKING_BACK = {Sense.TAKES_BACK, Sense.DECLINES}

TAKES_BACK = """
Cancele eso.
Espere, cancele eso, por favor.
No, no. Cancélelo.
Abra un caso por la factura... espere, cancélelo.
¿Puede cancelar el caso?
¿Podría cancelarlo, por favor?
Cancele mi solicitud.
Anule eso.
Anúlelo, por favor.
Olvídelo.
Olvídalo, ya funciona.
Olvídese de eso.
Perdón, olvide eso.
Lo retiro.
Retire eso, por favor.
Deshágalo.
He cambiado de opinión.
Cambié de idea, gracias.
Me lo he pensado mejor.
Déjelo.
No, déjelo así.
No importa.
Da igual.
No lo haga, por favor.
No abra ningún caso.
Ya no lo necesito.
No quiero un caso.
Al final no hace falta.
"""

DOES_NOT = """
Quiero cancelar mi suscripción.
Cancele mi suscripción.
Cancele ese pedido, por favor.
¿Puedo cancelar el contrato?
¡No cancele eso!
No lo cancele.
Olvide mi dirección antigua, la nueva es calle del Puerto 12.
He olvidado mi contraseña.
Lo olvidé.
Espere, también necesito la factura.
No, la otra cuenta.
He cambiado de dirección.
No quiero que me llamen a este número.
No necesito ayuda con la factura.
El sistema lo canceló solo.
Pone cancele eso en la aplicación
Déjelo en manos del técnico.
Quiero recuperar mi teléfono viejo.
No.
Pare.
No, no lo quiero. Quiero un caso técnico.
Olvídelo. ¿Qué tal mi factura?
Déjelo, envíeme la factura
No lo necesito, puedo hablar con alguien
Mi hijo dijo que no lo quiero usar
Cuando pulso, olvídelo, no pasa nada
No funciona.
"""

CORRECTS = """
No, técnico.
No, es técnico.
No, no, es la línea.
Espere, es la línea.
Un momento, es la otra cuenta.
Quiero decir el técnico.
Perdón, quise decir técnico.
Mejor dicho, mañana a las nueve.
Cámbielo a técnico.
Técnico en vez de facturación.
Me equivoqué, es la línea.
Perdone, me he equivocado, es el trece.
"""

ADDS = """
Sí, y mi línea no funciona.
No, y mi línea no funciona.
También mi línea está cortada.
Además, mi línea está cortada.
Espere, tengo otro problema.
No, espere, también necesito la factura.
No, necesito las dos.
Espere, hay otra cosa.
"""

NEITHER = """
Sí, es correcto.
No hay tono de línea.
No tengo tono.
No he recibido la factura.
No es urgente.
Llevo dos semanas esperando.
La línea está cortada.
Ay, la línea está cortada.
No funciona.
"""


@pytest.mark.parametrize("language", ["es", "es-MX", ""])
@pytest.mark.parametrize("words", TAKES_BACK.strip().splitlines())
def test_unmistakable_words_take_back(words: str, language: str) -> None:
    assert senses_of_caller(words, language) & TAKING_BACK


@pytest.mark.parametrize("language", ["es", ""])
@pytest.mark.parametrize("words", DOES_NOT.strip().splitlines())
def test_what_asks_for_something_takes_nothing_back(words: str, language: str) -> None:
    assert not senses_of_caller(words, language) & TAKING_BACK


@pytest.mark.parametrize("words", ["No importa.", "Ya no lo necesito.", "Déjelo."])
def test_what_may_answer_a_question_is_recognised(words: str) -> None:
    assert senses_of_caller(words, "es") & TAKING_BACK == {Sense.DECLINES}


@pytest.mark.parametrize("words", CORRECTS.strip().splitlines())
def test_words_correct(words: str) -> None:
    assert correct_only(senses_of_caller(words, "es"))


@pytest.mark.parametrize("words", ADDS.strip().splitlines())
def test_words_that_add_correct_nothing(words: str) -> None:
    assert Sense.ADDS in senses_of_caller(words, "es")
    assert not correct_only(senses_of_caller(words, "es"))


@pytest.mark.parametrize("language", ["es", ""])
@pytest.mark.parametrize("words", NEITHER.strip().splitlines())
def test_other_words_neither_correct_nor_add(words: str, language: str) -> None:
    assert not senses_of_caller(words, language) & {Sense.CORRECTS, Sense.ADDS}
