"""The prose of the repository, and what stands in it: code blocks, commands, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_ABSENT = {".venv", "node_modules", ".git", "dist", ".pytest_cache"}


@dataclass(frozen=True)
class Page:
    """One Markdown file.

    Attributes:
        path: of the file.
        text: all of it.
    """

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Path below the root."""
        return self.path.relative_to(ROOT).as_posix()

    def blocks(self, language: str) -> list[str]:
        """Its code blocks in a language."""
        return [code for kind, code in _FENCE.findall(self.text) if kind == language]

    def commands(self) -> list[str]:
        """Everything in it that is written as code, line by line: what a reader may type."""
        outside = _FENCE.sub("", self.text)
        lines = [line for code in self.blocks("sh") for line in code.splitlines()]
        return [line.partition("#")[0].strip() for line in lines] + _INLINE.findall(outside)

    def links(self) -> list[str]:
        """Targets of its links and pictures, outside code."""
        return _LINK.findall(_FENCE.sub("", self.text))


def all_pages() -> list[Page]:
    """Every Markdown file that people wrote."""
    paths = [path for path in ROOT.rglob("*.md") if not _ABSENT.intersection(path.parts)]
    return [Page(path, path.read_text(encoding="utf-8")) for path in sorted(paths)]


def page(name: str) -> Page:
    """One page by its path below the root."""
    path = ROOT / name
    return Page(path, path.read_text(encoding="utf-8"))
