"""Presence: who is in a topic now. No log: a full state first, then what changed. No I/O."""
