"""Alerts leave the house: a webhook over a real socket, mail to a real SMTP server, each once."""

from __future__ import annotations

import json
import smtplib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from company import PRICES, Company, org, policy, usage
from tallybook.cli.deliver import DAY_US, Delivery, Mail, Webhook
from tallybook.errors import WrongUsageError
from tallybook.live.alerts import alerts
from tallybook.live.look import Watch

OWNED = org().replace(
    'cost_center: "1"', 'cost_center: "1", owners: {engineering: eng@acme.example}'
)


@pytest.fixture
def acme(tmp_path):
    """Books with one alert."""
    made = Company(tmp_path, now="2026-10-03T10:30:00Z")
    made.apply(org=OWNED, policy=policy() + "    alerts: {loop: 3}\n", prices=PRICES)
    made.ingest(*[usage(f"e-{n}", trace_id="t-1", span_id=f"s{n}") for n in range(3)])
    with Watch(made.store, made.clock) as watch:
        watch.look()
    yield made
    made.store.close()


@pytest.fixture
def hook():
    """A webhook that answers what `hook.answers` says, 200 after that."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.told.append((self.headers.get("Authorization"), json.loads(body)))
            self.send_response(server.answers.pop(0) if server.answers else 200)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.told, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/alerts"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mailbox():
    """A real SMTP server on a free port; `mailbox.got` are the messages."""

    class Kept(Message):
        def handle_message(self, message):
            kept.got.append(message)

    kept = Kept()
    kept.got = []
    controller = Controller(kept, hostname="127.0.0.1", port=0)
    knock = controller._trigger_server

    def knocked():
        controller.port = controller.server.sockets[0].getsockname()[1]  # it was given none
        knock()

    controller._trigger_server = knocked
    controller.start()
    kept.url = f"smtp://127.0.0.1:{controller.port}"
    yield kept
    controller.stop()


def delivery(acme, **channels):
    return Delivery(acme.store, acme.clock, channels, pause_s=0)


def test_a_webhook_is_told_once(acme, hook):
    sending = delivery(acme, webhook=Webhook(hook.url, "s3cret"))
    sending.deliver()
    sending.deliver()
    ((token, told),) = hook.told
    assert token == "Bearer s3cret"
    assert (told["kind"], told["trace"], told["owner"]) == ("loop", "t-1", "eng@acme.example")
    assert alerts(acme.store)[0].told == {"webhook": "sent"}


def test_a_webhook_that_fails_is_tried_again(acme, hook):
    hook.answers = [500, 503]
    delivery(acme, webhook=Webhook(hook.url, "")).deliver()
    assert len(hook.told) == 3
    assert alerts(acme.store)[0].told == {"webhook": "sent"}


def test_what_was_not_sent_is_sent_by_the_next_watch(acme, hook, capsys):
    hook.answers = [500, 500, 500]
    delivery(acme, webhook=Webhook(hook.url, "")).deliver()
    assert (
        "alert 1 could not be sent by webhook: the webhook answered 500" in capsys.readouterr().err
    )
    assert alerts(acme.store)[0].told == {}
    delivery(acme, webhook=Webhook(hook.url, "")).deliver()
    assert alerts(acme.store)[0].told == {"webhook": "sent"}
    assert len(hook.told) == 4


def test_an_old_alert_is_not_sent(acme, hook):
    acme.clock.advance(DAY_US + 1)
    delivery(acme, webhook=Webhook(hook.url, "")).deliver()
    assert hook.told == []


def test_mail_goes_to_the_owner_and_to_whoever_is_always_told(acme, mailbox):
    mail = Mail(mailbox.url, "", "tallybook@acme.example", ["finops@acme.example"])
    delivery(acme, mail=mail).deliver()
    (message,) = mailbox.got
    assert message["To"] == "eng@acme.example, finops@acme.example"
    assert message["Subject"] == "Tallybook alert 1: loop, a/bot"
    assert "tallybook alerts ack 1" in message.get_payload()


def test_a_password_does_not_go_in_the_clear(acme, mailbox, monkeypatch, capsys):
    monkeypatch.setattr("tallybook.cli.deliver._HERE", frozenset())
    mail = Mail(mailbox.url.replace("//", "//dana@"), "s3cret", "a@b.example", ["c@d.example"])
    delivery(acme, mail=mail).deliver()
    told = capsys.readouterr().err
    assert "the mail server offers no TLS" in told
    assert "s3cret" not in told
    assert mailbox.got == []


def test_a_certificate_is_verified(acme, monkeypatch, capsys):
    asked = []

    def connect(_host, _port, *, timeout, context):
        asked.append((timeout > 0, context.verify_mode, context.check_hostname))
        raise OSError("refused")

    monkeypatch.setattr(smtplib, "SMTP_SSL", connect)
    mail = Mail("smtps://dana@mail.example", "s3cret", "a@b.example", ["c@d.example"])
    delivery(acme, mail=mail).deliver()
    assert set(asked) == {(True, ssl.CERT_REQUIRED, True)}
    assert "refused" in capsys.readouterr().err


def test_nobody_listens(acme, capsys):
    delivery(acme, webhook=Webhook("http://127.0.0.1:9/", "")).deliver()
    delivery(acme, mail=Mail("smtp://127.0.0.1:9", "", "a@b.example", [])).deliver()
    told = capsys.readouterr().err
    assert "by webhook" in told
    assert "by mail" in told


def test_the_environment_says_where(acme, monkeypatch):
    assert Delivery.of_environment(acme.store, acme.clock).told == "standard error"
    monkeypatch.setenv("TALLYBOOK_WEBHOOK", "https://hooks.acme.example/t")
    monkeypatch.setenv("TALLYBOOK_SMTP", "smtps://user@mail.acme.example")
    with pytest.raises(WrongUsageError, match="TALLYBOOK_MAIL_FROM is not"):
        Delivery.of_environment(acme.store, acme.clock)
    monkeypatch.setenv("TALLYBOOK_MAIL_FROM", "tallybook@acme.example")
    made = Delivery.of_environment(acme.store, acme.clock)
    assert made.told == "standard error and webhook and mail"


@pytest.mark.parametrize("url", ["ftp://x/y", "hooks.acme.example", ""])
def test_an_address_that_is_none(url):
    with pytest.raises(WrongUsageError, match="TALLYBOOK_WEBHOOK"):
        Webhook(url, "")
    with pytest.raises(WrongUsageError, match="TALLYBOOK_SMTP"):
        Mail(url, "", "a@b.example", [])
