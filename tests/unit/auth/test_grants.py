"""What a principal may do."""

from __future__ import annotations

import pytest

from hub.auth.grants import ANONYMOUS_DEVELOPER, RIGHTS, Grants, Principal
from hub.errors import PermissionDenied


@pytest.mark.parametrize("right", RIGHTS)
def test_each_right_stands_for_itself(right: str) -> None:
    principal = Principal("alice", Grants.from_claim({right: ["meeting/*"]}))
    principal.require(right, "meeting/42")
    for other in RIGHTS:
        if other != right:
            assert _denied(principal, other, "meeting/42").metadata["right"] == other
    assert _denied(principal, right, "user/alice").topic == "user/alice"


def test_nothing_granted_is_nothing_allowed() -> None:
    principal = Principal("alice", Grants())
    for right in RIGHTS:
        _denied(principal, right, "meeting/42")
    with pytest.raises(PermissionDenied):
        principal.require_admin()


def test_all_topics_are_no_admin_right() -> None:
    principal = Principal("alice", Grants.from_claim({right: ["**"] for right in RIGHTS}))
    with pytest.raises(PermissionDenied) as caught:
        principal.require_admin()
    assert caught.value.reason_name == "RIGHT_MISSING"


@pytest.mark.parametrize("pattern", ["**", "control/**", "control/revocations"])
def test_the_hubs_own_books_are_for_administrators(pattern: str) -> None:
    """G10: who was revoked, and when, is nobody else's, whatever the token's patterns say."""
    topic = "control/revocations"
    patterns = {right: [pattern] for right in RIGHTS}
    alice = Principal("alice", Grants.from_claim(patterns))
    for right in RIGHTS:
        _denied(alice, right, topic)
        with pytest.raises(PermissionDenied):
            alice.require_pattern(right, "control/*")
    root = Principal("root", Grants.from_claim({**patterns, "admin": True}))
    root.require("subscribe", topic)
    with pytest.raises(PermissionDenied):
        Principal("root", Grants(admin=True)).require("subscribe", topic)


def test_the_own_subject_in_a_pattern() -> None:
    principal = Principal("alice", Grants(subscribe=("user/{sub}",)))
    principal.require("subscribe", "user/alice")
    _denied(principal, "subscribe", "user/bob")


def test_the_anonymous_developer_has_no_topics_of_its_own_but_all_rights() -> None:
    for right in RIGHTS:
        ANONYMOUS_DEVELOPER.require(right, "user/alice")
    ANONYMOUS_DEVELOPER.require_admin()


def test_unknown_rights_in_a_token_are_left_alone() -> None:
    assert Grants.from_claim({"fly": ["**"], "admin": False}) == Grants()


def _denied(principal: Principal, right: str, topic: str) -> PermissionDenied:
    with pytest.raises(PermissionDenied) as caught:
        principal.require(right, topic)
    assert caught.value.reason_name == "RIGHT_MISSING"
    return caught.value
