"""Benchmarks: what deliveries, connections and durable publishes cost, beside a tutorial hub."""
