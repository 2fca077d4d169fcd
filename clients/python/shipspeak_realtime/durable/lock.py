"""Which process sends for an outbox: the one that holds a lock of the operating system.

The kernel lets go of it the moment its process ends, however it ends, so another one goes on at
once. A process that is stopped keeps it, and what it holds back waits until it goes on.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class SenderLock:
    """The lock beside an outbox; its file stays, or two processes could hold two of that name.

    Args:
        path: of the outbox.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + "-lock")
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether this process sends; tried anew with each call until it does.

        Raises:
            OSError: the file cannot be locked at all, as on some network disks.
        """
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        taken = False
        try:
            taken = _take(descriptor)
        finally:
            if not taken:
                os.close(descriptor)
        if taken:
            self._descriptor = descriptor
        return taken

    def release(self) -> None:
        """Let another process send."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
