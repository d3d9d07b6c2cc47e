"""Portkey's gateway, to be measured beside ours: how it is started, and how a call asks it.

It comes from npm (``npm i --ignore-scripts @portkey-ai/gateway``, with ``@hono/node-server`` 1.13.7
for streams on Node 20). It meters nothing durably; it is what many would use instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

LEAST = 15
WARM_S = 45
FOLDER = "TALLYBOOK_BENCH_PORTKEY"
_SERVER = "node_modules/@portkey-ai/gateway/build/start-server.js"


def command_of(port: int, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What starts it on a port; [] where there is no Node, or it is not installed."""
    server = Path(environment.get(FOLDER, "")) / _SERVER
    node = shutil.which("node")
    if node is None or not environment.get(FOLDER) or not server.is_file():
        return []
    return [node, str(server), "--headless", f"--port={port}"]


def as_portkey_takes_it(url: str) -> dict[str, str]:
    """The headers with which a call names its provider."""
    return {"x-portkey-provider": "openai", "x-portkey-custom-host": url}
