"""Work subscriptions: events of a shared queue, each to one member, until it is acknowledged."""
