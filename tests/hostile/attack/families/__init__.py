"""All families of dialogues. Each is a function that adds its dialogues to a builder."""

from collections.abc import Callable
from random import Random

from tests.hostile.attack.attempt import Dialogue
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.families import (
    claims,
    controls,
    guessing,
    injection,
    neighbours,
    numbers,
    pins,
    requests,
)
from tests.hostile.attack.words import Words

FAMILIES: dict[str, Callable[[Builder], None]] = {
    "impersonation": claims.impersonation,
    "staff-claim": claims.staff_claim,
    "pleading": claims.pleading,
    "instructions": claims.instructions,
    "spoofed-number": numbers.spoofed_number,
    "unproven-number": numbers.unproven_number,
    "household": numbers.shared_number,
    "look-alike": numbers.look_alike_number,
    "enumeration": guessing.enumeration,
    "pin-guessing": pins.pin_guessing,
    "argument-injection": injection.argument_injection,
    "record-injection": injection.record_injection,
    "speech-injection": injection.speech_injection,
    "colleague": neighbours.colleague,
    "second-call": neighbours.second_call,
    "two-numbers": neighbours.two_numbers,
    "number-change": neighbours.number_change,
    "moved-case": neighbours.moved_case,
    "replay": requests.replay,
    "reused-ids": requests.reused_ids,
    "transfer": requests.transfer_tricks,
    "secrets": requests.secrets,
    "control": controls.controls,
}


def all_dialogues(seed: int) -> tuple[list[Dialogue], Words]:
    """The dialogues of a seed, in the order of FAMILIES, and what made their words."""
    words = Words(Random(f"{seed}/words"))
    dialogues: list[Dialogue] = []
    for name, add_to in FAMILIES.items():
        builder = Builder(name, seed, words)
        add_to(builder)
        dialogues += builder.dialogues
    return dialogues, words
