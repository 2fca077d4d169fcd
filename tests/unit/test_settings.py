"""Unsafe settings are refused, and nothing else decides whether the hub is open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr, ValidationError

from hub.settings import Settings, unknown_variables

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith("RTHUB_"):
            monkeypatch.delenv(name)


def test_without_a_key_it_does_not_start() -> None:
    assert "no key" in _refused()


def test_dev_starts_without_a_key() -> None:
    assert Settings(dev=True).dev


def test_a_key_makes_dev_needless() -> None:
    assert not Settings(auth_hs256_secret=SecretStr(SECRET)).dev


def test_a_short_secret_is_refused_even_in_dev() -> None:
    assert "31 bytes" in _refused(auth_hs256_secret=SECRET[:31], dev=True)


def test_two_keys_are_refused(tmp_path: Path) -> None:
    assert "not both" in _refused(auth_hs256_secret=SECRET, auth_public_key_file=tmp_path / "key")


@pytest.mark.parametrize(
    "origin",
    ["https://a.example/", "https://A.example", "a.example", "https://a b", "https://a.example?x"],
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    assert f"allowed_origins: Value error, {origin!r} is no origin" in _refused(
        dev=True, allowed_origins=(origin,)
    )


@pytest.mark.parametrize("seconds", [0.1, 0.99, 61])
def test_a_heartbeat_that_the_hub_cannot_keep_is_refused(seconds: float) -> None:
    """It looks at its sessions once a second: peers told of less would find it silent."""
    assert "heartbeat_interval: " in _refused(dev=True, heartbeat_interval=seconds)


@pytest.mark.parametrize("config", ["{", "", "[]", "1"])
def test_a_page_configuration_that_is_no_json_object_is_refused(config: str) -> None:
    assert "page_config: " in _refused(dev=True, page_config=config)


def test_a_key_is_no_shared_secret() -> None:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert "PEM or SSH key" in _refused(auth_hs256_secret=pem)


def test_connect_sources_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTHUB_PAGE_CONNECT_SOURCES", "https://a.example, https://b.example,")
    assert Settings(dev=True).page_connect_sources == ("https://a.example", "https://b.example")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512", "rs256", "RS256 ", ""])
def test_only_the_three_algorithms(tmp_path: Path, algorithm: str) -> None:
    assert "auth_algorithm" in _refused(
        auth_public_key_file=tmp_path / "key", auth_algorithm=algorithm
    )


def test_any_origin_only_in_dev() -> None:
    assert "allowed_origins" in _refused(auth_hs256_secret=SECRET, allowed_origins=("*",))
    assert "allowed_origins" in _refused(auth_hs256_secret=SECRET, allowed_origins="https://a, *")
    assert Settings(dev=True, allowed_origins=("*",)).allowed_origins == ("*",)


def test_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTHUB_ALLOWED_ORIGINS", "https://a.example, https://b.example,")
    assert Settings(dev=True).allowed_origins == ("https://a.example", "https://b.example")


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTHUB_GRPC_PORT", "1111")
    monkeypatch.setenv("RTHUB_HTTP_PORT", "2222")
    settings = Settings(dev=True, grpc_port=3333)
    assert (settings.grpc_port, settings.http_port) == (3333, 2222)


def test_a_misspelt_setting_is_refused() -> None:
    assert "max_event_byte" in _refused(dev=True, max_event_byte=5)


def test_nothing_can_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        Settings(auth_hs256_secret=SecretStr(SECRET)).dev = True


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(Settings(auth_hs256_secret=SecretStr(SECRET)))
    assert SECRET[:31] not in _refused(auth_hs256_secret=SECRET[:31])


def _refused(**given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Settings(**given)
    return "\n".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in caught.value.errors(include_input=False)
    )


def test_a_connect_source_that_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch):
    """A list written as JSON once left the page without its back end, and the hub said nothing."""
    monkeypatch.setenv("RTHUB_PAGE_CONNECT_SOURCES", '["http://127.0.0.1:8090"]')
    with pytest.raises(ValidationError, match="is no origin"):
        Settings(dev=True)


def test_a_variable_that_is_no_setting_is_named_with_the_nearest_one() -> None:
    names = ["RTHUB_DATADIR", "RTHUB_DATA_DIR", "RTHUB_TOKEN", "RTHUB_XYZZY", "HOME"]
    assert unknown_variables(names) == {"RTHUB_DATADIR": "RTHUB_DATA_DIR", "RTHUB_XYZZY": ""}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"host": "0.0.0.0"}, "in plain text"),  # noqa: S104
        ({"host": "hub.internal"}, "in plain text"),
        ({"tls_cert_file": "c.pem"}, "give both"),
        ({"tls_client_ca_file": "ca.pem"}, "client certificates need TLS"),
        (
            {
                "tls_cert_file": "c.pem",
                "tls_key_file": "k.pem",
                "tls_identities": [{"certificate": "billing"}],
            },
            "needs tls_client_ca_file",
        ),
    ],
)
def test_doors_that_would_not_be_safe_are_refused(given: dict[str, Any], text: str) -> None:
    """I1: plain text stays on this machine unless it is asked for by name."""
    with pytest.raises(ValidationError, match=text):
        Settings.model_validate({"dev": True, **given})


@pytest.mark.parametrize(
    "given",
    [
        {"host": "127.0.0.2"},
        {"host": "::1"},
        {"host": "0.0.0.0", "allow_plaintext": True},  # noqa: S104
        {"host": "0.0.0.0", "tls_cert_file": "c.pem", "tls_key_file": "k.pem"},  # noqa: S104
    ],
)
def test_doors_that_are_safe_or_asked_for(given: dict[str, Any]) -> None:
    assert Settings.model_validate({"dev": True, **given}).host == given["host"]
