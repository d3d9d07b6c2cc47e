"""Whatever is put into provider invoices, in their own forms, the books find it again."""

import pytest

import servers
from tallybook.sim.invoices.company import PROVIDERS
from tallybook.sim.invoices.inject import INJECTIONS, possible
from tallybook.sim.invoices.year import Year, live_year

OF_ONE = {"decimals": "google", "covered": "mistral", "unmetered_key": "openai", "fx": "small"}


def who_says(kind):
    able = [sold.name for sold in PROVIDERS if kind in possible(sold)]
    return OF_ONE.get(kind, able[0])


@pytest.mark.parametrize("kind", [kind for kind in INJECTIONS if not kind.startswith("own:")])
def test_each_kind_alone_is_found_by_its_name(kind):
    months = 2 if kind == "cut_off" else 1
    year = Year(1, months, kinds=(kind,), providers=(who_says(kind),), terms=False)
    lived = live_year(year)
    assert not lived.failure
    assert lived.tally["differences"]


def test_lines_of_every_other_kind_have_the_name_of_their_kind():
    kinds = tuple(kind for kind in INJECTIONS if kind.startswith("own:"))
    lived = live_year(Year(2, months=1, kinds=kinds, crashes=0, terms=False))
    assert not lived.failure
    assert {kind for sold in PROVIDERS for kind in possible(sold)} == set(INJECTIONS)


@pytest.mark.parametrize("seed", [3])
def test_mixtures_hold_through_crashes_duplicates_and_restatements(seed):
    lived = live_year(Year(seed, months=2, crashes=40))
    assert not lived.failure, f"tallybook sim --invoices --seed {seed} --months 2"
    assert lived.tally["crashes"]
    assert lived.tally["restated"] == lived.tally["credit notes"] == 1


def test_a_whole_year_holds_to_its_end_and_into_the_next():
    """35 CPU seconds: every kind of term ends in it, and an invoice comes after later ones."""
    lived = live_year(Year(7))
    assert not lived.failure, "tallybook sim --invoices --seed 7 --months 12"
    assert lived.tally["closes"] == 13
    happened = ("late invoices", "restated", "credit notes", "years closed")
    assert [lived.tally[name] for name in happened] == [1, 1, 1, 1]
    assert lived.tally["disputes"] == 4
    assert lived.tally["variances found"] > 500


def test_an_invoice_that_later_ones_overtook_clears_nothing_that_they_cleared():
    """April's bills the shortfall of the term; March's comes after it, and bills a minimum too."""
    lived = live_year(Year(71, months=6, providers=("small",), crashes=0))
    assert not lived.failure
    assert lived.tally["late invoices"] == 1


def test_a_price_cut_in_mid_month_is_no_difference():
    year = Year(4, months=3, kinds=("none",), providers=("openai",), crashes=0, terms=False)
    lived = live_year(year)
    assert not lived.failure
    # A restated report brings the only one.
    assert lived.tally["variances found"] == 1


def test_a_difference_that_is_not_found_breaks_the_year(monkeypatch):
    monkeypatch.setattr("tallybook.sim.invoices.proofs.exchange_pico", lambda _: 1)
    lived = live_year(Year(1, months=1, providers=("small",), crashes=0, terms=False))
    assert "INV-13: 2026-01: small: put in" in lived.failure


def test_what_the_oracle_does_not_expect_breaks_the_year(monkeypatch):
    monkeypatch.setattr("tallybook.sim.oracle.beside.Beside._credits", lambda *_: None)
    lived = live_year(Year(1, months=1, providers=("openai",), crashes=0))
    assert "oracle: 2026-01, in nano: Accrued:openai: expected" in lived.failure
    assert "Variance:credit: expected 0, found" in lived.failure


def test_on_postgresql_what_is_cut_off_in_mid_command_is_out_or_in():
    with servers.postgres_database() as url:
        lived = live_year(Year(5, months=1, providers=("openai", "small"), crashes=90, store=url))
    assert not lived.failure
    assert lived.tally["cuts"]
