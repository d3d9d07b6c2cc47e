"""The accounts file: right as a whole, or every fault with its line."""

import pytest

from tallybook.errors import HandoffError
from tallybook.report.handoff.accounts_file import Accounts, read_accounts
from tallybook.report.handoff.model import JournalLine


def line(account, detail=""):
    return JournalLine(account, detail, "", "", "", "2026-10", 1, "")


def test_accounts_are_named_by_detail_or_otherwise(accounts):
    assert accounts.account(line("inference_expense", "research_and_development")) == "6100"
    assert accounts.account(line("inference_expense", "operating_expense")) == "6900"
    assert accounts.account(line("accrued_liabilities", "X")) == "2151"
    assert accounts.account(line("due_to", "anyone")) == "2310"
    assert Accounts().account(line("due_to", "acme-eu")) == "due_to:acme-eu"


def test_an_account_that_is_not_named_is_refused_with_what_to_add(accounts):
    with pytest.raises(HandoffError, match="no account for prepaid openai") as refused:
        accounts.account(line("prepaid", "openai"))
    assert refused.value.next_step == "add under accounts: prepaid: {openai: ...}"


def test_purposes_have_classes_and_the_file_may_change_them(accounts):
    wanted = {
        "production": "cost_of_revenue", "batch": "cost_of_revenue",
        "evaluation": "research_and_development", "development": "research_and_development",
        "training": "research_and_development", "internal": "operating_expense",
        "untagged": "operating_expense", "": "operating_expense",
    }  # fmt: skip
    assert {purpose: accounts.class_of(purpose) for purpose in wanted} == wanted
    text = b"accounts: {prepaid: '1'}\npurposes: {otherwise: cost_of_revenue}\n"
    assert read_accounts(text, "a.yaml").class_of("untagged") == "cost_of_revenue"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("ledger: acme\n", ["a.yaml:1: accounts is missing"]),
        ("- 1\n", ["a.yaml:1: a list stands here"]),
        ("accounts: {cash: '1'}\n", ["a.yaml:1: accounts, cash: 'cash' is not known here"]),
        ("accounts: {prepaid: '1'}\naccrual: never\n", ['a.yaml:2: accrual: "never" is no setting']),
        (
            "accounts: {prepaid: '1'}\npurposes:\n  production: revenue\n  fun: cost_of_revenue\n",
            ['a.yaml:3: purposes, production: "revenue" is no cost class', "a.yaml:4"],
        ),
        ("accounts:\n  prepaid: ' 1'\n", ["a.yaml:2: accounts, prepaid", "blanks around it"]),
        ("accounts: {prepaid: '1'}\nentities: [us]\n", ["a.yaml:2: entities: a list stands here"]),
        ("accounts: {prepaid: '1'}\nfields: {a: '{b'}\n", ['a.yaml:2: fields, a: "{b"']),
        ("accounts: {prepaid: '1'}\nfields: {a: [1]}\n", ["a.yaml:2: fields, a: a list is no text"]),
        ("a: &b 1\n", ["anchor &b"]),
    ],
)  # fmt: skip
def test_faults_have_their_lines(text, faults):
    with pytest.raises(HandoffError, match="nothing written") as refused:
        read_accounts(text.encode(), "a.yaml")
    for fault in faults:
        assert fault in str(refused.value)
