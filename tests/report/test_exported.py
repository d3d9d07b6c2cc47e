"""What leaves in plain text accounting: balanced, without memo, with what it says."""

import pytest

from tallybook.errors import LedgerError
from tallybook.ledger.chart import Family
from tallybook.report.exported import ROOTS, family_and_parts


def test_every_family_but_memo_has_a_root() -> None:
    assert set(Family) - set(ROOTS) == {Family.MEMO}


def test_an_account_is_a_family_and_its_parts() -> None:
    assert family_and_parts("Charge:support:usage") == (Family.CHARGE, ["support", "usage"])


def test_memo_is_outside_every_export() -> None:
    with pytest.raises(LedgerError, match="outside every export"):
        family_and_parts("Memo:support")
