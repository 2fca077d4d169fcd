"""Where an issuer's keys come from, and how they change while the hub runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from hub.auth.keys import load_public_key, parse_key_set, read_key_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hub.auth.keys import Keys, PublicKey
    from hub.model.issuer import Issuer

    Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]

# An unknown kid makes the hub ask again, but not more often than this, whoever sends it.
ASK_AGAIN_SECONDS: Final = 10.0
MAX_UNKNOWN: Final = 1_000


class KeysPending(Exception):
    """The key may be one that the hub has not fetched yet: try again in a moment."""


class KeySet(Protocol):
    """The keys of one issuer."""

    def find(self, kid: str, algorithm: str) -> PublicKey | str | None:
        """The key, or the secret, to check a token with; None = there is none.

        Raises:
            KeysPending: it may be there in a moment.
        """

    async def update(self, fetch: Fetch, *, due: bool) -> bool:
        """Take the keys again where that is needed; whether they may be others now.

        Args:
            fetch: gets the document at an address.
            due: also what nobody has asked for.

        Raises:
            KeyUnusable, OSError: the keys from before stay in force.
        """


class Secret:
    """A shared secret, which has no kid."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def find(self, kid: str, algorithm: str) -> str | None:  # noqa: ARG002 - it has no kid
        """The secret, for HS256."""
        return self._secret if algorithm == "HS256" else None

    async def update(self, fetch: Fetch, *, due: bool) -> bool:  # noqa: ARG002 - it never changes
        """Nothing to do."""
        return False


class FileKeys:
    """Keys of a file: one PEM key, or a key set.

    Args:
        path: of the file.
        load: its content as keys.

    Raises:
        KeyUnusable: the file cannot be used.
    """

    def __init__(self, path: Path, load: Callable[[Path], Keys]) -> None:
        self._path = path
        self._load = load
        self._keys = load(path)
        self._seen = self._stamp()

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key with this kid, or the only one of the algorithm."""
        return find_key(self._keys, kid, algorithm)

    async def update(self, fetch: Fetch, *, due: bool) -> bool:  # noqa: ARG002 - always looked at
        """Read the file again where it has changed; whether it had."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        self._keys = self._load(self._path)
        return True

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


class FetchedKeys:
    """Keys of an address; ``hub.auth.key_updates`` fetches them.

    Args:
        issuer: with ``jwks_url``.
        clock: seconds since the epoch.
        wake: asks for a fetch soon.
    """

    def __init__(
        self, issuer: Issuer, clock: Callable[[], float], wake: Callable[[], None]
    ) -> None:
        self._url = issuer.jwks_url or ""
        self._algorithms = issuer.algorithms
        self._clock = clock
        self._wake = wake
        self._keys: Keys | None = None
        self._asked = self._fetched = -math.inf
        # Since when each unknown kid was asked for.
        self._unknown: dict[str, float] = {}
        self._wanted = True

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key with this kid; an unknown one is asked for, with bounds."""
        key = find_key(self._keys or {}, kid, algorithm)
        if key is not None:
            return key
        now = self._clock()
        since = self._unknown.setdefault(kid, now)
        if len(self._unknown) > MAX_UNKNOWN:
            del self._unknown[next(iter(self._unknown))]
        if since < self._fetched:
            return None
        if now - self._asked >= ASK_AGAIN_SECONDS:
            self._asked = now
            self._wanted = True
            self._wake()
        raise KeysPending

    async def update(self, fetch: Fetch, *, due: bool) -> bool:
        """Ask the address, where somebody wants a key or it is due."""
        if not (due or self._wanted):
            return False
        # Before the answer: who wants a key meanwhile may want one that is newer.
        self._wanted = False
        self.take(await fetch(self._url))
        return True

    def take(self, document: bytes) -> None:
        """The address answered.

        Raises:
            KeyUnusable: with no key set; the keys from before stay in force.
        """
        self._keys = parse_key_set(document, self._algorithms, self._url)
        self._fetched = self._clock()
        self._unknown = {
            kid: at for kid, at in self._unknown.items() if self._fetched - at < ASK_AGAIN_SECONDS
        }


def find_key(keys: Keys, kid: str, algorithm: str) -> PublicKey | None:
    """The key of a token: by its kid, or, where it tells none, the only one of its algorithm."""
    if (key := keys.get((kid, algorithm))) is not None:
        return key
    of_algorithm = [key for (_, fits), key in keys.items() if fits == algorithm]
    unnamed = all(name == "" for name, fits in keys if fits == algorithm)
    if len(of_algorithm) == 1 and (not kid or unnamed):
        return of_algorithm[0]
    return None


def key_set(issuer: Issuer, clock: Callable[[], float], wake: Callable[[], None]) -> KeySet:
    """The keys of an issuer of the settings.

    Raises:
        KeyUnusable: its file cannot be used.
    """
    algorithms = issuer.algorithms
    if issuer.secret is not None:
        return Secret(issuer.secret.get_secret_value())
    if issuer.public_key_file is not None:
        (algorithm,) = algorithms
        return FileKeys(
            issuer.public_key_file, lambda path: {("", algorithm): load_public_key(path, algorithm)}
        )
    if issuer.jwks_file is not None:
        return FileKeys(
            issuer.jwks_file,
            lambda path: parse_key_set(read_key_file(path), algorithms, str(path)),
        )
    return FetchedKeys(issuer, clock, wake)
