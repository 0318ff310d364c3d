"""What takes a wish back, and what only sounds like it."""

import pytest

from shared.calls.retraction import takes_back

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
When I press stop, forget it, nothing happens
I asked him to wait and then he said cancel that thing
"""


@pytest.mark.parametrize("words", TAKES_BACK.strip().splitlines())
def test_unmistakable_words_take_back(words: str) -> None:
    assert takes_back(words)


@pytest.mark.parametrize("words", DOES_NOT.strip().splitlines())
def test_what_asks_for_something_takes_nothing_back(words: str) -> None:
    assert not takes_back(words)
