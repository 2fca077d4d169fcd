"""A disk whose syncs are late, for as long as wanted: a library that is loaded into the hub."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.suites import COMPILER, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = ROOT / "tests" / "chaos" / "slow_disk.c"


class SlowDisk:
    """Builds the library.

    Args:
        folder: gets the library and the file that says how slow the disk is.

    Raises:
        RuntimeError: there is no C compiler.
    """

    def __init__(self, folder: Path) -> None:
        compiler = next(filter(None, map(shutil.which, COMPILER.programs)), None)
        if compiler is None:
            raise RuntimeError(f"no C compiler: {COMPILER.install_line()}")
        folder.mkdir(parents=True, exist_ok=True)
        self._library, self._file = folder / "slow_disk.so", folder / "slow_disk.ms"
        options = ("-shared", "-fPIC", "-O1", "-o", str(self._library))
        subprocess.run([compiler, *options, str(SOURCE), "-ldl"], check=True)

    @property
    def env(self) -> dict[str, str]:
        """What the hub is to be started with."""
        return {"LD_PRELOAD": str(self._library), "SLOW_DISK_FILE": str(self._file)}

    def set(self, ms: int) -> None:
        """From now on each sync takes so much longer; 0 = no longer than it takes."""
        # Renamed into its place: a sync that looks meanwhile must not find half a number.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(ms))
        fresh.replace(self._file)
