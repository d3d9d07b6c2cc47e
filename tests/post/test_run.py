"""The run: target minus booked, in any order of what happens to a month."""

import json

import pytest

from company import PRICES, org, policy, usage
from tallybook.clock import Period, parse_instant
from tallybook.errors import BooksError, PeriodError, StoreError
from tallybook.post.run import run, seal_inbox
from tallybook.store import faults

MOVED = org().replace(
    "  - {id: bot, team: a, name: Bot}",
    "  - {id: bot, team: a, name: Bot, to: 2026-10-15}\n"
    "  - {id: bot, team: b, name: Bot, from: 2026-10-15}",
)  # fmt: skip


def test_running_twice_posts_nothing(company):
    company.ingest(usage())
    assert company.run().entries
    before = company.dump()
    result = company.run()
    assert (result.entries, result.postings, result.events) == ((), 0, 1)
    assert {t: r for t, r in company.dump().items() if t not in ("command", "sqlite_sequence")} == {
        t: r for t, r in before.items() if t not in ("command", "sqlite_sequence")
    }


def test_events_between_runs_post_the_difference_only(company, found_company):
    company.ingest(usage("1"))
    company.run()
    company.ingest(usage("2", provider="Y", model="y-1"))
    entries = company.run().entries
    texts = {e.id: e.text for e in company.journal()}
    assert "Metered usage at rate card, accrued at contract: Y" in {texts[each] for each in entries}
    at_once = found_company("at-once")
    at_once.ingest(usage("1"), usage("2", provider="Y", model="y-1"))
    at_once.run()
    assert company.balances() == at_once.balances()


def test_a_correction_nets_the_event_that_it_supersedes(company):
    company.ingest(usage("1"), usage("2"))
    company.run()
    company.ingest(usage("1b", supersedes="1", tokens={"output": 1000}))
    assert company.run().events == len({"2", "1b"})
    assert company.balances()["Charge:a:usage"] == "1.05"
    assert company.failing() == {}


def test_a_correction_that_moves_a_call_to_another_month(company):
    company.ingest(usage("1"))
    company.run()
    company.ingest(usage("1b", supersedes="1", started_at="2026-11-01T00:00:00Z"))
    company.run("2026-11")
    company.run()
    assert "Charge:a:usage" not in company.balances("2026-10")
    assert company.balances("2026-11")["Charge:a:usage"] == "1.00"
    assert company.failing() == {}


def sealed_beside(company, monkeypatch, times):
    """Another command that seals an event each time that a run has computed its lines."""
    sent = []

    def beside(point):
        if point == "run.computed" and len(sent) < times:
            sent.append(usage(f"beside-{len(sent)}"))
            company.ingest(sent[-1], name=f"beside-{len(sent)}")
            seal_inbox(company.store)

    monkeypatch.setattr(faults, "reached", beside)
    return sent


def test_a_run_computes_again_while_other_commands_get_on(company, monkeypatch):
    company.ingest(usage())
    sent = sealed_beside(company, monkeypatch, times=5)
    assert company.run().events == 1 + 5
    assert len(sent) == 5
    assert company.failing() == {}


def test_a_run_that_is_always_overtaken_gives_up_and_posts_nothing(company, monkeypatch):
    company.ingest(usage())
    sealed_beside(company, monkeypatch, times=1000)
    with pytest.raises(StoreError, match="kept changing"):
        company.run()
    assert company.journal() == []


def test_a_feature_moved_in_mid_month_is_charged_to_each_owner(found_company):
    company = found_company(org=MOVED)
    company.ingest(
        usage("1", started_at="2026-10-14T23:59:59Z"), usage("2", started_at="2026-10-15T00:00:00Z")
    )
    company.run()
    held = company.balances()
    assert (held["Charge:a:usage"], held["Charge:b:usage"]) == ("1.00", "1.00")
    assert company.failing() == {}


def test_a_reorganisation_between_runs_moves_what_is_booked(company):
    company.ingest(
        usage("1", started_at="2026-10-14T00:00:00Z"), usage("2", started_at="2026-10-16T00:00:00Z")
    )
    company.run()
    assert company.balances()["Charge:a:usage"] == "2.00"
    company.apply(org=MOVED)
    company.run()
    held = company.balances()
    assert (held["Charge:a:usage"], held["Charge:b:usage"]) == ("1.00", "1.00")
    assert company.failing() == {}


@pytest.mark.parametrize(
    ("zone", "instant", "period"),
    [
        ("UTC", "2026-10-31T23:59:59.999999Z", "2026-10"),
        ("UTC", "2026-11-01T00:00:00Z", "2026-11"),
        ("America/New_York", "2026-11-01T03:59:59Z", "2026-10"),
        ("America/New_York", "2026-11-01T04:00:00Z", "2026-11"),
        ("America/New_York", "2026-12-01T04:59:59Z", "2026-11"),
        ("Asia/Kolkata", "2026-10-31T18:29:59Z", "2026-10"),
        ("Asia/Kolkata", "2026-10-31T18:30:00Z", "2026-11"),
    ],
)
def test_the_companys_zone_decides_the_month(found_company, zone, instant, period):
    company = found_company(timezone=zone)
    company.ingest(usage(started_at=instant))
    others = {"2026-10", "2026-11", "2026-12"} - {period}
    assert company.run(period).events == 1
    assert [company.run(other).events for other in others] == [0, 0]
    assert company.balances(period)["Charge:a:usage"] == "1.00"


def test_both_hours_when_clocks_go_back_are_counted_once(found_company):
    company = found_company(timezone="America/New_York")
    hours = ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00")
    company.ingest(*(usage(f"e-{n}", started_at=hour) for n, hour in enumerate(hours)))
    company.run("2026-11")
    assert company.balances("2026-11")["Charge:a:usage"] == "2.00"


def test_a_zone_changed_before_the_first_close_moves_events_to_their_month(company):
    company.ingest(
        usage("1", started_at="2026-10-01T01:00:00Z"),
        usage("2", started_at="2026-11-01T02:00:00Z"),
        usage("3"),
    )
    company.run()
    company.apply(org=org("America/New_York"))
    for period in ("2026-09", "2026-10", "2026-11"):
        company.run(period)
    charged = {
        period: company.balances(period).get("Charge:a:usage")
        for period in ("2026-09", "2026-10", "2026-11")
    }
    assert charged == {"2026-09": "1.00", "2026-10": "2.00", "2026-11": None}
    assert company.failing() == {}


def test_a_month_without_events_posts_its_pools(company):
    company.run()
    assert company.balances() == {"Pool:gateway": "30.00", "Source:gateway": "-30.00"}
    issue = company.statements()
    assert (issue.charged_total_cents, issue.central_total_cents) == (0, 3000)


def test_calls_without_tokens_are_calls(company):
    company.ingest(
        usage("1", tokens={"output": 0}), usage("2", tokens=None), usage("3", status="error")
    )
    company.run()
    issue = company.statements()
    assert issue.unknown.calls == 1
    (line,) = [x for x in issue.statements[0].lines if x.kind == "usage"]
    assert line.quantity.calls == 3
    assert company.failing() == {}


@pytest.mark.parametrize(
    "name", ["Open:AI", ":x", " openai ", "openai\n", "日本", "a%3Ab", "x" * 200]
)
def test_any_providers_name_can_be_booked(company, name):
    from beancount.loader import load_string  # noqa: PLC0415

    from tallybook.report.beancount import beancount_text  # noqa: PLC0415

    if name.isprintable() and name == name.strip():
        alias = f"  - {{provider: {json.dumps(name)}, model: d, is: x-1, is_provider: X}}\n"
        company.apply(prices=f"{PRICES}aliases:\n{alias}")
    company.ingest(usage("1", provider=name, model="gpt-4o"), usage("2", provider=name, model="d"))
    company.run()
    company.waive("2026-10", "unpriced")
    company.close()
    assert company.failing() == {}
    _, errors, _ = load_string(beancount_text(company.journal(), "USD", "test"))
    assert errors == []


def test_odd_tags_are_tags(company):
    odd = ["a:b", "x\ny", "\x1f", "'", '"', "日本", " a", "\\"]
    company.ingest(
        *(usage(f"e-{n}", team=t, feature=t, service=t, key_id=t, endpoint=t, labels={t: t})
          for n, t in enumerate(odd)),
    )  # fmt: skip
    company.run()
    assert company.statements().unallocated.calls == len(odd)
    assert company.failing() == {}


def test_a_closed_period_refuses_and_names_the_worklist(company):
    company.ingest(usage())
    company.close()
    with pytest.raises(PeriodError, match="worklist late"):
        company.run()


def test_a_month_is_run_from_its_first_instant_on(company):
    company.clock.advance(parse_instant("2026-11-30T23:59:59.999999Z") - company.clock.now_us())
    december = Period.parse("2026-12")
    with pytest.raises(PeriodError, match="2026-12 has not begun: it begins at 2026-12-01T00:00"):
        run(company.store, december, clock=company.clock, actor="tester")
    assert company.journal() == []
    company.clock.advance(1)
    assert run(company.store, december, clock=company.clock, actor="tester").entries


def test_books_without_policy_files_say_what_to_do(tmp_path):
    from company import Company  # noqa: PLC0415

    company = Company(tmp_path / "empty")
    with pytest.raises(BooksError, match="tallybook apply"):
        company.run()
    company.store.close()


def test_a_policy_that_changes_another_month_moves_nothing_here(company):
    company.ingest(usage())
    company.run()
    company.apply(
        policy=policy("2020-01") + "  - effective_from: 2026-12\n    default: {model: showback}\n"
    )
    assert company.run().entries == ()
