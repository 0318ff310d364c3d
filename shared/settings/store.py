"""Settings of Redis: the journal's, and Celery's broker."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from shared.addresses import wrong_with_redis
from shared.settings.environment import SWITCH, Group

REDIS_PREFIX = "vs:"
"""The prefix of every Redis key of this service; the broker's own keys begin with `vs:celery:`."""

_REDIS = (
    "the address of a Redis or Valkey server, such as redis://127.0.0.1:6379/0, "
    "rediss://user:password@host:6380/0 or unix:///run/valkey/valkey.sock"
)


def _redis(url: str) -> str:
    if wrong := wrong_with_redis(url):
        raise ValueError(wrong)
    return url


RedisUrl = Annotated[str, AfterValidator(_redis)]


class StoreSettings(Group):
    model_config = SettingsConfigDict(env_prefix="REDIS_")

    url: RedisUrl = Field(repr=False, description=_REDIS)
    celery_broker_url: RedisUrl | None = Field(
        None, validation_alias="CELERY_BROKER_URL", repr=False, description=_REDIS
    )
    accept_everysec: bool = Field(False, description=SWITCH)
    vouched: bool = Field(False, description=SWITCH)
    confirm_replicas: int = Field(0, ge=0, le=5, description="a whole number from 0 to 5")
    max_connections: int = Field(50, ge=4, description="a whole number, 4 at least, such as 50")

    @property
    def broker_url(self) -> str:
        return self.celery_broker_url or self.url
