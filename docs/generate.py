"""Write the parts of docs/ that come from the code: the settings and the reasons of refusals.

Usage: python docs/generate.py [--check]

A generated part stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`; the rest of
the page is written by people. tests/docs fails when a part is not what this script would write.
"""
# ruff: noqa: INP001

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from hub.cli.serve import serve
from hub.settings import Settings
from hub.topics.namespaces import DEFAULT_NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

DOCS = Path(__file__).resolve().parent
PROTO = DOCS.parent / "protos/shipspeak/realtime/v1/error_reason.proto"
PREFIX = "ERROR_REASON_"

# Options of `rthub serve` that have another name than their setting.
OPTION_OF = {"allowed_origins": "origin", "heartbeat_interval": "heartbeat"}
_REASON = re.compile(r"((?:^  //.*\n)+)^  (ERROR_REASON_\w+) = (\d+);", re.MULTILINE)


def settings_table() -> str:
    """All settings, in the order of hub/settings.py."""
    options = inspect.signature(serve).parameters
    lines = ["| variable | `rthub serve` | default | allowed | meaning |", "|---|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        option = OPTION_OF.get(name, name)
        shown = f"`--{option.replace('_', '-')}`" if option in options else ""
        cells = [f"`RTHUB_{name.upper()}`", shown, _default(field), _allowed(field)]
        lines.append(f"| {' | '.join(cells)} | {field.description} |")
    return "\n".join(lines)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None or value == ():
        return "none"
    text = json.dumps(value) if isinstance(value, bool | int | float) else str(value)
    return f"`{text}`"


def _allowed(field: FieldInfo) -> str:
    if "SecretStr" in str(field.annotation) or field.annotation is SecretStr:
        return "32 bytes or more"
    parts = []
    for bound in field.metadata:
        if isinstance(bound, Ge):
            parts.append(f">= {bound.ge}")
        elif isinstance(bound, Gt):
            parts.append(f"> {bound.gt}")
        elif isinstance(bound, Le):
            parts.append(f"<= {bound.le}")
        elif pattern := getattr(bound, "pattern", None):
            parts.append(", ".join(f"`{word}`" for word in pattern.strip("^()$").split("|")))
    if field.annotation is bool:
        parts.append("`true`, `false`")
    return ", ".join(parts)


def reasons() -> Iterator[tuple[int, str, str]]:
    """Number, name and meaning of each reason in the contract, without UNSPECIFIED."""
    for comment, name, number in _REASON.findall(PROTO.read_text(encoding="utf-8")):
        if number != "0":
            words = " ".join(
                line.strip().removeprefix("//").strip() for line in comment.splitlines()
            )
            yield int(number), name.removeprefix(PREFIX), words.strip()


def reasons_table() -> str:
    """All reasons."""
    lines = ["| number | reason | meaning, and what to do |", "|---|---|---|"]
    lines += [f"| {number} | `{name}` | {words} |" for number, name, words in reasons()]
    return "\n".join(lines)


def namespaces_table() -> str:
    """The kinds of topics and their policy."""
    lines = ["| kind | class | kept | payloads | conflation allowed | presence | public |"]
    lines.append("|---|---|---|---|---|---|---|")
    for one in DEFAULT_NAMESPACES:
        kind = one.topic_class
        days = kind.max_age / 86_400
        kept = f"{kind.max_events:,} events or {days:g} days" if kind.durable else "nothing"
        payloads = ", ".join(sorted(one.payloads))
        allowed = "yes" if one.conflation else "no"
        present = "yes" if one.presence else "no"
        public = "yes" if one.public else "no"
        lines.append(
            f"| `{one.name}` | {kind.name} | {kept} | {payloads} "
            f"| {allowed} | {present} | {public} |"
        )
    return "\n".join(lines)


PARTS = {
    "settings": ("settings.md", settings_table),
    "namespaces": ("settings.md", namespaces_table),
    "reasons": ("protocol.md", reasons_table),
}


def page_with(name: str) -> tuple[Path, str, str]:
    """The page of a part, its text as it is, and as it should be.

    Raises:
        ValueError: the page lacks the part's two marks.
    """
    file, make = PARTS[name]
    path = DOCS / file
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{file} lacks the marks of the part {name!r}")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    return path, text, f"{before}{begin}\n{make()}\n\n{end}{after}"


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check only tell which would change."""
    stale = 0
    for name in PARTS:
        path, now, wanted = page_with(name)
        if now == wanted:
            continue
        stale = 1
        sys.stdout.write(f"{path.name}: the part {name!r} has changed\n")
        if "--check" not in arguments:
            path.write_text(wanted, encoding="utf-8")
    return stale if "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
