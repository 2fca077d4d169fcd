"""One validator for each guarantee, and those of work, receipts and removals.

Each is a pure function from a history to the promises it breaks.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.guarantees.history import History
from tests.guarantees.validators.alive import alive
from tests.guarantees.validators.authorized import authorized
from tests.guarantees.validators.bounded import bounded
from tests.guarantees.validators.complete import complete
from tests.guarantees.validators.durable import durable
from tests.guarantees.validators.fresh import fresh
from tests.guarantees.validators.honest import honest
from tests.guarantees.validators.once import once
from tests.guarantees.validators.ordered import ordered
from tests.guarantees.validators.portable import portable
from tests.guarantees.validators.present import present
from tests.guarantees.validators.prompt import prompt
from tests.guarantees.validators.receipted import receipted
from tests.guarantees.validators.removed import removed
from tests.guarantees.validators.violation import Violation
from tests.guarantees.validators.worked import worked

Validator = Callable[[History], list[Violation]]

VALIDATORS: dict[str, Validator] = {
    "G1": durable,
    "G2": complete,
    "G3": ordered,
    "G4": once,
    "G5": portable,
    "G6": honest,
    "G7": bounded,
    "G8": prompt,
    "G9": fresh,
    "G10": authorized,
    "G11": alive,
    "G12": present,
    "E1": worked,
    "E2": removed,
    "E4": receipted,
}

__all__ = [
    "VALIDATORS",
    "Validator",
    "Violation",
    "alive",
    "authorized",
    "bounded",
    "complete",
    "durable",
    "fresh",
    "honest",
    "judge",
    "once",
    "ordered",
    "portable",
    "present",
    "prompt",
    "receipted",
    "removed",
    "worked",
]


def judge(history: History) -> list[Violation]:
    """All that is broken, guarantee by guarantee."""
    return [violation for validator in VALIDATORS.values() for violation in validator(history)]
