"""CPU and memory of a process and its children."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import procstat

# Says "ready" when its child has burnt 0.2 s of CPU and both hold on.
_FAMILY = """
import subprocess, sys
burn = "import time\\nwhile time.process_time() < 0.2: pass\\nprint('x', flush=True)\\ninput()"
pipe = subprocess.PIPE
child = subprocess.Popen([sys.executable, "-c", burn], stdin=pipe, stdout=pipe)
child.stdout.readline()
print(child.pid, flush=True)
input()
child.communicate(b"\\n")
"""


def test_a_child_counts_with_its_parent():
    command = [sys.executable, "-c", _FAMILY]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert procstat.family(process.pid) == [process.pid, child]
        assert procstat.cpu_seconds(process.pid) >= procstat.cpu_seconds(child) >= 0.19
        parts = procstat.rss_bytes(child)
        assert procstat.rss_bytes(process.pid) > parts > 1_000_000
        process.communicate("\n")
