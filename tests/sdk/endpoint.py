"""A provider on this machine: answers what it is told to, one answer after another for each path."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """One answer: its body in pieces, each sent by itself; ``cut`` ends it in the middle."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    pause_s: float = 0.0
    cut: bool = False


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        (json.dumps(value).encode(),),
        status,
        headers=tuple((name.replace("_", "-"), text) for name, text in headers.items()),
    )


def as_events(*events: Any, done: bool = False, named: bool = False, **more: Any) -> Answer:
    """Server-sent events, one piece each; ``named`` gives each its type's name, as Anthropic does."""
    pieces = []
    for event in events:
        head = f"event: {event['type']}\n" if named else ""
        pieces.append(f"{head}data: {json.dumps(event)}\n\n".encode())
    if done:
        pieces.append(b"data: [DONE]\n\n")
    return Answer(tuple(pieces), kind="text/event-stream", **more)


@dataclass
class Endpoint:
    """The server; use as a context manager."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def add(self, path: str, *answers: Answer) -> None:
        """The next answers of a path; the last one stays."""
        self.answers[path] = list(answers)

    def __enter__(self) -> Self:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                path = self.path.partition("?")[0]
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint.requests.append((path, headers, _parsed(body)))
                waiting = endpoint.answers.get(path)
                if not waiting:
                    answer = as_json({"error": {"message": f"no answer for {path}"}}, 404)
                else:
                    answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                self._answer(answer)

            do_POST = do_GET = _serve  # noqa: N815

            def _answer(self, answer: Answer) -> None:
                self.send_response(answer.status)
                self.send_header("content-type", answer.kind)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                try:
                    for piece in answer.pieces:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                        self.wfile.flush()
                        time.sleep(answer.pause_s)
                    if answer.cut:
                        self.close_connection = True
                        self.connection.shutdown(2)
                        return
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    self.close_connection = True

            def log_message(self, *_args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
