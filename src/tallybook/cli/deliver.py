"""Where a watch sends alerts: a webhook and mail, as the environment says; retried, never lost.

Which channels were told stands with each alert, so that a watch that begins again sends what was
not sent, and only that. Secrets come from the environment and go nowhere else.
"""

from __future__ import annotations

import os
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx2

from tallybook.cli.app import note
from tallybook.clock import Clock
from tallybook.errors import WrongUsageError
from tallybook.live.alerts import note_told, untold
from tallybook.live.form import alert_text, alert_values
from tallybook.live.model import Alert
from tallybook.store import Store

WEBHOOK: Final = "TALLYBOOK_WEBHOOK"
WEBHOOK_TOKEN: Final = "TALLYBOOK_WEBHOOK_TOKEN"  # noqa: S105 - the name of a variable
SMTP: Final = "TALLYBOOK_SMTP"
SMTP_PASSWORD: Final = "TALLYBOOK_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
MAIL_FROM: Final = "TALLYBOOK_MAIL_FROM"
MAIL_TO: Final = "TALLYBOOK_MAIL_TO"
"""Also told of every alert; the owner that the books name is told of those of the team."""

DAY_US: Final = 86_400_000_000
TRIES: Final = 3
PAUSE_S: Final = 0.5
_TIMEOUT_S: Final = 10.0
_PORTS: Final = {"smtp": 25, "smtps": 465}
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Send = Callable[[Alert], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The channels of a watch.

    Args:
        store: open books.
        clock: alerts of the last day are sent.
        channels: how each sends one alert; it raises `OSError` when it could not.
        pause_s: before the second try; twice as long before each further one.
    """

    store: Store
    clock: Clock
    channels: Mapping[str, Send]
    pause_s: float = PAUSE_S

    @classmethod
    def of_environment(cls, store: Store, clock: Clock) -> Delivery:
        """The channels that the environment sets.

        Raises:
            WrongUsageError: an address is none, or mail lacks a sender.
        """
        channels: dict[str, Send] = {}
        if url := os.environ.get(WEBHOOK, ""):
            channels["webhook"] = Webhook(url, os.environ.get(WEBHOOK_TOKEN, ""))
        if server := os.environ.get(SMTP, ""):
            told = [one.strip() for one in os.environ.get(MAIL_TO, "").split(",") if one.strip()]
            sender = os.environ.get(MAIL_FROM, "")
            channels["mail"] = Mail(server, os.environ.get(SMTP_PASSWORD, ""), sender, told)
        return cls(store, clock, channels)

    @property
    def told(self) -> str:
        """Where alerts go, in words."""
        return " and ".join(["standard error", *self.channels])

    def deliver(self) -> None:
        """Send what was not sent; what fails is noted, stays, and is tried again next time."""
        since_us = self.clock.now_us() - DAY_US
        for channel, send in self.channels.items():
            for alert in untold(self.store, channel, since_us):
                failed = self._tried(send, alert)
                if failed:
                    note(f"alert {alert.id} could not be sent by {channel}: {failed}")
                    break  # the others would fail too; all are tried again
                note_told(self.store, alert.id, channel, "sent")

    def _tried(self, send: Send, alert: Alert) -> str:
        failed = ""
        for nth in range(TRIES):
            if nth:
                time.sleep(self.pause_s * 2 ** (nth - 1))
            try:
                send(alert)
            except (OSError, smtplib.SMTPException, httpx2.HTTPError) as error:
                failed = str(error) or type(error).__name__
            else:
                return ""
        return failed


class Webhook:
    """Posts an alert as JSON.

    Args:
        url: where to.
        token: sent as a bearer token, if there is one.

    Raises:
        WrongUsageError: the address is not of HTTP.
    """

    def __init__(self, url: str, token: str) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise WrongUsageError(
                f"{WEBHOOK} is not an address of HTTP", next_step="write it as https://host/path"
            )
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, alert: Alert) -> None:
        """Post one.

        Raises:
            OSError: the answer was none of success.
            httpx2.HTTPError: there was no answer.
        """
        answer = httpx2.post(
            self._url, json=alert_values(alert), headers=self._headers, timeout=_TIMEOUT_S
        )
        if not answer.is_success:
            raise OSError(f"the webhook answered {answer.status_code}")


class Mail:
    """Sends an alert by mail to the owner that it names, and to whoever is always told.

    Args:
        server: ``smtp://user@host:587`` (STARTTLS where offered) or ``smtps://user@host``.
        password: of the user.
        sender: the address that it comes from.
        always: who is told of every alert.

    Raises:
        WrongUsageError: the server's address is none, or there is no sender.
    """

    def __init__(self, server: str, password: str, sender: str, always: Sequence[str]) -> None:
        parts = urlsplit(server)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise WrongUsageError(
                f"{SMTP} is not the address of a mail server",
                next_step="write it as smtp://user@host:587 or smtps://user@host",
            )
        if not sender:
            raise WrongUsageError(
                f"{SMTP} is set and {MAIL_FROM} is not", next_step=f"set {MAIL_FROM}"
            )
        self._host, self._is_tls = parts.hostname, parts.scheme == "smtps"
        self._port = parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), password
        self._sender, self._always = sender, always

    def __call__(self, alert: Alert) -> None:
        """Send one; an alert that nobody is to be told of is told.

        Raises:
            OSError: the server was not reached, is not whose certificate it shows, or offers no TLS
                to a password that would leave this machine.
            smtplib.SMTPException: it refused.
        """
        to = list(dict.fromkeys([*([alert.owner] if "@" in alert.owner else []), *self._always]))
        if not to:
            return
        with self._connected() as server:
            if self._user:
                server.login(self._user, self._password)
            server.send_message(self._message(alert, to))

    def _connected(self) -> smtplib.SMTP:
        verified = ssl.create_default_context()
        if self._is_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_S, context=verified)
        server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S)
        try:
            self._secure(server, verified)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _secure(self, server: smtplib.SMTP, verified: ssl.SSLContext) -> None:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=verified)
            server.ehlo()
        elif self._user and self._host not in _HERE:
            raise OSError("the mail server offers no TLS: the password would go in the clear")

    def _message(self, alert: Alert, to: Sequence[str]) -> EmailMessage:
        message = EmailMessage()
        who = f"{alert.team}/{alert.feature}" if alert.feature else alert.team
        message["Subject"] = f"Tallybook alert {alert.id}: {alert.kind}, {who}"
        message["From"], message["To"] = self._sender, ", ".join(to)
        message.set_content(
            f"{alert_text(alert)}\n\nAcknowledge it: tallybook alerts ack {alert.id} --reason WHY\n"
        )
        return message
