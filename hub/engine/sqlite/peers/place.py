"""Where an instance stands among the others, and the directory through which they meet."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from hub.engine.sqlite.failures import start_failed
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from pathlib import Path

MAX_WORKERS: Final = 16
# sockaddr_un has 108 bytes, one of them the end of the text.
_LONGEST_PATH: Final = 107


@dataclass(frozen=True, slots=True)
class PeerPlace:
    """One instance among those of a machine.

    Attributes:
        worker: its number, from 0.
        workers: how many there are to be.
        instance: its name, new with each start.
        run_dir: has the sockets and the key; see ``prepare_run_directory``.
    """

    worker: int
    workers: int
    instance: str
    run_dir: Path

    def socket(self, worker: int) -> Path:
        """The socket of an instance."""
        return self.run_dir / f"w{worker}.sock"

    def others(self) -> list[int]:
        """Numbers of the other instances."""
        return [worker for worker in range(self.workers) if worker != self.worker]

    def key(self) -> str:
        """What only processes of this user can know.

        Raises:
            Unavailable: the directory or the key could be another user's.
        """
        _require_private(self.run_dir)
        path = self.run_dir / "key"
        _require_private(path)
        return path.read_text(encoding="ascii")


def prepare_run_directory(run_dir: Path) -> None:
    """Make the directory for this user alone, with a new key, and nothing of an earlier start.

    Raises:
        Unavailable: it cannot be made, or could be another user's, or its name is too long for a
            socket.
    """
    longest = run_dir / f"w{MAX_WORKERS}.sock"
    if len(os.fsencode(longest)) > _LONGEST_PATH:
        raise _refused(f"{run_dir} is too long a name for sockets; choose a shorter --data-dir")
    try:
        run_dir.mkdir(mode=0o700, exist_ok=True)
        run_dir.chmod(0o700)
        for old in run_dir.glob("w*.sock"):
            old.unlink()
        key = os.open(run_dir / "key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(key, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    except OSError as error:
        raise start_failed(run_dir, error) from error
    _require_private(run_dir)


class RunLock:
    """Held by the one supervisor of a directory, until it ends, however it ends.

    Args:
        run_dir: made if missing.

    Raises:
        Unavailable: SHARD_UNAVAILABLE: another one runs on it; STORAGE_FAILED: it cannot be made.
    """

    def __init__(self, run_dir: Path) -> None:
        try:
            run_dir.mkdir(mode=0o700, exist_ok=True)
            self._fd = os.open(run_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise start_failed(run_dir, error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise Unavailable(
                error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE,
                f"{run_dir.parent} is served by other workers; stop them, or give these another "
                "data directory",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _require_private(path: Path) -> None:
    about = path.stat()
    if about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077:
        raise _refused(f"{path} is open to other users; remove it, and start again")


def _refused(why: str) -> Unavailable:
    return Unavailable(error_reason_pb2.ERROR_REASON_STORAGE_FAILED, why)
