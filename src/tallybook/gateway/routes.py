"""Which requests are let through: those that are metered, and those known to cost nothing.

Everything else is refused, whatever the provider would do with it: a route that nobody meters is a
way around the bill. Paths with dot segments, doubled or escaped slashes are refused too, because
the provider might read another route in them than we do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote

from tallybook.gateway.model import Kind, Refusal, Upstream
from tallybook.sdk.asked import understood

Treatment = Literal["metered", "free", "poll", "batch", "results"]
"""``metered`` and ``poll`` use a model or tell what was used; ``batch`` begins work whose usage
stands in ``results``; ``free`` costs nothing."""

_V: Final = r"(?:/openai)?(?:/api)?(?:/v[0-9]+(?:beta)?)?"
_ID: Final = r"/[^/]+"
_PLACE: Final = r"(?:/projects/[^/]+/locations/[^/]+/publishers/[^/]+)?"


def _table(*rows: tuple[str, str, Treatment]) -> tuple[tuple[str, re.Pattern[str], Treatment], ...]:
    return tuple((methods, re.compile(pattern), treatment) for methods, pattern, treatment in rows)


_OPENAI: Final = _table(
    ("GET", rf"{_V}/batches", "free"),
    ("POST", rf"{_V}/batches", "batch"),
    ("GET", rf"{_V}/batches{_ID}", "free"),
    ("POST", rf"{_V}/batches{_ID}/cancel", "free"),
    ("GET", rf"{_V}/files{_ID}/content", "results"),
    ("GET POST DELETE", rf"{_V}/files(?:{_ID})?", "free"),
    ("POST", rf"{_V}/uploads(?:{_ID}/(?:parts|complete|cancel))?", "free"),
    ("GET", rf"{_V}/models(?:/.+)?", "free"),
    ("GET", rf"{_V}/deployments(?:{_ID})?", "free"),
    ("POST", rf"{_V}/moderations", "free"),
    ("POST", rf"{_V}/responses/input_tokens", "free"),
    ("GET", rf"{_V}/responses{_ID}", "poll"),
    ("POST", rf"{_V}/responses{_ID}/cancel", "free"),
    ("DELETE", rf"{_V}/responses{_ID}", "free"),
    ("GET", rf"{_V}/responses{_ID}/input_items", "free"),
    ("GET", r"/api/(?:tags|version|ps)", "free"),
)
_ANTHROPIC: Final = _table(
    ("GET", rf"/v1/models(?:{_ID})?", "free"),
    ("POST", r"/v1/messages/count_tokens", "free"),
    ("POST", r"/v1/messages/batches", "batch"),
    ("GET", r"/v1/messages/batches", "free"),
    ("GET DELETE", rf"/v1/messages/batches{_ID}", "free"),
    ("POST", rf"/v1/messages/batches{_ID}/cancel", "free"),
    ("GET", rf"/v1/messages/batches{_ID}/results", "results"),
    ("GET POST DELETE", rf"/v1/files(?:{_ID}(?:/content)?)?", "free"),
)
_BEDROCK: Final = _table(("POST", rf"/model{_ID}/count-tokens", "free"))
_GOOGLE: Final = _table(
    ("GET", rf"/v[0-9a-z]+{_PLACE}/models(?:{_ID})?", "free"),
    ("POST", r"/v[0-9a-z]+/.*models/[^/:]+:countTokens", "free"),
    ("POST", r"/upload/v[0-9a-z]+/files", "free"),
    ("GET DELETE", rf"/v[0-9a-z]+/files(?:{_ID})?", "free"),
)
_TABLES: Final = {
    "openai": _OPENAI,
    "azure": _OPENAI,
    "anthropic": _ANTHROPIC,
    "bedrock": _BEDROCK,
    "gemini": _GOOGLE,
    "vertex": _GOOGLE,
}
_HIDDEN: Final = re.compile(r"//|\\|%(?:2e|5c|00|0a|0d|25)", re.IGNORECASE)
_ESCAPED_SLASH: Final = re.compile(r"%2f", re.IGNORECASE)


def treatment_of(upstream: Upstream, method: str, path: str) -> Treatment | Refusal:
    """What is to be done with a request.

    Args:
        upstream: to which it goes.
        method: of HTTP.
        path: as it will be sent, without the query.
    """
    found = _known(upstream.kind, method, path)
    if found is None:
        return Refusal(
            400, "path_ambiguous", "This path holds dots, doubled or escaped slashes: write it out."
        )
    if found:
        return found
    if any(method == one and pattern.fullmatch(path) for one, pattern in upstream.allow):
        return "free"
    return Refusal(
        404,
        "route_not_metered",
        f"{method} {path[:120]} is not passed on: the gateway does not know how it is billed. Use "
        "a metered route, or let the operator allow this one.",
    )


@lru_cache(maxsize=4096)
def _known(kind: Kind, method: str, path: str) -> Treatment | Literal[""] | None:
    """The treatment by the tables; '' for none, None if the path itself cannot be trusted."""
    if _is_ambiguous(kind, path):
        return None
    for methods, pattern, treatment in _TABLES[kind]:
        if method in methods.split() and pattern.fullmatch(path):
            return treatment
    if method == "POST" and understood("POST", f"http://x{path}", {}, None, {}, {}):
        return "metered"
    return ""


def _is_ambiguous(kind: Kind, path: str) -> bool:
    if _HIDDEN.search(path) or not path.isascii():
        return True
    if _ESCAPED_SLASH.search(path) and kind != "bedrock":  # names of profiles hold a slash
        return True
    segments = unquote(path).split("/")
    return any(segment in (".", "..") or ";" in segment for segment in segments)
