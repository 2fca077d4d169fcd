"""What the pages take from the code is what the code says now."""

from __future__ import annotations

import inspect
import re

import pytest

from docs import generate
from hub.cli.serve import serve
from tests.docs.pages import ROOT, page


@pytest.mark.parametrize("name", generate.PARTS)
def test_a_generated_part_is_up_to_date(name: str):
    path, now, wanted = generate.page_with(name)
    assert now == wanted, f"run `.venv/bin/python -m docs.generate`: {path.name} has changed"


def test_a_part_without_its_marks_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "settings.md").write_text("no marks")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    with pytest.raises(ValueError, match="marks"):
        generate.page_with("settings")


def test_a_stale_part_is_told_and_then_written(tmp_path, monkeypatch: pytest.MonkeyPatch):
    for name in ("settings.md", "protocol.md"):
        text = page(f"docs/{name}").text
        (tmp_path / name).write_text(text.replace("RTHUB_HOST", "RTHUB_OLD"))
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "RTHUB_OLD" in (tmp_path / "settings.md").read_text()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_every_option_of_serve_but_help_is_in_the_table():
    table = generate.settings_table()
    shown = set(re.findall(r"`--([a-z-]+)`", table))
    wanted = {name.replace("_", "-") for name in inspect.signature(serve).parameters}
    assert shown == wanted


def test_every_reason_of_the_contract_is_sent_by_some_code():
    code = "".join(
        path.read_text(encoding="utf-8")
        for room in ("hub", "web_bridge")
        for path in (ROOT / room).rglob("*.py")
    )
    assert [name for _, name, _ in generate.reasons() if name not in code] == []
