"""The channel: one place decides between TLS and plain text, for calls and for health."""

from __future__ import annotations

import ast
from pathlib import Path

import shipspeak_realtime


def test_channels_are_made_in_one_place():
    makers = {"insecure_channel", "secure_channel"}
    folder = Path(shipspeak_realtime.__file__).parent
    made_in = {
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in makers
    }
    assert made_in == {"transport.py"}
