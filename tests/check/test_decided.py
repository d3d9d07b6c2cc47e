"""An approval that was changed, put in or taken out disagrees with its act on the chain."""

import pytest

from people import approved, asked, company, denied
from tallybook.check.decided import decision_faults
from tallybook.check.kept import kept_faults
from tampering import forge


@pytest.fixture
def acme(tmp_path, stores):
    made = company(tmp_path / "acme", opened=stores.open)
    approved(made, asked(made, expires="2026-10-28").id, amount="0.50")
    denied(made, asked(made).id)
    yield made
    made.store.close()


def faults(acme):
    with acme.store.read() as tx:
        return [fault.where for fault in decision_faults(tx)]


@pytest.mark.both_stores
def test_what_was_decided_agrees(acme):
    assert faults(acme) == []


@pytest.mark.parametrize(
    "change_of",
    [
        "amount_nano = 900000000", "until_us = 0", "from_us = 1", "actor = 'mallory'",
        "requested_by = 'mallory'", "subject = 'find'", "scope = 'team'", "period = '2026-11'",
        "at_us = 1", "request = 9", "kind = 'use_case'",
        pytest.param("amount_nano = 'much'", marks=pytest.mark.of_the_file),
    ],
)  # fmt: skip
@pytest.mark.both_stores
def test_a_changed_approval_is_named(acme, change_of):
    forge(acme.home, f"UPDATE budget_decision SET {change_of} WHERE seq = 1")
    (fault,) = faults(acme)
    assert fault.startswith("decision 1 on ")
    with acme.store.read() as tx:
        assert "decision" in {one.kind for one in kept_faults(acme.store, tx)}


@pytest.mark.both_stores
def test_an_approval_that_was_put_in_has_no_act(acme):
    forge(acme.home, "UPDATE budget_decision SET verdict = 'approved' WHERE seq = 2")
    assert faults(acme) == ["decision 2 on feature:bot has no act"]


@pytest.mark.both_stores
def test_an_approval_that_was_taken_out_is_missed(acme):
    forge(acme.home, "DELETE FROM budget_decision WHERE seq = 1")
    (fault,) = faults(acme)
    assert fault.startswith("the decision of A-")
