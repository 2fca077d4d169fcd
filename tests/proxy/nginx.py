"""The nginx of deploy/nginx in front of a hub: its own processes, port and folder, no TLS."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

CONFIG = Path(__file__).resolve().parents[2] / "deploy/nginx/rthub.conf"
START_SECONDS = 30.0
_MAIN = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/rthub.conf;
}}
"""


def shipped(port: int, hub: str, cache: Path) -> str:
    """The shipped file with the address, the folder and the certificate of this test."""
    text = CONFIG.read_text(encoding="utf-8")
    changes = {
        "server 127.0.0.1:8080;": f"server {hub};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        "/var/cache/nginx/rthub": str(cache),
    }
    for old, new in changes.items():
        assert text.count(old) == 1, f"{CONFIG.name} has changed: {old}"
        text = text.replace(old, new)
    return "\n".join(line for line in text.splitlines() if "ssl_certificate" not in line)


class Nginx:
    """nginx in the foreground.

    Args:
        folder: gets its files.
        hub: address of the browsers' door, ``http://host:port``.

    Attributes:
        port: that it listens on.
        cache: folder of its cache.
    """

    def __init__(self, folder: Path, hub: str) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.port = _free_port()
        self._hub = hub.removeprefix("http://")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def http(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        # A root's worker would be another user, who may not write here.
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(_MAIN.format(folder=self.folder, user=user))
        (self.folder / "rthub.conf").write_text(shipped(self.port, self._hub, self.cache))
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "nginx is not installed: apt-get install nginx-light"
        self._process = subprocess.Popen(
            [program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(START_SECONDS)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
