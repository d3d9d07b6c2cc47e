"""Recorded traces of agents, as a month of books: every trap counted once, three cuts of one total.

What team an agent belongs to is ours; what was used is the recording's.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from company import Company
from tallybook.check.check import check
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.langfuse.files import open_files
from tallybook.post.sheet import latest_sheet
from tallybook.store import Store

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "langfuse_traces"

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2025-01, timezone: UTC}
business_units:
  - {id: main, name: Main, legal_entity: acme-us}
teams:
  - {id: agents, name: Agents, unit: main, cost_center: "1"}
  - {id: weather, name: Weather, unit: main, cost_center: "2"}
  - {id: platform, name: Platform, unit: main, cost_center: "9"}
services:
  - {id: Agent.run, team: agents}
  - {id: ai.generateText, team: agents}
  - {id: claude.conversation, team: agents}
  - {id: getWeather, team: weather}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2025-01
    default: {model: real_cost, markup: "0%"}
    evaluation: {funding: charged}
    limits: {unallocated: "100%"}
"""


@pytest.fixture
def recorded(tmp_path):
    """``recorded(name, month)``: the sheet of a trace's month, after every invariant held."""

    def sheet(name, month):
        path = RECORDED / f"{name}.trace.json"
        if not path.exists():
            pytest.skip(f"no recordings in {RECORDED}")
        company = Company(tmp_path / "books")
        company.apply(org=ORG, policy=POLICY)
        ingest(
            company.store,
            open_files([path]),
            clock=company.clock,
            new_id=lambda: "s",
            on_progress=None,
            reject_folder=tmp_path,
        )
        company.run(month)
        failed = [found for found in check(company.store) if not found.ok]
        assert not failed
        return made(company.store, month)

    return sheet


def made(store: Store, month: str):
    with store.read() as tx:
        return latest_sheet(tx, month)


def cuts(sheet):
    """Calls and tokens by who caused, ran and pays."""
    found = {name: Counter() for name in ("caused", "ran", "pays")}
    for line in sheet.lines:
        for name, team in (
            ("caused", line.owner.started_by[0]),
            ("ran", line.owner.executor),
            ("pays", line.owner.team),
        ):
            found[name][team, "calls"] += line.calls
            found[name][team, "tokens"] += line.tokens
    return found


@pytest.mark.parametrize(
    ("name", "month", "calls", "tokens"),
    [
        # The outer spans say 1,568 + 423 more: the same two calls, told twice.
        ("agno-2025-06-11", "2025-06", 2, 183 + 888),
        # The outer ai.generateText repeats what its inner doGenerate used.
        ("vercel-aisdk-2025-11-17", "2025-11", 1, 147),
        ("claude-agent-2025-12-22", "2025-12", 4, 48 + 58 + 61 + 99),
    ],
)
def test_an_agents_trace_belongs_to_its_team_once(recorded, name, month, calls, tokens):
    expected = {("agents", "calls"): calls, ("agents", "tokens"): tokens}
    found = cuts(recorded(name, month))
    assert found == {"caused": expected, "ran": expected, "pays": expected}


def test_unknown_output_is_no_cheap_call(recorded):
    """BeeAI says how much was read and nothing of what was written."""
    sheet = recorded("beeai-2025-08-01", "2025-08")
    assert {line.state for line in sheet.lines} <= {"unknown", "partial"}
    assert sum(line.calls for line in sheet.lines) == 5
