"""Another signature, or the right one spelled or placed in another way."""

import base64
import json
from dataclasses import replace
from random import Random

from tests.forging.genuine import PATH, PREVIOUS, Genuine, Sent, hashed
from tests.forging.listing import forgery, in_base64, prefixed, signed
from tests.forging.spellings import BASE64, LOOK_ALIKES

ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2s")


def bare(genuine: Genuine) -> str:
    """The signature without its prefix."""
    return genuine.proof.removeprefix(genuine.scheme.prefix)


def respelled(genuine: Genuine, text: str) -> Sent:
    return genuine.proved_by(genuine.scheme.prefix + text)


@forgery(signed)
def cut_signature(genuine: Genuine, random: Random) -> Sent:
    text = bare(genuine)
    at = random.randrange(1, len(text))
    return respelled(genuine, random.choice([text[:at], text[at:], text[:-1], text[:-2]]))


@forgery(signed)
def padded_signature(genuine: Genuine, random: Random) -> Sent:
    extra = random.choice(["0", "00", "=", "==", "A", "\x00", ".", ";", "%00", "/", "\\n"])
    text = bare(genuine)
    return respelled(genuine, extra + text if random.random() < 0.3 else text + extra)


@forgery(signed)
def changed_sign(genuine: Genuine, random: Random) -> Sent:
    text = bare(genuine)
    at = random.randrange(len(text.rstrip("=")))
    others = [sign for sign in "0123456789abcdef" if sign != text[at].lower()]
    return respelled(genuine, text[:at] + random.choice(others) + text[at + 1 :])


@forgery(signed)
def reversed_signature(genuine: Genuine, random: Random) -> Sent:
    digest = genuine.digest[::-1]
    return genuine.proved_by(random.choice([genuine.scheme.spelled(digest), bare(genuine)[::-1]]))


@forgery(signed)
def another_encoding(genuine: Genuine, random: Random) -> Sent:
    digest, text = genuine.digest, bare(genuine)
    plain, standard = digest.hex(), base64.b64encode(digest).decode()
    made = {
        "hex": [
            standard, plain.encode().hex(), ":".join(plain[at : at + 2] for at in range(0, 40, 2)),
            f"0x{plain}", f"\\x{plain}", str(int(plain, 16)), base64.b32encode(digest).decode(),
        ],
        "base64": [
            plain, base64.urlsafe_b64encode(digest).decode(), standard.rstrip("="),
            standard.swapcase(), base64.b64encode(standard.encode()).decode(), f"{standard}=",
            base64.b85encode(digest).decode(),
        ],
    }  # fmt: skip
    both = [f'"{text}"', f"'{text}'", f"<{text}>", repr(digest), text.replace("a", "%61")]
    return respelled(genuine, random.choice([*made[genuine.scheme.encoding], *both]))


@forgery(signed)
def white_space_inside(genuine: Genuine, random: Random) -> Sent:
    text = bare(genuine)
    at = random.randrange(1, len(text))
    space = random.choice([" ", "\t", "  ", "\n", "\r\n ", "\u00a0", "\u2003"])
    if genuine.scheme.prefix and random.random() < 0.3:
        return respelled(genuine, space + text)
    spaced = random.choice([text[:at] + space + text[at:], space.join(text)])
    return respelled(genuine, spaced)


@forgery(in_base64)
def unused_bits(genuine: Genuine, random: Random) -> Sent | None:
    """Decoders pass over the last bits before the padding."""
    text = bare(genuine)
    body = text.rstrip("=")
    unused = {1: 3, 2: 15}.get(len(text) - len(body))
    if not unused:
        return None
    other = BASE64[BASE64.index(body[-1]) + random.randint(1, unused)]
    return respelled(genuine, body[:-1] + other + text[len(body) :])


@forgery(signed)
def look_alike_in_signature(genuine: Genuine, random: Random) -> Sent:
    text = bare(genuine)
    if random.random() < 0.3:
        return respelled(genuine, text.translate(LOOK_ALIKES))
    places = [at for at, sign in enumerate(text) if sign.translate(LOOK_ALIKES) != sign]
    at = random.choice(places)
    return respelled(genuine, text[:at] + text[at].translate(LOOK_ALIKES) + text[at + 1 :])


@forgery(prefixed)
def another_prefix(genuine: Genuine, random: Random) -> Sent:
    prefix, text = genuine.scheme.prefix, bare(genuine)
    others = [
        "", prefix.upper(), prefix * 2, prefix[:-1], f"{prefix} ", "sha1=", "v2,", "Bearer ",
        prefix.translate(LOOK_ALIKES), f"x{prefix}", prefix[::-1],
    ]  # fmt: skip
    return genuine.proved_by(random.choice(others) + text)


@forgery(lambda scheme: scheme.is_hmac and not scheme.prefix)
def prefix_where_none_is_configured(genuine: Genuine, random: Random) -> Sent:
    prefix = random.choice(["sha256=", "sha1=", "v1,", "v1=", "Bearer ", "HMAC ", "t=1,v1="])
    return genuine.proved_by(prefix + bare(genuine))


@forgery(signed)
def several_signatures(genuine: Genuine, random: Random) -> Sent:
    """In one header, or in a header that is sent twice, which a server joins with a comma."""
    own, other = genuine.proof, genuine.scheme.spelled(genuine.scheme.digest(b"x"))
    first, second = random.choice([(own, own), (own, other), (other, own), (own, ""), ("", own)])
    separator = random.choice([",", ", ", " ", ";", "\n"])
    return random.choice(
        [genuine.proved_by(first, second), genuine.proved_by(f"{first}{separator}{second}")]
    )


@forgery(signed)
def no_signature(genuine: Genuine, random: Random) -> Sent:
    empty = [(), ("",), (" ",), (genuine.scheme.prefix,), ("None",), ("null",), ("undefined",)]
    return genuine.proved_by(*random.choice(empty))


@forgery(signed)
def signature_in_another_place(genuine: Genuine, random: Random) -> Sent:
    proof, place = genuine.proof, random.choice(["header", "query", "cookie", "body", "swapped"])
    without = genuine.proved_by()
    match place:
        case "header":
            names = ("X-Vapi-Signature", "X-Signature-256", "Authorization", "Signature")
            return without.with_header(random.choice(names), proof)
        case "query":
            return replace(without, path=f"{PATH}?{genuine.scheme.signature_header}={proof}")
        case "cookie":
            return without.with_header("Cookie", f"{genuine.scheme.signature_header}={proof}")
        case "body":
            extra = f',"{genuine.scheme.signature_header}":"{proof}"}}'.encode()
            return replace(without, body=genuine.body.rstrip()[:-1] + extra)
    swapped = genuine.proved_by(genuine.stamp)
    return swapped.with_header(genuine.scheme.timestamp_header, proof)


@forgery(signed)
def proof_of_another_scheme(genuine: Genuine, random: Random) -> Sent:
    """Whoever sends the secret itself is not believed where a signature is configured."""
    secret, without = genuine.scheme.secret, genuine.proved_by()
    return random.choice(
        [
            without.with_header("X-Vapi-Secret", secret),
            without.with_header("Authorization", f"Bearer {secret}"),
            genuine.proved_by(genuine.scheme.prefix + secret),
        ]
    )


# -- another secret, another algorithm, another payload --------------------------------------------


@forgery(signed)
def another_secret(genuine: Genuine, random: Random) -> Sent:
    scheme, secret = genuine.scheme, genuine.scheme.secret
    own = scheme.key or secret.encode()
    keys = [
        b"", b"\x00", own + b"\n", own + b" ", own[:-1], own[1:], own.upper(), own[::-1], own * 2,
        b"change-me", b"None", b"VAPI_SERVER_SECRET", genuine.stamp.encode(), genuine.body,
        hashed(own, "sha256"), base64.b64encode(own), own.hex().encode(), b"another-secret",
        secret.encode() if scheme.key else base64.b64encode(secret.encode()),
    ]  # fmt: skip
    if not scheme.previous:
        keys.append(PREVIOUS.encode())
    # HMAC itself fills a key up with zeros, and hashes one that is longer than a block.
    blocks = {key.ljust(128, b"\x00") for key in (own, scheme.previous.encode())}
    key = random.choice([key for key in keys if key.ljust(128, b"\x00") not in blocks])
    return genuine.proved_by(scheme.spelled(scheme.digest(genuine.payload(), key)))


@forgery(signed)
def another_algorithm(genuine: Genuine, random: Random) -> Sent:
    scheme = genuine.scheme
    others = [name for name in ALGORITHMS if name != scheme.algorithm]
    digest = scheme.digest(genuine.payload(), algorithm=random.choice(others))
    size = len(genuine.digest)
    fitted = digest[:size].ljust(size, b"\x00")
    return genuine.proved_by(scheme.spelled(random.choice([digest, fitted])))


@forgery(signed)
def no_hmac(genuine: Genuine, random: Random) -> Sent:
    """Digests that need no key, or take it in another way."""
    scheme, payload = genuine.scheme, genuine.payload()
    key, algorithm = scheme.key or scheme.secret.encode(), scheme.algorithm
    size = len(genuine.digest)
    digests = [
        hashed(payload, algorithm), hashed(key + payload, algorithm),
        hashed(payload + key, algorithm), scheme.digest(key, key=payload), bytes(size),
        b"\xff" * size, hashed(genuine.digest, algorithm), hashed(payload, "sha3_512")[:size],
    ]  # fmt: skip
    return genuine.proved_by(scheme.spelled(random.choice(digests)))


@forgery(signed)
def another_payload(genuine: Genuine, random: Random) -> Sent:
    body, stamp, text = genuine.body, genuine.stamp.encode(), genuine.scheme.payload.encode()
    compact = json.dumps(json.loads(body), separators=(",", ":")).encode()
    payloads = [
        body, stamp + b"." + body, stamp + body, body + stamp, body + b"." + stamp, b"", stamp,
        text, genuine.payload(body=compact), genuine.payload(body=b""), body + b"\n",
        genuine.payload(body=b"\xef\xbb\xbf" + body), genuine.payload().lower(),
        genuine.payload(method=b"GET"), genuine.payload(url=b""), genuine.payload(svix_id=b""),
    ]  # fmt: skip
    others = [payload for payload in payloads if payload != genuine.payload()]
    return genuine.proved_by(genuine.scheme.spelled(genuine.scheme.digest(random.choice(others))))
