"""What a person reads at the end of a trial."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from tests.guarantees.history import Outcome, Told
from tests.guarantees.validators import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.trial import Trial
    from tests.guarantees.history import History, Subscriber

SHOWN = 10


def verdict(trial: Trial) -> tuple[bool, str]:
    """Whether every promise was kept, and the report."""
    history = trial.history
    broken = judge(history)
    per = Counter(violation.guarantee.partition(" ")[0] for violation in broken)
    outcomes = Counter(publish.outcome for publish in history.publishes)
    ids = {(publish.topic, publish.id) for publish in history.acknowledged}
    stored = sum(len(log.events) for log in history.logs.values())
    again, lost = _repeats(trial)
    strange = list(_strange(trial))
    lines = [
        "",
        (
            f"{len(trial.rounds)} kills; {len(history.publishes)} publish calls, "
            f"{len(ids)} events acknowledged, "
            f"{outcomes[Outcome.REFUSED]} refused, {outcomes[Outcome.UNKNOWN]} without an answer"
        ),
        f"{stored} events in {len(history.logs)} logs",
        (
            f"{again} ids were published twice on purpose; {lost} receipts were lost with a hub "
            "and came with the retry"
        ),
        (
            f"lost {per['G1']}, never seen {per['G2']}, out of order {per['G3']}, "
            f"doubled {per['G4']}, broken at a change of transport {per['G5']}, "
            f"untold {per['G6']}; presence wrong {per['G12']}, work wrong {per['E1']}"
        ),
        "",
        *(_reader(subscriber, trial) for subscriber in history.subscribers),
        _work(history),
        _presence(history),
        f"inbox     trimmed up to {trial.trimmed} when the sleeper came back to it",
        "",
        *(f"BROKEN {violation}" for violation in broken[:SHOWN]),
        *([f"... and {len(broken) - SHOWN} more"] if len(broken) > SHOWN else []),
        *(f"STRANGE {words}" for words in strange),
    ]
    kept = not broken and not strange
    lines.append("every promise was kept" if kept else "NOT every promise was kept")
    return kept, "\n".join(lines)


def _repeats(trial: Trial) -> tuple[int, int]:
    """Answers "stored before": to an id said again on purpose, and after a lost receipt."""
    said: set[tuple[str, str]] = set()
    again = lost = 0
    for publish in trial.history.publishes:
        if publish.duplicate and (publish.topic, publish.id) in said:
            again += 1
        elif publish.duplicate:
            lost += 1
        said.add((publish.topic, publish.id))
    return again, lost


def _reader(subscriber: Subscriber, trial: Trial) -> str:
    deliveries = subscriber.deliveries
    events = len({(event.topic, event.id) for event in deliveries})
    by = Counter(event.transport for event in deliveries)
    ways = ", ".join(f"{count} by {name}" for name, count in sorted(by.items()))
    waits = list(_waits(subscriber, trial))
    back = (
        f"; {len(waits)} reconnects, p50 {median(waits):.2f} s, max {max(waits):.2f} s"
        if waits
        else ""
    )
    return (
        f"{subscriber.name:10} {events} events, {len(deliveries) - events} doubled ({ways}){back}"
    )


def _work(history: History) -> str:
    handouts = history.works.handouts
    confirmed = sum(handout.confirmed_at is not None for handout in handouts)
    events = len({(handout.topic, handout.offset) for handout in handouts})
    return (
        f"work      {events} events handed out {len(handouts)} times, {confirmed} "
        "acknowledgements confirmed"
    )


def _presence(history: History) -> str:
    lives, viewers = history.presence.lives, history.presence.viewers
    shown = sum(len(viewer.shown) for viewer in viewers)
    return (
        f"presence  {len(lives)} lives of {len({life.member for life in lives})} members, "
        f"{shown} states shown on {len(viewers)} connections of the watcher"
    )


def _waits(subscriber: Subscriber, trial: Trial) -> Iterator[float]:
    """Seconds from the moment when the hub served again to the reader's own return."""
    for reconnect in subscriber.reconnects:
        served = [
            each.served_at
            for each in trial.rounds
            if reconnect.lost_at <= each.served_at <= reconnect.back_at
        ]
        # A reader may be back before the ready file is seen, and a loss may have another cause.
        yield reconnect.back_at - (served[-1] if served else reconnect.back_at)


def _strange(trial: Trial) -> Iterator[str]:
    """Nothing of this is a broken promise, and in a trial nothing of it may happen."""
    history = trial.history
    for name in trial.behind:
        yield f"{name} did not come to the end in time"
    if not trial.trimmed or not trial.gap_told:
        yield f"the inbox was trimmed up to {trial.trimmed}, told as a GAP: {trial.gap_told}"
    for words in trial.misgiven:
        yield f"the application got other events than were taken: {words}"
    yield from _untimely(history)
    refused = Counter(
        publish.reason for publish in history.publishes if publish.outcome is Outcome.REFUSED
    )
    for reason, count in refused.items():
        yield f"{count} publishes were refused: {reason}"
    yield from _unjudged(history)


def _untimely(history: History) -> Iterator[str]:
    """Only an inbox may be trimmed, and only a lost file makes a log anew."""
    for log in history.logs.values():
        if log.floor and log.topic.startswith("meeting/"):
            yield f"{log.topic} was trimmed up to {log.floor}: the trial is too long for it"
    for subscriber in history.subscribers:
        for word in subscriber.words:
            log = history.logs[word.topic]
            allowed = {"ok", *(["reset"] if log.lost else []), *(["gap"] if log.floor else [])}
            if isinstance(word, Told) and word.kind not in allowed:
                yield f"{subscriber.name} was told {word.kind} in {word.topic}"


def _unjudged(history: History) -> Iterator[str]:
    """A promise of which the record says nothing was not proved."""
    works, presence = history.works, history.presence
    there = {
        "nothing was acknowledged": history.acknowledged,
        "nobody was handed any work": works.handouts,
        "nobody was owed any work": any(works.owed.values()),
        "no acknowledgement of work was confirmed": [
            one for one in works.handouts if one.confirmed_at is not None
        ],
        "nobody was present": presence.lives,
        "nobody was shown to the watcher": [one for one in presence.viewers if one.shown],
        "there are no readers": history.subscribers,
        **{
            f"{subscriber.name} got nothing": subscriber.deliveries
            for subscriber in history.subscribers
        },
    }
    yield from (words for words, found in there.items() if not found)
