"""Nearly the secret or the token, or the right one in another place."""

import base64
from dataclasses import replace
from random import Random

from tests.forging.genuine import PATH, PREVIOUS, Genuine, Scheme, Sent, hashed
from tests.forging.listing import forgery, unsigned
from tests.forging.spellings import INVISIBLE, LOOK_ALIKES


def word_and_token(genuine: Genuine, token: str) -> str:
    return f"Bearer {token}" if genuine.scheme.auth == "bearer" else token


@forgery(unsigned)
def nearly_the_token(genuine: Genuine, random: Random) -> Sent:
    own = genuine.scheme.secret
    at = random.randrange(1, len(own))
    others = [
        own[:at], own[at:], own + random.choice("0a=-"), random.choice("0a=-") + own,
        own[:at] + random.choice("XYZ") + own[at + 1 :], own.upper(), own.title(), own[::-1],
        own * 2, f'"{own}"', f"'{own}'", own.replace("-", "_"), own.replace("-", "%2d"),
        f"{own[:at]} {own[at:]}", own.replace("-", " "), f"{own}\\n", f"{own}\x00", f"{own};",
        base64.b64encode(own.encode()).decode(), hashed(own.encode(), "sha256").hex(),
    ]  # fmt: skip
    return genuine.proved_by(word_and_token(genuine, random.choice(others)))


@forgery(unsigned)
def look_alike_of_the_token(genuine: Genuine, random: Random) -> Sent:
    own = genuine.scheme.secret
    places = [at for at, sign in enumerate(own) if sign.translate(LOOK_ALIKES) != sign]
    at = random.choice(places)
    others = [
        own.translate(LOOK_ALIKES), own[:at] + own[at].translate(LOOK_ALIKES) + own[at + 1 :],
        own[:at] + random.choice(INVISIBLE) + own[at:], f"{own}\u0301", f"\u202e{own}",
        "".join(chr(0xFF00 + ord(sign) - 0x20) for sign in own),
    ]  # fmt: skip
    return genuine.proved_by(word_and_token(genuine, random.choice(others)))


@forgery(unsigned)
def another_token(genuine: Genuine, random: Random) -> Sent:
    others = ["another-secret-of-vapi", "change-me", "None", "null", "undefined", "VAPI_AUTH"]
    if not genuine.scheme.previous:
        others.append(PREVIOUS)
    return genuine.proved_by(word_and_token(genuine, random.choice(others)))


@forgery(unsigned)
def no_token(genuine: Genuine, random: Random) -> Sent:
    empty = [(), ("",), (" ",), ("Bearer",), ("Bearer ",), ("\x00",)]
    return genuine.proved_by(*random.choice(empty))


@forgery(unsigned)
def several_tokens(genuine: Genuine, random: Random) -> Sent:
    own, other = genuine.proof, word_and_token(genuine, "another-secret-of-vapi")
    first, second = random.choice([(own, own), (own, other), (other, own), (own, ""), ("", own)])
    separator = random.choice([",", ", ", ";", " "])
    joined = f"{first}{separator}{second}"
    return random.choice([genuine.proved_by(first, second), genuine.proved_by(joined)])


@forgery(unsigned)
def another_word_before_the_token(genuine: Genuine, random: Random) -> Sent:
    words = ["Basic ", "Token ", "Bearer:", "Bearer=", "BearerX ", "Bearer,", "Digest ", "Bearer\t"]
    own = genuine.scheme.secret
    basic = base64.b64encode(f"vapi:{own}".encode()).decode()
    made = [*(word + own for word in words), f"Bearer Bearer {own}", f"Basic {basic}"]
    return genuine.proved_by(random.choice(made))


@forgery(unsigned)
def token_in_another_place(genuine: Genuine, random: Random) -> Sent:
    own, without = genuine.scheme.secret, genuine.proved_by()
    names = {"X-Vapi-Secret", "Authorization", "X-Key", "X-Api-Key", "x-signature"}
    name = random.choice(sorted(names - {genuine.scheme.proof_header}))
    return random.choice(
        [
            without.with_header(name, own),
            without.with_header(name, f"Bearer {own}"),
            without.with_header("Cookie", f"{genuine.scheme.proof_header}={own}"),
            replace(without, path=f"{PATH}?{genuine.scheme.proof_header}={own}&token={own}"),
            replace(without, body=genuine.body + own.encode()),
        ]
    )


@forgery(unsigned)
def signature_where_a_token_is_needed(genuine: Genuine, random: Random) -> Sent:
    own = Scheme("defaults", secret=genuine.scheme.secret)
    signed_one = replace(genuine, scheme=own)
    text = signed_one.proof
    return random.choice(
        [signed_one.sent, genuine.proved_by(text), genuine.proved_by(f"Bearer {text}")]
    )
