"""No file that a person writes grows past what a person reads in one go."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "web_bridge", "clients", "tests", "benchmarks", "protos", "requirements")
SUFFIXES = {".py", ".ts", ".tsx", ".c", ".h"}
GENERATED = {"gen", "node_modules", "dist", "__pycache__"}
HARD_LIMIT = 500
SOFT_LIMIT = 300

# Each file over the soft limit, the size it may have, and why it is one file. Sizes only go down.
OVER_SOFT_LIMIT: dict[str, tuple[int, str]] = {
    "benchmarks/loadgen/loadgen.c": (342, "options, connections and event loop share state"),
    "clients/python/shipspeak_realtime/dispatch.py": (331, "all that is keyed by topic"),
    "hub/session/session.py": (350, "one way out: control frames, runs and work share the window"),
    "hub/fanout/ring.py": (303, "one structure: all that indexes its chunks"),
    "hub/work/queue.py": (340, "one machine: its state is changed by every input"),
    "clients/web/test/support/test-hub.ts": (332, "one hub, call by call"),
    "tests/unit/work/test_coordinator_model.py": (335, "one machine: all inputs, what holds"),
    "tests/unit/demo/test_web.py": (410, "one back end, route by route"),
}


def sizes() -> dict[str, int]:
    files = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            inside = path.relative_to(ROOT)
            if path.suffix in SUFFIXES and not GENERATED.intersection(inside.parts):
                files[inside.as_posix()] = len(path.read_text(encoding="utf-8").splitlines())
    return files


def test_no_file_is_over_the_hard_limit():
    assert {name: size for name, size in sizes().items() if size > HARD_LIMIT} == {}


def test_a_file_over_the_soft_limit_is_listed_with_its_reason():
    over = {name: size for name, size in sizes().items() if size > SOFT_LIMIT}
    unlisted = {
        name: size for name, size in over.items() if size > OVER_SOFT_LIMIT.get(name, (0, ""))[0]
    }
    assert unlisted == {}


def test_the_list_holds_no_file_that_has_shrunk():
    now = sizes()
    stale = {name for name in OVER_SOFT_LIMIT if now.get(name, 0) <= SOFT_LIMIT}
    assert stale == set()
