"""I1: TLS on both doors, services known by their certificates, certificates renewed on the way."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import metrics_pb2
from shipspeak_realtime import AuthError, DeadlineError, RealtimeClient
from tests.integration.test_sdk_cli import RTHUB
from tests.support.hub_process import HubProcess
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)
SECRET = "integration-secret-0123456789abcdef"
FIGURE = metrics_pb2.MetricsUpdate(metrics=[metrics_pb2.Metric(name="n", value=1)])


def _make(folder: Path) -> None:
    command = [RTHUB, "dev-certs", str(folder), "--client", "billing", "--client", "stranger"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    _make(folder)
    return folder


def _env(certs: Path) -> dict[str, str]:
    return {
        "RTHUB_AUTH_HS256_SECRET": SECRET,
        "RTHUB_TLS_CERT_FILE": str(certs / "server.pem"),
        "RTHUB_TLS_KEY_FILE": str(certs / "server.key"),
    }


@pytest.fixture(scope="module")
def hub(certs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    env = {
        **_env(certs),
        "RTHUB_TLS_CLIENT_CA_FILE": str(certs / "ca.pem"),
        "RTHUB_TLS_IDENTITIES": json.dumps(
            [{"certificate": "billing", "grants": {"publish": ["**"], "subscribe": ["**"]}}]
        ),
    }
    with HubProcess(tmp_path_factory.mktemp("hub"), env=env, dev=False) as process:
        yield process


def _credentials(certs: Path, client: str = "") -> grpc.ChannelCredentials:
    ca = (certs / "ca.pem").read_bytes()
    if not client:
        return grpc.ssl_channel_credentials(ca)
    key, chain = ((certs / f"{client}.{kind}").read_bytes() for kind in ("key", "pem"))
    return grpc.ssl_channel_credentials(ca, key, chain)


async def test_a_service_is_known_by_its_certificate(hub: HubProcess, certs: Path) -> None:
    async with RealtimeClient(hub.grpc, credentials=_credentials(certs, "billing")) as client:
        receipt = await client.publish("meeting/1", FIGURE)
        assert receipt.offset == 1
        async for event in client.subscribe("meeting/1", start="earliest"):
            assert event.publisher == "billing"
            break


async def test_a_certificate_that_the_settings_do_not_name_gives_no_rights(
    hub: HubProcess, certs: Path
) -> None:
    async with RealtimeClient(hub.grpc, credentials=_credentials(certs, "stranger")) as client:
        with pytest.raises(AuthError, match="TOKEN_MISSING"):
            await client.publish("meeting/1", FIGURE)


@pytest.mark.parametrize("credentials", ["none", "no certificate"])
async def test_without_a_certificate_nobody_gets_in(
    hub: HubProcess, certs: Path, credentials: str
) -> None:
    given = None if credentials == "none" else _credentials(certs)
    async with RealtimeClient(hub.grpc, credentials=given) as client:
        with pytest.raises(DeadlineError, match="UNAVAILABLE"):
            await client.publish("meeting/1", FIGURE, timeout=5)


def _get(url: str, context: ssl.SSLContext | None = None) -> int:
    with urllib.request.urlopen(url, context=context, timeout=30) as answer:  # noqa: S310
        return int(answer.status)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_browsers_door_speaks_tls_1_2_and_up(hub: HubProcess, certs: Path) -> None:
    assert hub.http.startswith("https://")
    good = ssl.create_default_context(cafile=certs / "ca.pem")
    assert _get(f"{hub.http}/readyz", good) == 200
    old = ssl.create_default_context(cafile=certs / "ca.pem")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)protocol|version|ssl|alert"):
        _get(f"{hub.http}/readyz", old)
    with pytest.raises(OSError, match=r"(?i)closed|reset|empty|status"):
        _get(hub.http.replace("https://", "http://") + "/readyz")


def test_the_command_line_speaks_tls(hub: HubProcess, certs: Path) -> None:
    files = {"ca-file": "ca.pem", "client-cert-file": "billing.pem"}
    files["client-key-file"] = "billing.key"
    options = [part for name, file in files.items() for part in (f"--{name}", str(certs / file))]
    command = [RTHUB, *options, "health", "--server", hub.grpc]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout.split()[:1]) == (0, ["SERVING"]), asked.stderr


async def test_a_renewed_certificate_is_used_for_new_connections(tmp_path: Path) -> None:
    """No restart: streams that are open go on, and new clients see the new one."""
    certs = tmp_path / "certs"
    _make(certs)
    old = _credentials(certs)
    with HubProcess(tmp_path / "hub", env=_env(certs)) as hub:
        async with RealtimeClient(hub.grpc, credentials=old) as before:
            await before.publish("meeting/1", FIGURE)
            _make(certs)
            new = ssl.create_default_context(cafile=certs / "ca.pem")

            def renewed() -> bool:
                try:
                    return _get(f"{hub.http}/readyz", new) == 200
                except OSError:
                    return False

            await until(renewed, seconds=120)
            async with RealtimeClient(hub.grpc, credentials=_credentials(certs)) as after:
                await after.publish("meeting/1", FIGURE)
            await before.publish("meeting/1", FIGURE)
