"""CPU time and memory of a process and its descendants, from /proc (see proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat after the command name, counted from 0 at `state`.
_UTIME, _STIME, _CUTIME, _CSTIME = 11, 12, 13, 14


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for member in found:
        for task in Path(f"/proc/{member}/task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """CPU seconds used so far by a process and its descendants, ended children included.

    The kernel counts in ticks of 10 ms.

    Raises:
        FileNotFoundError: the process is gone.
    """
    ticks = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(fields[place]) for place in (_UTIME, _STIME, _CUTIME, _CSTIME))
    return ticks / _TICKS_PER_SECOND


def machine_seconds() -> float:
    """CPU seconds that all CPUs were busy so far, with what was taken from a virtual machine."""
    name, *fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    assert name == "cpu"
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_SECOND


def rss_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants, without the kernel's socket buffers.

    Raises:
        FileNotFoundError: the process is gone.
    """
    pages = sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in family(pid))
    return pages * _PAGE_BYTES
