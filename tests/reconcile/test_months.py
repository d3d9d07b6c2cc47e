"""Months from usage to invoice in one readable file each: steps, and the entries that must come.

A file's sections: ``policy`` (lines of the version), ``prices`` (the file), ``steps`` in order, then
what the books must say: ``journal`` of entries that do not come from events, as ``month about month
reason`` with balances by account; ``balance MONTH``; ``statement MONTH TEAM``. Usage is of a model at
10.00 per million tokens, so ``use 2026-10-03 a 100.00`` is ten million.
"""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from company import Company, plain, usage
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.ledger.balance import trial_balance
from tallybook.post.beside import is_of_close
from tallybook.post.run import is_from_events
from tallybook.reconcile.accrue import accrue
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.dispose import dispose
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.true_up import true_up
from tallybook.store.commands import Command

HERE = Path(__file__).parent / "months"
FILES = sorted(path.stem for path in HERE.glob("*.txt"))
PRICES = """contracts:
  - {contract: X-1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10"}}
"""
ORG = """company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units:
  - {id: all, name: All, legal_entity: acme-us}
teams:
  - {id: a, name: Team A, unit: all, cost_center: "1"}
  - {id: b, name: Team B, unit: all, cost_center: "2"}
  - {id: s, name: Shown, unit: all, cost_center: "3"}
  - {id: platform, name: Platform, unit: all, cost_center: "9"}
keys:
  - {id: vk-b, team: b}
unowned: {team: platform}
"""
TOKENS_A_DOLLAR = 100_000


class Play:
    """A company that takes the steps of a file."""

    def __init__(self, home):
        self.company = Company(home)
        self.count = 0

    def at(self, period):
        month = Period.parse(period).next()
        self.company.clock = FixedClock(parse_instant(f"{month}-05T09:00:00Z"))

    def take(self, step):
        verb, *rest = step.split()
        getattr(self, verb.replace("-", "_"))(*rest)

    def use(self, day, team, amount, model="X/x-1", *pairs):
        self.count += 1
        provider, _, name = model.partition("/")
        tokens = int(Decimal(amount) * TOKENS_A_DOLLAR)
        tags = dict(pair.split("=") for pair in pairs)
        self.company.ingest(
            usage(f"e-{self.count}", started_at=f"{day}T12:00:00Z", provider=provider, model=name,
                  team=None if team == "-" else team, feature=None,
                  tokens={"input_uncached": tokens}, **tags),
            name=f"in-{self.count}",
        )  # fmt: skip

    def run(self, period):
        self.at(period)
        self.company.run(period)

    def pool(self, period, pool, amount):
        self.company.pool(period, pool, amount)

    def accrue(self, period):
        self.at(period)
        accrue(self.company.store, Period.parse(period), clock=self.company.clock, actor="fin")

    def close(self, period):
        self.at(period)
        self.company.close(period)

    def soft_close(self, period):
        self.at(period)
        self.company.soft_close(period)

    def reopen(self, period):
        self.company.reopen(period)

    def adjust(self, period, about, text, *lines):
        """Prepared, approved and posted; `@` stands for a blank."""
        another = about if about != period else ""
        self.company.adjusted(*lines, period=period, about=another, text=text.replace("@", " "))

    def invoice(self, period, provider, number, *lines):
        """Lines are joined by commas; `@` stands for a blank."""
        start, end = self.company_bounds(period)
        kept = [line.replace("@", " ") for line in lines if "=" not in line or "@" in line]
        rates = dict(line.split("=", 1) for line in lines if line.startswith("rate="))
        currency = next((x.split("=")[1] for x in lines if x.startswith("currency=")), "USD")
        form = MapForm(invoice=InvoiceForm(number=number, currency=currency))
        told = typed(kept, Ask(provider, (start, end)), form)
        terms = Terms(provider, (), {currency: tuple(rates["rate"].split("/"))} if rates else {})
        command = Command("invoice enter", {}, "fin")
        bring_in(self.company.store, told, terms, command, self.company.clock.now_us())

    def company_bounds(self, period):
        month = Period.parse(period)
        return tuple(parse_instant(f"{m}-01T00:00:00Z") for m in (month, month.next()))

    def true_up(self, period, *into):
        true_up(self.company.store, Period.parse(period), clock=self.company.clock, actor="fin",
                into=Period.parse(into[0]) if into else None)  # fmt: skip

    def dispose(self, period, account, decision, *approved_by):
        dispose(self.company.store, Period.parse(period), account, decision, reason="as agreed",
                approved_by="".join(approved_by), clock=self.company.clock, actor="fin")  # fmt: skip


def sections(name):
    found, heading = {}, ""
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            heading = line.removeprefix("== ")
            found[heading] = []
        elif line.strip():
            found[heading].append(line.rstrip())
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    made = {}

    def play(name):
        if name not in made:
            said = sections(name)
            one = Play(tmp_path_factory.mktemp(name))
            policy = "\n".join(f"    {line}" for line in said["policy"])
            one.company.apply(
                org=ORG,
                policy=f"versions:\n  - effective_from: 2026-01\n{policy}\n",
                prices=PRICES + "\n".join(said.get("prices", ())) + "\n",
            )
            for step in said["steps"]:
                one.take(step)
            made[name] = one.company
        return made[name]

    yield play
    for company in made.values():
        company.store.close()


def beside(company):
    """Entries that do not come from events, as lines."""
    for entry in company.journal():
        held = defaultdict(int)
        for posting in entry.postings:
            if not is_from_events(posting.key) and not is_of_close(posting.key):
                held[posting.account] += posting.amount_nano
        if held:
            yield f"{entry.period} about {entry.service_period} {entry.reason}"
            yield from (f"  {account} {plain(nano)}" for account, nano in sorted(held.items()))


@pytest.mark.parametrize("name", FILES)
def test_journal(played, name):
    wanted = [" ".join(line.split()) for line in sections(name)["journal"]]
    assert [" ".join(line.split()) for line in beside(played(name))] == wanted


@pytest.mark.parametrize("name", FILES)
def test_balances(played, name):
    for heading, lines in sections(name).items():
        if heading.startswith("balance "):
            found = defaultdict(int)
            with played(name).store.read() as tx:
                for row in trial_balance(tx, heading.split()[1]):
                    found[row.account] += row.closing_nano
            assert {a: plain(n) for a, n in found.items() if n} == dict(x.split() for x in lines)


@pytest.mark.parametrize("name", FILES)
def test_statements(played, name):
    for heading, lines in sections(name).items():
        if heading.startswith("statement "):
            _, period, team = heading.split()
            statement = played(name).statements(period).statement(team)
            found = [
                f"{line.kind} {line.label or line.detail} {plain(line.amount_cents * 10**7)}"
                for line in statement.lines
            ]
            assert [" ".join(x.split()) for x in found] == [" ".join(x.split()) for x in lines]


@pytest.mark.parametrize("name", FILES)
def test_what_is_noted_and_what_is_central(played, name):
    for heading, lines in sections(name).items():
        if heading.startswith("notes "):
            _, period, team = heading.split()
            notes = played(name).statements(period).statement(team).notes
            found = [f"{note.label} {plain(note.amount_cents * 10**7)}" for note in notes]
            assert found == lines
        if heading.startswith("central "):
            central = played(name).statements(heading.split()[1]).central
            found = [f"{x.kind} {x.detail} {plain(x.amount_cents * 10**7)}" for x in central]
            assert found == lines


@pytest.mark.parametrize("name", FILES)
def test_every_invariant_holds(played, name):
    assert played(name).failing() == {}
