"""A provider on this machine that sends bytes exactly as it is told, good or bad."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Self

CLOSE = "close"
"""A step: the connection ends here."""
HANG = "hang"
"""A step: nothing more comes, and the connection stays."""


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes
    connection: int

    def named(self, name: str) -> list[str]:
        return [value for told, value in self.headers if told.lower() == name]


def answer(
    body: bytes | list[bytes],
    kind: str = "application/json",
    status: str = "200 OK",
    **headers: str,
) -> list[Any]:
    """An answer with its length, or in chunks if the body is a list."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if isinstance(body, bytes):
        lines.append(f"Content-Length: {len(body)}")
        return [("\r\n".join(lines) + "\r\n\r\n").encode() + body]
    lines.append("Transfer-Encoding: chunked")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    return [head, *(b"%x\r\n%b\r\n" % (len(one), one) for one in body if one), b"0\r\n\r\n"]


@dataclass
class Provider:
    """The server. ``answers`` has steps for each path: bytes, seconds or an event to wait for,
    CLOSE or HANG."""

    tls: ssl.SSLContext | None = None
    answers: dict[str, list[list[Any]]] = field(default_factory=lambda: defaultdict(list))
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    pause_s: float = 0.0
    broken: list[str] = field(default_factory=list)
    read_whole: bool = True

    def add(self, path: str, *answers: list[Any]) -> None:
        """The next answers at a path; the last one stays."""
        self.answers[path] = list(answers)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self._listening.close()
        for one in list(self._open):
            one.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(
                target=self._serve, args=(connection, self.connections), daemon=True
            ).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            held = b""
            while True:
                asked, held = self._read(connection, held, number)
                if asked is None or not self._answer(connection, asked):
                    return
        except (OSError, ValueError) as error:
            self.broken.append(f"{type(error).__name__} {error}")
        finally:
            self._open.discard(connection)
            connection.close()

    def _read(
        self, connection: socket.socket, held: bytes, number: int
    ) -> tuple[Asked | None, bytes]:
        while b"\r\n\r\n" not in held:
            more = connection.recv(65536)
            if not more:
                return None, b""
            held += more
        head, _, rest = held.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = [(n.strip(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        named = {name.lower(): value for name, value in headers}
        if not self.read_whole:
            body, rest = rest, b""
        elif named.get("transfer-encoding") == "chunked":
            body, rest = self._chunks(connection, rest)
        else:
            length = int(named.get("content-length", "0"))
            while len(rest) < length:
                more = connection.recv(65536)
                if not more:
                    raise ValueError("the request was cut")
                rest += more
            body, rest = rest[:length], rest[length:]
        asked = Asked(method, target, headers, body, head, number)
        self.asked.append(asked)
        return asked, rest

    def _chunks(self, connection: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
        body = b""
        while True:
            while b"\r\n" not in rest:
                rest += self._more(connection)
            line, _, rest = rest.partition(b"\r\n")
            size = int(line, 16)
            while len(rest) < size + 2:
                rest += self._more(connection)
            body, rest = body + rest[:size], rest[size + 2 :]
            if not size:
                return body, rest

    def _more(self, connection: socket.socket) -> bytes:
        more = connection.recv(65536)
        if not more:
            raise ValueError("the request was cut")
        return more

    def _answer(self, connection: socket.socket, asked: Asked) -> bool:
        path = asked.target.partition("?")[0]
        waiting = self.answers.get(path)
        if not waiting:
            steps = answer(b'{"error": {"message": "nothing here"}}', status="404 Not Found")
        else:
            steps = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        for step in steps:
            if step == CLOSE:
                return False
            if step == HANG:
                connection.settimeout(30)
                connection.recv(1)
                return False
            if isinstance(step, float):
                time.sleep(step)
            elif isinstance(step, threading.Event):
                assert step.wait(20)
            else:
                connection.sendall(step)
                if self.pause_s:
                    time.sleep(self.pause_s)
        return True
