"""Whose turn it is to send: lanes, the one page of the log in hand, and what the window allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hub.session.lanes import Lanes

if TYPE_CHECKING:
    from collections.abc import Sized

    from hub.session.position import Subscription
    from hub.session.window import ByteWindow


class Turns:
    """The subscriptions of one session that wait for their turn.

    One page of the log is read or in hand at a time, so that a receiver which stalls costs the same
    however many topics it reads (G7). It is read when its topic's turn has come and not before.
    """

    __slots__ = ("_lanes", "_reader")

    def __init__(self) -> None:
        self._lanes = Lanes()
        self._reader: Subscription | None = None

    def __len__(self) -> int:
        """How many wait for their turn; the one whose page is being read is none of them."""
        return len(self._lanes)

    @property
    def busy(self) -> bool:
        """Whether anything waits, so that whatever comes must wait for its turn too."""
        return self._reader is not None or bool(self._lanes)

    @property
    def critical(self) -> bool:
        """Whether CRITICAL waits for its turn."""
        return self._lanes.critical

    def wait(self, subscription: Subscription, now: float) -> None:
        """It may have something to send: from now on it is behind, unless it was before.

        One whose page is being read comes into the lanes when the page is there.

        Args:
            subscription: waits.
            now: seconds since the epoch.
        """
        waits = subscription.reading or self._lanes.add(subscription)
        if waits and subscription.behind_since == math.inf:
            subscription.behind_since = now

    def begun(self, subscription: Subscription) -> None:
        """A read of the log was begun for it."""
        self._reader = subscription
        self._lanes.remove(subscription)

    def read(self, subscription: Subscription) -> None:
        """The read of the log is over; without a page the turn to read is free again."""
        if self._reader is subscription and subscription.page is None:
            self._reader = None

    def forget(self, subscription: Subscription) -> None:
        """It sends nothing more for now; its page can be read again."""
        self._lanes.remove(subscription)
        self._give_back_page(subscription)

    def next_frame(
        self, window: ByteWindow, rights_until: float, now: float, controls: Sized
    ) -> bytes | None:
        """The next frame with runs; None when none may be sent now, or a control frame goes first.

        Args:
            window: what may be in flight.
            rights_until: of the session, seconds since the epoch.
            now: seconds since the epoch.
            controls: the session's control frames; a source may put one there.
        """
        while self._lanes and not controls:
            subscription = self._choose(window)
            if subscription is None:
                return None
            if now >= rights_until or now >= subscription.rights_until:
                # The right has ended: nothing more is handed to the transport (G10); the manager's
                # tick closes.
                self.forget(subscription)
                continue
            frame = subscription.source.next_frame(subscription, int(now * 1000))
            if subscription.reading:
                self.begun(subscription)
                continue
            self.read(subscription)
            self._lanes.requeue(subscription)
            if frame is not None:
                return frame
        return None

    def _choose(self, window: ByteWindow) -> Subscription | None:
        lanes, reader = self._lanes, self._reader
        if window.open:
            return lanes.next(reader)
        if not window.may_overdraw:
            return None
        chosen = lanes.next_critical(reader)
        in_hand = reader is not None and reader.page is not None
        if chosen is None and reader is not None and in_hand and lanes.critical_needs_log:
            # The page in hand may not pass the window; what is urgent may, and needs its place.
            self._give_back_page(reader)
            lanes.add(reader)
            chosen = lanes.next_critical()
        return chosen

    def _give_back_page(self, subscription: Subscription) -> None:
        subscription.page = None
        if self._reader is subscription:
            self._reader = None
