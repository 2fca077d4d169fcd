"""Pairs of runs: what is judged, what is void, and what is wrong on any machine."""

from __future__ import annotations

import pytest

from benchmarks import noise, pairs, pressure, trend
from benchmarks.bars import Bar, at_most
from benchmarks.noise import Noise
from benchmarks.pairs import Pair

RATIO = Bar("us", at_most=True, limit=1.2, ratio=True, other="without")
QUIET, LOUD = Noise(1, 1, 100), Noise(5, 50, 100)
JUDGED = pressure.Size(pairs=3)


def pair(without: float, under: float, *floors: Noise, others: float = 0.0) -> Pair:
    return Pair({"us": without}, {"us": under}, floors or (QUIET, QUIET), (0.0, others))


class Alone:
    """Nobody else works on the machine."""

    def share(self) -> float:
        return 0.0


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "Others", Alone)


def outcome(*played: Pair, wrong: tuple[str, ...] = ()) -> pressure.Outcome:
    return pressure.Outcome(list(played), (RATIO,), list(wrong))


SOUND = outcome(*[pair(10, 11)] * 3)
SLOW = outcome(*[pair(10, 13)] * 3)
BUSY = outcome(*[pair(10, 11)] * 2, pair(10, 11, QUIET, LOUD))
LOSSY = outcome(*[pair(10, 11)] * 3, wrong=("lost",))


def _row(given: pressure.Outcome):
    def row(_size: pressure.Size) -> pressure.Outcome:
        """As it was given."""
        return given

    return row


def test_each_pair_begins_with_what_the_last_one_ended_with(monkeypatch):
    monkeypatch.setattr(noise, "measure", lambda: QUIET)
    runs: list[bool] = []

    def run(under: bool) -> dict[str, float]:
        runs.append(under)
        return {"us": float(len(runs))}

    played = pairs.play(3, run)
    assert runs == [False, True, True, False, False, True]
    assert [(one.without["us"], one.under["us"]) for one in played] == [(1, 2), (4, 3), (5, 6)]


@pytest.mark.parametrize(("again", "most"), [(True, 4), (False, 2)])
def test_a_void_pair_is_played_again_but_not_for_ever(monkeypatch, again, most):
    monkeypatch.setattr(noise, "measure", lambda: LOUD)
    played = pairs.play(2, lambda _under: {"us": 1.0}, again=again)
    assert len(played) == most
    assert not any(one.sound for one in played)


def test_a_pair_whose_runs_others_disturbed_is_void():
    assert pair(1, 1, others=noise.VOID_ABOVE_SHARE).sound
    assert not pair(1, 1, others=noise.VOID_ABOVE_SHARE + 0.01).sound
    busy = [pair(10, 11)] * 2 + [pair(10, 11, others=0.9)]
    assert pressure.is_void(outcome(*busy), JUDGED)
    assert "others took 0% to 90% of the machine" in "\n".join(
        pressure.report("urgent", outcome(*busy), JUDGED)
    )


def test_enough_sound_pairs_are_enough(monkeypatch):
    floors = iter([QUIET, LOUD, QUIET, QUIET, LOUD, QUIET, QUIET, QUIET])
    monkeypatch.setattr(noise, "measure", lambda: next(floors))
    played = pairs.play(2, lambda _under: {"us": 1.0})
    assert [one.sound for one in played] == [False, True, False, True]


def test_the_median_of_the_ratios_counts_and_not_the_ratio_of_the_medians():
    played = [pair(10, 30), pair(100, 110), pair(20, 20)]
    assert pairs.ratios(played, "us") == [3.0, 1.1, 1.0]
    assert pairs.missed(played, [RATIO]) == []
    assert pairs.missed(played[:1], [RATIO, at_most("us", 30), at_most("us", 29)]) == [
        "us is 3, has to be <= 1.2x without",
        "us is 30, has to be <= 29",
    ]


def test_a_bar_that_is_missed_fails_unless_the_machine_was_busy():
    slow = [pair(10, 13)] * 3
    assert pressure.verdict(outcome(*slow), JUDGED) == ["us is 1.3, has to be <= 1.2x without"]
    busy = [*slow[:2], pair(10, 13, QUIET, LOUD)]
    assert pressure.verdict(outcome(*busy), JUDGED) == []
    assert pressure.verdict(outcome(*busy, wrong=("lost",)), JUDGED) == ["lost"]
    assert pressure.verdict(outcome(*slow), pressure.QUICK) == []
    told = "\n".join(pressure.report("urgent", outcome(*busy), JUDGED))
    assert "2 of 3 pairs are sound" in told
    assert "VOID" in told
    told = "\n".join(pressure.report("urgent", outcome(*slow), JUDGED))
    assert "VOID" not in told
    assert "us: median ratio of pairs 1.30 (1.30, 1.30, 1.30) <= 1.2x without NOT MET" in told


@pytest.mark.parametrize(
    ("outcomes", "size", "status"),
    [
        ([SOUND], JUDGED, 0),
        ([SOUND, BUSY], JUDGED, pressure.VOID),
        ([SOUND, BUSY], pressure.QUICK, 0),
        ([BUSY, SLOW], JUDGED, pressure.FAILED),
        ([LOSSY, SOUND], JUDGED, pressure.FAILED),
    ],
)
def test_what_proves_nothing_has_not_passed(monkeypatch, capsys, outcomes, size, status):
    rows = {f"row {number}": one for number, one in enumerate(outcomes)}
    monkeypatch.setattr(pressure, "ROWS", {name: _row(one) for name, one in rows.items()})
    assert pressure.run(tuple(rows), size) == status
    assert ("VOID, neither passed nor failed: row" in capsys.readouterr().out) == (
        size is JUDGED and BUSY in outcomes
    )


def test_the_slope_is_that_of_what_comes_behind_the_warm_up():
    still = [(float(at), 100.0) for at in range(10)]
    assert trend.slope([(-2.0, 0.0), (-1.0, 50.0), *still[:8]]) == 0
    assert trend.slope([(at, 7 * at + (1 if at % 2 else -1)) for at, _ in still]) == pytest.approx(
        7, abs=0.2
    )
