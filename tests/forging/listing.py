"""The list of forgeries, for which schemes each is, and the choice of so many of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.forging.genuine import Genuine, Scheme, Sent

Forge = Callable[[Genuine, Random], Sent | None]
"""Changes what proves a genuine webhook, or what is proved. Returns None where there is nothing to
change."""


@dataclass(frozen=True)
class Forgery:
    name: str
    applies: Callable[[Scheme], bool]
    make: Forge


FORGERIES: list[Forgery] = []


def signed(scheme: Scheme) -> bool:
    return scheme.is_hmac


def stamped(scheme: Scheme) -> bool:
    return scheme.signs("{timestamp}")


def identified(scheme: Scheme) -> bool:
    return scheme.signs("{svix-id}")


def located(scheme: Scheme) -> bool:
    return scheme.signs("{url}")


def prefixed(scheme: Scheme) -> bool:
    return scheme.is_hmac and bool(scheme.prefix)


def in_base64(scheme: Scheme) -> bool:
    return scheme.is_hmac and scheme.encoding == "base64"


def unsigned(scheme: Scheme) -> bool:
    return not scheme.is_hmac


def any_scheme(_: Scheme) -> bool:
    return True


def forgery(applies: Callable[[Scheme], bool]) -> Callable[[Forge], Forge]:
    """Lists a forgery for the schemes to which it applies."""

    def listed(make: Forge) -> Forge:
        FORGERIES.append(Forgery(make.__name__, applies, make))
        return make

    return listed


def proved(scheme: Scheme, sent: Sent) -> tuple[object, ...]:
    """What the documented rules look at. Two requests for which it is equal are the same request.

    Names of headers and hex digits may be in either case; white space around a value is ignored
    (RFC 9110, 5.5); and the word before a bearer token may be missing, or in any case.
    """
    proof = sent.header(scheme.proof_header).strip()
    if scheme.auth == "bearer" and proof.lower().startswith("bearer "):
        proof = proof[7:].strip()
    if scheme.is_hmac and scheme.encoding == "hex" and proof.startswith(scheme.prefix):
        proof = scheme.prefix + proof.removeprefix(scheme.prefix).lower()
    signed_too = (
        sent.body if scheme.is_hmac else None,
        sent.header(scheme.timestamp_header).strip() if stamped(scheme) else None,
        sent.header(scheme.id_header) if identified(scheme) else None,
        sent.path if located(scheme) else None,
    )
    return (proof, sent.method, sent.length, *signed_too)


def forgeries(
    scheme: Scheme, webhooks: Sequence[Genuine], count: int
) -> Iterator[tuple[str, Sent]]:
    """So many, of all kinds in turn; the same choices in each run."""
    random = Random(f"{scheme.name} {scheme.auth}")
    listed = [forged for forged in FORGERIES if forged.applies(scheme)]
    made = 0
    for nth in range(20 * count):
        if made == count:
            return
        genuine, forged = random.choice(webhooks), listed[nth % len(listed)]
        sent = forged.make(genuine, random)
        if sent is None or proved(scheme, sent) == proved(scheme, genuine.sent):
            continue  # nothing was changed that counts
        made += 1
        yield forged.name, sent
    raise AssertionError("too few forgeries")
