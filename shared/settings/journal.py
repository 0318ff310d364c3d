"""Settings of the journal: how long it holds, compares and stores writes."""

from typing import Self

from pydantic import Field, model_validator

from shared.settings.environment import Group


class JournalSettings(Group):
    commit_window_ms: int = Field(
        2500,
        ge=0,
        le=60_000,
        description="a whole number of milliseconds from 0 to 60000, such as 2500",
    )
    sweep_interval_s: float = Field(
        0.5, ge=0.05, le=30, description="a number of seconds from 0.05 to 30, such as 0.5"
    )
    max_leases: int = Field(2, ge=1, le=50, description="a whole number from 1 to 50, such as 2")
    repeat_window_h: float = Field(
        24, ge=0, le=24 * 30, description="a number of hours from 0 to 720, such as 24"
    )
    keep_personal_data_h: float = Field(
        48, gt=0, description="a number of hours above 0, such as 48"
    )
    keep_receipts_h: float = Field(
        24 * 7, gt=0, description="a number of hours above 0, such as 168"
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.repeat_window_h > self.keep_personal_data_h:
            raise ValueError(
                "REPEAT_WINDOW_H must not be longer than KEEP_PERSONAL_DATA_H: a case can only be "
                "compared with one whose words are still stored"
            )
        return self
