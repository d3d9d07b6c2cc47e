"""Batches, seen from outside: who began one, and the lines of its results as they pass."""

from __future__ import annotations

from typing import Final

import msgspec

from tallybook.gateway.call import Call, Ledger

_OBJECT_MAX: Final = 1024 * 1024
_LINE_MAX: Final = 16 * 1024 * 1024
_LINES: Final = 500
_NAMES: Final = ("id", "output_file_id", "error_file_id")


class Begun:
    """The answer to the request that begins a batch, or that asks how it stands.

    Args:
        call: the request.
        ledger: where owners are kept.
    """

    def __init__(self, call: Call, ledger: Ledger) -> None:
        self._call = call
        self._ledger = ledger
        self._body = b""

    def feed(self, content: bytes, *, ended: bool) -> None:
        """Take the next of the answer."""
        if len(self._body) <= _OBJECT_MAX:
            self._body += content
        if not ended:
            return
        told = _told(self._body)
        name = told.get("id", "")
        if not name:
            return
        if self._call.treatment == "batch":
            self._ledger.begun(self._call, [f"batch {name}"])
        for other in ("output_file_id", "error_file_id"):
            if told.get(other):
                self._ledger.alias(self._call, f"batch {name}", f"file {told[other]}")


class Results:
    """The results of a batch as they pass, line by line.

    Args:
        call: that asks for them.
        name: under which their owner was kept.
        ledger: that settles them.
    """

    def __init__(self, call: Call, name: str, ledger: Ledger) -> None:
        self._call = call
        self._name = name
        self._ledger = ledger
        self._held = b""

    def feed(self, content: bytes, *, ended: bool) -> None:
        """Take the next of them."""
        lines = (self._held + content).split(b"\n")
        self._held = b"" if ended else lines.pop()
        if len(self._held) > _LINE_MAX:
            self._held = b""
        whole = [line for line in lines if line.strip()]
        for at in range(0, len(whole), _LINES):
            self._ledger.settle_lines(self._call, self._name, whole[at : at + _LINES])


def watch_of(call: Call, ledger: Ledger) -> Begun | Results | None:
    """What watches the answer to a request about a batch; None for all others."""
    parts = call.path.split("/")
    if call.treatment == "batch":
        return Begun(call, ledger)
    if call.treatment == "results":
        if parts[-1] == "content":
            return Results(call, f"file {parts[-2]}", ledger)
        return Results(call, f"batch {parts[-2]}", ledger)
    if call.treatment == "free" and call.method == "GET" and parts[-2:-1] == ["batches"]:
        return Begun(call, ledger)
    return None


def _told(body: bytes) -> dict[str, str]:
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return {
            name: msgspec.json.decode(fields[name], type=str)
            for name in _NAMES
            if name in fields and bytes(fields[name]).startswith(b'"')
        }
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
