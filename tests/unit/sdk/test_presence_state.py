"""What a client can say of itself."""

from __future__ import annotations

from typing import cast

import pytest

from shipspeak_realtime.presence import PresenceBook, PresenceState


def test_a_state_that_there_is_not_is_told_with_those_that_there_are() -> None:
    book = PresenceBook()
    book.wish("meeting/1", "away", None)
    with pytest.raises(ValueError, match="online, active, away, offline, and not 'dancing'"):
        book.wish("meeting/1", cast("PresenceState", "dancing"), None)
    assert len(book.wishes()) == 1, "what was said before stands"
