"""Reading public topics without a token, for whatever door can be cached."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from hub.errors import InvalidArgument
from hub.pipeline.public import EARLIEST, LATEST
from hub.rpc.status import refusal_of
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.pipeline.public import PublicAnswer, PublicReader
    from hub.telemetry.metrics import Metrics

MAX_SINCE_CHARACTERS = 700
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class PublicMethod:
    """Answers pollers of public topics.

    Args:
        reader: reads them.
        metrics: refusals are counted by reason, answers by their number.
    """

    def __init__(self, reader: PublicReader, metrics: Metrics) -> None:
        self._reader = reader
        self._metrics = metrics

    async def read(self, topic: str, since: str) -> PublicAnswer:
        """One answer.

        Args:
            topic: as it stands in the address.
            since: ``latest``, ``earliest``, or a cursor as base64url without padding.

        Raises:
            HubError: refused. An unknown failure is INTERNAL.
        """
        try:
            answer = await self._reader.read(topic, _position(since))
        except Exception as failure:
            raise refusal_of(failure, "reading a public topic", self._metrics) from failure
        self._metrics.public_polls.inc()
        return answer


def _position(since: str) -> str | bytes:
    if since in (LATEST, EARLIEST):
        return since
    try:
        if len(since) > MAX_SINCE_CHARACTERS or not _BASE64URL.fullmatch(since):
            raise ValueError  # noqa: TRY301 - one refusal for all that is no cursor
        return base64.urlsafe_b64decode(since + "=" * (-len(since) % 4))
    except (ValueError, binascii.Error):
        raise InvalidArgument(
            reasons.ERROR_REASON_CURSOR_INVALID,
            "since is latest, earliest, or a cursor as base64url without padding",
        ) from None
