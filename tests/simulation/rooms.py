"""What of a hub's rooms goes on by itself, and has to end with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.app import Hub


def stop_rooms(hub: Hub) -> None:
    """Drop timers and tasks that would try again for ever: their process is gone."""
    for work in hub.work.coordinator._works.values():
        work.stop()
        if work._timer is not None:
            work._timer.cancel()
    for task in (hub.work.burials._task, *hub.schedule._sleepers):
        if task is not None:
            task.cancel()
    if hub.presence._timer is not None:
        hub.presence._timer.cancel()
