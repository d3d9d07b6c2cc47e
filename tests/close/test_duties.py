"""Segregation of duties: nobody closes alone what they wrote, where the company says who is who."""

import pytest

from company import org, usage
from tallybook.clock import Period
from tallybook.close.close import close
from tallybook.close.duties import role_of
from tallybook.close.reopen import reopen
from tallybook.close.waive import waive
from tallybook.errors import PeriodError
from tallybook.post.basis import latest_books
from tallybook.report.issue import prepare_issue

ROLES = "roles: {controller: [dana, tester], approver: [cfo, dana], preparer: [sam]}\n"


@pytest.fixture
def staffed(found_company):
    """Books whose policy and prices the tester wrote."""
    made = found_company(org=org() + ROLES)
    made.ingest(usage())
    return made


def closed_by(company, actor, approved_by=""):
    return close(
        company.store, Period(2026, 10), issuer=prepare_issue, clock=company.clock, actor=actor,
        approved_by=approved_by,
    )  # fmt: skip


def signed(company, actor, item="unpriced"):
    with company.store.write() as tx:
        waive(tx, "2026-10", item, estimate="1", reason="known", actor=actor,
              now_us=company.clock.now_us())  # fmt: skip


def test_who_wrote_the_policy_does_not_close_alone(staffed):
    with pytest.raises(
        PeriodError, match=r"duties: tester closes; tester wrote policy 1, prices 1"
    ):
        closed_by(staffed, "tester")
    done = closed_by(staffed, "tester", "cfo")
    assert done.version == 1
    with staffed.store.read() as tx:
        details = tx.scalar("SELECT details FROM chain WHERE reason = 'close'")
    assert '"approved_by":"cfo"' in details
    assert '"role":"controller"' in details


def test_a_second_controller_closes(staffed):
    assert closed_by(staffed, "dana").version == 1
    assert staffed.failing() == {}


def test_who_signed_a_waiver_does_not_close_alone(staffed):
    signed(staffed, "dana")
    with pytest.raises(PeriodError, match="dana wrote the waiver of unpriced"):
        closed_by(staffed, "dana")
    closed_by(staffed, "dana", "cfo")


def test_who_prepared_or_approved_an_adjustment_does_not_close_alone(staffed):
    staffed.run()
    made = staffed.adjust("Charge:a:bot=-1", "Variance:goodwill=1")
    from tallybook.close.adjust import approve, post  # noqa: PLC0415

    with staffed.store.write() as tx:
        approve(tx, made.id, actor="dana", now_us=1)
        post(tx, made.id, actor="dana", now_us=1)
    with pytest.raises(PeriodError, match="dana wrote the approval of J-0001"):
        closed_by(staffed, "dana")


@pytest.mark.parametrize(
    ("actor", "approved_by", "said"),
    [
        ("sam", "", "sam is no controller and cannot close 2026-10"),
        ("dana", "eve", "eve is no approver"),
        ("dana", "Dana", "both acts and approves"),
    ],
)
def test_who_may_not_is_refused_by_name(staffed, actor, approved_by, said):
    before = staffed.dump()
    with pytest.raises(PeriodError, match=said):
        closed_by(staffed, actor, approved_by)
    assert staffed.dump() == before


def test_waivers_adjustments_and_reopenings_ask_for_their_roles(staffed):
    staffed.run()
    with pytest.raises(PeriodError, match="sam is no approver and cannot sign a waiver"):
        signed(staffed, "sam")
    with pytest.raises(PeriodError, match="dana is no preparer"):
        staffed.adjust("Charge:a:bot=-1", "Variance:goodwill=1", actor="dana")
    closed_by(staffed, "dana")
    with staffed.store.write() as tx, pytest.raises(PeriodError, match="sam is no approver"):
        reopen(tx, Period(2026, 10), reason="r", approved_by="sam", actor="dana", now_us=1)


def test_without_roles_the_checklist_tells_and_stops_nothing(company):
    company.ingest(usage())
    items = {item.name: item for item in closed_by(company, "tester").checklist}
    assert items["duties"].ok
    assert "tester wrote policy 1, prices 1; org.yaml declares no roles" in items["duties"].evidence


def test_a_month_later_what_was_written_before_the_last_close_does_not_count(staffed):
    staffed.clock.advance(1_000_000)
    closed_by(staffed, "dana")
    staffed.clock.advance(40 * 86_400_000_000)
    staffed.ingest(usage("nov", started_at="2026-11-03T00:00:00Z"))
    done = close(staffed.store, Period(2026, 11), issuer=prepare_issue, clock=staffed.clock,
                 actor="tester")  # fmt: skip
    assert "nobody wrote" in next(x.evidence for x in done.checklist if x.name == "duties")


def test_the_role_is_a_duty_or_that_of_an_owner(found_company):
    owned = org().replace('cost_center: "1"}', 'cost_center: "1", owners: {finance: fay}}')
    company = found_company(org=owned)
    with company.store.read() as tx:
        chart = latest_books(tx)[0].org
    assert role_of(chart, "fay") == "finance of a"
    assert role_of(chart, "eve") == ""
