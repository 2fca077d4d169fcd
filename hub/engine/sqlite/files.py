"""The data directory: private, on a local disk, each shard locked for one process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from hub.engine.sqlite.failures import shard_unavailable
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2

# WAL needs memory shared through the file and locks that mean what they say:
# https://www.sqlite.org/wal.html ("all processes must be on the same host")
NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs",
        "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
        "smb3", "smbfs",
    }
)  # fmt: skip


class ShardFiles:
    """The names of one shard's files."""

    def __init__(self, data_dir: Path, shard: int) -> None:
        self.database = data_dir / f"shard-{shard:03d}.db"
        self.lock = data_dir / f"shard-{shard:03d}.lock"


class ShardLock:
    """A lock that its process holds until it ends, however it ends.

    No fork may follow while it is held.
    """

    def __init__(self, path: Path, shard: int) -> None:
        """Take the lock. Raises: Unavailable: SHARD_UNAVAILABLE when another process has it."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            why = (
                f"its file is owned by another process (pid {owner}); "
                "stop that hub, or give this one another data directory"
            )
            raise shard_unavailable(shard, why) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have the shard."""
        os.close(self._fd)


def prepare_directory(data_dir: Path) -> None:
    """Make the directory for this user alone, durably.

    Raises:
        Unavailable: SHARD_UNAVAILABLE when it lies on a network file system.
        OSError: it cannot be made or used.
    """
    made = not data_dir.exists()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_network(data_dir, Path("/proc/self/mounts").read_text(encoding="utf-8"))
    if made:
        parent = os.open(data_dir.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)


def refuse_network(data_dir: Path, mounts: str) -> None:
    """Raise Unavailable when ``mounts`` says that ``data_dir`` is on a network file system."""
    kind = file_system(data_dir.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise _network(data_dir, kind)


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system that holds an absolute path; "" = unknown.

    ``mounts`` is a table as in /proc/self/mounts.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = Path(fields[1].encode().decode("unicode_escape"))
        # >=: of two mounts on one directory the later one is on top.
        if path.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), fields[2]
    return kind


def _network(data_dir: Path, kind: str) -> Unavailable:
    return Unavailable(
        error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE,
        f"the data directory {data_dir} lies on a network file system ({kind}), where locks and "
        "shared memory cannot be trusted; put it on a local disk",
    )
