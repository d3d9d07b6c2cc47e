"""Who may do what: a token says for which scopes, and may say in whose name.

A file of tokens has one a line, so that an old and a new one may hold side by side:

    3f9c...                          it may send and read
    81aa... ingest                   it may send, and nothing else
    d27e... read,approve as cfo      what it decides is decided by cfo, whatever the request says

Who shows no token may do what is open to everybody: all of it where only this machine is served and
there is no token; sending and reading where other machines are served so; else nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from tallybook.api.model import EVERY_SCOPE, PLAIN_SCOPES, Refusal, Scope, Token
from tallybook.errors import WrongUsageError

_SCHEME: Final = "bearer "


def tokens_of(text: str) -> tuple[Token, ...]:
    """The tokens of a file, or of a variable.

    Raises:
        WrongUsageError: a line is not ``TOKEN [SCOPE,...] [as NAME]``, or its token has another
            line; the token is not told.
    """
    found: dict[str, Token] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        token = _token(line.split(), number)
        if token.secret in found:
            raise WrongUsageError(
                f"line {number} of the tokens is of a token that has a line already",
                next_step="give every token one line, with all that it may",
            )
        found[token.secret] = token
    return tuple(found.values())


def _token(words: Sequence[str], number: int) -> Token:
    secret, *rest = words
    told = rest.pop(0).split(",") if rest and rest[0] != "as" else list(PLAIN_SCOPES)
    scopes = tuple(scope for scope in EVERY_SCOPE if scope in told)
    is_named = len(rest) == 2 and rest[0] == "as"  # noqa: PLR2004 - as NAME
    if len(scopes) != len(told) or (rest and not is_named):
        raise WrongUsageError(
            f"line {number} of the tokens is not TOKEN [SCOPE,SCOPE] [as NAME]",
            next_step=f"scopes are {', '.join(EVERY_SCOPE)}; without any a token may"
            f" {' and '.join(PLAIN_SCOPES)}",
        )
    return Token(secret, scopes, rest[1] if rest else "")


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets requests in.

    Attributes:
        tokens: any of them lets in, for its scopes.
        to_all: what a request without a token may do.
    """

    tokens: Sequence[Token] = ()
    to_all: Sequence[Scope] = ()

    def check(self, authorization: str, scope: Scope) -> Token:
        """Let a request in, or not; how long it takes does not tell how near a guess was.

        Args:
            authorization: the value of the header, '' if there is none.
            scope: what it is to be let in for.

        Returns:
            the token that it shows; one of no secret for what is open to everybody.

        Raises:
            Refusal: it carries none of the tokens, or one for other things.
        """
        is_bearer = authorization[: len(_SCHEME)].lower() == _SCHEME
        told = (authorization[len(_SCHEME) :].strip() if is_bearer else "").encode()
        shown = [one for one in self.tokens if hmac.compare_digest(told, one.secret.encode())]
        if not shown and not self.to_all:
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "send Authorization: Bearer TOKEN, with a token of this server",
            )
        token = shown[0] if shown else Token("", tuple(self.to_all))
        if scope in token.scopes:
            return token
        who = "this token" if shown else "a request without a token"
        raise Refusal(
            HTTPStatus.FORBIDDEN if shown else HTTPStatus.UNAUTHORIZED,
            f"{who} may {', '.join(token.scopes)}; this takes one that may {scope}",
        )


OPEN: Final = Guard(to_all=EVERY_SCOPE)
"""Everybody may do everything: for who is alone on the machine."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
