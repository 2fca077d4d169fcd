"""I3: each attack is met with its status and reason, and 100 bystanders lose nothing.

The bounded form of `make attacks`: what it says of latency and memory is judged there.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from tests.attacks import memory
from tests.attacks.scene import Scene
from tests.attacks.table import TABLE
from tests.suites import ROOT
from tests.support import leaks
from tests.wire.raw import ask, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attacks.attack import Attack

# What a busy machine may take for one of them; the suite's own limit is in tests/suites.py.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("attacked")) as scene:
        yield scene


@pytest.mark.parametrize("attack", TABLE, ids=lambda attack: attack.name.replace(" ", "-"))
async def test_an_attack(scene: Scene, attack: Attack) -> None:
    """I3."""
    answers = await attack.answers(scene)
    assert answers == dict.fromkeys(answers, attack.expected)
    lap = await asyncio.to_thread(scene.crowd.lap)
    assert lap.broken == []


@pytest.mark.timeout(600)
async def test_memory_comes_back(scene: Scene) -> None:
    """I3: what floods cost is spent once; a leak would show in each round."""
    await memory.round_of_floods(scene, TABLE)
    grown: list[int] = []
    while len(grown) < memory.ROUNDS and min(grown, default=memory.LEAK_BYTES) >= memory.LEAK_BYTES:
        grown.append(await memory.round_of_floods(scene, TABLE))
    assert min(grown) < memory.LEAK_BYTES, [f"{size >> 20} MiB" for size in grown]


def test_the_whole_run_kept_its_promises(scene: Scene) -> None:
    """I3: judged once more from the first attack to the last."""
    assert scene.crowd.whole() == []


async def test_no_secret_and_no_token_is_told(scene: Scene) -> None:
    """I3: not in the log, in the metrics, nor in what attackers were answered."""
    metrics = await ask(scene.doors.port, request("GET", "/metrics"))
    texts = {
        "the log": scene.hub.log,
        "the metrics": metrics.body.decode(),
        "the answers": "\n".join(scene.doors.heard),
    }
    assert all(texts.values())
    assert leaks.signatures
    assert leaks.search(texts, [scene.keys.secret, *leaks.signatures]) == []


def test_the_table_names_each_attack_once() -> None:
    """I3."""
    names = [attack.name for attack in TABLE]
    assert len(set(names)) == len(names) >= 60


def test_the_page_names_rows_that_exist() -> None:
    """I3: `docs/security.md` says which attack tries which mitigation."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    named = {
        name
        for rows in re.findall(r"; rows of .*?: (.*) \||\| rows of .*?: (.*) \|", page)
        for name in re.findall(r'"([^"]+)"', "".join(rows))
    }
    assert len(named) > 40
    assert named <= {attack.name for attack in TABLE}
