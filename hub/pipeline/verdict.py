"""The engine's verdicts as they are told on the wire."""

from __future__ import annotations

from typing import Final

from hub.engine.contract import Verdict
from shipspeak.realtime.v1 import frame_pb2

WIRE_VERDICTS: Final = {
    Verdict.OK: frame_pb2.VERDICT_OK,
    Verdict.GAP: frame_pb2.VERDICT_GAP,
    Verdict.RESET: frame_pb2.VERDICT_RESET,
}
