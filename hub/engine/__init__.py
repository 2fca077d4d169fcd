"""Engines store and move events: ``contract`` is what each does; each is a room of its own."""
