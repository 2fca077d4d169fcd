"""Operations and what they return, as messages: objects of a fixed table of classes, no others."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, Final

from hub.engine.contract import NotAttempted, Stored
from hub.engine.inbox import Noted
from hub.engine.schedule import Scheduled, ScheduledDraft
from hub.engine.sqlite.inbox import StoreReceipts
from hub.engine.sqlite.peers.wire import failure_message, failure_of
from hub.engine.sqlite.removal import NotePurge, Place, Purge, Purged, Withdraw
from hub.engine.sqlite.scheduled import AddScheduled, CancelScheduled, EraseScheduled, Release
from hub.engine.sqlite.spoken import Found, Spoken
from hub.engine.sqlite.work_place import (
    Create,
    MarkRemoved,
    MarkReplayed,
    Remove,
    SeekOffset,
    SeekPlace,
)
from hub.engine.sqlite.work_scan import Scan
from hub.engine.sqlite.work_settle import Bury, Exhume, Settle
from hub.engine.sqlite.work_take import Take
from hub.engine.work import DeadLetter, OpenItem, Ruling, Settlement, Taken, WorkSpec
from hub.errors import HubError
from hub.model.certificate import Certificate
from hub.model.events import Append
from hub.model.receipts import Mark
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FORMS = peer.Values
_CLASSES: Final[dict[str, type[Any]]] = {
    known.__name__: known
    for known in (
        *(Append, Stored, NotAttempted, Certificate),
        *(Mark, Noted, Spoken, Found, StoreReceipts),
        *(Scheduled, ScheduledDraft, AddScheduled, CancelScheduled, Release, EraseScheduled),
        *(Place, Withdraw, Purge, Purged, NotePurge),
        *(WorkSpec, Create, MarkRemoved, Remove, SeekPlace, SeekOffset, MarkReplayed),
        *(Scan, Take, Taken, OpenItem, Settle, Settlement, Ruling, Exhume, Bury, DeadLetter),
    )
}


# What reads the clock when it runs.
_TIMED: Final = (Purge, Release, StoreReceipts)


class Unencodable(TypeError):
    """A fault of the hub: something is no value that a link carries."""


def to_value(thing: object) -> peer.Value:
    """A message of anything that operations hold or return."""
    if thing is None or callable(thing):
        # A callable is the clock, of which the owner has its own.
        return peer.Value()
    if isinstance(thing, bool):
        return peer.Value(boolean=thing)
    if isinstance(thing, enum.Enum):
        return _record(thing, [thing.value])
    if isinstance(thing, int):
        return peer.Value(integer=thing) if thing < 1 << 63 else peer.Value(large=thing)
    if isinstance(thing, float):
        return peer.Value(number=thing)
    if isinstance(thing, str):
        return peer.Value(text=thing)
    if isinstance(thing, bytes):
        return peer.Value(blob=thing)
    if isinstance(thing, HubError):
        return peer.Value(failure=failure_message(thing))
    if dataclasses.is_dataclass(thing):
        return _record(thing, [getattr(thing, one.name) for one in dataclasses.fields(thing)])
    return _collection(thing)


def _collection(thing: object) -> peer.Value:
    if isinstance(thing, tuple):
        if hasattr(thing, "_fields"):
            return _record(thing, thing)
        return _values(_FORMS.FORM_TUPLE, thing)
    if isinstance(thing, list | range):
        return _values(_FORMS.FORM_LIST, thing)
    if isinstance(thing, set | frozenset):
        return _values(_FORMS.FORM_SET, thing)
    if isinstance(thing, dict):
        return _values(_FORMS.FORM_MAP, (one for pair in thing.items() for one in pair))
    raise Unencodable(f"a link carries no {type(thing).__name__}")


def _record(thing: object, fields: Iterable[object]) -> peer.Value:
    name = type(thing).__name__
    if _CLASSES.get(name) is not type(thing):
        raise Unencodable(f"a link carries no {name}")
    return peer.Value(record=peer.Record(name=name, fields=[to_value(one) for one in fields]))


def _values(form: peer.Values.Form.ValueType, things: Iterable[object]) -> peer.Value:
    return peer.Value(list=peer.Values(form=form, values=[to_value(one) for one in things]))


def from_value(value: peer.Value, clock: Callable[[], int]) -> Any:
    """The inverse of ``to_value``.

    Args:
        value: the message.
        clock: takes the place of the caller's.

    Raises:
        Unencodable: it names a class that is not in the table.
    """
    kind = value.WhichOneof("kind")
    if kind is None:
        return None
    if kind == "record":
        return _object(value.record, clock)
    if kind == "list":
        return _rebuilt(value.list, clock)
    if kind == "failure":
        return failure_of(value.failure)
    return getattr(value, kind)


def _object(record: peer.Record, clock: Callable[[], int]) -> Any:
    known = _CLASSES.get(record.name)
    if known is None:
        raise Unencodable(f"{record.name} is no class that a link carries")
    fields = [from_value(one, clock) for one in record.fields]
    if known in _TIMED:
        names = [one.name for one in dataclasses.fields(known)]
        fields[names.index("clock")] = clock
    return known(*fields)


def _rebuilt(values: peer.Values, clock: Callable[[], int]) -> Any:
    things = [from_value(one, clock) for one in values.values]
    if values.form == _FORMS.FORM_TUPLE:
        return tuple(things)
    if values.form == _FORMS.FORM_SET:
        return frozenset(things)
    if values.form == _FORMS.FORM_MAP:
        return dict(zip(things[::2], things[1::2], strict=True))
    return things


def thing_of(data: bytes) -> Any:
    """What a serialized Value holds; there are no clocks in it."""
    return from_value(peer.Value.FromString(data), lambda: 0)
