"""Publishes without end, 64 calls at a time, and reports each answer; its parent kills it.

Arguments: data directory, the round's number, the last acknowledged number of each publisher
(JSON). Each publisher begins with its last acknowledged id again, and goes on with the next one:
that one may have been stored before the last kill without an answer, so both may come back as
duplicates. Reports "topic offset id" per line on standard output, after the answer and never
before.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from hub.engine.contract import Stored
from hub.engine.sqlite import SqliteEngine
from hub.model.events import NORMAL, Append

PUBLISHERS = 64
TOPICS = 8


def topic_of(publisher: int) -> str:
    return f"meeting/{publisher % TOPICS}"


async def publish_forever(engine: SqliteEngine, publisher: int, last: int) -> None:
    number = max(last, 0)
    while True:
        event_id = f"{publisher}-{number}"
        draft = Append(
            topic=topic_of(publisher),
            event_id=event_id,
            publisher="back-end",
            body=event_id.encode() * 20,
            priority=NORMAL,
            key="",
            published_ms=1_800_000_000_000,
        )
        (result,) = await engine.publish([draft])
        if not isinstance(result, Stored):
            raise result if isinstance(result, Exception) else RuntimeError(result)
        os.write(1, f"{draft.topic} {result.offset} {event_id}\n".encode())
        number += 1


async def main() -> None:
    engine = SqliteEngine(Path(sys.argv[1]))
    await engine.start()
    last: dict[str, int] = json.loads(sys.argv[2])
    await asyncio.gather(
        *(publish_forever(engine, one, last.get(str(one), -1)) for one in range(PUBLISHERS))
    )


if __name__ == "__main__":
    asyncio.run(main())
