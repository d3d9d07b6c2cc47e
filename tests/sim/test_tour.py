from sim.conftest import SCALE, SEED
from tallybook.clock import Period
from tallybook.sim import tour
from tallybook.sim.agents import runs_of
from tallybook.sim.traffic import Month
from tallybook.sim.what_if import what_ifs


def test_the_ways_add_up_to_the_cost_under_every_model(lived) -> None:
    issue = lived.done.pages.months["2026-09"]
    supposed = what_ifs(lived.store, Period.parse("2026-09"))
    rows = tour.ways(issue, supposed)
    columns = zip(*(row.shares for row in rows), strict=True)
    sums = [sum(share.cents for share in column if not share.shown_only) for column in columns]
    assert sums == [issue.ledger_cost_cents] * (1 + len(supposed))


def test_twins_have_the_same_tokens_and_the_same_charge_but_not_the_same_cost(lived) -> None:
    issue = lived.done.pages.months["2026-09"]
    real = what_ifs(lived.store, Period.parse("2026-09"))["real_cost"]
    one, other = tour.twins(issue, real)
    assert one.calls == other.calls
    assert one.tokens == other.tokens
    assert abs(one.charged_cents - other.charged_cents) <= 4
    assert one.value_cents > 5 * other.value_cents


def test_the_calls_of_a_month_are_those_that_were_ingested(lived) -> None:
    told = [line for line in lived.told if line.startswith(("2026-09.jsonl", "2026-09-second"))]
    accepted = sum(int(line.split()[1].replace(",", "")) for line in told)
    corrections = int(told[1].split()[1])
    spans = runs_of(Month.of("2026-09", "Europe/Amsterdam"), SEED, SCALE)
    calls = accepted - corrections + sum("role" not in span for span in spans)
    assert tour.calls_of(lived.done.pages.months["2026-09"]) == calls


def test_the_events_name_figures_of_the_books(lived) -> None:
    august, september, october = lived.done.pages.months.values()
    facts = tour.Facts(late=12, quarantined=1)
    text = " ".join(event.what for event in tour.events([august, september], october, facts))
    assert "12 calls of 31 August" in text
    assert september.unallocated.share in text


def test_the_example_is_a_transfer_of_the_month(lived) -> None:
    issue = lived.done.pages.months["2026-09"]
    kinds = {line.id: line.kind for each in issue.statements for line in each.lines}
    assert kinds[tour.example_line(issue)] == "transfer"


def test_statements_show_who_caused_ran_and_owes(lived) -> None:
    issue = lived.done.pages.months["2026-09"]
    assert issue.simulated
    told = {
        (each.team, line.transfer.role, line.transfer.service)
        for each in issue.statements
        for line in (*each.lines, *each.notes)
        if line.transfer
    }
    assert {
        ("sales", "owed", "retrieval"),
        ("knowledge", "earned", "retrieval"),
        ("sales", "caused", "clause-checker"),
        ("legal", "paid_for", "clause-checker"),
        ("sales", "joint", "indexer"),
        ("fleet", "caused", "code-agent"),
    } <= told
