"""A message for each cause and channel when it begins, one when it is over, whoever sends them."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
import redis

from shared.operators.alarms import board
from shared.operators.alarms.board import CLEAR_MS, GAP_MS, LEASE_MS, AlarmBoard, AlarmMessage
from shared.operators.alarms.causes import Cause, Sort
from tests.store_time import alarm_time_passes

STORE = Cause(Sort.STORE, "full.")
BEAT = Cause(Sort.NO_BEAT, "No beat is running.", after_ms=60_000)
BOTH = ("webhook", "mail")


@pytest.fixture
def alarms(store: redis.Redis) -> AlarmBoard:
    return AlarmBoard(store)


def sent(alarms: AlarmBoard) -> list[tuple[str, str, str]]:
    """(cause, channel, state) of all messages that are due, which are sent."""
    messages = []
    while message := alarms.take():
        messages.append((message.cause, message.channel, message.state))
        alarms.done(message)
    return sorted(messages)


def note(alarms: AlarmBoard, *causes: Cause, channels: Iterable[str] = BOTH) -> None:
    alarms.note(causes, list(channels))


def test_an_alarm_has_one_message_for_each_channel_however_long_it_lasts(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    assert alarms.note([STORE], BOTH).began == ("store",)
    assert sent(alarms) == [("store", "mail", "on"), ("store", "webhook", "on")]
    for _ in range(3):
        alarm_time_passes(store, 3_600_000)
        assert alarms.note([STORE], BOTH).began == ()
        assert sent(alarms) == []


def test_an_alarm_that_is_over_has_one_message_more_and_is_gone(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, STORE)
    sent(alarms)
    alarm_time_passes(store, CLEAR_MS)
    assert alarms.note([], BOTH).ended == ("store",)
    assert sent(alarms) == [("store", "mail", "over"), ("store", "webhook", "over")]
    assert store.exists("vs:alarms") == 0


def test_a_cause_that_comes_and_goes_is_one_alarm(alarms: AlarmBoard, store: redis.Redis) -> None:
    note(alarms, STORE)
    sent(alarms)
    for _ in range(5):
        alarm_time_passes(store, CLEAR_MS - 10_000)
        note(alarms)
        note(alarms, STORE)
    assert sent(alarms) == []
    assert alarms.on() == {"store": "full."}


def test_a_cause_is_no_alarm_before_it_has_lasted(alarms: AlarmBoard, store: redis.Redis) -> None:
    note(alarms, BEAT)
    alarm_time_passes(store, 30_000)
    note(alarms, BEAT)
    assert (sent(alarms), alarms.on()) == ([], {})
    alarm_time_passes(store, 30_000)
    assert alarms.note([BEAT], BOTH).began == ("no_beat",)
    assert len(sent(alarms)) == 2


def test_a_cause_that_ends_before_that_is_never_an_alarm(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, BEAT)
    alarm_time_passes(store, GAP_MS)
    note(alarms)
    alarm_time_passes(store, GAP_MS)
    note(alarms, BEAT)
    assert sent(alarms) == []


def test_a_message_that_was_not_sent_is_tried_again_and_counted(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, STORE, channels=["webhook"])
    first = alarms.take()
    assert first
    assert first.attempts == 1
    alarms.try_again(first, 20_000)
    assert alarms.take() is None
    alarm_time_passes(store, 20_000)
    second = alarms.take()
    assert second
    assert second.attempts == 2


def test_a_sender_that_dies_leaves_its_message_to_another(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, STORE, channels=["webhook"])
    assert alarms.take()
    assert AlarmBoard(store).take() is None
    alarm_time_passes(store, LEASE_MS)
    assert AlarmBoard(store).take()


def test_an_alarm_that_ends_before_anybody_got_it_says_only_that(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, STORE, channels=["webhook"])
    late = alarms.take()
    assert late
    alarm_time_passes(store, CLEAR_MS)
    note(alarms, channels=["webhook"])
    alarms.done(replace(late, since_ms=late.since_ms - CLEAR_MS))  # it has another message by now
    assert sent(alarms) == [("store", "webhook", "over")]


def test_an_alarm_may_come_back_after_it_was_over(alarms: AlarmBoard, store: redis.Redis) -> None:
    note(alarms, STORE, channels=["webhook"])
    sent(alarms)
    alarm_time_passes(store, CLEAR_MS)
    note(alarms, channels=["webhook"])
    note(alarms, STORE, channels=["webhook"])
    assert sent(alarms) == [("store", "webhook", "on")]


def test_a_channel_that_is_no_longer_set_gets_nothing(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, STORE)
    note(alarms, STORE, channels=["mail"])
    assert sent(alarms) == [("store", "mail", "on")]


def test_without_any_channel_an_alarm_is_on_and_then_gone(
    alarms: AlarmBoard, store: redis.Redis
) -> None:
    note(alarms, STORE, channels=[])
    assert alarms.on() == {"store": "full."}
    alarm_time_passes(store, CLEAR_MS)
    assert alarms.note([], []).ended == ("store",)
    assert store.exists("vs:alarms") == 0


def test_causes_without_end_do_not_fill_the_store(
    alarms: AlarmBoard, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "MAX_ALARMS", 3)
    note(alarms, *(Cause(Sort.PARKED, "x", str(nth)) for nth in range(10)))
    note(alarms, *(Cause(Sort.PARKED, "x", str(nth)) for nth in range(20)))
    assert store.hlen("vs:alarms") == 3


@pytest.mark.breaks_rows("another version wrote it")
def test_an_alarm_that_nobody_can_read_is_dropped(alarms: AlarmBoard, store: redis.Redis) -> None:
    store.hset("vs:alarms", mapping={"store": "of another version", "late": "[]"})
    note(alarms, BEAT)
    assert alarms.take() is None
    assert store.hkeys("vs:alarms") == ["no_beat"]


def test_one_process_at_a_time_looks(alarms: AlarmBoard, store: redis.Redis) -> None:
    assert alarms.begin_round()
    assert not AlarmBoard(store).begin_round()
    assert 0 < int(str(store.pttl("vs:alarms:round"))) <= board.ROUND_MS


def test_a_full_store_can_still_note_an_alarm(alarms: AlarmBoard, store: redis.Redis) -> None:
    note(alarms)  # loads the scripts
    used = int(store.info("memory")["used_memory"])
    try:
        store.config_set("maxmemory", used // 2)
        assert alarms.begin_round()
        note(alarms, STORE, channels=["webhook"])
        message = alarms.take()
        assert isinstance(message, AlarmMessage)
        alarms.done(message)
    finally:
        store.config_set("maxmemory", 0)
