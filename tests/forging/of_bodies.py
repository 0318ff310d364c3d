"""Another body under the signature of the first, or bytes that a server passes on in part."""

import gzip
import json
import unicodedata
from dataclasses import replace
from random import Random
from typing import Any

from tests.forging.genuine import HOST, PATH, Genuine, Sent
from tests.forging.listing import forgery, signed
from tests.forging.spellings import LOOK_ALIKES


def with_body(genuine: Genuine, body: bytes) -> Sent:
    return replace(genuine.sent, body=body)


@forgery(signed)
def flipped_bit(genuine: Genuine, random: Random) -> Sent:
    body = bytearray(genuine.body)
    body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    return with_body(genuine, bytes(body))


@forgery(signed)
def inserted_byte(genuine: Genuine, random: Random) -> Sent:
    at = random.randrange(len(genuine.body) + 1)
    extra = random.choice([b"\x00", b" ", b"\n", b"\xff", b"0", b"}"])
    return with_body(genuine, genuine.body[:at] + extra + genuine.body[at:])


@forgery(signed)
def removed_byte(genuine: Genuine, random: Random) -> Sent:
    at = random.randrange(len(genuine.body))
    return with_body(genuine, genuine.body[:at] + genuine.body[at + 1 :])


@forgery(signed)
def swapped_bytes(genuine: Genuine, random: Random) -> Sent:
    body = bytearray(genuine.body)
    at = random.randrange(len(body) - 1)
    body[at], body[at + 1] = body[at + 1], body[at]
    return with_body(genuine, bytes(body))


@forgery(signed)
def cut_body(genuine: Genuine, random: Random) -> Sent:
    return with_body(genuine, genuine.body[: random.randrange(len(genuine.body))])


@forgery(signed)
def extended_body(genuine: Genuine, random: Random) -> Sent:
    extra = random.choice([b"\n", b" ", b"\r\n", b"\x00", b"{}", genuine.body])
    return with_body(genuine, random.choice([genuine.body + extra, extra + genuine.body]))


@forgery(signed)
def json_written_anew(genuine: Genuine, random: Random) -> Sent:
    """The same JSON, and not the bytes that were signed."""
    options: dict[str, Any] = random.choice(
        [{"separators": (",", ":")}, {"sort_keys": True}, {"indent": 2}, {"ensure_ascii": True}]
    )
    return with_body(genuine, json.dumps(json.loads(genuine.body), **options).encode())


@forgery(signed)
def doubled_key(genuine: Genuine, random: Random) -> Sent:
    evil = random.choice([b'{"type":"hang"}', b"null", b'{"type":"assistant-request"}'])
    return with_body(genuine, genuine.body.rstrip()[:-1] + b',"message":' + evil + b"}")


@forgery(signed)
def another_number(genuine: Genuine, random: Random) -> Sent:
    other = f"+1415555{random.randrange(10_000):04}".encode()
    return with_body(genuine, genuine.body.replace(b"+14155550101", other))


@forgery(signed)
def mark_of_byte_order(genuine: Genuine, random: Random) -> Sent:
    return with_body(genuine, b"\xef\xbb\xbf" + genuine.body)


@forgery(signed)
def another_charset(genuine: Genuine, random: Random) -> Sent:
    charset = random.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp500"])
    made = with_body(genuine, genuine.body.decode().encode(charset, "replace"))
    return made.with_header("Content-Type", f"application/json; charset={charset}")


@forgery(signed)
def compressed(genuine: Genuine, random: Random) -> Sent:
    made = with_body(genuine, gzip.compress(genuine.body))
    return made.with_header("Content-Encoding", "gzip")


@forgery(signed)
def look_alike_in_body(genuine: Genuine, random: Random) -> Sent:
    text = genuine.body.decode()
    at = random.choice([at for at, sign in enumerate(text) if sign in "aceopxy0123456789"])
    changed = text[:at] + text[at].translate(LOOK_ALIKES) + text[at + 1 :]
    return with_body(genuine, changed.encode())


@forgery(signed)
def another_normal_form(genuine: Genuine, random: Random) -> Sent:
    form = random.choice(["NFC", "NFD", "NFKC", "NFKD"])
    text = unicodedata.normalize(form, genuine.body.decode())  # type: ignore[arg-type]
    return with_body(genuine, text.encode())


@forgery(signed)
def escaped_sign(genuine: Genuine, random: Random) -> Sent:
    text = genuine.body.decode()
    at = random.choice([at for at, sign in enumerate(text) if sign.isalpha()])
    return with_body(genuine, f"{text[:at]}\\u{ord(text[at]):04x}{text[at + 1 :]}".encode())


@forgery(signed)
def filled_placeholder(genuine: Genuine, random: Random) -> Sent:
    """What a verifier signs that fills in placeholders after it has filled in the body."""
    values = {
        b"{timestamp}": genuine.stamp.encode(), b"{method}": b"POST", b"{body}": genuine.body,
        b"{url}": f"https://{HOST}{PATH}".encode(), b"{svix-id}": genuine.message_id.encode(),
    }  # fmt: skip
    placeholder = random.choice([name for name in values if name in genuine.body] or [b"{body}"])
    return with_body(genuine, genuine.body.replace(placeholder, values[placeholder]))


@forgery(signed)
def placeholder_for_a_value(genuine: Genuine, random: Random) -> Sent:
    value = random.choice([b"call-1", b"inboundPhoneCall", b"message"])
    name = random.choice([b"{timestamp}", b"{body}", b"{svix-id}", b"{", b"{}", b"{0}"])
    return with_body(genuine, genuine.body.replace(value, name) + b" ")


@forgery(signed)
def signature_of_another_body(genuine: Genuine, random: Random) -> Sent:
    other = genuine.body.replace(b"call-", b"kall-").replace(b"message", b"message ")
    return with_body(genuine, other + b" ")
