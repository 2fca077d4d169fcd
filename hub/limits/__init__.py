"""How much, and how fast: token buckets."""
