"""The history check on a good recording, and on recordings that were broken by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from demo.history.checker import Problem, Result, check, p99
from demo.history.steps import (
    DONE,
    FOUND,
    LOOKUP,
    NOT_LOOKED_UP,
    REFUSED,
    REPORT,
    STATUS,
    WRITE,
    Accepted,
    Answered,
    Asked,
    BrokenRecordingError,
    Record,
    Settled,
    Step,
    digest,
    read,
    write,
)


def asked(at: float, request: str, sort: str, value: str = "", call: str = "") -> Asked:
    """Requests of the first call begin with a, those of the second with b."""
    call = call or f"call-{request[0]}"
    return Asked(
        at=at, request=request, call=call, caller=f"caller-{call[-1]}", tool="", sort=sort,
        value=value and digest(value),
    )  # fmt: skip


def settled(at: float, intent: str, reference: str, kind: str, record: str, **own: str) -> Settled:
    return Settled(
        at=at, intent=intent, call=f"call-{intent[0]}", reference=reference, kind=kind,
        state=own.get("state", "delivered"), leases=1, record=record, number=own.get("number", ""),
        reason=own.get("reason", ""),
    )  # fmt: skip


GOOD: tuple[Step, ...] = (
    # The first caller looks up, opens a case, sees it, adds to it, and changes a contact twice.
    asked(1, "a1", LOOKUP),
    Answered(at=1.2, request="a1", result=FOUND),
    asked(2, "a2", WRITE),
    asked(3, "a2", WRITE),  # delivered again, because no answer came
    Accepted(at=3.01, request="a2", reference="AAA 222"),
    asked(2.9, "a0", STATUS),  # on its way while the case is promised
    Answered(at=3.05, request="a0", result=FOUND),
    asked(4, "a3", STATUS),
    Answered(at=4.1, request="a3", result=FOUND, shows=("AAA 222",)),
    asked(5, "a4", WRITE),
    Accepted(at=5.02, request="a4", reference="AAA 333"),
    asked(6, "a5", WRITE, "changed first"),
    Accepted(at=6.03, request="a5", reference="AAA 444"),
    asked(7, "a6", WRITE, "changed again"),
    Accepted(at=7.04, request="a6", reference="AAA 555"),
    settled(8, "a-case", "AAA 222", "case_create", "500", number="00001007"),
    asked(9, "a7", STATUS),
    Answered(at=9.1, request="a7", result=FOUND, shows=("1007",)),
    asked(9.2, "a8", LOOKUP),  # shows no case
    Answered(at=9.3, request="a8", result=FOUND),
    asked(9.3, "a9", STATUS),
    Answered(at=9.4, request="a9", result=NOT_LOOKED_UP),
    settled(9.5, "a-comment", "AAA 333", "case_comment", "00a"),
    settled(9.6, "a-first", "AAA 444", "contact_update", "003"),
    settled(9.7, "a-second", "AAA 555", "contact_update", "003"),
    asked(10, "a/report", REPORT),
    Answered(at=10.1, request="a/report", result=DONE),
    settled(11, "a-log", "", "call_log", "00T1"),
    # The second caller's lookup fails, one write parks, one is taken back, one is refused, and the
    # last is never answered.
    asked(2.5, "b1", LOOKUP),
    Answered(at=2.6, request="b1", result=NOT_LOOKED_UP),
    asked(4.5, "b2", WRITE),
    Accepted(at=4.6, request="b2", reference="BBB 222"),
    asked(5.5, "b3", WRITE),
    Accepted(at=5.6, request="b3", reference="BBB 333"),
    asked(6.5, "b4", WRITE),
    Answered(at=6.6, request="b4", result=REFUSED),
    asked(7.5, "b5", WRITE),
    settled(8.5, "b-parked", "BBB 222", "callback", "", state="parked", reason="INVALID"),
    settled(8.6, "b-back", "BBB 333", "callback", "", state="cancelled", reason="caller"),
    # What the org shows in the end.
    Record(at=12, sobject="Case", record="500", key="a-case", reference="AAA 222"),
    Record(at=12, sobject="CaseComment", record="00a", reference="AAA 333"),
    Record(at=12, sobject="Contact", record="003", values=(digest("changed again"),)),
    Record(at=12, sobject="Task", record="00T1", key="a-log", call="call-a"),
)  # fmt: skip


def test_a_good_recording_has_no_findings_and_a_result_for_each_caller() -> None:
    verdict = check(GOOD)
    assert verdict.findings == []
    assert verdict.callers == {
        "caller-a": Result(promised=4, fulfilled=4, calls=1),
        "caller-b": Result(promised=2, parked=1, taken_back=1, refused=1, unanswered=1),
    }
    assert verdict.total.promised == 6


def test_a_caller_waits_from_the_last_delivery_to_the_answer() -> None:
    verdict = check(GOOD)
    assert sorted(round(took) for took in verdict.ack_ms) == [10, 20, 30, 40, 100, 100]
    assert sorted(round(took) for took in verdict.lookup_ms) == [100, 100, 100, 100, 100, 150, 200]


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (99, 99), (100, 99), (200, 198)])
def test_p99_is_the_value_that_99_per_cent_do_not_exceed(count: int, expected: int) -> None:
    assert p99(float(value) for value in range(1, count + 1)) == expected


def without(form: type[Step], about: str) -> list[Step]:
    """GOOD without the steps of a form that mention `about`."""
    left = [step for step in GOOD if not (isinstance(step, form) and about in str(step))]
    assert len(left) == len(GOOD) - 1
    return left


def but(form: type[Step], about: str, **changed: object) -> list[Step]:
    """GOOD with other values in the only step of a form that mentions `about`."""
    (step,) = (step for step in GOOD if isinstance(step, form) and about in str(step))
    return [*without(form, about), replace(step, **changed)]  # type: ignore[arg-type]


BROKEN: dict[str, tuple[list[Step], Problem, str]] = {
    "a promise without its record": (
        [*(step for step in without(Settled, "AAA 333") if "00a" not in str(step))],
        Problem.LOST,
        "AAA 333",
    ),
    "a receipt for a record that the org does not have": (
        without(Record, "'003'"), Problem.LOST, "AAA 444",
    ),
    "a promise that the service cancelled by itself": (
        but(Settled, "b-back", reason="CASE_CANCELLED"), Problem.LOST, "BBB 333",
    ),
    "a change that is not in the record": (
        but(Record, "'003'", values=()), Problem.LOST, "AAA 555",
    ),
    "a reported call without its record": (without(Record, "00T1"), Problem.LOST, "call-a"),
    "two records with one key": (
        [*GOOD, Record(at=12, sobject="Case", record="501", key="a-case")],
        Problem.DOUBLED,
        "a-case",
    ),
    "two records with one reference": (
        [*GOOD, Record(at=12, sobject="CaseComment", record="00b", reference="AAA 333")],
        Problem.DOUBLED,
        "AAA 333",
    ),
    "two records of one call": (
        [*GOOD, Record(at=12, sobject="Task", record="00T2", call="call-a")],
        Problem.DOUBLED,
        "call-a",
    ),
    "two promises for one request": (
        [*GOOD, Accepted(at=3.5, request="a2", reference="AAA 333")], Problem.DOUBLED, "a2",
    ),
    "an answer without the case that was promised before": (
        but(Answered, "'a3'", shows=()), Problem.STALE, "a3",
    ),
    "an answer with an older case": (but(Answered, "'a7'", shows=("1006",)), Problem.STALE, "a7"),
    "an earlier value that came last": (
        but(Record, "'003'", values=(digest("changed first"),)), Problem.STALE, "AAA 555",
    ),
    "an answer before its request": (but(Answered, "'a1'", at=0.5), Problem.OUT_OF_ORDER, "a1"),
    "settled before it was asked for": (
        but(Settled, "AAA 222", at=1.5), Problem.OUT_OF_ORDER, "AAA 222",
    ),
    "delivered without a lease": (
        but(Settled, "AAA 333", leases=0), Problem.OUT_OF_ORDER, "AAA 333",
    ),
    "a comment before its case": (
        but(Settled, "AAA 222", at=9.55), Problem.OUT_OF_ORDER, "AAA 333",
    ),
    "the log of a call before its writes": (
        but(Settled, "call_log", at=9.65), Problem.OUT_OF_ORDER, "AAA 555",
    ),
    "one reference in two calls": (
        [*GOOD, asked(3, "b6", WRITE), Accepted(at=3.1, request="b6", reference="AAA 222")],
        Problem.MIXED_UP,
        "AAA 222",
    ),
    "a promise that was kept for another call": (
        but(Settled, "BBB 222", call="call-a"), Problem.MIXED_UP, "BBB 222",
    ),
    "an answer to no request": (
        [*GOOD, Answered(at=3, request="c1", result=FOUND)], Problem.UNASKED, "c1",
    ),
    "an intent of no call": (but(Settled, "BBB 222", call="call-c"), Problem.UNASKED, "b-parked"),
    "a record that nobody was promised": (
        [*GOOD, Record(at=12, sobject="Case", record="501", reference="CCC 222")],
        Problem.UNASKED,
        "501",
    ),
    "a record of what was taken back": (
        [*GOOD, Record(at=12, sobject="Task", record="00T3", key="b-back")],
        Problem.UNASKED,
        "00T3",
    ),
    "the log of a call that nobody made": (
        [*GOOD, Record(at=12, sobject="Task", record="00T4", call="call-c")],
        Problem.UNASKED,
        "00T4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("breakage", BROKEN)
def test_each_breakage_is_named(breakage: str) -> None:
    steps, problem, about = BROKEN[breakage]
    assert about in check(steps).of(problem)


def test_every_kind_of_breakage_is_tried() -> None:
    assert {problem for _, problem, _ in BROKEN.values()} == set(Problem)


def test_what_is_lost_or_overwritten_counts_as_lost_for_its_caller() -> None:
    steps, _, _ = BROKEN["an earlier value that came last"]
    assert check(steps).callers["caller-a"] == Result(promised=4, fulfilled=3, lost=1, calls=1)
    steps, _, _ = BROKEN["a reported call without its record"]
    assert check(steps).callers["caller-a"] == Result(
        promised=4, fulfilled=4, calls=1, unrecorded=1
    )


def test_a_record_with_the_reference_is_enough_when_the_journal_has_purged_its_intent() -> None:
    assert check(without(Settled, "AAA 333")).findings == []


def test_what_is_asked_for_after_the_report_may_follow_the_log() -> None:
    late = asked(10.5, "a10", WRITE), Accepted(at=10.6, request="a10", reference="AAA 666")
    steps = [*GOOD, *late, settled(11.5, "a-late", "AAA 666", "callback", "00T5")]
    steps.append(Record(at=12, sobject="Task", record="00T5", reference="AAA 666"))
    assert check(steps).findings == []


def test_an_answer_to_another_delivery_and_a_parked_log_are_no_findings() -> None:
    again = [*GOOD, asked(3.5, "a2", WRITE), Accepted(at=3.6, request="a2", reference="AAA 222")]
    assert check(again).findings == []
    parked = [step for step in but(Settled, "call_log", state="parked") if "00T1" not in str(step)]
    parked.append(settled(11, "a-log", "", "call_log", "", state="parked"))
    assert check(parked).findings == []


# -- the file --------------------------------------------------------------------------------------


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "drill.jsonl", GOOD)
    steps = read(tmp_path / "drill.jsonl")
    assert steps == sorted(GOOD, key=lambda step: step.at)
    assert check(steps) == check(GOOD)


def edit(nth: int, **changed: object) -> Callable[[list[str]], list[str]]:
    """Other values in a line; None removes one."""

    def edited(lines: list[str]) -> list[str]:
        line = json.loads(lines[nth]) | changed
        line = {name: value for name, value in line.items() if value is not None}
        return [*lines[:nth], json.dumps(line), *lines[nth + 1 :]]

    return edited


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda lines: lines[:-1], "the recording has no end"),
        (lambda lines: lines[:1], "the recording has no end"),
        (
            lambda lines: lines[:3] + lines[4:],
            f"counts {len(GOOD)} steps, and there are {len(GOOD) - 1}",
        ),
        (lambda lines: [*lines, lines[0]], "steps after the end"),
        (lambda lines: [*lines[:2], lines[2][:-5], *lines[3:]], "line 3"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 2: earlier than the line before"),
        (edit(1, step="guessed"), "no step is called 'guessed'"),
        (edit(1, request=None), "request"),
        (edit(1, request=17), "request is 17"),
        (edit(1, at="1.2"), "at is '1.2'"),
        (edit(1, shows="AAA 222"), "shows is 'AAA 222'"),
        (edit(1, number="+14155550101"), "number"),
        (lambda lines: ["[]", *lines], "line 1"),
    ],
)
def test_a_file_that_was_broken_is_refused(
    broken: Callable[[list[str]], list[str]], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "drill.jsonl"
    write(path, GOOD)
    path.write_text("\n".join(broken(path.read_text().splitlines())) + "\n")
    with pytest.raises(BrokenRecordingError, match=said):
        read(path)
