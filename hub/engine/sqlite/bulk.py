"""Statements over many rows.

One statement for many rows instead of one per row: sqlite3 lets the GIL go at every step, and a
busy event loop then gives it back only after its switch interval, so a batch of single-row
statements would wait once per row. Row counts are powers of two, so that few statements exist and
all stay prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3

MAX_ROWS: Final = 64
Row = Sequence[Any]


def write_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[Row]) -> None:
    """Run ``statement``, whose ``{rows}`` stands for a VALUES list, over all rows, in order."""
    start, left = 0, len(rows)
    while left:
        size = min(MAX_ROWS, 1 << (left.bit_length() - 1))
        part = rows[start : start + size]
        connection.execute(_expand(statement, size, len(part[0])), list(chain.from_iterable(part)))
        start, left = start + size, left - size


def look_up(
    connection: sqlite3.Connection,
    query: str,
    keys: Sequence[Row],
    *,
    before: Row = (),
    max_rows: int = MAX_ROWS,
) -> Iterator[tuple[Any, ...]]:
    """Yield what ``query`` finds for the keys; the last key may be asked several times.

    Args:
        connection: to ask.
        query: its ``{rows}`` stands for the keys.
        keys: rows of one width.
        before: parameters that stand before the keys.
        max_rows: keys in one statement.
    """
    for start in range(0, len(keys), max_rows):
        part = list(keys[start : start + max_rows])
        size = 1 << (len(part) - 1).bit_length()
        part += [part[-1]] * (size - len(part))
        statement = _expand(query, size, len(part[0]))
        yield from connection.execute(statement, [*before, *_flat(part)]).fetchall()


def _flat(rows: Iterable[Row]) -> Iterator[Any]:
    return chain.from_iterable(rows)


def _expand(statement: str, rows: int, columns: int) -> str:
    one = f"({','.join('?' * columns)})"
    return statement.replace("{rows}", ",".join([one] * rows))
