"""The table of wire checks: each is a promise of the bridge that stock sonora breaks.

A check takes a running server and asserts. Our bridge must pass; stock sonora must fail, which
proves that the check can fail. The number is the defect's in `DEFECTS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.wire.servers import Server

DEFECTS = {
    1: "unary trailers are written as the text of Python bytes",
    2: "an error after the first message cuts the connection",
    3: "an empty or unwritten stream is an HTTP 500",
    6: "several frames in one chunk are read as one",
    8: "an unhandled exception is an HTTP 500, or a cut",
    9: "a client that leaves is not noticed on an idle stream or a unary call",
    11: "headers wait for the first message",
    13: "every preflight fails",
    14: "the allowed origin is the Host header",
    15: "the content type is the first item of Accept",
    16: "the request's content type is not checked",
    17: "no cache or buffering headers",
    18: "a missing Host, unpadded or odd headers and timeouts are an HTTP 500",
    19: "malformed frames run the handler with a default request",
    20: "text is decoded without validation",
    21: "a line break in trailing metadata writes lines of its own",
    22: "abort drops trailing metadata",
    23: "hop-by-hop headers are metadata",
    24: "the context lacks most of grpc.aio's interface",
    25: "grpc.health.v1 does not work",
}

Check = Callable[[Server], Awaitable[None]]


@dataclass(frozen=True)
class Entry:
    defect: int
    check: Check

    @property
    def name(self) -> str:
        return f"{self.defect:02}-{self.check.__name__}"


CHECKS: list[Entry] = []


def mends(defect: int) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS.append(Entry(defect, check))
        return check

    return register
