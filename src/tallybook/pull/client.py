"""One request with patience: what is tried again, how long it waits, what is an answer."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import httpx2
import msgspec

from tallybook.clock import Clock
from tallybook.clock.instant import us_of
from tallybook.errors import PullError
from tallybook.pull.key import HIDDEN, Key
from tallybook.pull.model import Ask, Page

TRIES_MAX: Final = 6
TIMEOUT_S: Final = 60
WAIT_FIRST_S: Final = 0.5
WAIT_MAX_S: Final = 60
_LATER: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN_LENGTH: Final = 300
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)


class GoneError(PullError):
    """The server does not know the page any more, or refuses the question (400, 404, 410, 422)."""

    code = "pull_gone"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a request is tried; tests wait no time and know the chances."""

    tries: int = TRIES_MAX
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def wait_s(self, number: int) -> float:
        """How long to wait after a try: twice as long each time, half of it by chance."""
        whole = min(WAIT_FIRST_S * (1 << number), WAIT_MAX_S)
        return whole * (1 + self.chance()) / 2


class Client:
    """Asks one API.

    Args:
        base_url: its address; https, or this machine.
        headers: that carry the key.
        key: hidden in every message.
        clock: what a date in ``Retry-After`` is compared with.
        patience: tries and waiting.

    Raises:
        PullError: the address would send the key in the clear.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        key: Key,
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _HERE):
            raise PullError(
                f"{key.hidden_in(base_url)} is not https: the key would be sent in the clear",
                next_step="give an address that starts with https://",
            )
        if parts.username or parts.query:
            raise PullError(
                f"the address of {parts.hostname} holds a name or a query, which would be kept",
                next_step="give the key by the environment or --key-file, and the address alone",
            )
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._carried = [value.rpartition(" ")[2] for value in headers.values()]
        self._clock = clock
        self._patience = patience or Patience()
        self._http = httpx2.Client(headers=dict(headers), timeout=TIMEOUT_S)

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def page(self, ask: Ask) -> Page:
        """One page, whole.

        Raises:
            GoneError: the server does not know the page, or refuses the question.
            PullError: it refuses the key, or did not answer within the tries.
        """
        reason = ""
        for number in range(self._patience.tries):
            try:
                answer = self._http.get(f"{self.base_url}/{ask.path}", params=list(ask.params))
            except httpx2.RequestError as error:
                reason = f"{type(error).__name__}: {error}"
                self._wait(self._patience.wait_s(number), number)
                continue
            if answer.status_code == HTTPStatus.OK:
                page = _whole(answer.content)
                if page is not None:
                    return page
                reason = f"an answer of {len(answer.content)} bytes that is no whole JSON object"
            elif answer.status_code in _LATER:
                reason = f"status {answer.status_code}"
            else:
                self._refuse(ask, answer)
            self._wait(self._asked_wait_s(ask, answer, number), number)
        raise PullError(
            self._hidden_in(f"no answer in {self._patience.tries} tries, the last: {reason}"),
            where=f"{self.base_url}/{ask.path}",
            next_step="run the same command later: it goes on where it stopped",
        )

    def _wait(self, seconds: float, number: int) -> None:
        if number + 1 < self._patience.tries:
            self._patience.sleep(seconds)

    def _asked_wait_s(self, ask: Ask, answer: httpx2.Response, number: int) -> float:
        """What the server asks for in ``Retry-After``, or our own waiting if that is longer."""
        own = self._patience.wait_s(number)
        told = self._retry_after_s(answer.headers.get("retry-after", ""))
        if told > WAIT_MAX_S:
            raise PullError(
                f"the server asks to come back in {told:.0f} s (status {answer.status_code})",
                where=f"{self.base_url}/{ask.path}",
                next_step="run the same command then: it goes on where it stopped",
            )
        return max(own, told)

    def _retry_after_s(self, told: str) -> float:
        """Seconds, from seconds or a date; 0 of what is neither."""
        if told.isascii() and told.isdecimal():
            return min(float(told), 1e9)
        try:
            moment = parsedate_to_datetime(told)
        except (TypeError, ValueError):
            return 0
        if moment.tzinfo is None:
            return 0
        return max(0, us_of(moment) - self._clock.now_us()) / 1_000_000

    def _hidden_in(self, text: str) -> str:
        """A text without the key, also in the form in which a header carries it."""
        for carried in self._carried:
            text = text.replace(carried, HIDDEN)
        return self._key.hidden_in(text)

    def _refuse(self, ask: Ask, answer: httpx2.Response) -> NoReturn:
        where = f"{self.base_url}/{ask.path}"
        status = answer.status_code
        if status in _REFUSED:  # the body may repeat the key
            raise PullError(
                f"the key is refused (status {status})",
                where=where,
                next_step="usage needs an admin key with the right to read usage",
            )
        told = self._hidden_in(" ".join(answer.text.split()))[:_SHOWN_LENGTH]
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise GoneError(f"the server refuses with status {status}: {told}", where=where)
        raise PullError(f"the server answers with status {status}: {told}", where=where)


def _whole(body: bytes) -> dict[str, Any] | None:
    try:
        value = _DECODER.decode(body)
    except _BROKEN:
        return None
    return value if isinstance(value, dict) else None
