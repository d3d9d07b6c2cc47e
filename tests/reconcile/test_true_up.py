"""The worked example's true-up to the cent, and what a true-up refuses."""

from collections import defaultdict
from pathlib import Path

import pytest

from company import Company, plain, usage
from stores import kept_stores
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.errors import CorruptedError, InvoiceError, PeriodError
from tallybook.ledger.balance import trial_balance
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.reconcile import reconcile
from tallybook.reconcile.true_up import true_up
from tallybook.store.commands import Command

HERE = Path(__file__).parent / "worked_example"
OCTOBER = Path(__file__).parents[1] / "scenarios" / "october"
WINDOW = (1_790_812_800_000_000, 1_793_491_200_000_000)
POLICY = """
versions:
  - effective_from: 2026-10
    default: {model: real_cost, markup: "15%"}
    rate_card: {basis: contract, freeze: monthly}
    pools:
      - {id: gateway, monthly: "150.00", driver: calls, recovered_by: markup}
      - {id: quality, driver: production_cost}
    evaluation: {funding: pooled, pool: quality}
    limits: {unallocated: "100%"}
"""


def sections():
    found, heading = defaultdict(list), ""
    for line in (HERE / "true_up.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            heading = line.removeprefix("== ")
        elif line.strip():
            found[heading].append(line)
    return found


SAID = sections()


def amounts(name):
    return dict(line.split() for line in SAID[name])


def events():
    for row in (HERE / "events.txt").read_text(encoding="utf-8").splitlines():
        if row.startswith("#"):
            continue
        name, day, calls, model, *rest = row.split()
        pairs = dict(pair.split("=") for pair in rest if pair != "-")
        tags = {key: pairs.pop(key, None) for key in ("team", "feature", "purpose", "service")}
        provider, _, model = model.partition("/")
        for number in range(int(calls)):
            yield usage(
                f"{name}-{day}-{number}", started_at=f"{day}T12:00:{number:02}Z",
                provider=provider, model=model,
                tokens={key: int(count) for key, count in pairs.items()}, **tags,
            )  # fmt: skip


def enter(company, provider, lines, number="1", total="", **terms):
    form = MapForm(invoice=InvoiceForm(number=number, currency="USD", total=total))
    told = typed(lines, Ask(provider, WINDOW), form)
    command = Command("invoice enter", {}, "tester")
    bring_in(company.store, told, Terms(provider, (), {}, **terms), command, company.clock.now_us())


def trued(company, into="", provider="", period="2026-10"):
    return true_up(
        company.store, Period.parse(period), into=Period.parse(into) if into else None,
        provider=provider, clock=company.clock, actor="controller",
    )  # fmt: skip


def standing(company, period):
    found = defaultdict(int)
    with company.store.read() as tx:
        for row in trial_balance(tx, period):
            found[row.account] += row.closing_nano
    return {account: plain(nano) for account, nano in found.items() if nano}


def posted(company, ids):
    """The balances of each entry, with ``--`` between."""
    found = []
    for entry in company.journal():
        if entry.id in ids:
            held = defaultdict(int)
            for posting in entry.postings:
                held[posting.account] += posting.amount_nano
            found.append({account: plain(nano) for account, nano in held.items()})
    return found


@pytest.fixture(scope="module")
def closed_home(tmp_path_factory):
    """Books with October closed, for tests to copy."""
    company = october_of(tmp_path_factory.mktemp("true_up"))
    company.store.close()
    return company.home


@pytest.fixture
def october(closed_home, tmp_path):
    company = Company(kept_stores().copy(closed_home, tmp_path / "books"))
    yield company
    company.store.close()


def october_of(home, more=""):
    company = Company(home)
    org = (OCTOBER / "org.yaml").read_text(encoding="utf-8")
    company.apply(
        policy=POLICY + more,
        org=f"{org}keys:\n  - {{id: vk-b, team: B}}\n",
        prices=(OCTOBER / "prices.yaml").read_text(encoding="utf-8"),
    )
    company.ingest(*events())
    company.pool("2026-10", "gateway", "160.00")
    company.run()
    company.close()
    return company


def test_the_worked_example_from_october_to_december(october):
    assert standing(october, "2026-10") == amounts("2026-10")
    enter(october, "X", SAID["invoice X"], total="690.00")
    (x,) = reconcile(october.store, Period.parse("2026-10"), provider="X").providers
    told = amounts("identity X")
    kinds = {str(kind): plain(x.of_kind(kind) // 1000) for kind in {v.kind for v in x.variances}}
    assert kinds == {name: told[name] for name in told if name not in ("metered", "invoiced")}
    assert plain(x.metered_pico // 1000) == told["metered"]
    assert plain(x.invoiced_pico // 1000) == told["invoiced"]

    first = trued(october)
    assert first.period == "2026-11"
    both = "\n".join(SAID["T1 T2"]).split("\n--\n")
    assert posted(october, first.entries) == [
        dict(line.split() for line in part.splitlines()) for part in both
    ]
    assert standing(october, "2026-11") == amounts("2026-11")
    assert trued(october).entries == ()  # again posts nothing

    enter(october, "Y", SAID["invoice Y"], total="300.00")
    second = trued(october, into="2026-12", provider="Y")
    assert posted(october, second.entries) == [amounts("T3")]
    assert standing(october, "2026-12") == amounts("2026-12")
    assert standing(october, "2026-10") == amounts("2026-10")  # October is as it was closed

    close = next(e for e in october.journal() if e.id in first.entries).corrects
    assert close.startswith("A-")
    assert october.failing("INV-01", "INV-04", "INV-05", "INV-10", "INV-12", "INV-13") == {}


def test_a_restated_invoice_posts_what_changed(october):
    enter(october, "X", SAID["invoice X"], total="690.00")
    trued(october)
    enter(october, "X", [*SAID["invoice X"][:-1], "other 1.00"], total="688.00", restate="typo")
    (only,) = posted(october, trued(october).entries)
    assert only == {"Payable:X": "2.00", "Suspense:X": "-2.00"}


def test_where_the_policy_recharges_november_credits_the_rate_card_variance(tmp_path):
    company = october_of(tmp_path, "    variance: recharge\n")
    company.run("2026-11")
    (entry,) = [e for e in company.journal("2026-11") if e.reason == "disposition"]
    assert posted(company, [entry.id]) == [amounts("recharge")]
    assert company.run("2026-11").entries == ()
    assert company.failing() == {}
    company.store.close()


def test_the_month_that_booked_it_closes_and_is_made_again(tmp_path):
    company = october_of(tmp_path)
    enter(company, "X", SAID["invoice X"], total="690.00")
    trued(company)
    company.clock = FixedClock(parse_instant("2026-12-05T09:00:00Z"))
    company.ingest(usage("n", started_at="2026-11-03T10:00:00Z", model="x-small", team="A",
                         feature="a-bot", tokens={"input_uncached": 1000}), name="nov")  # fmt: skip
    company.run("2026-11")
    company.close("2026-11")
    (line,) = company.statements("2026-11").statement("B").lines
    assert line.label == "October, billed and not metered, by key (S-2026-10-B v1)"
    assert line.amount_cents == 2000
    assert company.failing() == {}
    company.store.close()


def test_a_closed_month_and_a_month_before_are_refused(october):
    enter(october, "X", SAID["invoice X"], total="690.00")
    before = october.dump()
    with pytest.raises(PeriodError, match="2026-10 is closed") as refused:
        trued(october, into="2026-10")
    assert "2026-11" in refused.value.next_step
    with pytest.raises(PeriodError, match="is before 2026-10"):
        trued(october, into="2026-09")
    assert october.dump() == before


def test_without_an_invoice_the_accrual_stands(company):
    company.ingest(usage())
    company.run()
    with pytest.raises(InvoiceError, match="its accrual stands"):
        trued(company)


def test_usage_that_is_not_booked_is_booked_first(company):
    company.ingest(usage())
    enter(company, "X", ["usage 1.00 model=x-1 day=2026-10-03"])
    with pytest.raises(InvoiceError, match=r"0\.000000000 is accrued for X") as refused:
        trued(company)
    assert refused.value.next_step == "book the usage first: tallybook run 2026-10"
    company.run()
    (only,) = posted(company, trued(company).entries)
    assert only == {"Accrued:X": "1.00", "Payable:X": "-1.00"}
    assert trued(company).period == "2026-10"  # the month is open: it posts into itself


def test_a_team_on_showback_is_not_charged(company):
    company.apply(
        org=company._files["org"].replace("keys:\n", "keys:\n  - {id: vk-b, team: b}\n"),
        policy=company._files["policy"].replace("    pools:", "    teams: {b: {model: showback}}\n    pools:"),
    )  # fmt: skip
    company.ingest(usage())
    company.run()
    enter(
        company,
        "X",
        ["usage 1.00 model=x-1 day=2026-10-03", "usage 2.00 key_id=vk-b day=2026-10-04"],
    )
    (only,) = posted(company, trued(company).entries)
    assert only == {"Accrued:X": "1.00", "Payable:X": "-3.00", "Variance:volume": "2.00"}


def test_nothing_is_posted_beside_a_damaged_file(company):
    company.ingest(usage())
    company.run()
    enter(company, "X", ["usage 1.00 model=x-1 day=2026-10-03"])
    (sealed,) = (company.home / "lake").rglob("*.parquet")
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"?")
    before = company.journal()
    with pytest.raises(CorruptedError):
        trued(company)
    assert company.journal() == before


def test_what_the_next_invoice_bills_of_the_month_clears_what_stayed_accrued(october):
    enter(october, "X", SAID["invoice X"], total="690.00")
    trued(october)
    before = standing(october, "2026-12")["Accrued:X"]
    late = "usage 8.00 day=2026-10-31 model=x-small token_class=input_uncached quantity=80000"
    enter(october, "X", [late], number="2", total="8.00")
    (only,) = posted(october, trued(october, provider="X").entries)
    assert (before, only) == ("-8.00", {"Accrued:X": "8.00", "Payable:X": "-8.00"})
    assert "Accrued:X" not in standing(october, "2026-12")
