"""The message router, from one topic to all its readers: rings, registry, flushes, splicing."""
