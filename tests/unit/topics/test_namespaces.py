"""Policies by kind; an unknown kind fails loudly."""

from __future__ import annotations

import pytest

from hub.errors import InvalidArgument, NotFound
from hub.topics.namespaces import DEFAULT_NAMESPACES, Namespaces


def test_the_policy_is_that_of_the_kind() -> None:
    namespaces = Namespaces()
    for namespace in DEFAULT_NAMESPACES:
        assert namespaces.of(f"{namespace.name}/1") == namespace
    assert not namespaces.of("signal/1").topic_class.durable
    assert namespaces.of("user/alice").topic_class.durable


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        Namespaces().of("meting/42")
    assert caught.value.reason_name == "NAMESPACE_UNKNOWN"
    assert caught.value.metadata["namespace"] == "meting"
    assert "meeting" in caught.value.message


def test_a_broken_name_is_refused_before_the_kind_is_looked_up() -> None:
    with pytest.raises(InvalidArgument):
        Namespaces().of("meting")


def test_dead_letters_are_kept_like_a_log_and_not_like_an_inbox() -> None:
    """G6: one sweep of retention under a stuck work subscription makes more than an inbox keeps."""
    kept = Namespaces().of("dead/meeting").topic_class
    assert (kept.max_events, kept.max_age) == (10_000, 30 * 86_400)
    assert len({namespace.topic_class.name for namespace in DEFAULT_NAMESPACES}) <= 6


def test_an_operator_sets_how_much_an_inbox_keeps():
    """E4: of inboxes alone."""
    namespaces = Namespaces(inbox_events=100)
    assert namespaces.of("user/ann").topic_class.max_events == 100
    assert namespaces.of("group/all").topic_class.max_events == 100
    for other in ("meeting/1", "dead/user"):
        assert namespaces.of(other).topic_class == Namespaces().of(other).topic_class
