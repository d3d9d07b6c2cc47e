"""The configuration file: read, checked whole, refused whole with file and line."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field

from tallybook.books.faults import Sheet
from tallybook.books.globs import glob_regex
from tallybook.books.scalars import Count, Id, Text, choice, read_rows, refusal
from tallybook.books.schema import Form, read_form
from tallybook.books.source import read_source
from tallybook.errors import BooksError
from tallybook.gateway.model import (
    KINDS,
    MIB,
    REQUIRABLE,
    STAMPS,
    BudgetPolicy,
    GatewayConfig,
    Kind,
    Limits,
    OnAbort,
    Secret,
    Stamp,
    TagPolicy,
    Untagged,
    Upstream,
)
from tallybook.meter.providers import provider_of, provider_of_url

_PROVIDERS: Final = {
    "openai": "openai",
    "azure": "azure",
    "anthropic": "anthropic",
    "bedrock": "aws",
    "gemini": "google",
    "vertex": "google",
}
_STAMPS_OF: Final[dict[str, tuple[str, ...]]] = {
    "openai": ("metadata", "safety_identifier"),
    "azure": ("metadata", "safety_identifier"),
    "anthropic": ("user_id",),
    "bedrock": ("requestMetadata",),
    "gemini": (),
    "vertex": ("labels",),
}
_OWN_PATHS: Final = frozenset({"healthz", "readyz", "metrics", "v1", "v1beta"})
_METHODS: Final = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD")
_PORT_MAX: Final = 65_535
_WORKERS_MAX: Final = 256


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 86_400:  # noqa: PLR2004
        raise refusal(f"{value!r} is no time", "1 to 86400 seconds", "write whole seconds")
    return value


Seconds = Annotated[int, BeforeValidator(_seconds)]
KindText = Annotated[Kind, BeforeValidator(choice(KINDS))]
StampText = Annotated[Stamp, BeforeValidator(choice(STAMPS))]
UntaggedText = Annotated[Untagged, BeforeValidator(choice(("refuse", "admit")))]
OnAbortText = Annotated[OnAbort, BeforeValidator(choice(("drain", "cancel")))]
RequirableText = Annotated[str, BeforeValidator(choice(REQUIRABLE))]


class UpstreamForm(Form):
    """One provider."""

    name: Id
    kind: KindText
    url: Text
    provider: Text | None = None
    region: Text | None = None
    key_env: Text | None = None
    key_file: Text | None = None
    key_command: Annotated[list[Text], BeforeValidator(read_rows)] = Field(default_factory=list)
    key_every_s: Seconds = 900
    ca_file: Text | None = None
    on_abort: OnAbortText = "drain"
    stream_usage: bool = True
    stamp: Annotated[list[StampText], BeforeValidator(read_rows)] = Field(default_factory=list)
    allow: Annotated[list[Text], BeforeValidator(read_rows)] = Field(default_factory=list)


class TlsForm(Form):
    """The gateway's own certificate."""

    certificate: Text
    key: Text


class PolicyForm(Form):
    """Tags."""

    untagged: UntaggedText = "refuse"
    required: Annotated[list[RequirableText], BeforeValidator(read_rows)] = Field(
        default_factory=lambda: ["team", "feature"]
    )
    cost_header: bool = False


class BudgetsForm(Form):
    """Budgets that hold; without the section no call is refused for one."""

    unpriced: UntaggedText = "refuse"
    blind: UntaggedText = "refuse"
    wait_s: Count = 5
    header: bool = False
    request_url: Text | None = None
    output_tokens: Count = 16_384
    server: Text | None = None
    server_env: Text | None = None
    lease_s: Seconds = 300
    nodes: Count = 0


class LimitsForm(Form):
    """Sizes in MiB, times in seconds."""

    body_mib: Count = 64
    upload_mib: Count = 1024
    spool_mib: Count = 8192
    drain_mib: Count = 64
    client_s: Seconds = 60
    keepalive_s: Seconds = 75
    connect_s: Seconds = 10
    first_byte_s: Seconds = 600
    idle_s: Seconds = 300
    pool_s: Seconds = 20
    drain_s: Seconds = 120
    stop_s: Seconds = 30
    connections: Count = 10_000


class GatewayForm(Form):
    """The file."""

    listen: Text = "127.0.0.1:8787"
    workers: Count = 0
    spool: Text
    keys: Text
    upstreams: list[UpstreamForm]
    default: Id | None = None
    ship_to: Text | None = None
    books: Text | None = None
    tls: TlsForm | None = None
    policy: PolicyForm = Field(default_factory=PolicyForm)
    budgets: BudgetsForm | None = None
    limits: LimitsForm = Field(default_factory=LimitsForm)


def read_config(path: Path) -> GatewayConfig:
    """Read and check a configuration file. Paths in it start from its own folder.

    Raises:
        BooksError: with every fault found; a gateway that runs goes on with what it had.
        OSError: the file cannot be read.
    """
    raw = path.read_bytes()
    sheet = Sheet(path.name)
    source = read_source(raw, sheet)
    config = None
    if source is not None:
        sheet = Sheet(path.name, source.lines, sheet.faults)
        form = read_form(GatewayForm, source.data, sheet)
        if form is not None:
            config = _built(form, path.parent.absolute(), sheet, sha256(raw).hexdigest())
    if sheet.faults or config is None:
        raise BooksError(sheet.faults)
    return config


def _built(form: GatewayForm, folder: Path, sheet: Sheet, digest: str) -> GatewayConfig:
    def at(text: str | None) -> Path | None:
        return folder / text if text else None

    host, port = _listen(form.listen, sheet)
    upstreams = tuple(
        _upstream(one, folder, sheet, ("upstreams", number))
        for number, one in enumerate(form.upstreams)
    )
    names = [one.name for one in form.upstreams]
    for number, name in enumerate(names):
        if name in names[:number]:
            _refuse(sheet, ("upstreams", number, "name"), f"{name!r} stands twice", "own names")
    if not names:
        _refuse(sheet, ("upstreams",), "no upstream", "one at least")
    if form.default and form.default not in names:
        _refuse(sheet, ("default",), f"{form.default!r} is no upstream", "the name of one")
    if form.workers > _WORKERS_MAX:
        _refuse(sheet, ("workers",), f"{form.workers} workers", "0 (one a core) to 256")
    limits = form.limits
    return GatewayConfig(
        host=host,
        port=port,
        workers=form.workers or len(os.sched_getaffinity(0)),
        spool=folder / form.spool,
        keys=folder / form.keys,
        upstreams=upstreams,
        default=form.default or "",
        ship_to=form.ship_to or "",
        books=at(form.books),
        certificate=at(form.tls.certificate) if form.tls else None,
        private_key=at(form.tls.key) if form.tls else None,
        policy=TagPolicy(
            untagged=form.policy.untagged,
            required=tuple(form.policy.required),
            cost_header=form.policy.cost_header,
        ),
        budgets=_budgets(form, sheet),
        limits=_limits(limits),
        spool_bytes=limits.spool_mib * MIB,
        digest=digest,
    )


def _budgets(form: GatewayForm, sheet: Sheet) -> BudgetPolicy | None:
    told = form.budgets
    if told is None:
        return None
    if not form.books and not (form.ship_to or "").startswith("books:"):
        _refuse(sheet, ("budgets",), "no books to read budgets from", "books:, or ship_to: books:")
    if told.server and "@" in told.server:
        # The address itself is not repeated: what stands before an @ is a secret.
        _refuse(sheet, ("budgets", "server"), "a password stands here", "server_env: its variable")
    return BudgetPolicy(
        unpriced=told.unpriced,
        blind=told.blind,
        wait_s=told.wait_s,
        header=told.header,
        request_url=told.request_url or "",
        output_tokens=told.output_tokens,
        server=told.server or "",
        server_env=told.server_env or "",
        lease_s=told.lease_s,
        nodes=told.nodes,
    )


def _limits(form: LimitsForm) -> Limits:
    return Limits(
        body_bytes=form.body_mib * MIB,
        upload_bytes=form.upload_mib * MIB,
        drain_bytes=form.drain_mib * MIB,
        client_s=form.client_s,
        keepalive_s=form.keepalive_s,
        connect_s=form.connect_s,
        first_byte_s=form.first_byte_s,
        idle_s=form.idle_s,
        pool_s=form.pool_s,
        drain_s=form.drain_s,
        stop_s=form.stop_s,
        connections=form.connections,
    )


def _upstream(
    form: UpstreamForm, folder: Path, sheet: Sheet, place: tuple[str | int, ...]
) -> Upstream:
    url = _url(form.url, sheet, (*place, "url"))
    if form.name in _OWN_PATHS:
        _refuse(sheet, (*place, "name"), f"{form.name!r} is a path of its own", "another name")
    sources = [name for name in ("key_env", "key_file", "key_command") if getattr(form, name)]
    if len(sources) > 1:
        _refuse(sheet, place, f"{' and '.join(sources)} are set", "one place for the key")
    if form.kind == "bedrock" and not form.region:
        _refuse(sheet, place, "region is missing", "the region that requests are signed for")
    for number, stamp in enumerate(form.stamp):
        if stamp not in _STAMPS_OF[form.kind]:
            known = ", ".join(_STAMPS_OF[form.kind]) or "none"
            _refuse(sheet, (*place, "stamp", number), f"{form.kind} has no {stamp}", known)
    allow = [
        _allowed(text, sheet, (*place, "allow", number)) for number, text in enumerate(form.allow)
    ]
    tls = url.scheme == "https"
    return Upstream(
        name=form.name,
        kind=form.kind,
        host=url.hostname or "",
        port=url.port or (443 if tls else 80),
        tls=tls,
        base=url.path.rstrip("/"),
        provider=provider_of(form.provider or "")
        or provider_of_url(form.url)
        or _PROVIDERS[form.kind],
        region=form.region or "",
        secret=Secret(
            env=form.key_env or "",
            file=folder / form.key_file if form.key_file else None,
            command=tuple(form.key_command),
            every_s=form.key_every_s,
        ),
        ca_file=folder / form.ca_file if form.ca_file else None,
        on_abort=form.on_abort,
        stream_usage=form.stream_usage,
        stamps=tuple(form.stamp),
        allow=tuple(one for one in allow if one is not None),
    )


def _listen(text: str, sheet: Sheet) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _PORT_MAX:
        _refuse(sheet, ("listen",), f"{text!r} is no address", "127.0.0.1:8787 or [::]:8787")
        return "", 0
    return host.strip("[]"), int(port)


def _url(text: str, sheet: Sheet, place: tuple[str | int, ...]) -> SplitResult:
    try:
        url = urlsplit(text)
        good = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        url, good = urlsplit(""), False
    if not good or url.query or url.fragment or url.username or not text.isascii():
        # The address itself is not repeated: what stands before an @ is a secret.
        _refuse(sheet, place, "no address of a provider", "https://host[:port][/path], no more")
    return url


def _allowed(
    text: str, sheet: Sheet, place: tuple[str | int, ...]
) -> tuple[str, re.Pattern[str]] | None:
    method, _, pattern = text.partition(" ")
    if method not in _METHODS or not pattern.startswith("/"):
        _refuse(sheet, place, f"{text!r} is no route", "a method and a path: POST /v1/stores/*")
        return None
    return method, re.compile(glob_regex(pattern))


def _refuse(sheet: Sheet, place: tuple[str | int, ...], what: str, expected: str) -> None:
    sheet.refuse(place, what, expected=expected, remedy="correct the configuration")


def plain(config: GatewayConfig) -> dict[str, Any]:
    """What a person may see of a configuration: names and addresses, never a credential."""
    return {
        "listen": f"{config.host}:{config.port}",
        "workers": config.workers,
        "upstreams": {one.name: one.url + one.base for one in config.upstreams},
        "digest": config.digest[:12],
    }
