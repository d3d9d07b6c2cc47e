"""The server as a process of its own, as `tallybook serve` starts it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MAIN = "from tallybook.cli.main import main; main()"


class Served:
    """A server that runs: where, and how to end it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.host, self.port = url.removeprefix("http://").split(":")

    def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """One request to /v1/traces on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=30)
        try:
            connection.request("POST", "/v1/traces", body, dict(headers))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    def kill(self) -> None:
        """Kill -9: nothing is told to it, nothing is finished."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@contextmanager
def serving(home: Path, *options: str, before: str = "") -> Iterator[Served]:
    """``tallybook serve`` on a free port.

    Args:
        home: the books.
        options: of the command.
        before: Python that the process runs first.
    """
    command = [sys.executable, "-c", f"{before}\n{MAIN}", "--home", str(home), "serve"]
    process = subprocess.Popen(
        [*command, "--port", "0", *options], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        line = process.stderr.readline()
        assert "http://" in line, line + process.stderr.read()
        yield Served(process, line[line.index("http://") :].strip())
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()
