"""I1: keys fetched from an issuer's address, on a real hub and a real web server."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shipspeak.realtime.v1 import frame_pb2
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft

if TYPE_CHECKING:
    from pathlib import Path

KEY = ec.generate_private_key(ec.SECP256R1())


class _Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.end_headers()
            return
        body = json.dumps(
            {"keys": [{**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "k"}]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


async def test_keys_come_from_the_issuer_s_address_and_never_by_a_redirect(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        issuers = [
            {"issuer": name, "audience": "rt", "algorithms": ["ES256"], "jwks_url": address + path}
            for name, path in (("good", "/keys"), ("moved", "/moved"))
        ]
        env = {"RTHUB_AUTH_ISSUERS": json.dumps(issuers)}
        with HubProcess(tmp_path, env=env, dev=False) as hub:
            async with RawClient(hub.grpc, _token("good")) as client:
                await client.publish(draft("meeting/1", 1))
            async with RawClient(hub.grpc, _token("moved")) as client:
                request = frame_pb2.PublishRequest(drafts=[draft("meeting/1", 2)])
                code, reason = await client.refused("Publish", request)
                assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "KEYS_UNAVAILABLE")
        server.shutdown()


def _token(issuer: str) -> str:
    claims = {
        "sub": "alice",
        "iss": issuer,
        "aud": "rt",
        "exp": time.time() + 60,
        "grants": {"publish": ["**"]},
    }
    return jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "k"})
