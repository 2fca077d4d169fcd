"""Sessions: one connected client each, sans-I/O. Frames in, frames out, clock injected."""
