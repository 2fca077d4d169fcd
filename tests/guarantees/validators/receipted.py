"""E4: what is said of an event is in its topic once, moves forwards only, and names the first."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.guarantees.inbox import WITHDRAWN
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.guarantees.history import History
    from tests.guarantees.inbox import Receipt, Said

NAME = "E4 receipted"


def receipted(history: History) -> list[Violation]:
    """Judge E4: what devices were told against the receipts of the logs."""
    inbox = history.inbox
    receipts: dict[tuple[str, int], list[Receipt]] = defaultdict(list)
    for receipt in inbox.receipts:
        receipts[receipt.topic, receipt.offset].append(receipt)
    found = []
    for (topic, offset), about in receipts.items():
        mortal = (topic, about[0].id) in inbox.until_acknowledged
        words = _moves(about, offset, until_acknowledged=mortal)
        found += [Violation(NAME, topic, "", each) for each in words]
    for said in inbox.said:
        log = history.logs.get(said.topic)
        if said.done_at is None or log is None or log.lost or said.offset <= log.floor:
            continue
        about = receipts.get((said.topic, said.offset), [])
        found += [Violation(NAME, said.topic, said.device, each) for each in _told(said, about)]
    return found


def _moves(about: Sequence[Receipt], offset: int, *, until_acknowledged: bool) -> Iterator[str]:
    for earlier, later in pairwise(about):
        if later.state <= earlier.state:
            yield f"{later.id} went from state {earlier.state} to {later.state}"
    for receipt in about:
        if receipt.at <= offset:
            yield f"the receipt of {receipt.id} stands at {receipt.at}, and the event at {offset}"
    if until_acknowledged and about[0].state != WITHDRAWN:
        yield f"{about[0].id} was acknowledged and stayed, with state {about[0].state}"


def _told(said: Said, about: Sequence[Receipt]) -> Iterator[str]:
    holds = [receipt for receipt in about if receipt.state >= said.state]
    if not holds:
        yield f"state {said.state} of {said.id} was confirmed, and no receipt says so: lost"
    elif said.first and said.device not in {receipt.device for receipt in holds}:
        yield f"it was told to be first with {said.id}, and {holds[0].device} was"
    elif said.first is False and {said.device} == {receipt.device for receipt in about}:
        yield f"it was told to be late with {said.id}, and nobody else said anything"
