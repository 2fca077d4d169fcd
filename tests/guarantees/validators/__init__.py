"""One validator for each guarantee: a pure function from a history to the promises it breaks."""

from __future__ import annotations

from collections.abc import Callable

from tests.guarantees.history import History
from tests.guarantees.validators.complete import complete
from tests.guarantees.validators.durable import durable
from tests.guarantees.validators.honest import honest
from tests.guarantees.validators.once import once
from tests.guarantees.validators.ordered import ordered
from tests.guarantees.validators.portable import portable
from tests.guarantees.validators.violation import Violation

Validator = Callable[[History], list[Violation]]

VALIDATORS: dict[str, Validator] = {
    "G1": durable,
    "G2": complete,
    "G3": ordered,
    "G4": once,
    "G5": portable,
    "G6": honest,
}

__all__ = [
    "VALIDATORS",
    "Validator",
    "Violation",
    "complete",
    "durable",
    "honest",
    "judge",
    "once",
    "ordered",
    "portable",
]


def judge(history: History) -> list[Violation]:
    """All that is broken, guarantee by guarantee."""
    return [violation for validator in VALIDATORS.values() for violation in validator(history)]
