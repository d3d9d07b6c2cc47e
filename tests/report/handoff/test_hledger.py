"""hledger itself reads what we write, and finds our sums on our accounts."""

import csv
import io
import os
import subprocess
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hledger import hledger
from tallybook.errors import LedgerError
from tallybook.ledger.chart import is_memo
from tallybook.ledger.journal import JournalEntry
from tallybook.ledger.model import Posting, Reason
from tallybook.report.handoff.hledger import hledger_account, hledger_text, read_hledger_account

UTF_8 = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def entry(*postings, text="October", period="2026-10"):
    return JournalEntry(
        1, "E-000001", Reason.METER, period, period, 0, "fin", text, {"policy": 7}, "", {}, "", "",
        tuple(postings),
    )  # fmt: skip


def told(text, *arguments):
    return subprocess.run(
        [hledger(), "-f", "-", *arguments], input=text, capture_output=True, text=True, check=False,
        encoding="utf-8", env=UTF_8,
    )  # fmt: skip


def sums(text):
    done = told(text, "balance", "--flat", "--empty", "--no-total", "--output-format", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout)))[1:]
    return {
        read_hledger_account(account): Decimal(amount.removesuffix(" USD"))
        for account, amount in rows
        if Decimal(amount.removesuffix(" USD"))
    }


def test_the_worked_example_balances_for_hledger_too(october):
    text = hledger_text(october.journal("2026-10"), "USD", 'Acme "October"; 2026')
    checked = told(text, "check", "--strict")
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    held = defaultdict(Decimal)
    for each in october.journal("2026-10"):
        for posting in each.postings:
            if not is_memo(posting.account):
                held[posting.account] += Decimal(posting.amount_nano).scaleb(-9)
    assert sums(text) == {account: amount for account, amount in held.items() if amount}
    assert sums(text)["Accrued:X"] == -610


def test_teams_are_tags_and_ids_are_codes(october):
    text = hledger_text(october.journal("2026-10"), "USD", "Acme")
    done = told(text, "balance", "tag:team=^A$", "Charge", "--flat", "--no-total", "-O", "csv")
    charged = [Decimal(row[1].split()[0]) for row in list(csv.reader(io.StringIO(done.stdout)))[1:]]
    assert sum(charged) == 765
    assert "(E-000001)" in told(text, "print", "code:E-000001").stdout


def test_hledger_would_refuse_one_unit_too_many(october):
    text = hledger_text(october.journal("2026-10"), "USD", "Acme")
    broken = text.replace("-610.000000000", "-610.000000001", 1)
    assert broken != text
    assert told(broken, "check").returncode != 0


def test_known_spellings():
    assert hledger_account("Cost:openai") == "expenses:Cost:openai"
    assert hledger_account("Accrued:X") == "liabilities:Accrued:X"
    assert hledger_account("Charge:a  b;c:usage") == "expenses:Charge:a%20%20b%3Bc:usage"
    assert hledger_account("Rounding") == "expenses:Rounding"


PARTS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters=":"), min_size=1, max_size=12
).filter(str.isprintable) | st.text("aA ;%()[]*!|,é=@", min_size=1, max_size=6).filter(
    lambda part: part == part.strip()
)


@given(PARTS, PARTS)
def test_a_spelling_can_be_undone_so_accounts_never_collide(first, second):
    account = f"Charge:{first}:{second}"
    assert read_hledger_account(hledger_account(account)) == account


@settings(max_examples=15, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=8, unique=True), st.text(max_size=40))
def test_hledger_reads_hostile_names(parts, text):
    postings = [
        Posting(f"Charge:{part}:usage", (n + 1) * 1_000_001, team=part, detail=text)
        for n, part in enumerate(parts)
    ]
    total = sum(posting.amount_nano for posting in postings)
    hostile = entry(*postings, Posting("Cost:9.x-Ä_/é", -total), text=text)
    made = hledger_text([hostile], "USD", text)
    assert told(made, "check", "--strict").returncode == 0
    assert sums(made) == {
        posting.account: Decimal(posting.amount_nano).scaleb(-9) for posting in hostile.postings
    }


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(LedgerError, match="cannot be an hledger commodity"):
        hledger_text([], "us dollar", "Acme")
    with pytest.raises(LedgerError, match=r"postings of E-000001 sum to 0\.000000005"):
        hledger_text([entry(Posting("Cost:x", 5))], "USD", "Acme")
    with pytest.raises(LedgerError, match="outside every export"):
        hledger_account("Memo:Shown:A")


def test_an_empty_journal_is_a_valid_book():
    assert told(hledger_text([], "USD", "Acme"), "check", "--strict").returncode == 0
