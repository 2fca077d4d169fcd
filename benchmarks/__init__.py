"""Benchmarks: what a delivery, a connection and a durable publish cost, beside a tutorial-style hub."""
