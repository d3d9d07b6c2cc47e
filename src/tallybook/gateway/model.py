"""What the gateway goes by: its upstreams, limits and policy, and the keys that it issued."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

Kind = Literal["openai", "azure", "anthropic", "bedrock", "gemini", "vertex"]
"""Whose API an upstream speaks: it decides how errors look and how a credential is sent."""

Untagged = Literal["refuse", "admit"]
OnAbort = Literal["drain", "cancel"]
Stamp = Literal["metadata", "safety_identifier", "user_id", "requestMetadata", "labels"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STAMPS: Final[tuple[Stamp, ...]] = get_args(Stamp)
REQUIRABLE: Final = ("team", "feature", "purpose", "customer")
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a credential comes from; the value itself is never a part of the configuration.

    One of ``env`` (a variable), ``file`` (read again when it changes) and ``command`` (run again
    every ``every_s``) is set, or none where the upstream takes no credential.
    """

    env: str = ""
    file: Path | None = None
    command: tuple[str, ...] = ()
    every_s: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A provider that calls are passed on to.

    ``host`` and ``port`` are where it listens, ``base`` the path before the client's own.
    ``on_abort`` is ``cancel`` only where hanging up stops the provider's bill. ``stream_usage``
    asks chat streams for their usage. ``stamps`` are the fields of the provider in which tags are
    written. ``allow`` are routes beside those that are known, as (method, pattern).
    """

    name: str
    kind: Kind
    host: str
    port: int
    tls: bool
    base: str = ""
    provider: str = ""
    region: str = ""
    secret: Secret = field(default_factory=Secret)
    ca_file: Path | None = None
    on_abort: OnAbort = "drain"
    stream_usage: bool = True
    stamps: tuple[Stamp, ...] = ()
    allow: tuple[tuple[str, re.Pattern[str]], ...] = ()

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.tls else 80)
        return host if usual else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much and how long; seconds, bytes.

    ``body_bytes`` bounds a body that is read before it is passed on (JSON), ``upload_bytes`` one
    that is streamed (files, sound). ``first_byte_s`` is how long an upstream may think, ``idle_s``
    how long it may pause in an answer. ``drain_s`` and ``drain_bytes`` bound what is read of an
    answer whose caller has left.
    """

    head_bytes: int = 64 * 1024
    body_bytes: int = 64 * MIB
    upload_bytes: int = 1024 * MIB
    client_s: float = 60.0
    keepalive_s: float = 75.0
    connect_s: float = 10.0
    first_byte_s: float = 600.0
    idle_s: float = 300.0
    pool_s: float = 20.0
    pool_size: int = 1024
    drain_s: float = 120.0
    drain_bytes: int = 64 * MIB
    stop_s: float = 30.0
    connections: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPolicy:
    """What a call must carry, and what happens to one that does not.

    ``refuse`` answers it with an error; ``admit`` lets it through without an owner: the unowned
    team of the books answers for it. ``cost_header`` tells the cost of an answer in its head.
    """

    untagged: Untagged = "refuse"
    required: tuple[str, ...] = ("team", "feature")
    cost_header: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """How calls are held to the budgets of the books.

    ``unpriced`` is for a call under a limit whose model has no price, ``blind`` for one of which
    nobody can say what is left: no limits are known, or this gateway was cut off for longer than
    ``lease_s`` from the server that it shares budgets through. ``wait_s`` is how long a call waits
    while others hold what is left. ``output_tokens`` bound an answer where the request does not.
    ``server`` is the address of that server, or ``server_env`` names the variable that holds it.
    """

    unpriced: Untagged = "refuse"
    blind: Untagged = "refuse"
    wait_s: int = 5
    header: bool = False
    request_url: str = ""
    output_tokens: int = 16_384
    server: str = ""
    server_env: str = ""
    lease_s: int = 300
    nodes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """One configuration file, checked. ``digest`` is that of its bytes."""

    host: str
    port: int
    workers: int
    spool: Path
    keys: Path
    upstreams: tuple[Upstream, ...]
    default: str = ""
    ship_to: str = ""
    books: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    policy: TagPolicy = field(default_factory=TagPolicy)
    budgets: BudgetPolicy | None = None
    limits: Limits = field(default_factory=Limits)
    spool_bytes: int = 8192 * MIB
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualKey:
    """A key that the gateway issued. Only the digest of its secret is kept.

    A scope of no entries allows anything; a scope of one plain entry is also what a call without
    that tag belongs to. Entries may be globs. ``expires_us`` is 0 without an end.
    """

    id: str
    digest: str
    hint: str
    issued_us: int
    teams: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    upstreams: tuple[str, ...] = ()
    untagged: Untagged | Literal[""] = ""
    expires_us: int = 0
    revoked_us: int = 0

    def scope(self, tag: str) -> tuple[str, ...]:
        """The entries that bound a tag; () where anything goes."""
        return {"team": self.teams, "feature": self.features, "purpose": self.purposes}.get(tag, ())


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that is not passed on, or that brought no answer.

    ``code`` is a word of ours for programs (``key_unknown``), ``message`` is for people: what is
    wrong and what to do. ``details`` are its figures, for programs. A refusal that ``is_final``
    tells clients not to try again by themselves.
    """

    status: int
    code: str
    message: str
    retry_after_s: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    is_final: bool = False


Headers = Mapping[str, str]
"""Names in lower case."""
