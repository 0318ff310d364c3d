"""Looks for alarms, and sends their messages.

Each web process and each worker has one, and they take turns. So alarms reach people as long as any
of these processes runs: without workers, those of web say that there is none.
"""

import random
import socket
import time
from contextlib import suppress
from typing import Self

import redis

from shared.logs import log
from shared.metrics.counted import ALARM_MESSAGES
from shared.metrics.fleet import FleetCounts
from shared.operators.alarms.board import ROUND_MS, AlarmBoard, AlarmMessage
from shared.operators.alarms.causes import causes
from shared.operators.alarms.channels import Channel, NotSentError, channels_of
from shared.operators.alarms.look import Look
from shared.operators.alarms.wording import Wording
from shared.settings import AlarmSettings, Settings
from shared.store import StoreUnavailableError

WATCH_EVERY_S = ROUND_MS / 1000 / 2
"""More often than a round, so that the next one begins soon after the last."""

SEND_FOR_S = 30.0
"""What is not sent in this time, the next rounds send."""

MAX_ATTEMPTS = 12
FIRST_DELAY_S, MAX_DELAY_S = 5.0, 300.0
"""Exponential back-off with jitter: twelve attempts take some 40 minutes."""


class Watcher:
    def __init__(
        self,
        board: AlarmBoard,
        look: Look,
        settings: AlarmSettings,
        channels: dict[str, Channel],
        service: str,
    ) -> None:
        """service: names the installation in messages."""
        self._board = board
        self._look = look
        self._settings = settings
        self._channels = channels
        self._service = service

    @classmethod
    def of(cls, settings: Settings, store: redis.Redis, counts: FleetCounts) -> Self:
        return cls(
            AlarmBoard(store),
            Look(settings, store, counts),
            settings.alarms,
            channels_of(settings.alarms),
            (settings.web.public_url or socket.gethostname()).removeprefix("https://"),
        )

    def watch(self) -> None:
        """A round, if it is this process's turn. Raises StoreUnavailableError."""
        if not self._board.begin_round():
            return
        round_ = self._board.note(causes(self._look(), self._settings), list(self._channels))
        for cause in round_.began:
            log.warning("alarm_raised", code=cause)
        for cause in round_.ended:
            log.info("alarm_over", code=cause)
        until = time.monotonic() + SEND_FOR_S
        while time.monotonic() < until and (message := self._board.take()):
            self._send(message)

    def _send(self, message: AlarmMessage) -> None:
        try:
            self._channels[message.channel].send(Wording(message, self._service))
        except NotSentError as trouble:
            self._failed(message, str(trouble))
            return
        ALARM_MESSAGES.labels(channel=message.channel, outcome="sent").inc()
        with suppress(StoreUnavailableError):  # then it is sent once more
            self._board.done(message)

    def _failed(self, message: AlarmMessage, reason: str) -> None:
        given_up = message.attempts >= MAX_ATTEMPTS
        outcome = "given_up" if given_up else "failed"
        ALARM_MESSAGES.labels(channel=message.channel, outcome=outcome).inc()
        report = log.error if given_up else log.warning
        report(f"alarm_{outcome}", code=message.cause, reason=f"{message.channel}: {reason}")
        if given_up:
            self._board.done(message)
        else:
            self._board.try_again(message, delay_ms(message.attempts))


def delay_ms(attempts: int) -> int:
    """Until the next attempt, after so many of them."""
    most_s = min(FIRST_DELAY_S * 2 ** (attempts - 1), MAX_DELAY_S)
    return int(1000 * most_s * random.uniform(0.5, 1.0))
