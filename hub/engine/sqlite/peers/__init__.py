"""Several instances on one machine share the shards of one directory.

Each shard's file has one owner, which writes it; all read it. What an instance does not own it asks
of the owner, and what it follows there it is told, over a link between each two instances.
"""

from __future__ import annotations

from hub.engine.sqlite.peers.calls import PeerCall
from hub.engine.sqlite.peers.codec import thing_of, to_value
from hub.engine.sqlite.peers.engine import PeerEngine
from hub.engine.sqlite.peers.link import Link
from hub.engine.sqlite.peers.network import Network
from hub.engine.sqlite.peers.place import PeerPlace, RunLock, prepare_run_directory

__all__ = [
    "Link",
    "Network",
    "PeerCall",
    "PeerEngine",
    "PeerPlace",
    "RunLock",
    "prepare_run_directory",
    "thing_of",
    "to_value",
]
