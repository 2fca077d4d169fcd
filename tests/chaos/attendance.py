"""Who is there over kills and silent deaths: members by the SDK, a watcher, and what each saw."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from shipspeak_realtime import RealtimeClient, State
from tests.chaos.ending import end
from tests.chaos.legs import no_jitter
from tests.guarantees.presence import Life, Shown, Viewer

if TYPE_CHECKING:
    from shipspeak_realtime import PresenceReader
    from tests.guarantees.presence import Presence

ROOM = "practice/chaos"
STATE: Final = "online"


class Attendance:
    """Members in one topic, each by a client of its own, and one watcher.

    A client that reconnects has a life of its own on each connection: with the hub's process all
    presence is gone, and it is right again when the members have said theirs. What the trial does
    is told by `struck`: from then on whoever it concerns is silent, whenever the client notices.

    Args:
        direct: host:port of the hub.
        proxied: host:port of the proxy before it.
        record: gets members' lives and what the watcher held.
    """

    def __init__(self, direct: str, proxied: str, record: Presence) -> None:
        self._targets = {"near-1": direct, "near-2": direct, "far-1": proxied, "far-2": proxied}
        self._direct, self._proxied, self._record = direct, proxied, record
        self._struck = {direct: 0.0, proxied: 0.0}
        self._members: list[asyncio.Task[None]] = []
        self._watching: list[asyncio.Task[None]] = []
        self._shown: Shown | None = None
        self._viewer: Viewer | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin; any client that fails fails the trial."""
        self._members = [
            group.create_task(self._attend(name, target)) for name, target in self._targets.items()
        ]
        self._watching = [group.create_task(self._watch())]

    def struck(self, *, far_only: bool = False) -> None:
        """The hub, or the proxy alone, falls silent now."""
        self._struck[self._proxied] = now = time.monotonic()
        if not far_only:
            self._struck[self._direct] = now

    def whole(self) -> bool:
        """The watcher is connected, and is shown every member."""
        if self._viewer is None or self._shown is None:
            return False
        return self._shown.members == dict.fromkeys(self._targets, STATE)

    async def stop(self) -> None:
        """End; what members do when they leave is seen by nobody."""
        await end(self._watching)
        await end(self._members)

    async def _attend(self, name: str, target: str) -> None:
        joined = 0.0
        async with RealtimeClient(target, client_id=name, random=no_jitter) as client:
            changes = client.connection_changes()
            await client.set_presence(ROOM, STATE)
            try:
                async for change in changes:
                    if change.state is State.LIVE and not joined:
                        joined = time.monotonic()
                    elif joined and change.state is State.BACKOFF:
                        self._lived(name, joined, self._end(target, joined))
                        joined = 0.0
            finally:
                if joined:
                    self._lived(name, joined, None)

    def _lived(self, name: str, joined: float, left: float | None) -> None:
        states = ((joined, STATE),)
        self._record.lives.append(Life(ROOM, name, joined, states, left, clean=False))

    def _end(self, target: str, since: float) -> float:
        """When a connection ended that its client has found dead now."""
        struck = self._struck[target]
        return struck if struck > since else time.monotonic()

    async def _watch(self) -> None:
        async with (
            RealtimeClient(self._direct, client_id="watcher", random=no_jitter) as client,
            client.presence(ROOM) as reader,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._follow(reader))
            changes = client.connection_changes()
            try:
                async for change in changes:
                    if change.state is State.LIVE and self._viewer is None:
                        self._begin()
                    elif change.state is State.BACKOFF:
                        self._close(self._end(self._direct, self._began_at))
            finally:
                self._close(time.monotonic())

    @property
    def _began_at(self) -> float:
        return 0.0 if self._viewer is None else self._viewer.began_at

    async def _follow(self, reader: PresenceReader) -> None:
        async for members in reader:
            listed = {one.client_id: str(one.state) for one in members.members}
            self._shown = Shown(
                time.monotonic(), listed if members.listed else None, members.sessions
            )
            if self._viewer is not None:
                self._viewer.shown.append(self._shown)

    def _begin(self) -> None:
        now = time.monotonic()
        self._viewer = Viewer("watcher", ROOM, now, now)
        # The state may have been there before the client called itself live.
        if self._shown is not None:
            first = Shown(now, self._shown.members, self._shown.sessions)
            self._viewer.shown.append(first)

    def _close(self, until: float) -> None:
        viewer, self._viewer, self._shown = self._viewer, None, None
        if viewer is None:
            return
        viewer.until = until
        viewer.shown = [shown for shown in viewer.shown if shown.at <= until]
        self._record.viewers.append(viewer)
