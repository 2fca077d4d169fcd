"""Every command that a page names exists, with the options that it is shown with."""

from __future__ import annotations

import re

import pytest
import typer.main

from hub.cli.main import app
from tests.docs.pages import ROOT, Page, all_pages
from tests.guarantees.validators import VALIDATORS
from tests.suites import SUITES

PAGES = all_pages()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
RTHUB = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
OPTIONS = {
    " ".join(path): {option for parameter in command.params for option in parameter.opts}
    | {"--help"}
    for name, found in RTHUB.items()
    for path, command in [
        ((name,), found),
        *(((name, sub), under) for sub, under in getattr(found, "commands", {}).items()),
    ]
}


def faults(page: Page) -> list[str]:
    """Commands of a page that nobody could run."""
    found = []
    for line in page.commands():
        for target in re.findall(r"\bmake ([a-z-]+)", line):
            found += [line] if target not in TARGETS else []
        for names in re.findall(r"\bSUITES=\"?([a-z -]+)\"?", line):
            found += [line] if not set(names.split()) <= {suite.name for suite in SUITES} else []
        for name in re.findall(r"\bGUARANTEE=(\w+)", line):
            found += [line] if name not in VALIDATORS else []
        for name, rest in re.findall(r"\brthub ([a-z-]+)(.*)", line):
            longer = f"{name} {rest.split()[0]}" if rest.split() else name
            command = longer if longer in OPTIONS else name
            shown = set(re.findall(r"(?<!\S)--[a-z-]+", rest))
            found += [line] if not shown <= OPTIONS.get(command, set()) else []
            found += [line] if command not in OPTIONS else []
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_can_be_run(page: Page):
    assert faults(page) == []


@pytest.mark.parametrize(
    "text",
    [
        "`make nothing`",
        "`make test SUITES=nothing`",
        "`make prove GUARANTEE=G99`",
        "`rthub nothing`",
        "`rthub serve --nothing`",
        "```sh\nmake nothing  # a comment\n```\n",
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str):
    assert faults(Page(ROOT / "x.md", text))


def test_the_readme_shows_each_command_of_rthub():
    shown = " ".join(next(page for page in PAGES if page.name == "README.md").commands())
    assert [name for name in RTHUB if f"rthub {name}" not in shown] == []
