"""What both programs do alike: logs, settings, and an end on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from shipspeak_demo.settings import Settings, SettingsError, read_settings

BAD_SETTINGS = 2


def start(data: str | None) -> Settings:
    """Set up logs (to standard error) and read the settings; exits with code 2 on a bad one."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level="INFO")
    try:
        settings = read_settings(os.environ, data)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(BAD_SETTINGS) from error
    settings.uploads.mkdir(parents=True, exist_ok=True)
    return settings


def say(line: str) -> None:
    """Print one line that a launcher waits for."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def stop_event() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; call it inside the loop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopped.set)
    return stopped
