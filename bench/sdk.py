"""The hook: what it adds to a call, the network left out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2

from bench.figures import Figure
from bench.usage import CHAT, CHAT_STREAM
from tallybook.sdk.clients import client
from tallybook.sdk.hook import Hook
from tallybook.sdk.settings import Settings
from tallybook.sdk.tagging import tags

URL = "https://api.openai.com/v1/chat/completions"
CALLS = 200
ROUNDS = 40
ASKED: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "word " * 1_000}],
}
TARGET_MS = 0.3
NS_PER_MS = 1_000_000
_EVENTS = [part + b"\n\n" for part in CHAT_STREAM.split(b"\n\n") if part]


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def _answer(request: httpx2.Request) -> httpx2.Response:
    if b'"stream":true' in request.content:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=_Pieces(_EVENTS))
    return httpx2.Response(200, stream=_Pieces([CHAT]))


def figures(calls: int = CALLS, rounds: int = ROUNDS) -> Sequence[Figure]:
    """Milliseconds that the hook adds to a call and to a stream of fifty pieces, disk included."""
    with tempfile.TemporaryDirectory(prefix="tallybook-bench-") as folder:
        hook = Hook(Settings(spool=Path(folder) / "spool"))
        plain = httpx2.Client(transport=httpx2.MockTransport(_answer))
        metered = client(hook=hook, transport=httpx2.MockTransport(_answer))
        added = [
            _added_ms(plain, metered, {**ASKED, "stream": stream}, calls, rounds)
            for stream in (False, True)
        ]
        plain.close()
        metered.close()
        hook.close()
    return [
        Figure("added to a call", added[0], "ms", most=TARGET_MS),
        Figure("added to a stream of 52 events, in all", added[1], "ms"),
        Figure("  for each event", added[1] / len(_EVENTS), "ms", most=TARGET_MS),
    ]


def _call(http: Any, body: dict[str, Any]) -> None:
    with tags(team="support", feature="refund-bot"):
        http.post(URL, json=body, headers={"authorization": "Bearer sk-bench"})


def _added_ms(plain: Any, metered: Any, body: dict[str, Any], calls: int, rounds: int) -> float:
    """CPU time for each call, the best round of each, both measured in turn.

    The best, since whatever else the machine does can only add.
    """
    took = [(_each_ms(metered, body, calls), _each_ms(plain, body, calls)) for _ in range(rounds)]
    return min(one for one, _ in took) - min(other for _, other in took)


def _each_ms(http: Any, body: dict[str, Any], calls: int) -> float:
    started = time.process_time_ns()
    for _ in range(calls):
        _call(http, body)
    return (time.process_time_ns() - started) / calls / NS_PER_MS
