"""Signature Version 4 of AWS: what the caller signed with its key of ours is signed anew."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from tallybook.clock import format_instant

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNRESERVED: Final = "-_.~"


def signed(
    credentials: tuple[str, str, str],
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    service: str,
    now_us: int,
) -> list[tuple[bytes, bytes]]:
    """The headers that sign a request.

    Args:
        credentials: access key, secret, session token or ''.
        method: of HTTP.
        path: as it is sent.
        query: as it is sent, without the question mark.
        headers: that the signature is to cover, names in lower case; ``host`` among them.
        body: the whole of it.
        region: for which to sign.
        service: for which to sign.
        now_us: when; the service takes five minutes to either side.
    """
    access, secret, token = credentials
    stamp = format_instant(now_us)[:19].replace("-", "").replace(":", "") + "Z"
    covered = {**headers, "x-amz-date": stamp}
    if token:
        covered["x-amz-security-token"] = token
    names = ";".join(sorted(covered))
    canonical = "\n".join(
        [
            method,
            "/".join(quote(part, safe=_UNRESERVED) for part in path.split("/")) or "/",
            canonical_query(query),
            *(f"{name}:{' '.join(covered[name].split())}" for name in sorted(covered)),
            "",
            names,
            sha256(body).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join([_ALGORITHM, stamp, scope, sha256(canonical.encode()).hexdigest()])
    key = _signing_key(secret, stamp[:8], region, service)
    signature = hmac.new(key, text.encode(), sha256).hexdigest()
    told = f"{_ALGORITHM} Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
    added = [(b"X-Amz-Date", stamp.encode()), (b"Authorization", told.encode())]
    return [*added, (b"X-Amz-Security-Token", token.encode())] if token else added


def canonical_query(query: str) -> str:
    """The query sorted and written in the one way that is signed."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    written = [
        (quote(unquote(name), safe=_UNRESERVED), quote(unquote(value), safe=_UNRESERVED))
        for name, _, value in pairs
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(written))


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
