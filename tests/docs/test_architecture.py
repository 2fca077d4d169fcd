"""ARCHITECTURE.md points at rooms that exist, and leaves none out."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, page

TEXT = page("ARCHITECTURE.md").text
LOOKED_FOR = ("connection manager", "message router", "authentication handler", "load balancing")
ONE_PAGE_LINES = 120


def places(text: str) -> set[str]:
    """Files and folders named in a text."""
    named = re.findall(r"`((?:hub|web_bridge|tests|docs|clients|protos)/[\w./-]*)`", text)
    return {name.rstrip("/") for name in named}


def test_every_place_that_it_names_exists():
    assert {name for name in places(TEXT) if not (ROOT / name).exists()} == set()


def test_each_part_that_people_look_for_is_a_room():
    """J1: each of the four is mapped to a place in the hub."""
    for name in LOOKED_FOR:
        [row] = [line for line in TEXT.splitlines() if line.startswith(f"| {name} |")]
        assert any(place.startswith("hub/") and (ROOT / place).exists() for place in places(row))


def test_no_room_of_the_hub_is_left_out():
    rooms = {path.parent.name for path in (ROOT / "hub").glob("*/__init__.py")}
    assert {room for room in rooms if f"`hub/{room}/`" not in TEXT} == set()


def test_it_is_one_page():
    assert len(TEXT.splitlines()) <= ONE_PAGE_LINES
