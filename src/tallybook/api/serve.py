"""The server as a process: where it listens, and how it ends."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from fastapi import FastAPI

from tallybook.errors import StoreError

_CONNECTIONS_MAX: Final = 256
_END_S: Final = 20


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        StoreError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_CONNECTIONS_MAX)
    except OSError as error:
        made.close()
        raise StoreError(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            next_step="choose another --port, or end what listens there",
        ) from error
    return made


def serve(app: FastAPI, listening: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Serve until told to end; requests that were begun are finished.

    Args:
        app: what to serve.
        listening: from `listen`.
        on_ready: told the address.
    """
    host, port = listening.getsockname()[:2]
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_graceful_shutdown=_END_S,
        lifespan="on",
    )
    on_ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    uvicorn.Server(config).run(sockets=[listening])
