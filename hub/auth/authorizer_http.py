"""The authorizer over HTTP: POST {"subject", "action", "topic"}, answered by {"allow": bool}."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from pydantic import SecretStr

MAX_ANSWER_BYTES: Final = 4_096


class BadAnswer(Exception):
    """It answered something that is neither yes nor no."""


class HttpAuthorizer:
    """Asks one address; no redirect, no proxy, a bounded answer.

    Args:
        url: https, or http from this machine.
        secret: sent as a bearer token, so that it knows who asks; None = nothing is.
        timeout: seconds for each step.
    """

    def __init__(self, url: str, secret: SecretStr | None, timeout: float) -> None:
        self._url = url
        headers = {"accept-encoding": "identity"}
        if secret is not None:
            headers["authorization"] = f"Bearer {secret.get_secret_value()}"
        self._client = httpx.AsyncClient(
            headers=headers, timeout=timeout, follow_redirects=False, trust_env=False
        )

    async def ask(self, subject: str, action: str, topic: str) -> bool:
        """Whether it is allowed.

        Raises:
            BadAnswer: it is another status than 200, too long, or not what was agreed.
            httpx.HTTPError, ValueError: it cannot be reached, or is no JSON.
        """
        question = {"subject": subject, "action": action, "topic": topic}
        body = b""
        async with self._client.stream("POST", self._url, json=question) as response:
            if response.status_code != httpx.codes.OK:
                raise BadAnswer(f"status {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise BadAnswer("the answer is too long")
        answer = json.loads(body)
        allowed = answer.get("allow") if isinstance(answer, dict) else None
        if not isinstance(allowed, bool):
            raise BadAnswer('it must answer {"allow": true} or false')
        return allowed

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()
