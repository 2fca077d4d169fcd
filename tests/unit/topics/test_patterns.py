"""What a pattern covers, and above all what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvalidArgument
from hub.topics.patterns import check_pattern, covers, matches, pattern_problem


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("meeting/42", "meeting/42"),
        ("meeting/*", "meeting/42"),
        ("*/42", "meeting/42"),
        ("meeting/*/chat", "meeting/42/chat"),
        ("**", "meeting/42"),
        ("meeting/**", "meeting/42"),
        ("meeting/**", "meeting/42/chat/1"),
        ("user/{sub}", "user/alice"),
        ("user/{sub}/**", "user/alice/devices/1"),
        ("{sub}/x", "alice/x"),
    ],
)
def test_covered(pattern: str, topic: str) -> None:
    assert matches(pattern, topic, "alice")


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("meeting/42", "meeting/43"),
        ("meeting/42", "meeting/42/chat"),
        ("meeting/42/chat", "meeting/42"),
        ("meeting/*", "meeting/42/chat"),
        ("meeting/*", "meeting"),
        ("meeting/*", "meetings/42"),
        ("meeting/**", "meeting"),
        ("meeting/4*", "meeting/42"),
        ("**/chat", "meeting/42/chat"),
        ("", "meeting/42"),
        ("user/{sub}", "user/bob"),
        ("user/{sub}", "user/{sub}"),
        ("user/x{sub}", "user/xalice"),
        ("meeting/**/..", "meeting/42/chat"),
    ],
)
def test_not_covered(pattern: str, topic: str) -> None:
    assert not matches(pattern, topic, "alice")


@pytest.mark.parametrize("subject", ["", "a/b", "alice/../bob", "/", "alice/"])
@pytest.mark.parametrize(
    "topic", ["user/alice", "user/a/b", "user/alice/../bob", "user/", "user//"]
)
def test_a_subject_that_is_no_plain_segment_covers_nothing(subject: str, topic: str) -> None:
    assert not matches("user/{sub}", topic, subject)


@pytest.mark.parametrize("subject", ["*", "**", "{sub}"])
def test_a_subject_is_never_read_as_a_pattern(subject: str) -> None:
    assert not matches("user/{sub}", "user/alice", subject)
    assert not matches("user/{sub}", "user/alice/secret", subject)


@pytest.mark.parametrize(
    ("subject", "narrow"),
    [
        *(("*", "user/*"), ("**", "user/**"), ("{sub}", "user/{sub}")),
        *(("a/b", "user/a/b"), ("", "user/"), ("alice\n", "user/alice\n")),
    ],
)
def test_nor_does_it_cover_a_pattern(subject: str, narrow: str) -> None:
    """G10: whoever is called * has one inbox at most, and not everybody's."""
    assert not covers("user/{sub}", narrow, subject)
    assert not covers("user/{sub}/**", f"{narrow}/x", subject)
    assert not matches("user/{sub}", narrow, subject)


_SEGMENT = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,5}", fullmatch=True)


@given(st.lists(_SEGMENT, min_size=1, max_size=5), st.data())
def test_stars_stand_for_exactly_one_segment(segments: list[str], data: st.DataObject) -> None:
    stars = data.draw(st.sets(st.integers(0, len(segments) - 1)))
    pattern = "/".join("*" if i in stars else part for i, part in enumerate(segments))
    topic = "/".join(segments)
    assert matches(pattern, topic)
    assert not matches(pattern, topic + "/more")
    assert not matches(pattern + "/*", topic)
    assert matches(pattern + "/**", topic + "/more/and/more")
    assert not matches(pattern + "/**", topic)


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("meeting/42", "meeting"),
        ("meeting/*", "meeting"),
        ("meeting/*/chat", "meeting"),
        ("meeting/**", "meeting"),
        ("meeting/42/**", "meeting"),
    ],
)
def test_patterns_of_work(pattern: str, kind: str) -> None:
    assert check_pattern(pattern) == kind


@pytest.mark.parametrize(
    "pattern",
    [
        *("meeting", "*", "**", "*/42", "*/**", "meeting/**/x", "meeting/{sub}", "meeting/a*"),
        *("meeting//x", "", "meeting/" + "x" * 200),
    ],
)
def test_no_patterns_of_work(pattern: str) -> None:
    with pytest.raises(InvalidArgument, match="TOPIC_INVALID"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("**", "meeting/*"),
        ("meeting/**", "meeting/**"),
        ("meeting/**", "meeting/*/chat"),
        ("meeting/*", "meeting/*"),
        ("meeting/*", "meeting/42"),
        ("meeting/42", "meeting/42"),
        ("user/{sub}", "user/alice"),
    ],
)
def test_a_pattern_inside_a_pattern(wide: str, narrow: str) -> None:
    assert covers(wide, narrow, "alice")


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("meeting/*", "meeting/**"),
        ("meeting/42", "meeting/*"),
        ("meeting/*", "meeting/*/chat"),
        ("meeting/*/chat", "meeting/**"),
        ("user/{sub}", "user/*"),
        ("user/{sub}", "user/bob"),
        ("practice/**", "meeting/*"),
    ],
)
def test_a_pattern_beyond_a_pattern(wide: str, narrow: str) -> None:
    assert not covers(wide, narrow, "alice")


@given(st.lists(st.sampled_from(["a", "b", "*"]), min_size=2, max_size=4))
def test_what_covers_a_pattern_covers_its_topics(parts: list[str]) -> None:
    narrow, topic = "/".join(parts), "/".join(parts).replace("*", "z")
    for wide in ("a/*", "a/**", "*/*/b", "**", narrow):
        if covers(wide, narrow):
            assert matches(wide, topic)


@pytest.mark.parametrize(
    "pattern", ["**", "meeting/*", "meeting/**", "user/{sub}", "*/*", "system/all", "{sub}/x"]
)
def test_a_grant_that_can_match_has_no_problem(pattern: str) -> None:
    assert pattern_problem(pattern, "alice") == ""


@pytest.mark.parametrize(
    "pattern",
    ["", "*", "***", "meeting", "meeting/", "/x", "a/***", "**/x", "Meeting/*", "a/b/c/d/e/f"],
)
def test_a_grant_that_matches_nothing_has_one(pattern: str) -> None:
    assert pattern_problem(pattern, "alice")


@pytest.mark.parametrize("subject", ["*", "spiffe://org/x", ""])
def test_nor_does_sub_of_a_name_that_is_no_segment(subject: str) -> None:
    assert "{sub}" in pattern_problem("user/{sub}", subject)
    assert pattern_problem("user/alice", subject) == ""
