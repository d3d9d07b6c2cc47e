"""Decisions about what stands centrally: who may, what moves, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import usage
from tallybook.books.model import TeamPolicy
from tallybook.clock import Period
from tallybook.errors import InvoiceError, LedgerError, PeriodError
from tallybook.ledger.model import ActKind, PostingKey
from tallybook.ledger.state import acts
from tallybook.post.recharge import decisions, recharged
from tallybook.reconcile.dispose import disposable, dispose

OCTOBER = Period.parse("2026-10")
UNOWNED = "platform"


class Rules:
    """A policy as a recharge reads it."""

    @staticmethod
    def policy_for(team):
        return TeamPolicy("showback" if team == "s" else "real_cost")


def key(account, team="", provider="X", source="meter:X", detail=""):
    return PostingKey(account, team, "", "", "", provider, "", detail, source, "2026-10", "", 0)


@given(
    costs=st.dictionaries(st.sampled_from(["a", "b", "s", UNOWNED]), st.integers(0, 10**12)),
    price=st.integers(-(10**12), 10**12).filter(bool),
    card=st.dictionaries(st.sampled_from(["a", "s"]), st.integers(-(10**9), 10**9)),
)
def test_a_recharge_balances_and_charges_only_who_is_charged(costs, price, card):
    held = {key("Cost:X", team): nano for team, nano in costs.items()}
    held[key("Variance:price", source="true_up:X", detail="price")] = price
    held |= {key("Variance:rate_card", team): nano for team, nano in card.items()}
    found = recharged(held, "Variance:price", Rules, UNOWNED)
    assert sum(nano for _, nano in found) == 0
    charged = {k.team: nano for k, nano in found if k.account.startswith("Charge:")}
    assert set(charged) <= {"a", "b"}
    assert abs(sum(charged.values())) <= abs(price)
    assert set(charged) <= {team for team, nano in costs.items() if nano}
    own = recharged(held, "Variance:rate_card", Rules, UNOWNED)
    assert {k.team: n for k, n in own if k.account.startswith("Charge:")} == (
        {"a": card["a"]} if card.get("a") else {}
    )


@pytest.fixture
def october(company):
    """Team a's usage at a card that the contract fell below: 0.20 are a variance."""
    prices = company._files["prices"].replace(
        "contracts:\n",
        "contracts:\n"
        '  - {contract: Z, provider: Z, model: z, per_million_tokens: {output: "10"}, to: 2026-10-09}\n'
        '  - {contract: Z2, provider: Z, model: z, per_million_tokens: {output: "8"}, from: 2026-10-09}\n',
    )
    company.apply(prices=prices)
    used = {"provider": "Z", "model": "z", "tokens": {"output": 100_000}}
    company.ingest(usage(started_at="2026-10-20T10:00:00Z", **used))
    company.run()
    return company


def decide(company, account, decision, reason="agreed", **more):
    return dispose(company.store, OCTOBER, account, decision, reason=reason,
                   clock=company.clock, actor="fin", **more)  # fmt: skip


def test_absorbing_posts_nothing_and_is_remembered(october):
    before = october.balances()
    done = decide(october, "Variance:rate_card", "absorb", reason="small")
    assert (done.entries, done.charged_nano, october.balances()) == ((), {}, before)
    with october.store.read() as tx:
        (act,) = [x for x in acts(tx, "2026-10") if x.kind is ActKind.SIGNOFF]
        assert decisions(tx, "2026-10")["Variance:rate_card"] == act
    row = next(x for x in disposable(october.store, OCTOBER) if x.account == "Variance:rate_card")
    assert (row.decision, row.actor, row.reason, row.amount_nano) == (
        "absorb", "fin", "small", -200_000_000,
    )  # fmt: skip


def test_an_open_month_takes_it_itself_and_its_statement_says_so(october):
    done = decide(october, "Variance:rate_card", "recharge")
    assert (done.period, done.charged_nano) == ("2026-10", {"a": -200_000_000})
    assert decide(october, "Variance:rate_card", "recharge").entries == ()
    lines = october.statements().statement("a").lines
    (line,) = [x for x in lines if x.kind == "variance"]
    assert (line.label, line.amount_cents) == (
        "Variance: contract prices against the rate card", -20,
    )  # fmt: skip
    assert october.failing() == {}


@pytest.mark.parametrize(
    ("account", "decision", "more", "error", "said"),
    [
        ("Accrued:X", "absorb", {}, LedgerError, "nothing is decided about Accrued:X"),
        ("Variance:written_off", "absorb", {}, LedgerError, "nothing is decided about"),
        ("Variance:price", "recharge", {}, InvoiceError, "nothing stands on Variance:price"),
        ("Variance:rate_card", "absorb", {"reason": " "}, InvoiceError, "no reason"),
        ("Variance:rate_card", "write_off", {}, InvoiceError, "fin writes off alone"),
        ("Variance:rate_card", "write_off", {"approved_by": "FIN "}, InvoiceError, "alone"),
        ("Variance:rate_card", "absorb", {"into": Period.parse("2026-09")}, PeriodError, "before"),
    ],
)
def test_what_cannot_be_decided_changes_nothing(october, account, decision, more, error, said):
    before = october.dump()
    with pytest.raises(error, match=said):
        decide(october, account, decision, **more)
    assert october.dump() == before


def test_where_every_team_is_only_shown_its_cost_nobody_is_charged(october):
    shown = october._files["policy"].replace('real_cost, markup: "15%"', "showback")
    october.apply(policy=shown)
    october.pool("2026-10", "gateway", "31.00")
    october.run()
    with pytest.raises(InvoiceError, match="nobody can be charged with Variance:pool"):
        decide(october, "Variance:pool", "recharge")
