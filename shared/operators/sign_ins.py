"""Limits on guesses at the passwords and tokens of operators.

An address that guesses wrong too often has to wait, and so does an address with a single wrong
guess while many addresses guess. An address without a wrong guess never waits, so nobody can keep
an operator out by guessing from elsewhere.
"""

import hmac
import math
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import redis

from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import translated

WINDOW_MS = 15 * 60_000

PER_ADDRESS = 10
OVERALL = 100
PER_ADDRESS_WHEN_MANY_GUESS = 1
MAX_ADDRESSES = 10_000
"""Wrong attempts in a window, and how many addresses are counted in it. When more addresses try, a
new one takes the place of a random other one."""

_DIGEST_CHARACTERS = 16
_IPV6_NETWORK = 64
"""Bits. A single customer usually has all addresses of such a network."""

_WITH_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]+|\[(?P<v6>[0-9A-Fa-f:.]+)\](?::[0-9]+)?")


@dataclass(frozen=True)
class Verdict:
    """wait_s: seconds until an attempt from this address counts again, 0 when this one counts.
    wrong: the address's wrong attempts in this window."""

    wait_s: int
    wrong: int


class SignIns:
    """Counts wrong attempts, for all web processes together.

    key: for the digests under which addresses are stored.
    """

    def __init__(self, store: redis.Redis, key: bytes, prefix: str = REDIS_PREFIX) -> None:
        self._key = key
        self._prefix = prefix
        self._sign_in = load(store, "operators", "sign_in")

    def attempt(self, address: str, *, is_right: bool) -> Verdict:
        """What becomes of an attempt, in one step. Raises StoreUnavailableError."""
        limits = (PER_ADDRESS, PER_ADDRESS_WHEN_MANY_GUESS, OVERALL, MAX_ADDRESSES)
        with translated():
            left_ms, wrong = self._sign_in(
                args=[self._prefix, WINDOW_MS, self._digest(address), int(is_right), *limits]
            )
        return Verdict(math.ceil(int(left_ms) / 1000), int(wrong))

    def _digest(self, address: str) -> str:
        digest = hmac.new(self._key, network_of(address).encode(), "sha256").hexdigest()
        return digest[:_DIGEST_CHARACTERS]


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 address. Some
    proxies add the client's port, of which a client has many."""
    found = _WITH_PORT.fullmatch(address)
    address = found["v4"] or found["v6"] if found else address
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), _IPV6_NETWORK), strict=False))
    return str(parsed)


def client_address(peer: str, forwarded_for: str, proxies: int) -> str:
    """The address of the client that sent a request.

    peer: who opened the connection. forwarded_for: the header X-Forwarded-For, to which each proxy
    adds its own peer. proxies: how many proxies of ours stand in front. Without one the
    header is not read, because every client can send it.
    """
    added = [part.strip() for part in forwarded_for.split(",")]
    return added[-proxies] if 0 < proxies <= len(added) and added[-proxies] else peer
