from __future__ import annotations

import gzip

import pytest

from web_bridge.coding import MIN_BYTES, THREAD_BYTES, coded, reads_gzip, worth_coding


@pytest.mark.parametrize(
    ("field", "reads"),
    [
        (None, False),
        (b"", False),
        (b"gzip, deflate, br, zstd", True),
        (b"GZIP;Q=1.0", True),
        (b"x-gzip", True),
        (b"gzip; q=0.001", True),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000, *", False),
        (b"*", True),
        (b"*;q=0, gzip", True),
        (b"br;q=1, *;q=0", False),
        (b"identity", False),
        (b"gzip;q=nonsense", False),
        (b"\xff\x00", False),
    ],
)
def test_gzip_is_taken_by_who_says_so(field: bytes | None, reads: bool) -> None:
    headers = [] if field is None else [(b"accept-encoding", field)]
    assert reads_gzip(headers) is reads


def test_what_fits_into_one_packet_stays_as_it_is() -> None:
    assert not worth_coding(MIN_BYTES - 1)
    assert worth_coding(MIN_BYTES)


@pytest.mark.parametrize("size", [MIN_BYTES, THREAD_BYTES, 4 * THREAD_BYTES])
async def test_a_coded_body_is_the_body(size: int) -> None:
    body = bytes(range(256)) * (size // 256)
    once = await coded(body)
    assert gzip.decompress(once) == body
    assert once == await coded(body), "equal bodies must stay equal"
