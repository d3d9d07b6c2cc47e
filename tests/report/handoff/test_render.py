"""The two journals in every ERP's form, judged by the ERPs' documented rules."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.clock import Period
from tallybook.errors import HandoffError
from tallybook.report.handoff.accounts_file import read_accounts
from tallybook.report.handoff.chart_file import read_chart
from tallybook.report.handoff.mapping import ERPS, load_mapping
from tallybook.report.handoff.model import ControlTotals, JournalLine, NeutralJournal, Voucher
from tallybook.report.handoff.render import date_text, period_text, rendered

from .conftest import ACCOUNTS, CHART
from .erp_rules import ORACLE_SAMPLE, netsuite, oracle, xero

CODES = {"5100", "6100", "6900", "5190", "6190", "6990", "2150", "2151", "1310", "2310"}
CENTERS = {"Support", "4720", "4700"}
ACCRUAL = {"5100": 760, "6100": 100, "6900": 50, "2151": -610, "2150": -300}
RECHARGE = {"5190": 0, "6190": 0}


def files(journal, erp, accounts, chart):
    return rendered(journal, load_mapping(erp), accounts, chart).files


def units(sums):
    return {account: int(figure) for account, figure in sums.items()}


def test_netsuite_takes_the_worked_example(handed, accounts, chart):
    found = files(handed(accounts), "netsuite", accounts, chart)
    assert list(found) == ["netsuite-2026-10-1.csv"]
    journals = netsuite(found, CODES, CENTERS)
    assert {name: units(sums) for name, sums in journals.items()} == {
        "acme-2026-10-accrual-acme-us-v1": ACCRUAL,
        "acme-2026-10-accrual-acme-us-v1-reverse": {k: -v for k, v in ACCRUAL.items()},
        "acme-2026-10-recharge-acme-us-v1": RECHARGE,
    }
    text = found["netsuite-2026-10-1.csv"].decode()
    assert "acme-2026-10-accrual-acme-us-v1-reverse,11/01/2026,Nov 2026,US01,USD," in text
    assert ',5190,600.00,,"AI recharge S-2026-10-A v1, a-bot",Support,' in text


def test_a_standing_accrual_has_no_reversal(handed, accounts, chart):
    standing = replace(accounts, accrual="standing")
    journals = netsuite(files(handed(standing), "netsuite", standing, chart), CODES, CENTERS)
    assert sorted(journals) == [
        "acme-2026-10-accrual-acme-us-v1",
        "acme-2026-10-recharge-acme-us-v1",
    ]


def test_xero_takes_the_worked_example(handed, accounts, chart):
    journals = xero(files(handed(accounts), "xero", accounts, chart), CODES, CENTERS)
    assert [units(sums) for sums in journals.values()] == [
        ACCRUAL, {k: -v for k, v in ACCRUAL.items()}, RECHARGE,
    ]  # fmt: skip
    assert {date for _, date in journals} == {"31/10/2026", "01/11/2026"}


def test_oracle_takes_the_worked_example(handed, accounts, chart):
    journals = oracle(files(handed(accounts), "oracle-fusion", accounts, chart))
    first = journals["acme-2026-10-accrual-acme-us-v1"]
    assert units(first) == {f"US01-{code}-4700": amount for code, amount in ACCRUAL.items()}


def test_the_checker_of_oracle_reads_oracles_own_line():
    assert len(ORACLE_SAMPLE.split(",")) == 93
    names = [column.name for column in load_mapping("oracle-fusion").columns]
    wanted = {0: "Status Code", 2: "Effective Date of Transaction", 38: "Entered Debit Amount",
              42: "REFERENCE1 (Batch Name)", 45: "REFERENCE4 (Journal Entry Name)",
              66: "Interface Group Identifier", 92: "END"}  # fmt: skip
    assert {at: names[at] for at in wanted} == wanted


def big(lines, entity="acme-us", cents=101):
    """A recharge of many teams against one credit."""
    debits = [
        JournalLine("allocated_ai", "cost_of_revenue", "4720", f"t{n}", "", "2026-10", cents + n,
                    f"AI recharge, Größe {n}")
        for n in range(lines)
    ]  # fmt: skip
    total = sum(each.amount_cents for each in debits)
    credit = JournalLine("allocated_ai", "cost_of_revenue", "4700", "", "", "2026-10", -total, "AI")
    voucher = Voucher("acme-2026-10-recharge-us-v1", "recharge", entity, "2026-10-31", "2026-10",
                        "USD", "", "AI inference recharged", (*debits, credit))  # fmt: skip
    control = ControlTotals(0, 0, 0, total, -total, 0)
    return NeutralJournal("acme", "Acme", "2026-10", 1, False, "standing", "4700", (voucher,),
                          control)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 900), st.integers(1, 10**9))
def test_any_number_of_lines_stays_within_the_limits(count, cents):
    accounts, chart = read_accounts(ACCOUNTS.encode(), "a"), read_chart(CHART.encode(), "c")
    journal = big(count, cents=cents)
    total = journal.vouchers[0].debit_cents
    for erp, check in (
        ("netsuite", lambda found: netsuite(found, CODES, CENTERS)),
        ("xero", lambda found: xero(found, CODES, CENTERS)),
        ("oracle-fusion", oracle),
    ):
        made = rendered(journal, load_mapping(erp), accounts, chart)
        journals = check(made.files)
        assert len(journals) == len(made.vouchers)
        assert sum(each.debit_cents for each in made.vouchers) == total


def test_xero_gets_files_of_300_lines_and_netsuite_journals_of_200(accounts, chart):
    journal = big(700)
    assert len(files(journal, "xero", accounts, chart)) == 3
    found = rendered(journal, load_mapping("netsuite"), accounts, chart)
    assert [len(each.lines) for each in found.vouchers] == [200, 200, 200, 104]
    assert len(found.files) == 1


@pytest.mark.parametrize("erp", ERPS)
def test_the_same_journal_has_the_same_bytes(handed, accounts, chart, erp):
    assert files(handed(accounts), erp, accounts, chart) == files(
        handed(accounts), erp, accounts, chart
    )


@pytest.mark.parametrize("erp", [e for e in ERPS if load_mapping(e).state == "template"])
def test_a_template_says_first_what_is_unverified_and_balances(handed, accounts, chart, erp):
    mapping = load_mapping(erp)
    (raw,) = files(handed(accounts), erp, accounts, chart).values()
    lines = raw.decode("utf-8").splitlines()
    said = [line for line in lines if line.startswith(mapping.comment)]
    assert said == lines[: len(said)]
    assert "Not verified" in said[0]
    assert [line.removeprefix(f"{mapping.comment} ") for line in said[1:]] == list(
        mapping.unverified
    )
    head, *rows = csv.reader(lines[len(said) :], delimiter=mapping.delimiter)
    assert head == [column.name for column in mapping.columns]
    by_value = {column.value: at for at, column in enumerate(mapping.columns)}
    debit, credit = by_value["{debit}"], by_value["{credit}"]
    assert sum(Decimal(row[debit] or 0) - Decimal(row[credit] or 0) for row in rows) == 0
    assert sum(Decimal(row[debit] or 0) for row in rows) == 910 + 910 + 1020


def test_each_mapping_says_where_its_rules_come_from():
    for erp in ERPS:
        mapping = load_mapping(erp)
        assert mapping.id == erp
        assert mapping.rules
        assert (mapping.state == "template") == bool(mapping.unverified) == bool(mapping.comment)
    assert [e for e in ERPS if load_mapping(e).state == "proven"] == [
        "netsuite",
        "oracle-fusion",
        "xero",
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            "account,5100,active,",
            "acme-2026-10-accrual-acme-us-v1 line 1, .*account '5100' is not in",
        ),
        ("entity,US01,active,", "Subsidiary: entity 'US01' is not in the chart"),
        ("cost_center,4720,active,", "Department: cost_center '4720' is not in the chart"),
        ("period,2026-11,open,", "-reverse line 1, Posting Period: period '2026-11' is not in"),
    ],
)
def test_what_the_chart_does_not_have_is_refused_with_its_place(handed, accounts, row, fault):
    chart = read_chart(CHART.replace(row + "\n", "").encode(), "chart.csv")
    with pytest.raises(HandoffError, match=fault) as refused:
        files(handed(accounts), "netsuite", accounts, chart)
    assert refused.value.where == "chart.csv"
    assert "nothing written" in str(refused.value)


def test_a_closed_period_is_refused(handed, accounts):
    chart = read_chart(CHART.replace("2026-10,open", "2026-10,closed").encode(), "chart.csv")
    with pytest.raises(HandoffError, match="period '2026-10' is closed; open it in the ERP"):
        files(handed(accounts), "netsuite", accounts, chart)


def test_what_does_not_fit_is_refused(accounts, chart):
    with pytest.raises(
        HandoffError, match=r"10000000000\.00 has 11 digits before the point, 10 fit"
    ):
        files(big(1, cents=10**12), "netsuite", accounts, chart)
    long = replace(accounts, fields={**accounts.fields, "journal_source": "x" * 26})
    with pytest.raises(HandoffError, match=r"Journal Source: 'x+' has 26 characters, 25 fit"):
        files(big(1), "oracle-fusion", long, chart)
    empty = replace(accounts, entities={"acme-us": ""})
    with pytest.raises(HandoffError, match="Subsidiary: empty, and netsuite requires it"):
        files(big(1), "netsuite", empty, chart)


def test_a_long_text_is_cut_where_the_erp_cuts_it(accounts, chart):
    journal = big(1)
    journal = replace(journal, vouchers=(replace(journal.vouchers[0], text="é" * 2000),))
    (raw,) = files(journal, "netsuite", accounts, chart).values()
    memo = next(csv.DictReader(io.StringIO(raw.decode("utf-8"))))["Memo"]
    assert memo == "é" * 996 + "..."


def test_a_field_that_nobody_states_is_asked_for(handed, accounts, chart):
    bare = replace(accounts, fields={})
    with pytest.raises(HandoffError, match="asks for tax_rate") as refused:
        files(handed(bare), "xero", bare, chart)
    assert refused.value.next_step == "state them in the accounts file under fields"
    wrong = replace(accounts, fields={**accounts.fields, "tax_rate": "{tax}"})
    with pytest.raises(HandoffError, match="the field 'tax'"):
        files(handed(wrong), "xero", wrong, chart)


def test_spellings_of_dates_and_periods():
    assert date_text("2026-10-03", "DD/MM/YYYY") == "03/10/2026"
    assert date_text("2026-10-03", "YYYYMMDD") == "20261003"
    assert period_text(Period(2026, 3), "Mon-YY") == "Mar-26"
    assert period_text(Period(2026, 3), "Mon YYYY") == "Mar 2026"
