"""I3: whatever bytes come, only documented errors come out of the decoders.

Each decoder gets its share of the time; more by `FUZZ=600 make attacks`. A failure names the
decoder and the seed: `tried(name, mutated(samples(name), seed))` repeats it.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.attacks.decoders import DECODERS, tried
from tests.attacks.mutator import CORPUS, mutated, samples

SECONDS = float(os.environ.get("FUZZ", "24"))
# Tried on the slowest machine, too; from the same seeds on every run.
LEAST = 200


@pytest.mark.timeout(SECONDS + 240)
@pytest.mark.parametrize("name", DECODERS)
def test_only_documented_errors_come_out(name: str) -> None:
    corpus = samples(name)
    for sample in corpus:
        tried(name, sample)
    until = time.monotonic() + SECONDS / len(DECODERS)
    seed = 0
    while seed < LEAST or time.monotonic() < until:
        data = mutated(corpus, seed)
        try:
            tried(name, data)
        except Exception as error:
            error.add_note(f"decoder {name}, seed {seed}: {data!r}")
            raise
        seed += 1


def test_each_decoder_has_a_corpus_and_each_corpus_a_decoder() -> None:
    assert {file.stem for file in CORPUS.iterdir()} == set(DECODERS)


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(data: bytes) -> None:
        if b"%2e" in data:
            raise KeyError(data)

    monkeypatch.setitem(DECODERS, "topics", (stumble, (ValueError,)))
    with pytest.raises(KeyError):
        _try_many()


def _try_many() -> None:
    for seed in range(5000):
        tried("topics", mutated(samples("topics"), seed))
