"""Batches, seen from outside: how large one is, who began it, and the lines of its results."""

from __future__ import annotations

from typing import Final

import msgspec

from tallybook.gateway.call import Call, Ledger
from tallybook.gateway.pending import Pending
from tallybook.gateway.sizing import Group, batched

_OBJECT_MAX: Final = 1024 * 1024
_LINE_MAX: Final = 16 * 1024 * 1024
_LINES: Final = 500
_NAMES: Final = ("id", "output_file_id", "error_file_id", "status", "input_file_id")
_OVER: Final = frozenset({"completed", "failed", "expired", "cancelled"})


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
        if told.get("status") in _OVER and not told.get("output_file_id"):
            self._ledger.ended(self._call, f"batch {name}", 0)


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
        self._costs: list[int | None] = []

    def feed(self, content: bytes, *, ended: bool) -> None:
        """Take the next of them."""
        lines = (self._held + content).split(b"\n")
        self._held = b"" if ended else lines.pop()
        if len(self._held) > _LINE_MAX:
            self._held = b""
        whole = [line for line in lines if line.strip()]
        for at in range(0, len(whole), _LINES):
            part = whole[at : at + _LINES]
            self._costs += self._ledger.settle_lines(self._call, self._name, part)
        # A file of errors costs nothing and is not all there is; Anthropic's results are.
        is_all = self._name.startswith("batch ") or any(cost != 0 for cost in self._costs)
        if ended and self._costs and is_all:
            known = [cost for cost in self._costs if cost is not None]
            is_known = len(known) == len(self._costs)
            self._ledger.ended(self._call, self._name, sum(known) if is_known else None)


class Uploaded:
    """A file on its way to a provider: how large its requests are, if a batch is to read them.

    Args:
        call: that sends it.
        ledger: where sizes are kept.
        output_tokens: what an answer has at most where a request does not say.
    """

    def __init__(self, call: Call, ledger: Ledger, output_tokens: int) -> None:
        self._call = call
        self._ledger = ledger
        self._output_tokens = output_tokens
        self._groups: dict[str, Group] = {}
        self._held = self._body = b""
        self._is_readable = True
        self.sent(call.body)

    def sent(self, content: bytes) -> None:
        """Take the next of what is sent; lines that are no object are the form around the file."""
        if not self._is_readable:
            return
        *lines, self._held = (self._held + content).split(b"\n")
        try:
            for line in lines:
                if line.startswith(b"{"):
                    provider = self._call.upstream.provider
                    self._groups = batched(self._groups, line, provider, self._output_tokens)
        except ValueError:
            self._is_readable = False
        self._is_readable = self._is_readable and len(self._held) <= _LINE_MAX

    def feed(self, content: bytes, *, ended: bool) -> None:
        """Take the next of the answer, which names the file."""
        if len(self._body) <= _OBJECT_MAX:
            self._body += content
        name = _told(self._body).get("id") if ended else None
        if name and self._is_readable and self._groups:
            self._ledger.sized(self._call, f"file {name}", self._groups)


def batch_of(call: Call, pending: Pending, output_tokens: int) -> dict[str, Group]:
    """The requests of a batch that is to begin, by model; nothing if nobody knows them here.

    Args:
        call: that begins it: its body holds them, or names a file that came this way.
        pending: where sizes of files are kept.
        output_tokens: what an answer has at most where a request does not say.
    """
    name = _told(call.body).get("input_file_id")
    if name:
        return pending.size_of(call.upstream.name, f"file {name}")
    try:
        return batched({}, call.body, call.upstream.provider, output_tokens)
    except ValueError:
        return {}


Watch = Begun | Results | Uploaded


def watch_of(call: Call, ledger: Ledger) -> Watch | None:
    """What watches a request about a batch; None for all others."""
    parts = call.path.split("/")
    if call.treatment == "batch":
        return Begun(call, ledger)
    if call.treatment == "results":
        if parts[-1] == "content":
            return Results(call, f"file {parts[-2]}", ledger)
        return Results(call, f"batch {parts[-2]}", ledger)
    if call.treatment == "free" and call.method == "GET" and parts[-2:-1] == ["batches"]:
        return Begun(call, ledger)
    if call.method == "POST" and parts[-1] == "files" and ledger.budgets is not None:
        return Uploaded(call, ledger, ledger.budgets.output_tokens)
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
