"""Due times: each name has one, and what was put off leaves nothing behind."""

from __future__ import annotations

from hub.model.agenda import Agenda


def test_names_come_up_in_order_of_their_last_time() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("a", 3.0)
    agenda.put("b", 2.0)
    agenda.put("a", 1.0)
    agenda.put("c", 9.0)
    assert agenda.next_due == 1.0
    assert [agenda.pop(5.0), agenda.pop(5.0), agenda.pop(5.0)] == ["a", "b", None]
    agenda.remove("c")
    assert len(agenda) == 0
    assert agenda.pop(100.0) is None


def test_times_that_hold_no_more_are_let_go() -> None:
    agenda: Agenda[str] = Agenda()
    for time in range(1_000):
        agenda.put("a", 5_000.0 - time)
        agenda.put("b", 10_000.0 + time)
    assert len(agenda._heap) <= 2 * len(agenda) + 16
    assert agenda.pop(20_000.0) == "a"
    assert agenda.pop(10_998.0) is None
    assert agenda.pop(10_999.0) == "b"
