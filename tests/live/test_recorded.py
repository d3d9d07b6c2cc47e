"""Recorded traces of agents, watched as they come in: no false alert, and a run's figures at the end.

What team an agent belongs to is ours; what was used is the recording's.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from company import Company
from tallybook.live.look import Watch
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.langfuse.files import open_files
from tallybook.post.sheet import latest_sheet

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "langfuse_traces"
ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2025-01, timezone: UTC}
business_units:
  - {id: main, name: Main, legal_entity: acme-us}
teams:
  - {id: agents, name: Agents, unit: main, cost_center: "1"}
  - {id: platform, name: Platform, unit: main, cost_center: "9"}
services:
  - {id: Agent.run, team: agents}
  - {id: claude.conversation, team: agents}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2025-01
    default: {model: real_cost, markup: "0%"}
    evaluation: {funding: charged}
    limits: {unallocated: "100%"}
"""


def told(live):
    return {row.team: (row.month.calls, row.month.tokens) for row in live.features}


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("agno-2025-06-11", "2025-06-11T23:59:00Z"),
        ("claude-agent-2025-12-22", "2025-12-22T23:59:00Z"),
        ("langgraph-python-2025-08-22", "2025-08-22T23:59:00Z"),
        ("openai-agents-2025-09-30", "2025-09-30T23:59:00Z"),
    ],
)
def test_a_recorded_trace(name, now, tmp_path):
    path = RECORDED / f"{name}.trace.json"
    if not path.exists():
        pytest.skip(f"no recordings in {RECORDED}")
    company = Company(tmp_path / "books", now=now)
    company.apply(org=ORG, policy=POLICY)
    with Watch(company.store, company.clock) as watch:
        ingest(
            company.store,
            open_files([path]),
            clock=company.clock,
            new_id=lambda: "s",
            on_progress=None,
            reject_folder=tmp_path,
        )
        waiting = watch.look()
        assert waiting.fired == ()
        assert waiting.live.month.calls > 0
        assert [one.tally.calls for one in waiting.live.traces] in ([waiting.live.month.calls], [])
        company.run(now[:7])
        live = watch.look().live
    with company.store.read() as tx:
        lines = latest_sheet(tx, now[:7]).lines
    by_team: dict[str, Counter[str]] = {}
    for line in lines:
        held = by_team.setdefault(line.owner.started_by[0], Counter())
        held["calls"] += line.calls
        held["tokens"] += line.tokens
    assert told(live) == {team: (c["calls"], c["tokens"]) for team, c in by_team.items()}
    assert live.month.cost_pico == sum(line.card_pico for line in lines)
    assert live.month.calls <= waiting.live.month.calls  # what one tool told twice counts once now
