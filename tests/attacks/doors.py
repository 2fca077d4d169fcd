"""What an attacker can do at every door, and one way to write down what came back.

An answer is the canonical code and the reason, ``PERMISSION_DENIED RIGHT_MISSING``; a good one is
``OK``, or the outcome of a publish, ``STORED``; what has no such status is ``HTTP 403`` or
``CLOSE 1002``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc
from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2

from shipspeak.realtime.v1 import (
    error_reason_pb2,
    event_pb2,
    frame_pb2,
    realtime_service_pb2,
)
from tests.attacks.attack import Door
from tests.support.raw_client import SERVICE, RawClient, Stream, hello, refusal
from tests.support.socket_client import SocketStream, open_socket
from tests.wire.raw import Answer, Raw, ask, frame, post

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from google.protobuf.message import Message

JSON = b"application/json"


def said(code: int, reason: int | str) -> str:
    """A status and a reason."""
    if isinstance(reason, int):
        value = error_reason_pb2.ErrorReason.ValueType(reason)
        reason = error_reason_pb2.ErrorReason.Name(value).removeprefix("ERROR_REASON_")
    return f"{code_pb2.Code.Name(code_pb2.Code.ValueType(code))} {reason}".strip()


def said_by(error: event_pb2.Error) -> str:
    """An Error frame, or the error of a result."""
    return said(error.code, error.reason)


def said_by_call(error: grpc.aio.AioRpcError) -> str:
    """A gRPC call that failed."""
    code, reason = refusal(error)
    return f"{code.name} {reason}".strip()


def said_by_status(data: bytes) -> str:
    """A google.rpc.Status in bytes."""
    status = status_pb2.Status.FromString(data)
    info = error_details_pb2.ErrorInfo()
    reason = info.reason if status.details and status.details[0].Unpack(info) else ""
    return said(status.code, reason or info.reason)


def said_by_result(result: frame_pb2.PublishResult) -> str:
    """One result of a publish."""
    if result.HasField("error"):
        return said_by(result.error)
    return frame_pb2.Outcome.Name(result.outcome).removeprefix("OUTCOME_")


def _parsed(message: bytes) -> frame_pb2.ServerFrame:
    return frame_pb2.ServerFrame.FromString(message)


class Doors:
    """The doors of one hub.

    Args:
        target: host:port of the gRPC door.
        address: of the browsers' door.

    Attributes:
        heard: every answer in full, for the search for secrets.
    """

    def __init__(self, target: str, address: str) -> None:
        self.grpc, self.http = target, address
        self.port: int = urlsplit(address).port or 0
        self.heard: list[str] = []

    async def call(self, door: Door, method: str, request: Message | bytes, token: str) -> Any:
        """A unary call by gRPC or grpc-web: the answer's message, or what was said."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        kind = getattr(realtime_service_pb2, f"{method}Response")
        if door is Door.GRPC:
            async with RawClient(self.grpc, token) as client:
                try:
                    return await client.call(method, data)
                except grpc.aio.AioRpcError as error:
                    self.heard.append(f"{error.details()} {error.trailing_metadata()}")
                    return said_by_call(error)
        answer = await self.web(method, data, token)
        return answer if isinstance(answer, str) else kind.FromString(answer)

    async def web(self, method: str, data: bytes, token: str, *headers: tuple[str, str]) -> Any:
        """A grpc-web call: the answer's bytes, or what was said."""
        all_headers = [*headers, *([("authorization", f"Bearer {token}")] if token else [])]
        answer = await ask(self.port, post(f"/{SERVICE}/{method}", frame(data), *all_headers))
        return self._web_answer(answer)

    def _web_answer(self, answer: Answer) -> Any:
        self.heard.append(f"{answer.headers} {answer.body!r}")
        if answer.status != 200:
            return f"HTTP {answer.status}"
        status, _ = answer.status_message()
        if status == "0":
            return answer.messages()[0]
        if "grpc-status-details-bin" not in answer.trailers():
            return said(int(status), "")
        return said(int(status), answer.reason())

    async def publish(self, door: Door, token: str, *drafts: event_pb2.Draft) -> str:
        """Publish; what became of the last draft."""
        request = frame_pb2.PublishRequest(drafts=drafts)
        if door is Door.JSON:
            return await self.publish_json(json_format.MessageToJson(request).encode(), token)
        if door is Door.WEBSOCKET:
            return await self.on_socket(token, lambda stream: self._publish_on(stream, request))
        answer = await self.call(door, "Publish", request, token)
        return answer if isinstance(answer, str) else said_by_result(answer.results[-1])

    async def publish_json(self, body: bytes, token: str, *headers: tuple[str, str]) -> str:
        """POST /v1/publish."""
        sent = [*headers, *([("authorization", f"Bearer {token}")] if token else [])]
        answer = await ask(self.port, post("/v1/publish", body, *sent, content_type=JSON))
        self.heard.append(f"{answer.headers} {answer.body!r}")
        if answer.header("content-type") != "application/json":
            return f"HTTP {answer.status}"
        told = json.loads(answer.body)
        if "results" not in told:
            return said(told["code"], told["details"][0]["reason"])
        result = json_format.ParseDict(told["results"][-1], frame_pb2.PublishResult())
        return said_by_result(result)

    async def _publish_on(self, stream: Stream, request: frame_pb2.PublishRequest) -> str:
        await stream.send(request_id=5, publish=request)
        told = await stream.until(
            lambda frame: frame.WhichOneof("control") in ("published", "error")
        )
        self.heard.append(str(told))
        if told.HasField("error"):
            return said_by(told.error)
        return said_by_result(told.published.results[-1])

    async def read(self, door: Door, token: str, wish: frame_pb2.Subscribe) -> str:
        """Subscribe to a topic: OK, or what was said."""
        if door is Door.POLL:
            return await self._poll(token, wish)
        if door is Door.WEBSOCKET:
            return await self.on_socket(token, lambda stream: self._subscribe_on(stream, wish))
        if door is Door.GRPC_WEB:
            return await self._listen(token, wish)
        async with RawClient(self.grpc, token) as client:
            stream = client.connect()
            try:
                await stream.send(hello=hello())
                await stream.control("welcome")
                return await self._subscribe_on(stream, wish)
            except grpc.aio.AioRpcError as error:
                self.heard.append(f"{error.details()} {error.trailing_metadata()}")
                return said_by_call(error)

    async def _subscribe_on(self, stream: Stream, wish: frame_pb2.Subscribe) -> str:
        await stream.send(request_id=6, subscribe=wish)
        return self._verdict(
            await stream.until(
                lambda frame: frame.WhichOneof("control") in ("subscribed", "error", "go_away")
            )
        )

    def _verdict(self, told: frame_pb2.ServerFrame) -> str:
        self.heard.append(str(told))
        return said_by(told.error) if told.HasField("error") else "OK"

    async def _poll(self, token: str, wish: frame_pb2.Subscribe) -> str:
        request = realtime_service_pb2.PollRequest(hello=hello(), subscriptions=[wish])
        answer = await self.call(Door.GRPC_WEB, "Poll", request, token)
        return answer if isinstance(answer, str) else self._verdict(answer.frames[0])

    async def _listen(self, token: str, wish: frame_pb2.Subscribe) -> str:
        """By the browsers' stream: the verdict is a frame, a refusal is in the trailers."""
        request = realtime_service_pb2.ListenRequest(hello=hello(), subscriptions=[wish])
        headers = [("authorization", f"Bearer {token}")] if token else []
        body = frame(request.SerializeToString())
        client = await Raw.connect(self.port)
        try:
            await client.send(post(f"/{SERVICE}/Listen", body, *headers))
            answer = await client.read_head()
            if answer.status != 200:
                return f"HTTP {answer.status}"
            while await client.read_part():
                for flags, message in answer.frames():
                    told = frame_pb2.ServerFrame() if flags else _parsed(message)
                    if told.WhichOneof("control") in ("subscribed", "error"):
                        return self._verdict(told)
            answered = self._web_answer(answer)
            return answered if isinstance(answered, str) else "OK"
        finally:
            client.abort()

    async def on_socket(
        self, token: str, talk: Callable[[SocketStream], Awaitable[str]], **options: Any
    ) -> str:
        """Say Hello on a WebSocket and go on; what was said where the hub refuses the Hello."""
        # Nobody waits for the end of what the attacker has not read.
        options.setdefault("close_timeout", 1)
        async with open_socket(self.http, **options) as stream:
            await stream.send(hello=hello(token=token))
            first = await stream.read()
            self.heard.append(str(first))
            if first.HasField("error"):
                return said_by(first.error)
            return await talk(stream)

    async def knock(self, door: Door, token: str) -> str:
        """Use a token for what an ordinary user does at this door."""
        if door is Door.JSON:
            draft = event_pb2.Draft(id="knock", topic="meeting/knock")
            draft.content.metrics.metrics.add(name="n")
            return await self.publish(door, token, draft)
        wish = frame_pb2.Subscribe(topic="meeting/knock", at=frame_pb2.START_LATEST)
        return await self.read(door, token, wish)
