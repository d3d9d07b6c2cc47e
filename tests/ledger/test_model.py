"""Entries that cannot be made (INV-01)."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import LedgerError
from tallybook.ledger import Act, ActKind, Entry, Posting, PostingKey, Reason

NANO_MAX = 2**63 - 1


def entry(*postings: Posting, **fields: object) -> Entry:
    defaults = {
        "reason": Reason.METER,
        "period": "2026-10",
        "service_period": "2026-10",
        "text": "t",
        "postings": postings,
    }
    return Entry(**(defaults | fields))


def pair(nano: int, other: int) -> Entry:
    return entry(Posting("Cost:x", nano), Posting("Accrued:x", other))


@pytest.mark.parametrize(
    ("postings", "says"),
    [
        ((), "an entry of 0 postings; it needs at least 2"),
        ((Posting("Cost:x", 1),), "an entry of 1 posting; it needs at least 2"),
        (
            (Posting("Cost:x", 1), Posting("Cost:y", 0), Posting("Accrued:x", -1)),
            "posting 2 on Cost:y is zero",
        ),
        (
            (Posting("Cost:x", 1_500_000_000), Posting("Accrued:x", -1_499_999_999)),
            "debits 1.500000000 and credits 1.499999999 differ by 0.000000001 over 2 postings: Cost:x, Accrued:x",
        ),
        (
            (Posting("Cost:x", 2**63), Posting("Accrued:x", -(2**63))),
            "posting 1 on Cost:x is 9223372036.854775808, beyond 9223372036.854775807",
        ),
        (
            (
                Posting("Cost:x", NANO_MAX),
                Posting("Cost:y", 1),
                Posting("Accrued:x", -NANO_MAX),
                Posting("Accrued:y", -1),
            ),
            "the debits sum to 9223372036.854775808, more than 9223372036.854775807",
        ),
        ((Posting("Sales:x", 1), Posting("Accrued:x", -1)), "no declared family"),
        ((Posting("Cost:x", 1.0), Posting("Accrued:x", -1)), "1.0, which is no integer"),  # type: ignore[arg-type]
        ((Posting("Cost:x", True), Posting("Accrued:x", -1)), "True, which is no integer"),
        (
            (Posting("Memo:Shown:a", 5), Posting("Cost:x", -5)),
            "the memo postings sum to 0.000000005",
        ),
    ],
)
def test_postings_that_are_no_entry(postings: tuple[Posting, ...], says: str) -> None:
    with pytest.raises(LedgerError) as refusal:
        entry(*postings)
    assert says in refusal.value.what
    assert refusal.value.next_step


@given(st.integers(-NANO_MAX, NANO_MAX), st.integers(-NANO_MAX, NANO_MAX))
def test_only_a_sum_of_zero_is_an_entry(nano: int, other: int) -> None:
    if nano and nano == -other:
        assert len(pair(nano, other).postings) == 2
        return
    with pytest.raises(LedgerError):
        pair(nano, other)


def test_the_largest_magnitude_has_both_signs() -> None:
    assert pair(-NANO_MAX, NANO_MAX).postings[0].amount_nano == -NANO_MAX


@pytest.mark.parametrize("period", ["", "2026-13", "2026-1", "October", "2026-10-01"])
@pytest.mark.parametrize("which", ["period", "service_period"])
def test_periods_that_are_none(which: str, period: str) -> None:
    with pytest.raises(LedgerError, match="not a month"):
        entry(Posting("Cost:x", 1), Posting("Accrued:x", -1), **{which: period})


def test_a_posting_takes_the_service_period_of_its_entry_unless_it_has_one() -> None:
    made = entry(
        Posting("Cost:x", 1, service_period="2026-08"),
        Posting("Accrued:x", -1),
        period="2026-11",
    )
    assert [posting.service_period for posting in made.postings] == ["2026-08", "2026-10"]
    with pytest.raises(LedgerError, match="posting on Cost:x is 'August'"):
        entry(Posting("Cost:x", 1, service_period="August"), Posting("Accrued:x", -1))


def test_a_key_is_the_posting_without_its_amount() -> None:
    names = PostingKey._fields
    key = PostingKey("Cost:x", *(name for name in names[1:-1]), 7)
    posting = Posting.of(key, 5)
    assert posting.key == key
    assert all(getattr(posting, name) == getattr(key, name) for name in names)
    assert posting.amount_nano == 5


@pytest.mark.parametrize("field", ["versions", "details"])
@pytest.mark.parametrize("value", [0.1, {"deep": [1, 0.5]}, b"x", {1: "x"}])
def test_fractions_and_strange_values_stay_out_of_the_journal(field: str, value: object) -> None:
    with pytest.raises(LedgerError, match=f"{field}.of"):
        entry(Posting("Cost:x", 1), Posting("Accrued:x", -1), **{field: {"of": value}})
    with pytest.raises(LedgerError, match=f"{field}.of"):
        Act(ActKind.SIGNOFF, "", "t", **{field: {"of": value}})


def test_entries_do_not_change() -> None:
    details = {"invoice": "i-1"}
    made = entry(Posting("Cost:x", 1), Posting("Accrued:x", -1), details=details)
    details["invoice"] = "i-2"
    assert made.details == {"invoice": "i-1"}
    with pytest.raises(TypeError):
        made.details["invoice"] = "i-3"  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        made.text = "other"  # type: ignore[misc]


@pytest.mark.parametrize("kind", [ActKind.SOFT_CLOSE, ActKind.CLOSE, ActKind.REOPEN])
def test_a_close_is_about_a_period(kind: ActKind) -> None:
    with pytest.raises(LedgerError, match=f"the period of a {kind} is ''"):
        Act(kind, "", "t")


def test_the_reasons_are_closed_and_their_texts_stay() -> None:
    """They are in the hashes of what was booked: a reason may be added, never renamed."""
    assert {reason.value for reason in Reason} == {
        *("meter", "pool", "evaluation", "pool_flow", "charge", "markup", "absorption", "memo"),
        *("rounding", "reversal", "adjustment", "transfer", "true_up", "manual", "roll"),
        *("accrual", "disposition", "revaluation", "prepaid", "commitment"),
    }
    with pytest.raises(ValueError, match="'gift' is not a valid Reason"):
        Reason("gift")
