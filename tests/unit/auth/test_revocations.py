"""Which tokens count no more."""

from __future__ import annotations

import pytest

from hub.auth.grants import Grants, Principal
from hub.auth.revocations import Revocations


def _principal(subject: str = "alice", token_id: str = "", issued_at: float = 0.0) -> Principal:
    return Principal(subject, Grants(), token_id=token_id, issued_at=issued_at)


def test_nothing_is_revoked_at_first() -> None:
    assert not Revocations().covers(_principal())


def test_a_token_is_revoked_by_its_id_and_no_other_is() -> None:
    revocations = Revocations()
    revocations.add_token("a", 50.0)
    assert revocations.covers(_principal(token_id="a", issued_at=1e12))
    assert not revocations.covers(_principal(token_id="b"))
    assert not revocations.covers(_principal(token_id=""))


@pytest.mark.parametrize(
    ("issued_at", "revoked"), [(0.0, True), (99.0, True), (100.0, True), (101.0, False)]
)
def test_a_user_is_revoked_up_to_a_time(issued_at: float, revoked: bool) -> None:
    """A token that tells whole seconds may have been issued before or after within its second."""
    revocations = Revocations()
    revocations.add_user("alice", 100.4)
    assert revocations.covers(_principal(issued_at=issued_at)) is revoked
    assert not revocations.covers(_principal("bob", issued_at=issued_at))


def test_a_later_revocation_of_a_user_stands_whatever_the_order() -> None:
    revocations = Revocations()
    revocations.add_user("alice", 200.0)
    revocations.add_user("alice", 100.0)
    assert revocations.covers(_principal(issued_at=150.0))


def test_all_that_was_issued_before_a_time_is_revoked() -> None:
    revocations = Revocations()
    revocations.add_issued_before(100.0)
    revocations.add_issued_before(50.0)
    assert revocations.covers(_principal(issued_at=99.0))
    assert revocations.covers(_principal(issued_at=0.0))
    assert not revocations.covers(_principal(issued_at=100.0))


def test_what_a_time_of_issue_covers_is_not_kept_by_name() -> None:
    """With a day between them: an issuer's clock may be ahead."""
    day = 86_400.0
    revocations = Revocations()
    for number in range(1_000):
        revocations.add_token(f"t{number}", 100.0)
        revocations.add_user(f"u{number}", 100.0)
    revocations.add_token("late", 100.0 + day)
    assert revocations.named == 2_001
    revocations.add_issued_before(101.0 + day)
    assert revocations.named == 1
    assert revocations.covers(_principal("u7", token_id="t7", issued_at=100.0))
    assert revocations.covers(_principal(token_id="late", issued_at=200.0 + 2 * day))
    revocations.add_user("u7", 100.0)
    revocations.add_token("t7", 100.0)
    assert revocations.named == 1, "also when the log is read in another order"
