"""Links lead somewhere, and nothing names the machine that it was made on."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.docs.pages import ROOT, Page, all_pages

PICTURE_BYTES = 500_000
# Homes and work folders of a person's machine; /tmp alone is every system's.
MACHINE = re.compile(r"(?<![\w.])/(?:home/\w|root/|work/|tmp/[a-z_]+[./]\w)")


def dead_links(page: Page) -> list[str]:
    targets = [link.partition("#")[0] for link in page.links() if "://" not in link]
    return [target for target in targets if target and not (page.path.parent / target).exists()]


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page):
    assert dead_links(page) == []


def test_a_dead_link_is_found():
    assert dead_links(Page(ROOT / "x.md", "[a](docs/nothing.md) ![b](README.md)")) == [
        "docs/nothing.md"
    ]


def test_the_picture_is_small_enough_for_a_first_screen():
    picture = ROOT / "docs/images/in-step.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < PICTURE_BYTES


def test_every_page_of_docs_is_linked_from_the_readme():
    readme = next(page for page in all_pages() if page.name == "README.md")
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages - set(readme.links()) == set()


def test_nothing_names_the_machine_that_it_was_made_on():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.md", "*.py", "*.mjs", "*.ts", "*.tsx", "*.toml", "Makefile"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    named = {
        name: found.group()
        for name in listed.split("\0")
        if name and (ROOT / name).exists() and not name.startswith("tests/docs/")
        for found in MACHINE.finditer((ROOT / name).read_text(encoding="utf-8"))
    }
    assert named == {}
