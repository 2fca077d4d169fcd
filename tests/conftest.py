"""What all suites share: how hypothesis searches."""

from __future__ import annotations

import os

from hypothesis import settings

# A shared machine makes single examples slow: each test's timeout guards against hanging.
settings.register_profile("here", deadline=None)
# The same examples on every run, so that a red run can be repeated.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")
