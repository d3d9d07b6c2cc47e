"""Who may send: whoever has a token. Without tokens anybody may, so only this machine is let in."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import ip_address

from tallybook.api.model import Refusal

_SCHEME = "bearer "


def tokens_of(text: str) -> tuple[str, ...]:
    """The tokens of a file: one a line, so that an old and a new one may hold side by side."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def check(authorization: str, tokens: Sequence[str]) -> None:
    """Let a request in, or not; how long it takes does not tell how near a guess was.

    Args:
        authorization: the value of the header, '' if there is none.
        tokens: any of which lets in; without any, everybody is let in.

    Raises:
        Refusal: it carries none of the tokens.
    """
    if not tokens:
        return
    is_bearer = authorization[: len(_SCHEME)].lower() == _SCHEME
    told = (authorization[len(_SCHEME) :].strip() if is_bearer else "").encode()
    matches = [hmac.compare_digest(told, token.encode()) for token in tokens]
    if not any(matches):
        raise Refusal(
            HTTPStatus.UNAUTHORIZED, "send Authorization: Bearer TOKEN, with a token of this server"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
