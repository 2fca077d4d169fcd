"""The message router: from one topic to all its readers. Rings, the registry of topics, paced flushes, splicing."""
