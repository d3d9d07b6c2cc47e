"""The front desk: every request is let through here, or refused.

In order: is the route metered, whose key is it, does the key allow it, whose call is it, which
model. A request that fails one of these never reaches a provider.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from tallybook.books.globs import glob_matches
from tallybook.clock import Clock
from tallybook.gateway.call import Call, Ledger
from tallybook.gateway.heads import LENGTH_LINE, NEVER_SENT, Pairs, RequestHead, written
from tallybook.gateway.keyring import PREFIX, Keyring
from tallybook.gateway.model import GatewayConfig, Refusal, Upstream, VirtualKey
from tallybook.gateway.routes import Treatment, treatment_of
from tallybook.gateway.stamp import stamped
from tallybook.gateway.standing import Standing
from tallybook.gateway.tags import HEADER, claimed, owned, trace_of
from tallybook.sdk.asked import (
    Address,
    Asked,
    addressed,
    may_ask_usage,
    understood,
    wanted_of,
    with_usage_asked,
)
from tallybook.sdk.record import Attempt

_NOTHING: Final[Mapping[str, str]] = {}
_KEY_HEADERS: Final = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")
_AWS: Final = b"AWS4-HMAC-SHA256 "
_FORM_FIELD: Final = b'name="model"'
_LABEL_MAX: Final = 128
_WITH_ONE_LENGTH: Final = 5
_DIGITS_MAX: Final = 16
_KNOWN_MAX: Final = 2_000
_KNOWN_BYTES: Final = 8_192
_STANDINGS_MAX: Final = 64
_NOT_JSON: Final = Refusal(400, "body_not_json", "The body is no JSON object.")


@dataclass(slots=True)
class Opening:
    """A request whose head was let through; its body is still to be looked at."""

    upstream: Upstream
    key: VirtualKey
    treatment: Treatment
    tags: Mapping[str, str]
    path: str
    query: str
    head: RequestHead
    pairs: Pairs
    lines: bytes
    """the headers that go on, and the same as they are sent"""
    trace: Mapping[str, str]
    retries: str
    """how often a client says that it tried before"""
    address: Address | None = None
    """what the path asks for, where the body is JSON that is looked at whole"""
    standings: dict[Asked, Standing] = field(default_factory=dict)
    plain: dict[str, Standing] = field(default_factory=dict)
    """the same for requests that name a model and ask for nothing special, by that name"""
    sent: tuple[bytes, bytes] = (b"", b"")
    """how the head goes on, up to the length of the body, with the credential it was made with"""


class Known:
    """A head that was let through, to be known again: clients send the same one every time.

    It was read and found good byte by byte, so what is the same but for the digits of its one
    length is as good. Only what may have changed since is looked at: the keys, and the time.

    Args:
        opening: what was let through.
        around: what stands before the digits of its length, and after them.
        keys: by which it was.
        clock: for keys that expire.
    """

    __slots__ = (
        *("_after", "_before", "_clock", "_digits_at", "_generation", "_keys", "_until_us"),
        "opening",
    )

    def __init__(
        self, opening: Opening, around: tuple[bytes, bytes], keys: Keyring, clock: Clock
    ) -> None:
        key = opening.key
        self.opening = opening
        self._before, self._after = around
        self._digits_at = len(self._before)
        self._keys = keys
        self._clock = clock
        self._generation = keys.generation
        self._until_us = min((us for us in (key.expires_us, key.revoked_us) if us), default=0)

    def is_good(self) -> bool:
        """Whether it is still let through."""
        until_us = self._until_us
        return self._keys.generation == self._generation and (
            not until_us or self._clock.now_us() < until_us
        )

    def body_of(self, data: bytes) -> bytes | None:
        """The body, where bytes are a whole request with this head and no byte more; else None."""
        start = self._digits_at
        end = data.find(b"\r", start, start + _DIGITS_MAX)
        digits = data[start:end]
        if not (
            data.startswith(self._before) and data.startswith(self._after, end) and digits.isdigit()
        ):
            return None
        body = data[end + len(self._after) :]
        return body if len(body) == int(digits) else None


class Desk:
    """Decides; see above.

    Args:
        config: upstreams and policy.
        keys: who may come in.
        ledger: where admitted calls are noted.
        clock: for keys that expire.
    """

    def __init__(self, config: GatewayConfig, keys: Keyring, ledger: Ledger, clock: Clock) -> None:
        self._config = config
        self._keys = keys
        self._ledger = ledger
        self._clock = clock
        self._upstreams = {one.name: one for one in config.upstreams}
        self._default = self._upstreams.get(config.default)
        self._known: dict[tuple[bytes, bytes], Known] = {}

    def upstream_of(self, path: str) -> tuple[Upstream | None, str]:
        """The upstream that a path names first, and the rest of the path."""
        first, _, rest = path[1:].partition("/")
        upstream = self._upstreams.get(first)
        return (upstream, f"/{rest}") if upstream else (self._default, path)

    def known(self, raw: bytes) -> tuple[Known, int] | None:
        """A head that was let through before, but for the length of its body; None of any other.

        Returns:
            what is known of it, and the length of this body.
        """
        parts = LENGTH_LINE.split(raw)
        if len(parts) != _WITH_ONE_LENGTH:
            return None
        held = self._known.get(_around(parts))
        return (held, int(parts[2])) if held is not None and held.is_good() else None

    def know(self, raw: bytes, opening: Opening) -> Known | None:
        """Remember a head that was let through; None where such heads are not known again."""
        parts = LENGTH_LINE.split(raw)
        if len(parts) != _WITH_ONE_LENGTH or len(raw) > _KNOWN_BYTES:
            return None
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        around = _around(parts)
        made = self._known[around] = Known(opening, around, self._keys, self._clock)
        return made

    def open(self, head: RequestHead) -> Opening | Refusal:
        """Look at a head."""
        upstream, path = self.upstream_of(head.path)
        if upstream is None:
            names = ", ".join(f"/{name}" for name in self._upstreams)
            return Refusal(404, "upstream_unknown", f"No upstream has this path; it is {names}.")
        treatment = treatment_of(upstream, head.method, path)
        if isinstance(treatment, Refusal):
            return treatment
        key = self._key(head)
        if isinstance(key, Refusal):
            return key
        refusal = _not_allowed(key, upstream, treatment)
        if refusal is not None:
            return refusal
        tags: Mapping[str, str] | Refusal = _NOTHING
        if treatment in ("metered", "batch"):
            tags = self._tags(head, key)
        if isinstance(tags, Refusal):
            return tags
        query, pairs = _without_key(head.query), sent_on(head)
        return Opening(
            upstream,
            key,
            treatment,
            tags,
            path,
            query,
            head,
            pairs,
            written(pairs),
            trace_of(head.named.get(b"traceparent", b"")),
            head.named.get(b"x-stainless-retry-count", b"").decode("latin-1"),
            _address(upstream, head, path) if treatment == "metered" else None,
        )

    def _key(self, head: RequestHead) -> VirtualKey | Refusal:
        secret = _secret_of(head)
        if not secret:
            return Refusal(
                401,
                "key_missing",
                "Send the key that this gateway issued to you where the provider's key goes.",
            )
        key = self._keys.find(secret)
        if key is None:
            return Refusal(
                401, "key_unknown", "This gateway issued no such key: ask who runs it for one."
            )
        now_us = self._clock.now_us()
        if key.revoked_us and key.revoked_us <= now_us:
            return Refusal(401, "key_revoked", f"Key {key.id} was revoked: use the new one.")
        if key.expires_us and key.expires_us <= now_us:
            return Refusal(401, "key_expired", f"Key {key.id} has expired: ask for a new one.")
        return key

    def _tags(self, head: RequestHead, key: VirtualKey) -> Mapping[str, str] | Refusal:
        told, baggage = [], []
        for name, value in head.pairs:
            low = name.lower()
            if low.startswith(HEADER):
                told.append((low[len(HEADER) :], value))
            elif low == b"baggage":
                baggage.append(value)
        tags = claimed(told, b",".join(baggage))
        return tags if isinstance(tags, Refusal) else owned(tags, key, self._config.policy)

    def begin(self, opening: Opening, body: bytes, *, whole: bool) -> Call | Refusal:
        """Look at a body, or at the beginning of one that is streamed.

        Args:
            opening: of `open`.
            body: as far as it is there.
            whole: whether that is all of it.
        """
        address = opening.address
        if address is not None and whole:
            return self._begin_json(opening, address, body)
        head, upstream = opening.head, opening.upstream
        asked = self._asked(opening, body, whole=whole)
        refusal = _model_refused(opening, asked)
        if refusal is not None:
            return refusal
        attempt: Attempt | None = None
        asks: Hashable = None
        if asked is not None and opening.treatment in ("metered", "batch", "poll"):
            asks = (opening.key.id, upstream.name, opening.path, body)
            attempt = self._ledger.attempt(
                asked, opening.tags, opening.trace, opening.key, opening.retries, asks
            )
            if opening.treatment == "metered" and whole and upstream.stamps:
                body = stamped(body, upstream.stamps, opening.tags, opening.key.id)
        return Call(
            upstream=upstream,
            key=opening.key,
            treatment=opening.treatment,
            method=head.method,
            path=opening.path,
            query=opening.query,
            asked=asked,
            attempt=attempt,
            strip=False,
            body=body,
            asks=asks,
        )

    def _begin_json(self, opening: Opening, address: Address, body: bytes) -> Call | Refusal:
        """A whole JSON body for a model: what is the same for all such calls is worked out once."""
        wanted = wanted_of(body)
        if wanted is None:
            return _NOT_JSON
        model = wanted.model
        standing = None
        is_plain = (
            type(model) is str
            and wanted.stream is False
            and wanted.background is False
            and wanted.stream_options is None
        )
        if is_plain:
            standing = opening.plain.get(model)
        if standing is None:
            asked = address.asked(wanted)
            standing = opening.standings.get(asked) or self._stand(opening, asked)
            if is_plain:
                opening.plain[model] = standing
        if standing.refusal is not None:
            return standing.refusal
        asked, upstream, key = standing.asked, opening.upstream, opening.key
        asks = (key.id, upstream.name, opening.path, body)
        attempt = self._ledger.attempt(
            asked, opening.tags, opening.trace, key, opening.retries, asks
        )
        if standing.asks_usage:
            body = with_usage_asked(body)
        if upstream.stamps:
            body = stamped(body, upstream.stamps, opening.tags, key.id)
        return Call(
            upstream,
            key,
            "metered",
            opening.head.method,
            opening.path,
            opening.query,
            asked,
            attempt,
            standing.asks_usage,
            body,
            asks,
            standing,
        )

    def _stand(self, opening: Opening, asked: Asked) -> Standing:
        if len(opening.standings) >= _STANDINGS_MAX:
            opening.standings.clear()
            opening.plain.clear()
        upstream = opening.upstream
        made = opening.standings[asked] = Standing(
            asked,
            opening.tags,
            opening.key.id,
            opening.trace,
            refusal=_model_refused(opening, asked),
            asks_usage=upstream.stream_usage and may_ask_usage(asked, _NOTHING, opening.query),
            region=upstream.region,
        )
        return made

    def _asked(self, opening: Opening, body: bytes, *, whole: bool) -> Asked | None:
        upstream = opening.upstream
        kind = opening.head.named.get(b"content-type", b"").decode("latin-1")
        if opening.treatment == "batch":
            return Asked(upstream.provider, "", "batch", "", False, True, True)
        form: Mapping[str, str] = _NOTHING
        if kind.startswith("multipart/"):
            form = {"model": _model_in_form(body)}
        return understood(
            opening.head.method,
            f"{upstream.url}{opening.path}",
            {"content-type": kind or "json"},
            body if whole else None,
            {upstream.authority.lower(): upstream.provider},
            form,
        )


def _around(parts: list[bytes]) -> tuple[bytes, bytes]:
    """What stands before and after the digits of a length, in a head that was split there."""
    before, name, _, end, after = parts
    return before + name, end + after


def _address(upstream: Upstream, head: RequestHead, path: str) -> Address | None:
    """What the path of a call asks for, if its body is JSON."""
    kind = head.named.get(b"content-type", b"json").lower()
    if head.method != "POST" or b"json" not in kind:
        return None
    return addressed(f"{upstream.url}{path}", {upstream.authority.lower(): upstream.provider})


def _model_refused(opening: Opening, asked: Asked | None) -> Refusal | None:
    if opening.treatment != "metered" or asked is None:
        return None
    models = opening.key.models
    if not models or any(glob_matches(one, asked.model) for one in models):
        return None
    named = repr(asked.model[:120]) if asked.model else "a model that cannot be seen here"
    return Refusal(
        403,
        "model_not_allowed",
        f"Key {opening.key.id} may not use {named}: it is bound to {', '.join(models)}.",
    )


def _not_allowed(key: VirtualKey, upstream: Upstream, treatment: Treatment) -> Refusal | None:
    if key.upstreams and not any(glob_matches(one, upstream.name) for one in key.upstreams):
        return Refusal(403, "upstream_not_allowed", f"Key {key.id} may not use {upstream.name}.")
    if treatment == "batch" and key.models:
        return Refusal(
            403,
            "batch_not_allowed",
            f"Key {key.id} is bound to models, and those of a batch stand in a file: use "
            "another key.",
        )
    return None


def sent_on(head: RequestHead) -> Pairs:
    """The headers of a request that the provider may see."""
    dropped = head.dropped()
    return [
        pair
        for pair in head.pairs
        if (low := pair[0].lower()) not in NEVER_SENT
        and low not in dropped
        and not low.startswith(HEADER)
    ]


def _secret_of(head: RequestHead) -> str:
    """The virtual key, wherever a client of any provider puts it."""
    candidates = []
    for name in _KEY_HEADERS:
        value = head.named.get(name)
        if not value:
            continue
        if value.startswith(_AWS):
            value = value.partition(b"Credential=")[2].partition(b"/")[0]
        candidates.append(value.rpartition(b" ")[2].decode("latin-1"))
    if "key=" in head.query:
        candidates += [value for name, value in parse_qsl(head.query) if name == "key"]
    return next((one for one in candidates if one.startswith(PREFIX)), "") or "".join(
        candidates[:1]
    )


def _without_key(query: str) -> str:
    if "key" not in query:
        return query
    return "&".join(
        part for part in query.split("&") if unquote(part.partition("=")[0]).lower() != "key"
    )


def _model_in_form(body: bytes) -> str:
    """The field ``model`` of a multipart body, from what is there of it."""
    _, found, rest = body.partition(_FORM_FIELD)
    if not found:
        return ""
    _, _, value = rest.partition(b"\r\n\r\n")
    text, ended, _ = value.partition(b"\r\n")
    return text.decode("utf-8", "replace") if ended and len(text) <= _LABEL_MAX else ""
