"""What all suites share: how hypothesis searches, and how failures are logged."""

from __future__ import annotations

import os

import structlog
from hypothesis import settings

from tests.support import leaks

# A shared machine makes single examples slow: each test's timeout guards against hanging.
settings.register_profile("here", deadline=None)
# The same examples on every run, so that a red run can be repeated.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

# The default draws local variables around each traceback: a second for each logged failure.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# What tests sign is looked for in the logs of their hubs.
leaks.watch()
