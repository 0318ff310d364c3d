"""Words that take a request back, correct it, or add another one, and words that only sound so."""

import pytest

from shared.calls.words import Sense, correct_only, senses_of_agent, senses_of_caller

TAKES_BACK = """
cancel that
Wait, cancel that.
Create a case for order 12345... wait, cancel that.
create a case for order 12345 wait cancel that
No, no, no. Cancel it, please.
Could you cancel the case?
Oh sorry, cancel my callback
Never mind.
nevermind
Actually, never mind that.
Forget it, it works again.
Oh, wait, now it works. Forget it.
You know what, forget about it
Scratch that.
Hold on, scratch that, I found the invoice.
Don’t create a case.
please don't do that
No, do not open the ticket
I take that back
Let's undo that
I changed my mind.
I've changed my mind, thanks
Just leave it.
Well, I don't need it anymore
I don't want a case after all.
"""

DOES_NOT = """
I want to cancel my subscription.
cancel my subscription
Cancel that subscription, please.
Please cancel my order 12345.
Can I cancel the contract?
Don't cancel that!
Do not cancel it.
Never mind the noise, I'm outside.
I forgot my password.
Forget my old address, the new one is 12 Harbor Way.
I forgot it.
No wait, I also need the invoice.
Wait… no… actually… it is about the bill.
No, the other account.
I changed my address.
I don't want to be called back on this number.
I don't need help with billing.
The system cancelled that by itself.
It says cancel that in the app
Leave it to the technician.
They told me to scratch that code free.
I want to take my old phone back.
Stop.
No.
I tried to pause the plan and cancel it.
I want to open the app and cancel it but the button is missing
They said they would call and then cancel it
I ordered the blue one but I don't need it
my son bought it and I don't want it
No, I don't want that. I want a technical case.
Never mind that. What about my invoice?
Forget it, just send me the invoice
No, leave it as it is, I need a technician
I don't need it, can I talk to somebody
When I press stop, forget it, nothing happens
I asked him to wait and then he said cancel that thing
"""


TAKING_BACK = {Sense.TAKES_BACK, Sense.DECLINES}


@pytest.mark.parametrize("words", TAKES_BACK.strip().splitlines())
def test_unmistakable_words_take_back(words: str) -> None:
    assert senses_of_caller(words) & TAKING_BACK


@pytest.mark.parametrize("words", DOES_NOT.strip().splitlines())
def test_what_asks_for_something_takes_nothing_back(words: str) -> None:
    assert not senses_of_caller(words) & TAKING_BACK


@pytest.mark.parametrize(
    "words", ["Never mind.", "No, I don't need it.", "Just leave it.", "Don't do that, please."]
)
def test_what_may_answer_a_question_is_recognised(words: str) -> None:
    assert senses_of_caller(words) & TAKING_BACK == {Sense.DECLINES}


CORRECTS = """
No, technical.
No, it's technical.
no it is technical
No wait, it is the line.
Wait... no... actually... it is the line that is dead.
Actually, it is about the line.
I mean the technical one.
Sorry, I meant technical.
Make it technical instead.
Oh no, it should be technical.
Hold on, it's the other one.
Could you make that technical?
"""

ADDS = """
Yes, and my line is dead too.
No, and my line is dead.
Also my line is dead.
Actually, I have another problem.
No wait, I also need the invoice.
My line is dead as well.
Wait, there is one more thing.
No, I need both.
"""

NEITHER = """
Yes, that is correct.
There is no dial tone.
No dial tone on my line.
I have had to wait two weeks.
My line is actually dead.
You know what I mean
The line is dead.
Oh, my line is dead.
"""


@pytest.mark.parametrize("words", CORRECTS.strip().splitlines())
def test_words_correct(words: str) -> None:
    assert correct_only(senses_of_caller(words))


@pytest.mark.parametrize("words", ADDS.strip().splitlines())
def test_words_that_add_correct_nothing(words: str) -> None:
    assert Sense.ADDS in senses_of_caller(words)
    assert not correct_only(senses_of_caller(words))


@pytest.mark.parametrize("words", NEITHER.strip().splitlines())
def test_other_words_neither_correct_nor_add(words: str) -> None:
    assert not senses_of_caller(words) & {Sense.CORRECTS, Sense.ADDS}


def test_one_utterance_that_adds_outweighs_another_that_corrects() -> None:
    both = senses_of_caller("No, technical.") | senses_of_caller("And my line is dead too.")
    assert not correct_only(both)


def test_the_agent_asks_where_it_ends_on_a_question() -> None:
    assert senses_of_agent("It is noted. Do you need anything else?") == {Sense.ASKS}
    assert not senses_of_agent("It is noted.")
