"""``POST /v1/publish``: Publish with the messages as protobuf JSON, for callers without gRPC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from google.protobuf import json_format

from hub.errors import InvalidArgument
from hub.rpc.status import http_status, refusal_of, rich_status
from hub.session.sink import Caller
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from hub.errors import HubError
    from hub.rpc.unary import UnaryMethod
    from hub.telemetry.metrics import Metrics

MAX_SHOWN = 500

JsonAnswer = tuple[int, bytes]  # HTTP status, JSON text
JsonMethod = Callable[[bytes, Caller], Awaitable[JsonAnswer]]


def publish_json(publish: UnaryMethod, metrics: Metrics) -> JsonMethod:
    """Publish as JSON: a PublishRequest in, a PublishResponse out.

    A refusal is a google.rpc.Status with the reason, and its HTTP status.

    Args:
        publish: the method of the service.
        metrics: refusals are counted by reason.
    """

    async def call(body: bytes, caller: Caller) -> JsonAnswer:
        try:
            answer = await publish(_request(body, caller).SerializeToString(), caller)
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            return refusal(refusal_of(failure, "POST /v1/publish", metrics))
        response = realtime_service_pb2.PublishResponse.FromString(answer)
        return 200, json_format.MessageToJson(response, indent=None).encode()

    return call


def refusal(error: HubError) -> JsonAnswer:
    """A refusal as JSON."""
    return http_status(error), json_format.MessageToJson(rich_status(error), indent=None).encode()


def check_json(caller: Caller) -> None:
    """Check that the caller says that it sends JSON.

    A page of another site can send text/plain without a preflight, but not JSON.

    Raises:
        InvalidArgument: FIELD_INVALID.
    """
    kind = caller.metadata.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID,
            "send content-type: application/json",
            field="content-type",
        )


def _request(body: bytes, caller: Caller) -> frame_pb2.PublishRequest:
    check_json(caller)
    try:
        return json_format.Parse(body, frame_pb2.PublishRequest())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise InvalidArgument(
            reasons.ERROR_REASON_FRAME_MALFORMED,
            f"the body is no PublishRequest as JSON: {_shown(error)}",
        ) from error


def _shown(error: Exception) -> str:
    """What is wrong, with what it quotes from the body: any length, and text without a UTF-8."""
    return str(error).encode("utf-8", "backslashreplace").decode()[:MAX_SHOWN]
