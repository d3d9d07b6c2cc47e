"""One click, five owners: real processes of three teams, a queue between them, one ledger.

An assistant of support asks retrieval of search over HTTP, which leaves a job in a queue for the
worker of ranking. Who started it travels as W3C baggage; spans come in by OTLP.
"""

from __future__ import annotations

import http.client
import sqlite3
import subprocess
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from answering import answering
from company import Company
from environment import environment
from serving import serving
from tallybook.clock import Period, SystemClock, format_instant
from tallybook.post.sheet import latest_sheet

PARTS = Path(__file__).parent / "three_teams.py"
CLICKS = 3

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units:
  - {id: main, name: Main, legal_entity: acme-us}
teams:
  - {id: support, name: Support, unit: main, cost_center: "1"}
  - {id: search, name: Search, unit: main, cost_center: "2"}
  - {id: ranking, name: Ranking, unit: main, cost_center: "3"}
  - {id: platform, name: Platform, unit: main, cost_center: "9"}
features:
  - {id: refund-bot, team: support, name: Refund bot}
services:
  - {id: assistant, team: support}
  - {id: retrieval, team: search, %s}
  - {id: rerank, team: ranking, %s}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: real_cost, markup: "0%"}
    evaluation: {funding: charged}
    limits: {unallocated: "100%"}
"""
PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: openai, model: gpt-5-2025-08-07, tier: flex,
     per_million_tokens: {input_uncached: "10", cache_read: "1", output: "40"}}
  - {contract: C2, provider: openai, model: text-embedding-3-small,
     per_million_tokens: {input_uncached: "50"}}
"""
# 400 x 10 + 600 x 1 + 50 x 40 and 8 x 50, in micro-dollars.
CHAT, EMBEDDING = 6_600, 400


@contextmanager
def part(python, role, endpoint, provider, folder):
    """One process; it ends by itself once asked to, and has then told all its spans."""
    process = subprocess.Popen(
        [python, PARTS, role, endpoint, provider, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline().strip()
        assert line, process.stderr.read()
        yield line
    finally:
        if role != "rerank":
            process.terminate()
        _, said = process.communicate(timeout=60)
        assert not said, said


def ask(port):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("POST", "/ask?question=where")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.fixture(scope="module")
def clicked(tmp_path_factory):
    """The books that the spans of all three processes went into."""
    folder = tmp_path_factory.mktemp("click")
    python = environment("otel")
    company = Company(folder / "books")
    with (
        answering(numbered=True) as provider,
        serving(folder / "books") as server,
        ExitStack() as on,
    ):
        rest = (f"{server.url}/v1/traces", provider, folder)
        on.enter_context(part(python, "rerank", *rest))
        on.callback(stop_worker, folder)
        on.enter_context(part(python, "retrieval", *rest))
        port = on.enter_context(part(python, "assistant", *rest))
        for _ in range(CLICKS):
            ask(port)
    return company


def stop_worker(folder):
    """After the services have ended: the last job of the queue."""
    queue = sqlite3.connect(folder / "queue.sqlite", timeout=30, isolation_level=None)
    queue.execute("INSERT INTO job (headers, body) VALUES ('{}', 'stop')")
    queue.close()


def run_under(company, retrieval, rerank):
    """The sheet of the month of the clicks under these rules of the two services."""
    company.apply(org=ORG % (retrieval, rerank), policy=POLICY, prices=PRICES)
    month = Period.parse(format_instant(SystemClock().now_us())[:7])
    company.run(str(month))
    with company.store.read() as tx:
        return latest_sheet(tx, str(month))


def cut(sheet, name):
    """Calls and cost in micro-dollars by who caused, ran or pays."""
    found = defaultdict(lambda: [0, 0])
    for line in sheet.lines:
        team = line.owner.started_by[0] if name == "origin" else getattr(line.owner, name)
        found[team][0] += line.calls
        found[team][1] += line.card_pico // 10**6
    return {team: tuple(held) for team, held in found.items()}


CAUSED = {"support": (3 * CLICKS, CLICKS * (2 * CHAT + EMBEDDING))}
RAN = {
    "support": (CLICKS, CLICKS * CHAT),
    "search": (CLICKS, CLICKS * EMBEDDING),
    "ranking": (CLICKS, CLICKS * CHAT),
}


@pytest.mark.parametrize(
    ("retrieval", "rerank", "pays"),
    [
        ("transfer: caller_pays", "transfer: caller_pays", CAUSED),
        (
            "transfer: callee_absorbs",  # and what it asks of ranking, which passes on
            "transfer: caller_pays",
            {
                "support": (CLICKS, CLICKS * CHAT),
                "search": (2 * CLICKS, CLICKS * (CHAT + EMBEDDING)),
            },
        ),
        (
            "transfer: caller_pays",
            "transfer: split, weights: {callee: 1, caller: 2}",
            {
                "support": (CLICKS * 3 - 1, CLICKS * (CHAT + EMBEDDING) + CLICKS * CHAT * 2 // 3),
                "ranking": (1, CLICKS * CHAT // 3),
            },
        ),
        (
            'transfer: transfer_price, price: "0.50", per: call',
            "transfer: callee_absorbs",
            RAN,
        ),
    ],
)
def test_three_cuts_of_one_click(clicked, retrieval, rerank, pays):
    sheet = run_under(clicked, retrieval, rerank)
    assert cut(sheet, "origin") == CAUSED
    assert cut(sheet, "executor") == RAN
    assert cut(sheet, "team") == pays
    owed = [(use.team, use.executor, use.service, use.calls, use.amount_nano) for use in sheet.uses]
    priced = [("support", "search", "retrieval", CLICKS, CLICKS * 500_000_000)]
    assert owed == (priced if "price" in retrieval else [])
    assert {line.owner.started_by[1] for line in sheet.lines} == {"refund-bot"}
    assert not any(line.unpriced or line.state != "reported" for line in sheet.lines)
