"""What must survive a crash: meetings, uploads and jobs, in one SQLite file."""

from __future__ import annotations

from shipspeak_demo.store.database import Database
from shipspeak_demo.store.jobs import JobQueue, Lease, LeaseLost
from shipspeak_demo.store.meetings import Meeting, Meetings, NotFailed, NotOffered
from shipspeak_demo.store.uploads import Upload, Uploads

__all__ = [
    "Database", "JobQueue", "Lease", "LeaseLost", "Meeting", "Meetings", "NotFailed", "NotOffered",
    "Upload", "Uploads",
]  # fmt: skip
