"""Another timestamp, message id, address, method or length than the one that is signed."""

import time
from dataclasses import replace
from random import Random

from tests.forging.genuine import HOST, PATH, Genuine, Sent
from tests.forging.listing import any_scheme, forgery, identified, located, stamped
from tests.forging.spellings import LOOK_ALIKES


def with_stamp(genuine: Genuine, *stamps: str) -> Sent:
    return genuine.sent.with_header(genuine.scheme.timestamp_header, *stamps)


@forgery(stamped)
def moved_timestamp(genuine: Genuine, random: Random) -> Sent:
    moved = int(genuine.stamp) + random.choice([-1, 1]) * random.randrange(1, 200)
    return with_stamp(genuine, str(moved))


@forgery(stamped)
def replayed_late(genuine: Genuine, random: Random) -> Sent:
    """What was signed long ago, or ahead of time, as it was."""
    moved = int(time.time()) + random.choice([-1, 1]) * random.randrange(330, 1_000_000)
    old = replace(genuine, stamp=str(moved * random.choice([1, 1000])))
    return old.sent


@forgery(stamped)
def replayed_with_a_moved_timestamp(genuine: Genuine, random: Random) -> Sent:
    old = replace(genuine, stamp=str(int(time.time()) - random.randrange(330, 1_000_000)))
    return with_stamp(old, genuine.stamp)


@forgery(stamped)
def timestamp_in_another_unit(genuine: Genuine, random: Random) -> Sent:
    stamp = genuine.stamp
    if len(stamp) == len("1763800000000"):
        return with_stamp(genuine, random.choice([stamp[:-3], f"{stamp[:-3]}.{stamp[-3:]}"]))
    return with_stamp(genuine, random.choice([f"{stamp}000", f"{stamp}.000"]))


@forgery(stamped)
def timestamp_spelled_otherwise(genuine: Genuine, random: Random) -> Sent:
    stamp = genuine.stamp
    return with_stamp(
        genuine,
        random.choice(
            [
                f"0{stamp}", f"+{stamp}", f"{stamp}.0", f"{stamp[0]}.{stamp[1:]}e9", f"{stamp}s",
                f"{stamp[:4]}_{stamp[4:]}", f"{stamp[:4]} {stamp[4:]}", f"{stamp},{stamp}",
                stamp.translate(LOOK_ALIKES), "".join(chr(0x660 + int(digit)) for digit in stamp),
                hex(int(stamp)), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                f"t={stamp}", f'"{stamp}"', f"{stamp}\x00", f"-{stamp}", "nan", "inf", "9" * 400,
            ]
        ),
    )  # fmt: skip


@forgery(stamped)
def no_timestamp(genuine: Genuine, random: Random) -> Sent:
    return with_stamp(genuine, *random.choice([(), ("",), (" ",)]))


@forgery(stamped)
def two_timestamps(genuine: Genuine, random: Random) -> Sent:
    both = [genuine.stamp, str(int(genuine.stamp) + random.randrange(100))]
    return with_stamp(genuine, *random.sample(both, 2))


@forgery(stamped)
def timestamp_that_is_left_out_of_the_signature(genuine: Genuine, random: Random) -> Sent:
    digest = genuine.scheme.digest(genuine.payload(timestamp=b""))
    stamp = random.choice(["", genuine.stamp])
    return genuine.proved_by(genuine.scheme.spelled(digest), stamp=stamp)


@forgery(stamped)
def bytes_moved_between_timestamp_and_body(genuine: Genuine, random: Random) -> Sent:
    """Where nothing separates the two, the signed bytes stay the same. What is left of milliseconds
    may be seconds, but digits before a JSON object are no JSON.
    """
    count = random.randrange(1, 4)
    body = genuine.stamp[-count:].encode() + genuine.body
    return replace(with_stamp(genuine, genuine.stamp[:-count]), body=body)


@forgery(identified)
def another_message_id(genuine: Genuine, random: Random) -> Sent:
    own, header = genuine.message_id, genuine.scheme.id_header
    others = [(), ("",), (own[:-1],), (own.lower(),), (own, own), (f"{own}.",), ("{svix-id}",)]
    return genuine.sent.with_header(header, *random.choice(others))


@forgery(identified)
def bytes_moved_into_the_message_id(genuine: Genuine, random: Random) -> Sent:
    """The payload stays the same: the id takes in the old timestamp, and a new one follows."""
    header = genuine.scheme.id_header
    old = replace(genuine, stamp=str(int(genuine.stamp) - random.choice([0, 5_000])))
    longer = f"{old.message_id}.{old.stamp}"
    return old.sent.with_header(header, longer).with_header(
        genuine.scheme.timestamp_header, random.choice([genuine.stamp, ""])
    )


@forgery(located)
def another_address(genuine: Genuine, random: Random) -> Sent:
    path = random.choice(["/webhook", f"{PATH}?a=b", f"{PATH}?x", f"{PATH}/", f"//{HOST}{PATH}"])
    return replace(genuine.sent, path=path)


@forgery(any_scheme)
def another_method(genuine: Genuine, random: Random) -> Sent:
    methods = ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "post", "POSTS", ""]
    made = replace(genuine.sent, method=random.choice(methods))
    name = random.choice(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
    return made.with_header(name, "POST")


@forgery(any_scheme)
def another_length(genuine: Genuine, random: Random) -> Sent:
    """Shorter, so that a server passes on the beginning only, or longer."""
    size = len(genuine.body)
    length = random.choice([0, 1, size // 2, size - 1, size + 1, size * 2, 10**7, 10**12])
    return replace(genuine.sent, length=length)
