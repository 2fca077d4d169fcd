"""Takes the bytes of one PATCH to disk and tells how far it is, a few times a second."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from shipspeak_demo.facts import UploadProgressed
from shipspeak_demo.rate import RateMeter

if TYPE_CHECKING:
    from shipspeak_demo.store import Upload
    from shipspeak_demo.web.services import Services

_SPACING_S = 0.2


class Receiver:
    """Appends to the upload's file; ``flush`` makes bytes count.

    Bytes count once they are synced and their number is in the database. What a crash left in
    the file above that number is cut off when the next request opens it.
    """

    def __init__(self, services: Services, upload: Upload) -> None:
        """Open the file at the received offset; blocks, so call it off the event loop."""
        self._services = services
        self._upload = upload
        self._received = upload.received
        self._kept = upload.received
        self._rate = RateMeter(services.clock)
        self._rate.mark(upload.received)
        self._flushed_at = services.clock()
        folder = services.settings.uploads
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / upload.id
        fresh = not path.exists()
        path.touch()
        self._file = path.open("r+b")
        self._file.truncate(upload.received)
        self._file.seek(upload.received)
        if fresh:
            # A new file is there after a power cut only when its folder is synced too.
            handle = os.open(folder, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)

    async def take(self, chunk: bytes) -> bool:
        """Write bytes; returns False where they are more than announced (what fits is kept)."""
        fitting = chunk[: self._upload.size - self._received]
        await asyncio.to_thread(self._file.write, fitting)
        self._received += len(fitting)
        if self._services.clock() - self._flushed_at >= _SPACING_S:
            await self.flush()
        return len(fitting) == len(chunk)

    async def flush(self) -> int:
        """Make the bytes so far count, and announce them.

        Returns:
            The received offset.

        Raises:
            KeyError: a newer upload has replaced this one.
        """
        self._flushed_at = self._services.clock()
        if self._received > self._kept:
            await asyncio.to_thread(self._sync)
            self._kept = self._received
            self._announce()
        return self._kept

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._services.uploads.advance(self._upload, self._received)

    def _announce(self) -> None:
        self._services.announcer.put(
            UploadProgressed(
                meeting_id=self._upload.meeting_id,
                attempt=self._upload.attempt,
                sent=self._kept,
                total=self._upload.size,
                bytes_per_second=self._rate.mark(self._kept),
                filename=self._upload.filename,
            )
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
