import re
from urllib.parse import unquote

import pytest
from beancount.loader import load_file

from tallybook.ledger.balance import trial_balance

LINK = re.compile(r'href="([^"]+)"')


def pages(lived):
    return sorted(lived.out.rglob("*.html"))


def test_every_link_leads_somewhere(lived) -> None:
    for page in pages(lived):
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / unquote(link)).is_file(), f"{page}: {link}"


def test_every_page_says_that_it_is_simulated(lived) -> None:
    assert len(pages(lived)) > 80
    for page in pages(lived):
        assert "Simulated data." in page.read_text(encoding="utf-8"), page


def test_the_entry_page_shows_the_control_totals(lived) -> None:
    text = lived.done.pages.entry.read_text(encoding="utf-8")
    for issue in lived.done.pages.months.values():
        assert issue.period_label in text
        assert f"{issue.ledger_cost_cents // 100:,}.{issue.ledger_cost_cents % 100:02}" in text
    assert lived.done.pages.line in text


@pytest.mark.parametrize("period", ["2026-08", "2026-09", "2026-10"])
def test_the_trial_balance_is_there_and_sums_to_zero(lived, period) -> None:
    assert "Accrued:google" in (lived.out / f"trial-balance-{period}.txt").read_text()
    with lived.store.read() as tx:
        rows = trial_balance(tx, period)
    assert sum(row.closing_nano for row in rows if not row.memo) == 0


def test_the_journal_is_balanced_for_beancount(lived) -> None:
    entries, errors, _ = load_file(str(lived.out / "northwind.beancount"))
    assert errors == []
    assert len(entries) > 50
