from __future__ import annotations

import pytest

from web_bridge.cors import CorsPolicy

ORIGIN = b"https://app.example"


def asked(origin: bytes, headers: bytes = b"authorization") -> list[tuple[bytes, bytes]]:
    return [
        (b"origin", origin),
        (b"access-control-request-method", b"POST"),
        (b"access-control-request-headers", headers),
    ]


@pytest.mark.parametrize(
    "origin",
    [
        "app.example",
        "https://app.example/",
        "https://app.example/x",
        "HTTPS://a",
        "https://App.example",
        "",
    ],
)
def test_a_mistyped_origin_is_seen_at_start(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        CorsPolicy([origin])


@pytest.mark.parametrize(
    "origin",
    [b"https://app.example.evil", b"http://app.example", b"https://app.example:8443", b"null", b""],
)
def test_only_exact_origins_are_permitted(origin: bytes) -> None:
    policy = CorsPolicy(["https://app.example"])
    assert not policy.permits([(b"origin", origin)])
    status, fields = policy.preflight(asked(origin))
    assert status == 403
    assert not [name for name, _ in fields if name.startswith(b"access-control-")]


def test_no_origin_is_no_page() -> None:
    assert CorsPolicy([]).permits([])


def test_preflight_names_the_asked_headers() -> None:
    status, fields = CorsPolicy(["https://app.example"]).preflight(
        asked(ORIGIN, b"authorization, x-a")
    )
    assert status == 204
    assert dict(fields)[b"access-control-allow-headers"] == b"authorization, x-a"


def test_preflight_repeats_no_odd_header_names() -> None:
    _, fields = CorsPolicy(["https://app.example"]).preflight(asked(ORIGIN, b"a\r\nx-injected: 1"))
    assert b"access-control-allow-headers" not in dict(fields)


@pytest.mark.parametrize("origins", [["https://app.example"], ["*"]])
def test_credentials_are_never_allowed(origins: list[str]) -> None:
    policy = CorsPolicy(origins)
    names = {name for name, _ in policy.preflight(asked(ORIGIN))[1]}
    names |= {name for name, _ in policy.response_headers([(b"origin", ORIGIN)])}
    assert b"access-control-allow-origin" in names
    assert b"access-control-allow-credentials" not in names
