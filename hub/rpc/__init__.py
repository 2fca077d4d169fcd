"""What every door shares: decoding and validation, rights, the services' methods, status mapping."""
