"""The worlds that are explored. Each is small, and together they use every step of every script."""

from dataclasses import replace

from proof.world import Request, World

CASE = Request(
    "case",
    tool_call="call-1",
    fingerprint="f-case",
    reference="AAA 222",
    said="Noted as",
    record="case:case1",
)
COMMENT = Request(
    "comment",
    kind="case_comment",
    tool_call="call-2",
    fingerprint="f-comment",
    reference="BBB 222",
    said="Noted as",
    after=("case1",),
    needs="case1",
    only_with="case1",
    record="case:case1",
)
LOG = Request("log", kind="call_log", tool="", after_call=True, hold_ms=0, only_with="case1")
LOST = ("written, answer lost", "not written, answer lost")

SMALL = World(
    "small", (CASE, COMMENT), failures=(*LOST, "refused for good"), may=frozenset({"replay"})
)
"""Explored whole in `make test`."""

DOUBTS = World(
    "doubts",
    (CASE,),
    failures=(*LOST, "refused for good", "refused", "row locked", "away", "not needed any more"),
    faults=2,
    may=frozenset({"replay", "edit", "extend", "settle twice", "hand over"}),
    retractions=("case1",),
)
"""One request alone, with more faults."""

ORDER = World(
    "order",
    (replace(CASE, tool_call=""), COMMENT, LOG),
    failures=(*LOST, "refused for good", "not needed any more"),
    faults=2,
    may=frozenset({"replay", "extend"}),
    retractions=("case1", "comment1"),
)

SECOND_THOUGHTS = World(
    "second thoughts",
    (
        replace(CASE, times=2, dedup_keys=("account:1",)),
        replace(
            CASE, name="corrected", amends=("case1", "f-case"), tool_call="call-3",
            fingerprint="f-corrected", only_with="case1", dedup_keys=("account:2",),
        ),
        replace(CASE, name="same", tool_call="call-4"),
        replace(
            CASE, name="other", tool_call="call-5", fingerprint="f-other", cancels="case1",
            only_with="case1",
        ),
    ),
    failures=LOST[:1],
    retractions=("case1",),
    may=frozenset({"hand over"}),
)  # fmt: skip

FAILURES = World(
    "failures",
    (
        replace(CASE, tool_call="", hold_ms=0),
        replace(
            CASE, name="second", tool_call="", fingerprint="f-second", reference="CCC 222",
            record="case:second1", hold_ms=0,
        ),
        Request("plain", tool="", hold_ms=0),
    ),
    failures=("away", "busy", "refused", "row locked", "tool fails"),
    faults=3,
    may=frozenset({"extend", "pause"}),
)  # fmt: skip

SLOW_WORKER = replace(
    FAILURES, name="slow worker", failures=(), faults=1, may=frozenset({"extend"})
)
"""Another one takes a part of its batch, because something older had become due."""

PARTS = World(
    "parts",
    (
        replace(
            CASE, parts=("part1",), also=(
                Request("part", kind="case_comment", said="Noted.", record="case:case1"),
            ),
        ),
        LOG,
    ),
    failures=("part refused", "written, with a link to come", "refused for good"),
    faults=2,
    may=frozenset({"replay", "edit", "settle twice"}),
    retractions=("case1",),
)  # fmt: skip

TWO_CALLS = World(
    "two calls",
    (
        replace(CASE, dedup_keys=("account:1",), asks=True),
        replace(
            CASE, name="another", call="c2", dedup_keys=("account:1",), asks=True,
            tool_call="call-9", record="case:another1", reference="AAA 222",
        ),
        COMMENT,
    ),
    failures=("refused for good",),
    faults=1,
    may=frozenset({"replay", "purge", "erase", "three days"}),
    per_call=1,
)  # fmt: skip

CLOCKS = World(
    "clocks",
    (CASE, COMMENT),
    failures=("away", *LOST),
    faults=2,
    may=frozenset({"clock", "settle twice"}),
)

WORLDS = (SMALL, DOUBTS, SLOW_WORKER, SECOND_THOUGHTS, TWO_CALLS, PARTS, FAILURES, ORDER, CLOCKS)
"""The quick ones first: a broken script is found in one of them as a rule."""
