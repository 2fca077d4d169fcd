"""Pure data on the ground floor: no I/O, no clock, no transport."""
