"""The rotation of VAPI_SERVER_SECRET: how long the previous secret is accepted, and its last use.

Both secrets are accepted while VAPI_SERVER_SECRET_PREVIOUS is set. Nothing ends that by itself: a
call that Vapi signs with the old secret must not fail. After VAPI_SECRET_ROTATION_H there is an
alarm instead.
"""

import hmac
import time
from dataclasses import dataclass

import redis

from shared.logs import log
from shared.scripts import load
from shared.settings import REDIS_PREFIX, VapiSettings
from shared.store import StoreUnavailableError, translated

NOTE_EVERY_S = 60.0
"""A use is not written again within this time by the same process."""

WARN_EVERY_S = 3600.0
LIFE_MS = 90 * 24 * 3_600_000
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class RotationStatus:
    """for_s: since the rotation began. last_used_s: since the last use of the previous secret; None
    when it was not used."""

    for_s: int
    last_used_s: int | None
    is_overdue: bool


class Rotation:
    """One per process. Its state in Redis is the same for all."""

    def __init__(
        self, store: redis.Redis, settings: VapiSettings, prefix: str = REDIS_PREFIX
    ) -> None:
        self._prefix = prefix
        self._max_s = settings.secret_rotation_h * 3600
        self._script = load(store, "operators", "rotation")
        secrets = settings.server_secrets
        # Another rotation is another pair of secrets.
        self._name = _digest(*secrets) if len(secrets) > 1 else ""
        self._next_note_at = {True: float("-inf"), False: float("-inf")}
        self._next_warning_at = float("-inf")

    def note(self, *, by_previous: bool) -> None:
        """An authenticated message arrived. Writes at most once a minute, and never fails.

        by_previous: the previous secret has authenticated it.
        """
        now = time.monotonic()
        if not self._name or now < self._next_note_at[by_previous]:
            return
        self._next_note_at[by_previous] = now + NOTE_EVERY_S
        try:
            status = self._run(is_used=by_previous)
        except StoreUnavailableError:
            return
        if status.is_overdue and now >= self._next_warning_at:
            self._next_warning_at = now + WARN_EVERY_S
            setting = "VAPI_SERVER_SECRET_PREVIOUS"
            log.warning("secret_rotation_overdue", setting=setting, age_s=status.for_s)

    def status(self) -> RotationStatus | None:
        """None when no previous secret is set. Raises StoreUnavailableError."""
        return self._run(is_used=False) if self._name else None

    def _run(self, *, is_used: bool) -> RotationStatus:
        with translated():
            moments = self._script(args=[self._prefix, self._name, int(is_used), LIFE_MS])
        now_ms, since_ms, last_used_ms = map(int, moments)
        for_s = (now_ms - since_ms) // 1000
        return RotationStatus(
            for_s=for_s,
            last_used_s=(now_ms - last_used_ms) // 1000 if last_used_ms else None,
            is_overdue=for_s >= self._max_s,
        )


def _digest(secret: str, previous: str) -> str:
    digest = hmac.new(secret.encode(), previous.encode(), "sha256").hexdigest()
    return digest[:_DIGEST_CHARACTERS]
