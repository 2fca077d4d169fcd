"""Which names are topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvalidArgument
from hub.topics.grammar import MAX_TOPIC_CHARACTERS, namespace_of


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("meeting/42", "meeting"),
        ("user/alice@example.com", "user"),
        ("a/0", "a"),
        ("x-1_y/A.b_c~d@e:f=g+h|i-j", "x-1_y"),
        ("meeting/1/2/3/4", "meeting"),
        ("k" * 32 + "/1", "k" * 32),
        ("k/" + "1" * 128, "k"),
        ("kk/" + "1" * 98 + "/" + "2" * 98, "kk"),
    ],
)
def test_topics(topic: str, kind: str) -> None:
    assert namespace_of(topic) == kind


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "meeting",
        "meeting/",
        "/meeting/1",
        "meeting//1",
        "meeting/1/",
        "Meeting/1",
        "1meeting/1",
        "meeting/..",
        "meeting/../user/alice",
        "meeting/.hidden",
        "meeting/-1",
        "meeting/*",
        "meeting/**",
        "meeting/{sub}",
        "meeting/a b",
        "meeting/a\n",
        "meeting/1\n",
        "meeting/a\x00",
        "meeting/ä",
        "meeting/٤",
        "meeting/%2e%2e",
        "meeting/1/2/3/4/5",
        "k" * 33 + "/1",
        "k/" + "1" * 129,
        "kkk/" + "1" * 98 + "/" + "2" * 98,
    ],
)
def test_no_topics(topic: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        namespace_of(topic)
    assert caught.value.reason_name == "TOPIC_INVALID"
    assert len(caught.value.topic) <= MAX_TOPIC_CHARACTERS


def test_a_huge_name_is_refused_with_a_short_error() -> None:
    with pytest.raises(InvalidArgument) as caught:
        namespace_of("meeting/" + "x" * 1_000_000)
    assert len(caught.value.message) < 500
    assert len(caught.value.topic) == MAX_TOPIC_CHARACTERS


@given(st.text(max_size=60))
def test_what_is_a_topic_needs_no_escaping(text: str) -> None:
    try:
        kind = namespace_of(text)
    except InvalidArgument:
        return
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
    assert text.startswith(kind + "/")
    assert all(segment not in {"", ".", ".."} for segment in text.split("/"))
