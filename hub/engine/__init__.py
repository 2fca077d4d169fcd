"""Engines store and move events. ``contract`` says what every engine does; each engine is a room of its own."""
