"""Real credentials: read from the environment, a file or a command, and told to nobody.

A `Credential` has no text form that shows it. Files are looked at every second, so a secret that an
agent of the platform rotates is in use without a reload; a command is run again after its time.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from time import monotonic
from typing import Final

from tallybook.errors import WrongUsageError
from tallybook.gateway.model import Kind, Secret, Upstream

_COMMAND_S: Final = 30
_HEADERS: Final[Mapping[Kind, tuple[bytes, bytes]]] = {
    "openai": (b"Authorization", b"Bearer "),
    "vertex": (b"Authorization", b"Bearer "),
    "anthropic": (b"x-api-key", b""),
    "azure": (b"api-key", b""),
    "gemini": (b"x-goog-api-key", b""),
    "bedrock": (b"Authorization", b"Bearer "),
}
"""How each kind of upstream takes its key; Bedrock's requests are signed instead."""
_AWS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Credential:
    """What opens one upstream, as it is now.

    Args:
        upstream: whose.
        environment: of the process.
    """

    def __init__(self, upstream: Upstream, environment: Mapping[str, str] = os.environ) -> None:
        self._name = upstream.name
        self._source = upstream.secret
        self._aws = upstream.kind == "bedrock"
        self._environment = environment
        self._seen: tuple[int, int] | None = None
        self._due_s = 0.0
        self._kind = upstream.kind
        self.value = ""
        self.lines = b""
        """the header that carries it"""
        self.aws = ("", "", "")
        self.refresh()

    def __repr__(self) -> str:
        return f"Credential({self._name!r})"

    @property
    def marks(self) -> tuple[bytes, ...]:
        """Texts that must not pass to anybody: each secret, as bytes."""
        return tuple(one.encode() for one in (self.value, self.aws[1], self.aws[2]) if one)

    @property
    def is_slow(self) -> bool:
        """Whether to refresh takes long: a command is due."""
        return bool(self._source.command) and monotonic() >= self._due_s

    def refresh(self) -> None:
        """Read it again where that may bring another.

        Raises:
            WrongUsageError: it is not there, or is no credential; the old one stays.
        """
        source = self._source
        if source.file is not None:
            self._from_file(source)
        elif source.command:
            if monotonic() >= self._due_s:
                self._take(self._run(source))
                self._due_s = monotonic() + source.every_s
        elif source.env:
            self._take(self._environment.get(source.env, ""))
        elif self._aws:
            self._take(":".join(self._environment.get(name, "") for name in _AWS).rstrip(":"))

    def _from_file(self, source: Secret) -> None:
        assert source.file is not None
        try:
            stat = source.file.stat()
            if (stat.st_mtime_ns, stat.st_ino) == self._seen:
                return
            told = source.file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise self._missing(f"its file {source.file} cannot be read") from error
        self._take(told)
        self._seen = (stat.st_mtime_ns, stat.st_ino)

    def _run(self, source: Secret) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                source.command, capture_output=True, text=True, timeout=_COMMAND_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
            raise self._missing(f"{source.command[0]} did not answer") from error
        if done.returncode:
            raise self._missing(f"{source.command[0]} ended with {done.returncode}")
        return done.stdout

    def _take(self, told: str) -> None:
        value = told.strip()
        if not value or not value.isascii() or not value.isprintable():
            raise self._missing("what stands there is no line of printable characters")
        if self._aws:
            key, _, rest = value.partition(":")
            secret, _, token = rest.partition(":")
            if not secret:
                raise self._missing("expected access-key:secret[:session-token]")
            self.aws = (key, secret, token)
        else:
            self.value = value
            name, before = _HEADERS[self._kind]
            self.lines = b"%b: %b%b\r\n" % (name, before, value.encode())

    def _missing(self, why: str) -> WrongUsageError:
        source = self._source
        where = (
            source.env or (str(source.file) if source.file else "") or " ".join(source.command[:1])
        )
        return WrongUsageError(
            f"no credential for upstream {self._name!r}: {why}",
            where=where or ("AWS_ACCESS_KEY_ID" if self._aws else ""),
            next_step="set it; its value is never shown or kept",
        )
