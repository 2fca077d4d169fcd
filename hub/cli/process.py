"""What the process of a hub takes for itself: whoever embeds a Hub decides on these otherwise."""

from __future__ import annotations

import gc
import resource
import sys


def take_all_files() -> None:
    """Raise the limit of open files to all that the system allows: a connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def tune_interpreter() -> None:
    """Set the collector and the switch between threads for a hub; call it once the hub serves.

    What was made at start lives as long as the process: the collector need not look at it again. A
    writer's thread that comes back from a commit waits for a busy loop as long as the switch
    interval, which by default is 5 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(0.0005)
