"""What every door shares: decoding, validation, rights, the services' methods, status mapping."""
