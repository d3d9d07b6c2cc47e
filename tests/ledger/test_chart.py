"""Which account names the chart admits."""

from __future__ import annotations

import pytest

from tallybook.errors import LedgerError
from tallybook.ledger import CENTRAL, Family, check_account, is_memo


@pytest.mark.parametrize(
    ("account", "family"),
    [
        ("Cost:openai", Family.COST),
        ("Charge:support:refund-bot:usage", Family.CHARGE),
        ("Memo:Shown:A", Family.MEMO),
        ("Rounding", Family.ROUNDING),
        ("Pool:büro", Family.POOL),
    ],
)
def test_declared_accounts(account: str, family: Family) -> None:
    assert check_account(account) is family


@pytest.mark.parametrize(
    ("account", "names"),
    [
        ("Revenue:x", "no declared family"),
        ("cost:x", "no declared family"),
        ("", "no declared family"),
        ("Cost", "a whole family"),
        ("Cost:", "''"),
        ("Charge:a::usage", "''"),
        ("Cost: x", "' x'"),
        ("Cost:x\n", "'x\\n'"),
        ("Cost:a\x00b", "'a\\x00b'"),
    ],
)
def test_refused_accounts(account: str, names: str) -> None:
    with pytest.raises(LedgerError) as refusal:
        check_account(account)
    assert names in refusal.value.what
    assert refusal.value.next_step


def test_central_is_what_no_team_bears() -> None:
    assert {str(family) for family in CENTRAL} == {
        "Cost",
        "Pool",
        "Variance",
        "Absorption",
        "Suspense",
    }


def test_memo_is_by_family_not_by_prefix() -> None:
    assert is_memo("Memo:Contra")
    assert not is_memo("Memorial:x")
    assert not is_memo("Cost:Memo")
