"""Beancount itself reads what we write, and finds our sums on our accounts."""

import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import data
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import LedgerError
from tallybook.ledger.journal import JournalEntry
from tallybook.ledger.model import Posting, Reason
from tallybook.report.beancount import account_name, beancount_text, read_account

UNIT = 10**9


def entry(number, *postings, period="2026-10", text="October", corrects="", reason=Reason.METER):
    return JournalEntry(
        number, f"E-{number:06}", reason, period, period, 0, "fin", text, {"policy": 7}, corrects,
        {}, "", "", tuple(postings),
    )  # fmt: skip


def loaded(text):
    directives, faults, options = loader.load_string(text)
    assert faults == []
    return directives, options


def sums(directives):
    found = defaultdict(Decimal)
    for each in data.filter_txns(directives):
        for posting in each.postings:
            found[read_account(posting.account)] += posting.units.number
    return dict(found)


WORKED = [
    entry(1, Posting("Cost:X", 650 * UNIT, provider="X", source="meter:X", policy_version=7),
          Posting("Variance:rate_card", -40 * UNIT), Posting("Accrued:X", -610 * UNIT)),
    entry(2, Posting("Cost:Y", 300 * UNIT), Posting("Accrued:Y", -300 * UNIT)),
    entry(3, Posting("Pool:gateway", 150 * UNIT), Posting("Variance:pool", 10 * UNIT),
          Posting("Source:gateway", -160 * UNIT), reason=Reason.POOL),
    entry(4, Posting("Charge:A:usage", 500 * UNIT, team="A", feature="refund-bot"),
          Posting("Charge:A:transfer", 100 * UNIT, team="A"),
          Posting("Cost:X", -500 * UNIT), Posting("Cost:Y", -100 * UNIT), reason=Reason.CHARGE),
    entry(5, Posting("Memo:Shown:B", 275 * UNIT), Posting("Memo:Contra", -275 * UNIT),
          reason=Reason.MEMO),
    entry(6, Posting("Tax:recoverable", 70 * UNIT), Posting("Payable:X", -70 * UNIT),
          period="2026-11", corrects="E-000001"),
]  # fmt: skip


def test_the_worked_example_balances_for_beancount_too():
    directives, options = loaded(beancount_text(WORKED, "USD", 'Acme "October"'))
    assert options["title"] == 'Acme "October"'
    assert sums(directives) == {
        "Cost:X": Decimal(150),
        "Cost:Y": Decimal(200),
        "Variance:rate_card": Decimal(-40),
        "Variance:pool": Decimal(10),
        "Pool:gateway": Decimal(150),
        "Accrued:X": Decimal(-610),
        "Accrued:Y": Decimal(-300),
        "Source:gateway": Decimal(-160),
        "Charge:A:usage": Decimal(500),
        "Charge:A:transfer": Decimal(100),
        "Tax:recoverable": Decimal(70),
        "Payable:X": Decimal(-70),
    }


def test_dates_and_metadata_lead_back_to_the_entry():
    directives, _ = loaded(beancount_text(WORKED, "USD", "Acme"))
    transactions = list(data.filter_txns(directives))
    assert [str(each.date) for each in transactions] == ["2026-10-31"] * 4 + ["2026-11-30"]
    first, last = transactions[0], transactions[-1]
    assert (first.payee, first.narration, first.meta["entry"]) == ("meter", "October", "E-000001")
    assert first.meta["versions"] == '{"policy":7}'
    assert last.meta["corrects"] == "E-000001"
    posting = first.postings[0]
    assert (posting.meta["provider"], posting.meta["policy_version"]) == ("X", "7")
    charged = transactions[3].postings[0]
    assert (charged.meta["team"], charged.meta["feature"]) == ("A", "refund-bot")


def test_bean_check_accepts_the_file(tmp_path):
    book = tmp_path / "book.beancount"
    book.write_text(beancount_text(WORKED, "USD", "Acme"), encoding="utf-8")
    check = Path(sys.executable).with_name("bean-check")
    done = subprocess.run([check, "--no-cache", book], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_beancount_would_refuse_one_unit_too_many():
    text = beancount_text(WORKED, "USD", "Acme").replace("650.000000000", "650.000000001")
    assert [type(fault).__name__ for fault in loader.load_string(text)[1]] == ["ValidationError"]


def test_nothing_is_lost_between_nine_decimals():
    tiny = [entry(1, Posting("Cost:x", 1), Posting("Rounding", -1))]
    directives, _ = loaded(beancount_text(tiny, "USD", "Acme"))
    assert sums(directives) == {"Cost:x": Decimal("0.000000001"), "Rounding": Decimal("-1E-9")}


def test_known_spellings():
    assert account_name("Cost:openai") == "Expenses:Cost:Openai"
    assert account_name("Charge:support:refund-bot:usage") == (
        "Expenses:Charge:Support:Refund--bot:Usage"
    )
    assert account_name("Variance:rate_card") == "Expenses:Variance:Rate-5f-card"
    assert account_name("Charge:A:usage") == "Expenses:Charge:0A:Usage"
    assert account_name("Rounding") == "Expenses:Rounding"


PARTS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters=":"), min_size=1, max_size=12
).filter(str.isprintable)
NEAR = st.text("aA0zZ-_5f. é", min_size=1, max_size=6).filter(lambda part: part == part.strip())


@given(PARTS | NEAR, PARTS | NEAR)
def test_an_escape_can_be_undone_so_accounts_never_collide(first, second):
    account = f"Charge:{first}:{second}"
    assert read_account(account_name(account)) == account


@settings(max_examples=40)
@given(st.lists(PARTS | NEAR, min_size=1, max_size=8, unique=True), st.text(max_size=40))
def test_beancount_reads_hostile_names(parts, text):
    postings = [
        Posting(f"Charge:{part}:usage", (n + 1) * 1_000_001, team=part, detail=text)
        for n, part in enumerate(parts)
    ]
    total = sum(posting.amount_nano for posting in postings)
    hostile = entry(1, *postings, Posting("Cost:9.x-Ä_/é", -total), text=text)
    directives, _ = loaded(beancount_text([hostile], "USD", text))
    expected = {
        posting.account: Decimal(posting.amount_nano).scaleb(-9) for posting in hostile.postings
    }
    assert sums(directives) == expected
    spoken = next(data.filter_txns(directives)).narration
    assert spoken == "".join(sign if sign >= " " or sign in "\n\t\r" else "\ufffd" for sign in text)


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(LedgerError, match="cannot be a Beancount currency"):
        beancount_text([], "us dollar", "Acme")
    with pytest.raises(LedgerError, match=r"postings of E-000001 sum to 0\.000000005"):
        beancount_text([entry(1, Posting("Cost:x", 5))], "USD", "Acme")
    with pytest.raises(LedgerError, match="outside every export"):
        account_name("Memo:Shown:A")
    with pytest.raises(LedgerError, match="no declared family"):
        account_name("Coffee:beans")


def test_an_empty_journal_is_a_valid_book():
    assert loaded(beancount_text([], "USD", "Acme"))[0] == []
