"""ShipSpeak Realtime hub: services publish typed events, and everyone who watches sees them live.

Nothing that was acknowledged is lost.
"""
