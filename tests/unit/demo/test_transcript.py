"""Parsers: tables of what is read and what is refused, and round trips."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipspeak_demo.transcript import BrokenTranscript, Cue, Transcript, read_transcript
from shipspeak_demo.transcript.cue import divide
from shipspeak_demo.transcript.words import count_words, words_of


def stamp(ms: int, comma: str) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{comma}{rest:03}"


READS = [
    pytest.param(
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Dana>Hi there</v>\n",
        [Cue(1000, 2000, "Dana", "Hi there")],
        id="vtt voice, no hours",
    ),
    pytest.param(
        b"\xef\xbb\xbfWEBVTT - title\r\nKind: x\r\n\r\n"
        b"id\r\n100:00:00.001 --> 100:00:00.002 line:0\r\nA: b\r\n",
        [Cue(360_000_001, 360_000_002, "A", "b")],
        id="vtt byte order mark, header, identifier, long hours, settings",
    ),
    pytest.param(
        b"WEBVTT\n\nNOTE\nnot spoken\n\nSTYLE\n::cue {}\n\nREGION\nid:x\n\n"
        b"00:01.000 --> 00:02.000\n<v.loud Dana Ortiz>a <b>bold</b> <c.x>word</c> &amp; more\n",
        [Cue(1000, 2000, "Dana Ortiz", "a bold word & more")],
        id="vtt notes, styles, regions, tags, references",
    ),
    pytest.param(
        b"WEBVTT\n00:01.000 --> 00:02.000\n<v A>x</v>\n",
        [Cue(1000, 2000, "A", "x")],
        id="vtt cue straight below the signature",
    ),
    pytest.param(
        b"WEBVTT\n\n00:00.000 --> 00:04.000\n<v A>one two three</v>\n<v B>four</v>\n",
        [Cue(0, 3000, "A", "one two three"), Cue(3000, 4000, "B", "four")],
        id="vtt two voices share a cue by words",
    ),
    pytest.param(
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n\n"
        b"00:03.000 --> 00:04.000\n<v A>y\n\n00:05.000 --> 00:06.000\nz\n",
        [Cue(1000, 2000, "Speaker", "x"), Cue(3000, 4000, "A", "y"), Cue(5000, 6000, "A", "z")],
        id="vtt words without a name belong to the last speaker",
    ),
    pytest.param(
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nDana: two lines\nof hers\n",
        [Cue(1000, 2000, "Dana", "two lines of hers")],
        id="vtt name before words, two lines, one cue",
    ),
    pytest.param(
        b"WEBVTT\n\n00:05.000 --> 00:06.000\n<v B>b\n\n00:01.000 --> 00:02.000\n<v A>a\n",
        [Cue(1000, 2000, "A", "a"), Cue(5000, 6000, "B", "b")],
        id="vtt out of order",
    ),
    pytest.param(
        b"1\n00:00:01,500 --> 00:00:02,000\nDana: <i>hey</i>\n\n\n"
        b"2\n0:00:03.000 --> 00:00:04,000\n{\\an8}you\n",
        [Cue(1500, 2000, "Dana", "hey"), Cue(3000, 4000, "Dana", "you")],
        id="srt tags, full stop for comma",
    ),
    pytest.param(
        b"00:00:01,000 --> 00:00:02,000\nLee: no counter\n",
        [Cue(1000, 2000, "Lee", "no counter")],
        id="srt without counter",
    ),
    pytest.param(
        b"[00:00:05] Dana: one two\n[00:00:10] Lee: three\n",
        [Cue(5000, 10000, "Dana", "one two"), Cue(10000, 10400, "Lee", "three")],
        id="text with times",
    ),
    pytest.param(
        b"Dana: one two\nand three\n\nLee: four\n",
        [Cue(0, 1600, "Dana", "one two and three"), Cue(1600, 2000, "Lee", "four")],
        id="text without times, 400 ms a word",
    ),
    pytest.param(
        b"[0:00] Dana: one\nLee: two three\n[1:30] Dana: four\n",
        [Cue(0, 30_000, "Dana", "one"), Cue(30_000, 90_000, "Lee", "two three"),
         Cue(90_000, 90_400, "Dana", "four")],
        id="text turns between two times share by words",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "cues"), READS)
def test_reads(data: bytes, cues: list[Cue]):
    assert list(read_transcript(data).cues) == cues


REFUSALS = [
    pytest.param(b"WEBVTT\n\n00:01.000 --> 00:0x.000\nhi\n", 3, "not a time", id="vtt bad end"),
    pytest.param(b"WEBVTT\n\n00:01,000 --> 00:02,000\nhi\n", 3, "not a time", id="vtt comma"),
    pytest.param(b"WEBVTT\n\n00:61.000 --> 01:62.000\nhi\n", 3, "not a time", id="vtt 61 seconds"),
    pytest.param(b"WEBVTT\n\n00:01.000 -->\nhi\n", 3, "'nothing'", id="vtt no end"),
    pytest.param(
        b"WEBVTT\n\n00:02.000 --> 00:02.000\nhi\n", 3, "before or when", id="vtt no length"
    ),
    pytest.param(b"WEBVTT\n\n1\nhi\n", 3, "where a cue's times", id="vtt no times"),
    pytest.param(b"WEBVTT\n\nNOTE only\n", 0, "no spoken words", id="vtt empty"),
    pytest.param(
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n...\n", 0, "no spoken words", id="vtt no word"
    ),
    pytest.param(
        b"1\n00:00:01,000 --> 00:00:02,000\nhi\n\n2\n00:00:0l,000 --> 00:00:09,000\nhi\n",
        6, "not a time", id="srt bad start",
    ),
    pytest.param(
        b"1\n00:00:01,000 --> 00:00:02,000\nhi\n\n2\nhi\n",
        6, "where a cue's times", id="srt no times",
    ),
    pytest.param(b"just some prose\n", 1, "does not say who speaks", id="text without names"),
    pytest.param(b"[00:10] A: x\n[00:05] A: y\n", 2, "before the one above", id="text backwards"),
    pytest.param(b"[00:7x] A: x\n", 1, "not a time", id="text bad time"),
    pytest.param(b"", 0, "no spoken words", id="empty"),
    pytest.param(b"A: ok\nB: \xff\xfe\n", 2, "not UTF-8", id="latin bytes"),
    pytest.param("A: hello".encode("utf-16-le"), 1, "null bytes", id="utf-16"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "line", "words"), REFUSALS)
def test_refuses_with_line_and_advice(data: bytes, line: int, words: str):
    with pytest.raises(BrokenTranscript) as caught:
        read_transcript(data)
    assert caught.value.line == line
    assert words in str(caught.value)
    assert caught.value.what_to_do.endswith((".",))


def test_the_broken_sample_says_which_line(samples):
    with pytest.raises(BrokenTranscript, match=r"Line 20: '00:00:2l\.000' is not a time"):
        read_transcript((samples / "broken-standup.vtt").read_bytes())


def test_words():
    assert words_of("Well, that\u2019s a twenty-minute job - no?") == [
        "Well", "that's", "a", "twenty-minute", "job", "no",
    ]  # fmt: skip


NAMES = st.from_regex(r"[A-Z][a-z]{0,8}( [A-Z][a-z]{1,8})?", fullmatch=True)
WORDS = st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=8).map(" ".join)
SPANS = st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 9000)), min_size=1, max_size=12)


@st.composite
def spoken(draw) -> list[Cue]:
    cues, at = [], 0
    for pause, length in draw(SPANS):
        start = at + pause
        at = start + length
        cues.append(Cue(start, at, draw(NAMES), draw(WORDS)))
    return cues


@given(spoken(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_vtt_round_trip(cues: list[Cue], end: str):
    lines = ["WEBVTT", ""]
    for cue in cues:
        lines += [
            f"{stamp(cue.start_ms, '.')} --> {stamp(cue.end_ms, '.')}",
            f"<v {cue.speaker}>{cue.text}</v>",
            "",
        ]
    read = read_transcript(end.join(lines).encode())
    assert (read.format, read.timing, list(read.cues)) == ("vtt", "exact", cues)


@given(spoken())
def test_srt_round_trip(cues: list[Cue]):
    lines = []
    for number, cue in enumerate(cues, start=1):
        times = f"{stamp(cue.start_ms, ',')} --> {stamp(cue.end_ms, ',')}"
        lines += [str(number), times, f"{cue.speaker}: {cue.text}", ""]
    read = read_transcript("\n".join(lines).encode())
    assert (read.format, list(read.cues)) == ("srt", cues)


@given(st.lists(st.tuples(st.integers(1, 500), NAMES, WORDS), min_size=1, max_size=12))
def test_text_round_trip(turns: list[tuple[int, str, str]]):
    at, lines, starts = 0, [], []
    for pause, name, words in turns:
        at += pause
        starts.append(at * 1000)
        lines.append(f"[{stamp(at * 1000, '.')[:8]}] {name}: {words}")
    read = read_transcript("\n".join(lines).encode())
    assert (read.format, read.timing) == ("text", "starts")
    assert [(c.start_ms, c.speaker, c.text) for c in read.cues] == [
        (start, name, words) for start, (_, name, words) in zip(starts, turns, strict=True)
    ]
    assert [c.end_ms for c in read.cues] == [
        *starts[1:], starts[-1] + 400 * count_words(turns[-1][2]),
    ]  # fmt: skip


def read_or_refuse(data: bytes) -> Transcript | None:
    try:
        return read_transcript(data)
    except BrokenTranscript:
        return None


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes):
    read = read_or_refuse(data)
    if read is not None:
        assert read.cues
        assert all(c.start_ms <= c.end_ms and c.text and c.speaker for c in read.cues)
        assert [c.start_ms for c in read.cues] == sorted(c.start_ms for c in read.cues)


@given(st.binary(max_size=200))
def test_any_vtt_body_is_read_or_refused(data: bytes):
    read = read_or_refuse(b"WEBVTT\n\n00:01.000 --> 00:09.000\n" + data)
    assert read is None or read.format == "vtt"


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 50), min_size=1, max_size=9),
)
def test_divide_leaves_no_gap(start: int, length: int, weights: list[int]):
    spans = divide(start, start + length, weights)
    assert (spans[0][0], spans[-1][1]) == (start, start + length)
    assert all(one[1] == two[0] and one[0] <= one[1] for one, two in itertools.pairwise(spans))
