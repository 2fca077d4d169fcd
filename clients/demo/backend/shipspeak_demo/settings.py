"""Settings of both processes, from the environment; checked once at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORTEST_SECRET = 32
_SAMPLES = Path(__file__).resolve().parents[2] / "samples"


class SettingsError(ValueError):
    """A setting is absent or cannot be right; the text names the variable and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Frozen settings; the README's table describes each."""

    data: Path
    hub: str
    allowed_origins: tuple[str, ...]
    public_url: str
    samples: Path
    issuer: str
    audience: str
    secret: str = field(repr=False)

    @property
    def database(self) -> Path:
        """The file of the SQLite database."""
        return self.data / "demo.sqlite3"

    @property
    def uploads(self) -> Path:
        """The folder of the uploaded files."""
        return self.data / "uploads"


def read_settings(env: Mapping[str, str], data: str | None = None) -> Settings:
    """Read the settings.

    Args:
        env: the environment.
        data: folder given on the command line, which goes before the environment.

    Raises:
        SettingsError: a required variable is absent, or the secret is too short.
    """
    secret = _required(env, "RTHUB_AUTH_HS256_SECRET")
    if len(secret.encode()) < _SHORTEST_SECRET:
        problem = f"RTHUB_AUTH_HS256_SECRET is shorter than {_SHORTEST_SECRET} bytes."
        raise SettingsError(problem)
    origins = env.get("SHIPSPEAK_DEMO_ALLOWED_ORIGINS", "").split(",")
    return Settings(
        data=Path(data or env.get("SHIPSPEAK_DEMO_DATA") or "shipspeak-demo"),
        hub=env.get("SHIPSPEAK_DEMO_HUB") or "127.0.0.1:50051",
        allowed_origins=tuple(o.strip().rstrip("/") for o in origins if o.strip()),
        public_url=env.get("SHIPSPEAK_DEMO_PUBLIC_URL", "").rstrip("/"),
        samples=Path(env.get("SHIPSPEAK_DEMO_SAMPLES") or _SAMPLES),
        issuer=_required(env, "RTHUB_AUTH_ISSUER"),
        audience=_required(env, "RTHUB_AUTH_AUDIENCE"),
        secret=secret,
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        problem = f"{name} is not set; 'rthub demo' sets it, or set it to the hub's value."
        raise SettingsError(problem)
    return value
