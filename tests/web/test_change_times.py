"""Changes of a caller's record are ordered by time, and the last one counts."""

import json
from typing import cast

import redis
from flask.testing import FlaskClient

from shared.domain.drafts import ContactDraft
from shared.domain.intent import Intent
from shared.journal.journal import Journal
from tests.calling import say
from tests.store_time import intent_has

AHEAD = "2099-01-01T00:00:00.000+00:00"


def asked(client: FlaskClient, journal: Journal, city: str, call_id: str) -> Intent:
    say(client, "updateContact", {"mailingCity": city}, call_id=call_id)
    return journal.of_call(call_id)[-1]


def test_a_change_is_later_than_the_callers_last_one_although_the_clock_jumped_back(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    first = asked(client, journal, "Oakland", "a")
    intent_has(store, first.id, payload=json.dumps(first.payload | {"accepted_at": AHEAD}))
    times = [
        cast(ContactDraft, asked(client, journal, city, call_id).draft).accepted_at
        for city, call_id in (("Berkeley", "b"), ("Reno", "b"), ("Fresno", "a"))
    ]
    assert [AHEAD, *times] == sorted({AHEAD, *times})
