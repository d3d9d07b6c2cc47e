"""The worked example, and INV-10 and INV-12 on random months."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import Month, PoolAmount
from tallybook.attribute.model import TransferUse

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

CENTRAL = ("Cost:", "Pool:", "Variance:", "Absorption:")


def balances(lines):
    total = defaultdict(int)
    for line in lines:
        total[line.account] += line.amount_nano
    return {account: nano for account, nano in total.items() if nano}


def groups(lines):
    total = defaultdict(int)
    for line in lines:
        total[line.group] += line.amount_nano
    return total


@pytest.mark.parametrize("column", law.TRIAL_BALANCE)
def test_worked_example_posts_exactly_these_balances(column):
    expected = {
        account: law.nano(text) for account, text in (law.COST | law.TRIAL_BALANCE[column]).items()
    }
    assert balances(allocate(law.month(column)).lines) == expected


@pytest.mark.parametrize("column", law.BORNE)
def test_worked_example_charged_and_central_make_ledger_cost(column):
    allocation = allocate(law.month(column))
    teams, central, _ = law.BORNE[column]
    held = balances(allocation.cost + allocation.charge)
    charged = {
        team: sum(n for account, n in held.items() if account.startswith(f"Charge:{team}:"))
        for team in teams
    }
    assert charged == {team: law.nano(text) for team, text in teams.items()}
    assert sum(n for account, n in held.items() if account.startswith(CENTRAL)) == law.nano(central)


def test_a_team_that_moves_to_another_model_changes_no_cost_entry():
    layers = {column: allocate(law.month(column)).cost for column in law.POLICIES}
    assert len(set(layers.values())) == 1


def test_an_empty_base_leaves_the_pool_central():
    quiet = replace(law.month("real_cost"), cells=())
    held = balances(allocate(quiet).lines)
    assert held["Pool:gateway"] == 150 * law.UNIT
    assert not any(account.startswith("Charge:") for account in held)


names = st.sampled_from(["A", "B", "C", "platform"])
RULES = ("caller_pays", "callee_absorbs", "split", "transfer_price", "joint")


@st.composite
def uses(draw) -> TransferUse:
    payer, executor = draw(st.permutations(["A", "B", "C", "platform"]))[:2]
    calls, price_nano = draw(st.integers(0, 99)), draw(st.integers(0, 10**12))
    return TransferUse(
        team=payer,
        feature=draw(st.sampled_from(["", f"f-{payer}"])),
        purpose=draw(st.sampled_from(["production", "evaluation"])),
        origin=draw(st.sampled_from(["", "A", "C"])),
        origin_feature="",
        service=draw(st.sampled_from(["s1", "s2"])),
        executor=executor,
        calls=calls,
        outcomes=calls,
        price_nano=price_nano,
        per="call",
        amount_nano=calls * price_nano,
    )


@st.composite
def months(draw) -> Month:
    cells = []
    for number in range(draw(st.integers(0, 12))):
        payer = draw(names)
        run_by = payer if payer == "platform" else draw(st.sampled_from([payer, "B"]))
        base = law.cell(
            draw(st.sampled_from("XYZ")),
            payer,
            draw(st.sampled_from(["", f"f-{payer}"])),
            run_by,
            draw(st.sampled_from(["production", "evaluation", "untagged"])),
            draw(st.integers(0, 50)),
            draw(st.integers(0, 9)),
            0,
            0,
        )
        card_nano = draw(st.integers(0, 10**15))
        cells.append(
            replace(
                base,
                card_pico=card_nano * 1000,
                card_nano=card_nano,
                variance_nano=draw(st.integers(-(10**14), 10**14)),
                service=f"s{number}" if base.kind == "transfer" else "",
                origin=draw(st.sampled_from(["", "A", "B", "platform"])),
                transfer=draw(st.sampled_from(["", *RULES])),
            )
        )
    models = st.sampled_from(list(law.MODELS.values()))
    policy = law.policy(draw(models), {team: draw(models) for team in draw(st.sets(names))})
    pools = (PoolAmount("gateway", draw(st.integers(0, 10**13)), draw(st.integers(0, 10**13))),)
    budgets = {f"f-{team}": draw(st.integers(0, 10**14)) for team in draw(st.sets(names))}
    return Month(
        period="2026-10",
        cells=tuple(cells),
        policy=policy,
        pools=pools,
        budgets=budgets,
        teams=("A", "B", "C", "platform"),
        unowned="platform",
        owner_of={f"f-{team}": team for team in ("A", "B", "C", "platform")},
        uses=tuple(draw(st.lists(uses(), max_size=5))),
        feature_of={("s1", "B"): "f-B"},
    )


@settings(max_examples=300, deadline=None)
@given(months())
def test_inv_10_and_12_every_group_balances_and_nothing_is_lost(month):
    allocation = allocate(month)
    assert not any(groups(allocation.lines).values())
    held = balances(allocation.cost + allocation.charge)
    ledger_cost = sum(c.card_nano + c.variance_nano for c in month.cells) + sum(
        pool.actual_nano for pool in month.pools
    )
    borne = sum(n for account, n in held.items() if account.startswith((*CENTRAL, "Charge:")))
    assert borne == ledger_cost


@settings(max_examples=300, deadline=None)
@given(months())
def test_inv_12_d_what_remains_is_unowned_or_on_showback(month):
    allocation = allocate(month)
    held = balances(allocation.cost + allocation.charge)
    tokens = sum(cell.tokens for cell in month.charged_cells("proportional"))
    stays = defaultdict(int)
    for cell in month.cells:
        central = cell.team == month.unowned
        shown = month.model_of(cell.team) == "showback"
        unsplit = month.model_of(cell.team) == "proportional" and not tokens
        if central or (not month.is_pooled(cell) and (shown or unsplit)):
            stays[f"Cost:{cell.provider}"] += cell.card_nano
    for share in allocation.shares:
        shown = sum(n for t, n in share.amounts_nano.items() if month.model_of(t) == "showback")
        stays[f"Pool:{share.pool}"] += shown if share.amounts_nano else share.total_nano
    accounts = {a for a in held if a.startswith(("Cost:", "Pool:"))} | set(stays)
    assert {a: held.get(a, 0) for a in accounts} == {a: stays.get(a, 0) for a in accounts}


@settings(max_examples=200, deadline=None)
@given(months())
def test_prices_move_between_two_teams_and_nothing_else(month):
    """What is charged or central at transfer prices nets to zero, by service and as shown."""
    priced, plain = allocate(month), allocate(replace(month, uses=()))
    legs = [line for line in priced.charge if line.group.startswith("transfer:")]
    assert not any(groups(legs).values())
    assert [line for line in priced.charge if line not in legs] == list(plain.charge)
    assert priced.cost == plain.cost
    expected = defaultdict(int)
    for use in month.uses:
        charged = [month.is_charged(team) for team in (use.team, use.executor)]
        sides = zip((use.team, use.executor), charged, (1, -1), strict=True)
        for team, is_charged, sign in sides if any(charged) else ():
            account = f"Charge:{team}:transfer" if is_charged else "Absorption:transfer"
            expected[account] += sign * use.amount_nano
    assert balances(legs) == {account: nano for account, nano in expected.items() if nano}


@settings(max_examples=100, deadline=None)
@given(months(), st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(month, random):
    shuffled = list(month.cells)
    random.shuffle(shuffled)
    again = allocate(replace(month, cells=tuple(shuffled)))
    assert balances(again.lines) == balances(allocate(month).lines)
