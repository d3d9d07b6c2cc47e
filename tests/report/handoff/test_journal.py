"""The two journals of section 6 of the worked example, and what they must never book twice."""

from collections import defaultdict
from dataclasses import replace

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.errors import HandoffError, PeriodError
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.journal import neutral_journal

STANDING = Accounts(accrual="standing")


def by(journal, *names, kind="", cents_each=100):
    """Sums by fields of the lines, in units of currency or in cents."""
    found = defaultdict(int)
    for each in journal.vouchers:
        for line in each.lines:
            if not kind or each.kind == kind:
                found[tuple(getattr(line, name) for name in names)] += line.amount_cents
    return {k if len(k) > 1 else k[0]: cents // cents_each for k, cents in found.items() if cents}


@pytest.mark.parametrize("mode", ["reversing", "standing"])
def test_the_worked_example_hands_over_two_journals(handed, mode):
    journal = handed(Accounts(accrual=mode))
    assert [each.kind for each in journal.vouchers] == ["accrual", "recharge"]
    accrual, recharge = journal.vouchers
    assert by(journal, "account", kind="accrual") == {
        "inference_expense": 910, "accrued_liabilities": -910,
    }  # fmt: skip
    assert by(journal, "account", "detail", kind="accrual") == {
        ("inference_expense", "cost_of_revenue"): 760,
        ("inference_expense", "research_and_development"): 100,
        ("inference_expense", "operating_expense"): 50,
        ("accrued_liabilities", "X"): -610,
        ("accrued_liabilities", "Y"): -300,
    }
    assert by(journal, "account", "cost_center", kind="recharge") == {
        ("allocated_ai", "4711"): 765, ("allocated_ai", "4720"): 255, ("allocated_ai", "4700"): -1020,
    }  # fmt: skip
    assert accrual.reverses_on == ("2026-11-01" if mode == "reversing" else "")
    assert (accrual.date, recharge.date, recharge.reverses_on) == ("2026-10-31", "2026-10-31", "")


def test_the_platforms_cost_center_ends_at_central(handed, october):
    """The ERP holds 160 on it; 910 comes, 1,020 goes, and 50 stays."""
    journal = handed()
    moved = by(journal, "cost_center", "account")
    erp = 160 + moved["4700", "inference_expense"] + moved["4700", "allocated_ai"]
    assert erp == 50
    control = journal.control
    assert control.central_cents == october.statements().central_total_cents == erp * 100
    assert control.held_cents + control.accrued_cents - control.recharged_cents == erp * 100
    assert (control.billed_cents, control.rounding_cents) == (0, 0)
    assert control.ledger_cost_cents == 1070_00


def test_each_teams_recharge_is_its_statement_by_class_and_feature(handed, october):
    journal = handed()
    assert by(journal, "team", kind="recharge") == {"A": 765, "B": 255, "": -1020}
    assert by(journal, "team", "detail", "feature", kind="recharge") == {
        ("A", "cost_of_revenue", "a-bot"): 600,
        ("A", "cost_of_revenue", ""): 90,
        ("A", "research_and_development", ""): 75,
        ("B", "cost_of_revenue", "b-find"): 200,
        ("B", "cost_of_revenue", ""): 30,
        ("B", "research_and_development", ""): 25,
        ("", "cost_of_revenue", ""): -920,
        ("", "research_and_development", ""): -100,
    }
    for each in october.statements().statements:
        lines = [x for doc in journal.vouchers for x in doc.lines if x.team == each.team]
        assert sum(line.amount_cents for line in lines) == each.total_cents
        assert {line.cost_center for line in lines} == {each.cost_center}


def test_a_purpose_goes_where_the_accounts_file_says(handed):
    classes = {"evaluation": "cost_of_revenue", "otherwise": "cost_of_revenue"}
    journal = handed(replace(STANDING, classes={**STANDING.classes, **classes}))
    assert by(journal, "account", "detail", kind="accrual") == {
        ("inference_expense", "cost_of_revenue"): 910,
        ("accrued_liabilities", "X"): -610,
        ("accrued_liabilities", "Y"): -300,
    }


def test_external_ids_are_the_same_every_time_and_name_what_they_are(handed):
    ids = [each.external_id for each in handed().vouchers]
    assert ids == ["acme-2026-10-accrual-acme-us-v1", "acme-2026-10-recharge-acme-us-v1"]
    assert handed() == handed()


def test_an_open_period_is_not_handed_over_but_may_be_looked_at(company):
    company.ingest(usage())
    company.run()
    with pytest.raises(PeriodError, match="2026-10 has no statements to hand off"):
        neutral_journal(company.store, Period(2026, 10), Accounts())
    draft = neutral_journal(company.store, Period(2026, 10), Accounts(), draft=True)
    assert draft.is_draft
    assert all(each.external_id.endswith("-v1-draft") for each in draft.vouchers)
    company.close()
    with pytest.raises(PeriodError, match="no statements version 2"):
        neutral_journal(company.store, Period(2026, 10), Accounts(), 2)


def test_a_later_version_takes_the_earlier_one_back(company):
    company.ingest(usage("1"))
    company.run()
    company.close()
    first = neutral_journal(company.store, Period(2026, 10), Accounts())
    company.reopen()
    company.ingest(usage("2", team="b", feature="find"), name="late")
    company.run()
    company.close()
    second = neutral_journal(company.store, Period(2026, 10), Accounts())
    assert neutral_journal(company.store, Period(2026, 10), Accounts(), 1) == first
    ids = [each.external_id for each in second.vouchers]
    assert ids == [
        *(f"{each.external_id}-reversal" for each in first.vouchers),
        *(each.external_id.replace("-v1", "-v2") for each in first.vouchers),
    ]
    both = replace(first, vouchers=(*first.vouchers, *second.vouchers))
    alone = replace(second, vouchers=second.vouchers[len(first.vouchers) :])
    wanted = by(alone, "team", "account", "detail", cents_each=1)
    assert by(both, "team", "account", "detail", cents_each=1) == wanted
    assert wanted["b", "allocated_ai", "cost_of_revenue"] > 0


def test_between_legal_entities_each_journal_balances_over_amounts_due(tmp_path):
    from .conftest import OCTOBER, found  # noqa: PLC0415

    org = (OCTOBER / "org.yaml").read_text(encoding="utf-8")
    org = org.replace(
        "  - {id: all, name: All, legal_entity: acme-us}",
        "  - {id: all, name: All, legal_entity: acme-us}\n"
        "  - {id: eu, name: Europe, legal_entity: acme-eu}",
    ).replace("name: Search, unit: all", "name: Search, unit: eu")
    company = found(tmp_path / "books", org=org)
    company.close()
    journal = neutral_journal(company.store, Period(2026, 10), Accounts())
    lines = {
        (each.kind, each.entity): {
            (line.account, line.cost_center): line.amount_cents // 100 for line in each.lines
            if line.account in ("due_to", "due_from")
        }
        for each in journal.vouchers
    }  # fmt: skip
    assert lines == {
        ("accrual", "acme-us"): {},
        ("recharge", "acme-eu"): {("due_to", ""): -255},
        ("recharge", "acme-us"): {("due_from", ""): 255},
    }
    company.store.close()


def test_a_central_team_without_a_cost_center_is_named(tmp_path):
    from .conftest import OCTOBER, found  # noqa: PLC0415

    org = (OCTOBER / "org.yaml").read_text(encoding="utf-8").replace(', cost_center: "4700"', "")
    company = found(tmp_path / "books", org=org)
    company.close()
    with pytest.raises(HandoffError, match=r"'platform'.* has no cost center"):
        neutral_journal(company.store, Period(2026, 10), Accounts())
    company.store.close()
