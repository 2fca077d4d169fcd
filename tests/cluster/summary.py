"""What a person reads at the end of a trial: promises kept, and how long nothing came."""

from __future__ import annotations

from collections import Counter
from statistics import quantiles
from typing import TYPE_CHECKING

from tests.guarantees.history import Outcome, Told
from tests.guarantees.validators import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.trial import Stroke, Trial

SHOWN = 10
# After a stroke its readers are looked at for so long.
AFTERMATH_SECONDS = 5.0
SURVIVORS_SECONDS = 1.0
OWN_SECONDS = 2.0


def verdict(trial: Trial) -> tuple[bool, str]:
    """Whether every promise was kept, and the report."""
    history = trial.history
    broken = judge(history)
    per = Counter(violation.guarantee.partition(" ")[0] for violation in broken)
    outcomes = Counter(publish.outcome for publish in history.publishes)
    strange = list(_strange(trial))
    lines = [
        "",
        (
            f"{len(trial.strokes)} strokes; {len(history.publishes)} publish calls, "
            f"{outcomes[Outcome.STORED]} stored, {outcomes[Outcome.REFUSED]} refused, "
            f"{outcomes[Outcome.UNKNOWN]} without an answer"
        ),
        (
            f"lost {per['G1']}, never seen {per['G2']}, out of order {per['G3']}, "
            f"doubled {per['G4']}, broken at a change of transport {per['G5']}, "
            f"untold {per['G6']}"
        ),
        *(f"BROKEN {violation}" for violation in broken[:SHOWN]),
        *(f"STRANGE {words}" for words in strange),
        "",
    ]
    kept = not broken and not strange
    lines.append("every promise was kept" if kept else "NOT every promise was kept")
    return kept, "\n".join(lines)


def gaps(trial: Trial, *, own: bool) -> list[float]:
    """The longest silence of each SDK reader after each kill, in seconds.

    Args:
        trial: that is over.
        own: of those whose worker was hit; else of the others.
    """
    found = []
    for stroke in trial.strokes:
        if stroke.frozen:
            continue
        for recorder in trial.by_sdk:
            reader = recorder.subscriber
            hit = any(
                stroke.at <= one.lost_at < stroke.at + AFTERMATH_SECONDS
                for one in reader.reconnects
            )
            if hit is own:
                found.append(_silence([one.at for one in reader.deliveries], stroke))
    return found


def gap_figures(trial: Trial) -> tuple[bool, str]:
    """Whether the gaps are as short as they are to be, and how long they were."""
    survivors, own = gaps(trial, own=False), gaps(trial, own=True)
    worst = max(survivors, default=0.0)
    high = quantiles(own, n=100)[98] if len(own) > 1 else max(own, default=0.0)
    text = (
        f"survivors' clients: {len(survivors)} silences, worst {worst:.3f} s (to be under "
        f"{SURVIVORS_SECONDS} s)\nits own clients: {len(own)} silences, p99 {high:.3f} s (to be "
        f"under {OWN_SECONDS} s), worst {max(own, default=0.0):.3f} s"
    )
    return worst < SURVIVORS_SECONDS and high < OWN_SECONDS, text


def _silence(times: list[float], stroke: Stroke) -> float:
    """The longest time without a delivery that touches the time after a stroke."""
    begin, finish = stroke.at, stroke.at + AFTERMATH_SECONDS
    longest, last = 0.0, begin
    for at in times:
        if at < begin:
            continue
        longest = max(longest, at - last)
        last = at
        if at > finish:
            break
    return longest


def _strange(trial: Trial) -> Iterator[str]:
    """Nothing of this is a broken promise, and in a trial nothing of it may happen."""
    for name in trial.behind:
        yield f"{name} did not come to the end in time"
    for words in trial.misgiven:
        yield f"the application got other events than were taken: {words}"
    for log in trial.history.logs.values():
        if log.floor:
            yield f"{log.topic} was trimmed up to {log.floor}: the trial is too long for it"
    for subscriber in trial.history.subscribers:
        for word in subscriber.words:
            if isinstance(word, Told) and word.kind != "ok":
                yield f"{subscriber.name} was told {word.kind} in {word.topic}"
    refused = Counter(
        publish.reason for publish in trial.history.publishes if publish.outcome is Outcome.REFUSED
    )
    for reason, count in refused.items():
        yield f"{count} publishes were refused: {reason}"
