"""The command line."""

from __future__ import annotations

import logging
import os

# gRPC's core writes lines of its own to stderr, in no format of ours; what matters comes as errors.
# It reads this when it is loaded, which every command does later.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# What the SDK logs without a handler would be printed beside what the command says of it.
logging.getLogger("shipspeak_realtime").addHandler(logging.NullHandler())
