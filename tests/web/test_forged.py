"""5,000 forged webhooks under every scheme of VAPI_AUTH: none is accepted, each original is."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import redis
from flask import Flask

from shared.settings import Settings
from tests.conftest import change_settings
from tests.forging import FORGERS
from tests.forging.genuine import (
    CANARY,
    PREVIOUS,
    SCHEMES,
    Genuine,
    Scheme,
    Sent,
    genuine_webhooks,
    send,
)
from tests.forging.listing import FORGERIES, forgeries
from tests.log_lines import log_lines
from web.app import create_app

EACH = 500
"""Forgeries of a scheme."""

REFUSALS = {400, 401, 404, 405, 413}
OWN_COMMANDS = {"info", "dbsize", "config|resetstat"}
COUNTING = {"hincrby", "expire", "hello", "client|setinfo"}
"""What the process notes once in some seconds: how many were refused."""


@pytest.fixture(params=SCHEMES, ids=lambda scheme: scheme.name)
def scheme(request: pytest.FixtureRequest) -> Scheme:
    made: Scheme = request.param
    return made


@pytest.fixture
def app(settings: Settings, scheme: Scheme) -> Iterator[Flask]:
    made = create_app(change_settings(settings, **scheme.variables))
    yield made
    made.extensions["service"].close()


def test_no_forgery_is_accepted_and_every_original_is(
    app: Flask, store: redis.Redis, scheme: Scheme
) -> None:
    originals = genuine_webhooks(scheme)
    store.config_resetstat()
    tried = Counter[str]()
    with log_lines() as lines:
        for name, sent in forgeries(scheme, originals, EACH):
            status, said = send(app, sent)
            assert status in REFUSALS, (name, sent)
            assert CANARY.encode() not in said
            tried[name] += 1
    assert commands(store) <= OWN_COMMANDS | COUNTING
    assert {key for key in store.scan_iter() if not key.startswith("vs:minute:")} == set()
    assert len(lines) >= EACH / 2
    for line in lines:
        assert quotes_nothing(line, scheme), line
    for original in originals:
        assert send(app, original.sent)[0] == 200, original
    assert store.dbsize() > 0
    assert tried.total() == EACH
    assert set(tried) == {forged.name for forged in FORGERIES if forged.applies(scheme)}


def commands(store: redis.Redis) -> set[str]:
    """What anybody has asked of the store."""
    return {name.removeprefix("cmdstat_") for name in store.info("commandstats")}


def quotes_nothing(line: str, scheme: Scheme) -> bool:
    """It says that a request was refused, and why, in words of ours."""
    said = json.loads(line)
    secrets = [CANARY, scheme.secret, scheme.secret[:8], "msg_", "call-1", "+1415"]
    return set(said) == {"event", "reason", "level", "timestamp"} and not any(
        secret in line for secret in secrets
    )


def test_there_are_five_thousand() -> None:
    assert len(SCHEMES) * EACH == 5000
    assert {scheme.auth for scheme in SCHEMES} == {"hmac", "secret", "bearer"}
    assert len(FORGERIES) > 10 * len(FORGERS)
    for forged in FORGERIES:
        assert any(map(forged.applies, SCHEMES)), forged.name


# -- what is no forgery ----------------------------------------------------------------------------


def hex_in_upper_case(genuine: Genuine) -> Sent:
    """decode_digest: hex may be in either case."""
    scheme = genuine.scheme
    return genuine.proved_by(scheme.prefix + genuine.proof.removeprefix(scheme.prefix).upper())


def white_space_around_the_proof(genuine: Genuine) -> Sent:
    """RFC 9110, 5.5: it is no part of the value."""
    return genuine.proved_by(f" \t{genuine.proof}  ")


def headers_in_another_order_and_case(genuine: Genuine) -> Sent:
    """RFC 9110, 5.1 and 5.3: neither means anything."""
    sent = genuine.sent
    return replace(sent, headers=tuple((name.upper(), value) for name, value in sent.headers[::-1]))


def another_content_type(genuine: Genuine) -> Sent:
    """It is not read: a body is JSON in UTF-8, or refused."""
    return genuine.sent.with_header("Content-Type", "text/plain; charset=utf-16")


def headers_that_nobody_reads(genuine: Genuine) -> Sent:
    sent = genuine.sent.with_header("X-Forwarded-For", "203.0.113.7")
    return sent.with_header("X-HTTP-Method-Override", "GET")


def another_timestamp_where_none_is_signed(genuine: Genuine) -> Sent:
    """Replay protection is by the message there: tests/web/test_replay.py."""
    return genuine.proved_by(genuine.proof, stamp="soon")


def the_alias(genuine: Genuine) -> Sent:
    """It is signed only with {url}."""
    return replace(genuine.sent, path="/webhook?x=y")


def another_host_behind_a_proxy(genuine: Genuine) -> Sent:
    """PUBLIC_URL says what was signed."""
    return genuine.sent.with_header("Host", "10.0.0.7:8080")


def another_message_id_where_none_is_signed(genuine: Genuine) -> Sent:
    return genuine.sent.with_header("svix-id", "another")


def the_previous_secret(genuine: Genuine) -> Sent:
    """Two secrets are valid during a rotation."""
    if not genuine.scheme.is_hmac:
        return genuine.proved_by(PREVIOUS)
    digest = genuine.scheme.digest(genuine.payload(), key=PREVIOUS.encode())
    return genuine.proved_by(genuine.scheme.spelled(digest))


def a_signature_in_milliseconds(genuine: Genuine) -> Sent:
    """The unit is not documented (docs/vendors.md V9)."""
    return replace(genuine, stamp=f"{genuine.stamp[:10]}456").sent


def a_token_without_its_word(genuine: Genuine) -> Sent:
    """As customers configure it who put the whole value into the header."""
    return genuine.proved_by(genuine.scheme.secret)


def the_word_in_another_case(genuine: Genuine) -> Sent:
    """RFC 9110, 11.1: the scheme has no case."""
    return genuine.proved_by(f"bEARER   {genuine.scheme.secret}")


def another_body_under_a_token(genuine: Genuine) -> Sent:
    """A token proves who sends, and covers no body."""
    return replace(genuine.sent, body=b'{"message":{"type":"hang"}}')


EQUIVALENT: list[tuple[Callable[[Genuine], Sent], Callable[[Scheme], bool]]] = [
    (hex_in_upper_case, lambda scheme: scheme.is_hmac and scheme.encoding == "hex"),
    (white_space_around_the_proof, lambda scheme: True),
    (headers_in_another_order_and_case, lambda scheme: True),
    (another_content_type, lambda scheme: True),
    (headers_that_nobody_reads, lambda scheme: True),
    (another_timestamp_where_none_is_signed, lambda scheme: not scheme.signs("{timestamp}")),
    (the_alias, lambda scheme: not scheme.signs("{url}")),
    (another_host_behind_a_proxy, lambda scheme: bool(scheme.public_url)),
    (another_message_id_where_none_is_signed, lambda scheme: not scheme.signs("{svix-id}")),
    (the_previous_secret, lambda scheme: bool(scheme.previous)),
    (a_signature_in_milliseconds, lambda scheme: scheme.signs("{timestamp}")),
    (a_token_without_its_word, lambda scheme: scheme.auth == "bearer"),
    (the_word_in_another_case, lambda scheme: scheme.auth == "bearer"),
    (another_body_under_a_token, lambda scheme: not scheme.is_hmac),
]
"""Changes that no forgery makes, because the rules say that they change nothing; and where."""


def test_what_the_rules_take_for_the_same_is_accepted(app: Flask, scheme: Scheme) -> None:
    original = genuine_webhooks(scheme)[0]
    for change, applies in EQUIVALENT:
        if applies(scheme):
            assert send(app, change(original))[0] == 200, change.__name__
