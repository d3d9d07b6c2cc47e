"""Limits of a close, and the people who sign for the books."""

from fractions import Fraction

import pytest

from tallybook.books.closing import Closing, OpenItemLimit
from tallybook.clock import Period


def closing(folder, policy_with, text):
    policy = folder.books(policy=policy_with(text)).policy
    return policy.at(Period(2026, 10)).closing


def test_what_is_not_named_stops_nothing(folder, policy_with):
    assert closing(folder, policy_with, "") == Closing()


def test_limits_are_exact(folder, policy_with):
    text = (
        'closing: {suspects: "0.5%", suspense: "1%", unreconciled: "100.00",'
        ' open_items: {days: 60, amount: "500.00"}, dispute_days: 12}'
    )
    assert closing(folder, policy_with, text) == Closing(
        suspects=Fraction(1, 200),
        suspense=Fraction(1, 100),
        unreconciled_nano=100 * 10**9,
        open_items=OpenItemLimit(60, 500 * 10**9),
        dispute_days=12,
    )


@pytest.mark.parametrize(
    "text",
    ['closing: {suspense: "150%"}', "closing: {open_items: {days: -1}}", "closing: {due: 1}"],
)
def test_a_limit_that_is_none_is_refused(folder, policy_with, text):
    assert "closing" in folder.fault(policy=policy_with(text)) or "due" in folder.fault(
        policy=policy_with(text)
    )


def test_roles_are_declared_whole_or_not_at_all(folder, org_with):
    assert folder.books(org=org_with()).org.roles == {}
    text = org_with() + "roles: {controller: [dana], approver: [cfo, dana], preparer: [sam]}\n"
    assert folder.books(org=text).org.roles == {
        "controller": ("dana",),
        "approver": ("cfo", "dana"),
        "preparer": ("sam",),
    }
    assert "nobody is preparer" in folder.fault(
        org=org_with() + "roles: {controller: [dana], approver: [cfo]}\n"
    )
