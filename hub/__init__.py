"""ShipSpeak Realtime hub: services publish typed events, everyone who watches sees them, nothing acknowledged is lost."""
