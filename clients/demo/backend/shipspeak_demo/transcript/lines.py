"""Lines and blocks with their line numbers, shared by the parsers."""

from __future__ import annotations

from typing import NamedTuple

from shipspeak_demo.transcript.errors import BrokenTranscript


class Line(NamedTuple):
    """One line without its line end, and its number from 1."""

    number: int
    text: str


def numbered(text: str) -> list[Line]:
    """Split decoded text into numbered lines."""
    return [Line(number, line) for number, line in enumerate(text.split("\n"), start=1)]


def blocks(lines: list[Line]) -> list[list[Line]]:
    """Group lines into blocks parted by blank lines."""
    grouped: list[list[Line]] = []
    current: list[Line] = []
    for line in lines:
        if line.text.strip():
            current.append(line)
        elif current:
            grouped.append(current)
            current = []
    if current:
        grouped.append(current)
    return grouped


def decode(data: bytes) -> str:
    """Decode UTF-8, with or without a byte order mark; CRLF and CR become LF.

    These are the three line ends that WebVTT knows.

    Raises:
        BrokenTranscript: the bytes are not UTF-8, or hold a null byte (UTF-16, or no text).
    """
    save_as = "Save the file as UTF-8 text and upload it again."
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BrokenTranscript(line, "The file is not UTF-8 text.", save_as) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BrokenTranscript(line, "The file holds null bytes; it is not UTF-8 text.", save_as)
    return text.replace("\r\n", "\n").replace("\r", "\n")
