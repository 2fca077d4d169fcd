"""One unary call of grpc-web, as a browser makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import httpx

from tests.wire.raw import Answer, frame

if TYPE_CHECKING:
    from google.protobuf.message import Message

_STATUSES = {str(code.value[0]): code for code in grpc.StatusCode}


async def web_refusal(
    http: str, path: str, request: Message, token: str
) -> tuple[grpc.StatusCode, str]:
    """Status and reason of a call that is refused.

    Args:
        http: address of the browsers' door.
        path: service and method.
        request: of the call.
        token: empty = none.
    """
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient() as client:
        told = await client.post(
            f"{http}/{path}", headers=headers, content=frame(request.SerializeToString())
        )
    answer = Answer(told.status_code, told.headers.multi_items(), told.content, complete=True)
    return _STATUSES[answer.trailers()["grpc-status"]], answer.reason()
