"""Reading a month's flow: from the sheet of its last run, under the books of that run."""

from __future__ import annotations

import pytest

from company import org, usage
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.report.graph.month import month_graph

OCTOBER = Period.parse("2026-10")


def test_a_month_is_what_its_last_run_saw(company):
    with pytest.raises(PeriodError, match="never run"):
        month_graph(company.store, OCTOBER)
    company.ingest(usage("e-1"))
    company.run()
    company.ingest(usage("e-2"), name="more")
    company.apply(org=org().replace("name: Team A", "name: Renamed"))
    seen = month_graph(company.store, OCTOBER)
    assert (seen.total_cents, dict(seen.teams)["a"]) == (100, "Team A")
    company.run()
    seen = month_graph(company.store, OCTOBER)
    assert (seen.total_cents, dict(seen.teams)["a"]) == (200, "Renamed")
