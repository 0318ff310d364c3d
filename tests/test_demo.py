"""What the demo says when something does not start, and when a write parks."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from demo.__main__ import why_parked
from demo.processes import NotReadyError, Process, wait_until
from demo.stack import ROOT, Org
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State

FOR_EVER_S = 600.0


def process(folder: Path, code: str) -> Process:
    command = [sys.executable, "-c", code]
    return Process("web", command, os.environ, ROOT, folder / "web.log")


def test_a_process_that_exits_ends_the_start_at_once_and_its_log_says_why(tmp_path: Path) -> None:
    broken = process(tmp_path, "raise SystemExit('PORT must be a number')")
    broken.start()
    try:
        with pytest.raises(NotReadyError) as refused:
            wait_until(lambda: False, for_s=FOR_EVER_S, what="web", starting=[broken])
    finally:
        broken.stop()
    assert str(refused.value).splitlines()[:2] == [
        "web exited instead of starting",
        f"--- the end of {tmp_path}/web.log ---",
    ]
    assert "PORT must be a number" in str(refused.value)


def test_what_takes_too_long_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    slow = process(tmp_path, "print('looking for it', flush=True); import time; time.sleep(600)")
    slow.start()
    try:
        wait_until(lambda: log.exists() and log.read_text() != "", for_s=60, what="the log")
        with pytest.raises(NotReadyError, match="looking for it"):
            wait_until(lambda: False, for_s=0.1, what="web", starting=[slow])
    finally:
        slow.stop()


def test_an_org_with_a_mistake_in_its_source_says_it_instead_of_starting(tmp_path: Path) -> None:
    org = Org(tmp_path, source=tmp_path / "nothing")
    try:
        with pytest.raises(NotReadyError, match="nothing: is not a directory"):
            org.start()
    finally:
        org.process.stop()


PARKED = Intent(
    id="0" * 32, kind=Kind("case_create"), state=State.PARKED, call_id="call-1",
    tool="requestReturn", reference="K7M 2QX", schema=1, payload={}, accepted_at_ms=0,
    reason="FIELD_CUSTOM_VALIDATION_EXCEPTION", detail="Orders are returned\nwithin 30 days.",
)  # fmt: skip


def test_a_parked_write_is_named_by_its_id_with_salesforces_own_words() -> None:
    assert why_parked(PARKED).splitlines() == [
        f"  parked {PARKED.id}  requestReturn: FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "    Salesforce says: Orders are returned within 30 days.",
        "    A validation rule of your org refuses the record. Change the rule and replay, or edit "
        "the record so that the rule accepts it.",
    ]


def test_a_write_that_the_service_parked_itself_has_no_words_of_salesforce() -> None:
    ours = dataclasses.replace(PARKED, reason="NOT_THEIR_RECORD", detail="")
    assert why_parked(ours).splitlines()[1:] == [
        "    A record that the new one should refer to is not the caller's. Edit the argument that "
        "names it, or discard."
    ]
