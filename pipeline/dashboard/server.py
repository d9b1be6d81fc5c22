"""Listens for the dashboard's visitors until it is stopped."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.errors import UsageError
from pipeline.settings import Settings

_LOCALHOST: Final = "127.0.0.1"


def serve(out: Path, settings: Settings, host: str, port: int) -> None:
    """Show the tables in ``out`` on a web page at ``host``:``port`` until Ctrl+C. Port 0 is any.

    Raises:
        UsageError: a package is missing, the port is taken, or nothing is published in ``out``.
    """
    try:
        import uvicorn

        from pipeline.dashboard.app import application
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the dashboard needs {error.name}; install it with: pip install 'exonym[dashboard]'"
        ) from None
    app = application(out, settings, _names_of(host))
    listening = listen(host, port)
    address = listening.getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    print(f"Exonym: http://{shown}:{address[1]} (Ctrl+C stops)", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False))
    with listening, suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def _names_of(host: str) -> list[str]:
    """Return the host names a browser may use: any where other machines may come in."""
    with suppress(ValueError):
        if not ipaddress.ip_address(host).is_loopback:
            return ["*"]
    return ["localhost", _LOCALHOST, "[::1]", host]


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to ``host``:``port``; port 0 is any free one.

    Raises:
        UsageError: the port is taken, or this machine has no such address.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise UsageError(
            f"cannot listen at {host} port {port}: {error.strerror}; choose another --port"
        ) from None
    return listening
