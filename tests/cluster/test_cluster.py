"""Several workers on one machine: one is hit after the other, and every promise is kept.

The long form, 20 strokes and how long nothing came, is `make cluster`.
"""

from __future__ import annotations

import asyncio
import copy

import pytest

from tests.cluster.summary import verdict
from tests.cluster.trial import Plan, Trial, run
from tests.guarantees.history import Delivery

# Workers start one after the other, and each imports everything anew.
pytestmark = pytest.mark.timeout(380)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("cluster")
    return asyncio.run(run(Plan(rounds=3, frozen=(1,)), folder, print))


def test_nothing_is_lost_doubled_or_out_of_order_when_workers_die(trial: Trial):
    """F2: two are killed, one is frozen and killed by the supervisor, under load."""
    kept, report = verdict(trial)
    assert kept, report
    assert len(trial.strokes) == 3


def test_an_event_that_a_reader_lacks_would_be_seen(trial: Trial):
    doctored = copy.deepcopy(trial)
    words = doctored.history.subscribers[0].words
    del words[next(i for i, word in enumerate(words) if isinstance(word, Delivery))]
    kept, _ = verdict(doctored)
    assert not kept
