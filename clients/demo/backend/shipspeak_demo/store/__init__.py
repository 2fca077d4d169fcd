"""What must survive a crash: meetings, uploads, jobs and practice sessions, in one SQLite file."""

from __future__ import annotations

from shipspeak_demo.store.database import Database
from shipspeak_demo.store.jobs import JobQueue, Lease, LeaseLost
from shipspeak_demo.store.meetings import Meeting, Meetings, NotFailed, NotOffered
from shipspeak_demo.store.practices import Ending, Practice, Practices
from shipspeak_demo.store.told import Told
from shipspeak_demo.store.uploads import Upload, Uploads

__all__ = [
    "Database", "Ending", "JobQueue", "Lease", "LeaseLost", "Meeting", "Meetings", "NotFailed",
    "NotOffered", "Practice", "Practices", "Told", "Upload", "Uploads",
]  # fmt: skip
