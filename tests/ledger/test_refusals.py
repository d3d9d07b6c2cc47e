"""Every refusal says what is wrong with its figures, where, and what to do now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger import (
    Act,
    ActKind,
    Entry,
    Posting,
    Reason,
    append_act,
    append_entry,
    entry_of,
    reverse,
)
from tallybook.ledger.chart import check_account
from tallybook.store import Store, Tx

pytestmark = pytest.mark.both_stores

NOW_US = 1_790_000_000_000_000
MONTH = "2026-10"
TOO_MUCH = 2**63
CLOSED = (
    "2026-10: 2026-10 was closed by dana at 2026-09-21T14:13:20.000007Z (A-000002); {}\n"
    "  next: post into an open period and name 2026-10 as the service period, or reopen it with:"
    " tallybook reopen 2026-10 --reason ..."
)


def entry(*postings: tuple[str, int], period: str = MONTH, **fields: object) -> Entry:
    made = tuple(Posting(account, nano) for account, nano in postings)
    both = made or (Posting("Cost:x", 5), Posting("Accrued:x", -5))
    defaults: dict[str, object] = {"service_period": MONTH, "text": "", "postings": both}
    return Entry(Reason.METER, period, **(defaults | fields))  # type: ignore[arg-type]


UNMADE: dict[str, Callable[[], object]] = {
    "the period is '2026-13', not a month such as 2026-10\n  next: name the month": lambda: entry(
        period="2026-13"
    ),
    "the service period is '', not a month such as 2026-10\n  next: name the month": lambda: entry(
        service_period=""
    ),
    "the period of a close is '', not a month such as 2026-10\n  next: name the month": lambda: Act(
        ActKind.CLOSE, "", ""
    ),
    "the period of a reopen is '', not a month such as 2026-10\n  next: name the month": lambda: (
        Act(ActKind.REOPEN, "", "")
    ),
    "the service period of a posting on Cost:x is 'soon', not a month such as 2026-10\n"
    "  next: name the month": lambda: entry(
        postings=(Posting("Cost:x", 1, service_period="soon"), Posting("Accrued:x", -1)),
    ),
    "versions has the name 1, which is no text": lambda: entry(versions={1: 2}),
    "details has the name None, which is no text": lambda: entry(details={None: 2}),
    "details.rates[1].half is 0.5, a float; entries and acts hold text and integers\n"
    "  next: write amounts as integers or as decimal text": lambda: entry(
        details={"rates": [1, {"half": 0.5}]}
    ),
    "versions.policy is 0.5, a float; entries and acts hold text and integers\n"
    "  next: write amounts as integers or as decimal text": lambda: Act(
        ActKind.SIGNOFF, "", "", versions={"policy": 0.5}
    ),  # type: ignore[dict-item]
    "details.share is 0.5, a float; entries and acts hold text and integers\n"
    "  next: write amounts as integers or as decimal text": lambda: Act(
        ActKind.SIGNOFF, "", "", {"share": 0.5}
    ),
    "an entry of 1 posting; it needs at least 2\n  next: name the other side": lambda: entry(
        ("Cost:x", 1)
    ),
    "an entry of 0 postings; it needs at least 2\n  next: name the other side": lambda: entry(
        postings=()
    ),
    "debits 0.000000007 and credits 0.000000004 differ by 0.000000003 over 6 postings: Cost:a,"
    " Cost:b, Cost:c, Cost:d and 1 more\n"
    "  next: post the difference to the account that it belongs to; none is inferred": lambda: (
        entry(
            *(("Cost:a", 2), ("Cost:b", 2), ("Cost:c", 1)),
            *(("Cost:d", 2), ("Cost:e", -3), ("Cost:a", -1)),
        )
    ),
    "debits 0.000000003 and credits 0.000000001 differ by 0.000000002 over 4 postings: Cost:a,"
    " Cost:b, Cost:c, Cost:d\n"
    "  next: post the difference to the account that it belongs to; none is inferred": lambda: (
        entry(("Cost:a", 1), ("Cost:b", 1), ("Cost:c", 1), ("Cost:d", -1))
    ),
    "the memo postings sum to 0.000000001; they balance among themselves, so that what is booked"
    " balances without them\n"
    "  next: post the other side on Memo:Contra": lambda: entry(
        ("Memo:Shown:a", 1), ("Cost:x", -1)
    ),
    "the debits sum to 9223372036.854775808, more than 9223372036.854775807\n"
    "  next: make two entries of it": lambda: entry(
        ("Cost:x", 2**62), ("Cost:y", 2**62), ("Cost:x", -(2**62)), ("Cost:z", -(2**62))
    ),
    "posting 2 on Accrued:x has the amount -1.0, which is no integer\n"
    "  next: state every amount in whole nano units; none is inferred": lambda: entry(
        ("Cost:x", 1), ("Accrued:x", -1.0)
    ),  # type: ignore[arg-type]
    "posting 1 on Cost:x is zero\n  next: leave it out": lambda: entry(
        ("Cost:x", 0), ("Accrued:x", 0)
    ),
    "posting 1 on Cost:x is -9223372036.854775808, beyond 9223372036.854775807\n"
    "  next: check the unit: amounts are nano units of the currency": lambda: entry(
        ("Cost:x", -TOO_MUCH), ("Cost:y", TOO_MUCH)
    ),
    "account 'Costs:x' belongs to no declared family\n"
    "  next: begin it with one of Cost, Pool, Variance, Absorption, Suspense, Charge, Accrued,"
    " Payable, Prepaid, Tax, Source, Memo, Rounding, Clearing, Result": lambda: check_account(
        "Costs:x"
    ),
    "account 'Cost' names a whole family\n"
    "  next: name one account in it, such as Cost:<part>": lambda: check_account("Cost"),
    "account 'Cost: x' has the part ' x', which is empty, padded or unprintable\n"
    "  next: leave no part empty and put no blanks around colons": lambda: check_account("Cost: x"),
}


@pytest.mark.parametrize(("said", "refused"), UNMADE.items())
def test_what_cannot_be_made_says_why(said: str, refused: Callable[[], object]) -> None:
    with pytest.raises(LedgerError) as error:
        refused()
    assert str(error.value) == said


def test_the_largest_amounts_are_still_booked(store: Store) -> None:
    largest = entry(("Cost:x", TOO_MUCH - 1), ("Accrued:x", 1 - TOO_MUCH))
    with store.write() as tx:
        link = append_entry(tx, largest, "run", NOW_US)
        assert entry_of(tx, link.id).postings[0].amount_nano == TOO_MUCH - 1


def close_saying(tx: Tx, details: dict[str, object]) -> object:
    return append_act(tx, Act(ActKind.CLOSE, MONTH, "t", details), "dana", NOW_US)


UNBOOKED: dict[str, Callable[[Tx], object]] = {
    "nobody is named as acting\n  next: say who acts, with --as NAME": lambda tx: append_entry(
        tx, entry(), " ", NOW_US
    ),
    "nobody is named as acting\n  next: say who acts, with --as NAME ": lambda tx: append_act(
        tx, Act(ActKind.SIGNOFF, "", ""), "", NOW_US
    ),
    "an entry that says it reverses nothing\n"
    "  next: call reverse, which negates the entry exactly and only once": lambda tx: append_entry(
        tx, Entry(Reason.REVERSAL, MONTH, MONTH, "", entry().postings), "a", NOW_US
    ),
    "an entry that says it reverses E-000009\n"
    "  next: call reverse, which negates the entry exactly and only once": lambda tx: append_entry(
        tx,
        Entry(Reason.REVERSAL, MONTH, MONTH, "", entry().postings, corrects="E-000009"),
        "a",
        NOW_US,
    ),
    "2026-10 is open, so there is nothing to reopen\n  next: post into it": lambda tx: append_act(
        tx, Act(ActKind.REOPEN, MONTH, ""), "dana", NOW_US
    ),
    "the close names link 7 None as the one before it, which is 1 {head}\n"
    "  next: leave head and seq out; they are filled in": lambda tx: close_saying(tx, {"seq": 7}),
    "a text holds '\\ud800', which is not Unicode\n"
    "  next: correct the text at its source": lambda tx: append_entry(
        tx, entry(text="a\ud800b"), "run", NOW_US
    ),
    "E-000004: E-000004 is not in the journal\n"
    "  next: look it up with: tallybook journal": lambda tx: entry_of(tx, "E-000004"),
}


@pytest.mark.parametrize(("said", "refused"), UNBOOKED.items())
def test_what_is_not_booked_says_why(
    said: str, refused: Callable[[Tx], object], store: Store
) -> None:
    with store.write() as tx:
        first = append_entry(tx, entry(), "run", NOW_US)
    with pytest.raises((LedgerError, PeriodError)) as error, store.write() as tx:
        refused(tx)
    assert str(error.value) == said.strip().replace("{head}", first.hash)


@pytest.mark.parametrize(
    ("refused", "what"),
    [
        (
            lambda tx: append_entry(tx, entry(), "run", 0),
            "an entry (meter) cannot be posted into it",
        ),
        (
            lambda tx: append_entry(tx, entry(text="usage"), "run", 0),
            "an entry (meter: usage) cannot be posted into it",
        ),
        (
            lambda tx: append_act(tx, Act(ActKind.CLOSE, MONTH, ""), "a", 0),
            "it cannot be closed again",
        ),
    ],
)
def test_a_closed_period_says_by_whom_and_how_to_go_on(
    refused: Callable[[Tx], object], what: str, store: Store
) -> None:
    with store.write() as tx:
        append_entry(tx, entry(), "run", NOW_US)
        append_act(tx, Act(ActKind.CLOSE, MONTH, ""), "dana", NOW_US + 7)
    with pytest.raises(PeriodError) as error, store.write() as tx:
        refused(tx)
    assert str(error.value) == CLOSED.format(what)


def test_an_act_is_no_entry_and_a_reversal_comes_once(store: Store) -> None:
    with store.write() as tx:
        append_entry(tx, entry(), "run", NOW_US)
        append_act(tx, Act(ActKind.SIGNOFF, "", ""), "dana", NOW_US)
        reverse(tx, "E-000001", "dana", "wrong", NOW_US + 7)
        with pytest.raises(LedgerError) as error:
            entry_of(tx, "A-000002")
        assert str(error.value) == (
            "A-000002: A-000002 is an act (signoff), no entry\n"
            "  next: look it up with: tallybook journal"
        )
        with pytest.raises(LedgerError) as error:
            reverse(tx, "E-000001", "eve", "wrong", NOW_US)
        assert str(error.value) == (
            "E-000001: E-000001 was reversed before: by E-000003 in 2026-10, by dana at"
            " 2026-09-21T14:13:20.000007Z\n"
            "  next: an entry is reversed once; post a new entry if the reversal was wrong"
        )
