"""A recorded run of three levels of agents, cut by origin, executor and payer as worked out by hand."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import pytest

from company import Company
from tallybook.clock import parse_instant
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.otel.files import open_files
from tallybook.money import format_units
from tallybook.post.sheet import latest_sheet

CASES = Path(__file__).parent / "supervisor" / "cuts.txt"
RECORDED = Path(__file__).parents[3] / "shared" / "data" / "multi_agent_runs" / "agent_calls.csv"
RUN = "openinference/bedrock_multi_agent_collaborator.yaml"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2025-01, timezone: UTC}
business_units:
  - {id: main, name: Main, legal_entity: acme-us}
teams:
  - {id: support, name: Support, unit: main, cost_center: "1"}
  - {id: maths, name: Maths, unit: main, cost_center: "2"}
  - {id: tools, name: Tools, unit: main, cost_center: "3"}
  - {id: platform, name: Platform, unit: main, cost_center: "9"}
features:
  - {id: assistant, team: support, name: Assistant}
services:
  - {id: 2X9SRVPLWB, team: support}
  - {id: KZJDL3ZYQR, team: maths, %s}
  - {id: ZRPPXH8SBU, team: tools, %s}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2025-01
    default: {model: real_cost, markup: "0%"}
    evaluation: {funding: charged}
    limits: {unallocated: "0%"}
"""
PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: aws, model: "anthropic.claude-3-haiku-20240307-v1:0",
     per_million_tokens: {input_uncached: "0.25", output: "1.25"}}
  - {contract: C2, provider: aws, model: "anthropic.claude-3-5-haiku-20241022-v1:0",
     per_million_tokens: {input_uncached: "0.80", output: "4.00"}}
"""


def cases():
    """Heading to its lines, each as its first word and the rest."""
    found: dict[str, dict[str, str]] = {}
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            held = found[line.removeprefix("== ")] = {}
        elif line.strip() and not line.startswith("#"):
            word, rest = line.split(maxsplit=1)
            held[word] = rest
    return found


def in_order(listed):
    return ", ".join(sorted(listed.split(", ")))


def attributes(**values):
    def told(value):
        return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}

    return [{"key": key.replace("__", "."), "value": told(value)} for key, value in values.items()]


def spans(rows):
    """An agent's span per level, each under the one above, and the calls beneath their agents."""
    made, ids = [], {}
    for row in rows:
        path = row["agent_path"].split(">")
        for depth in range(1, len(path) + 1):
            agent = ">".join(path[:depth])
            if agent not in ids:
                above = ids.get(">".join(path[: depth - 1]), "")
                ids[agent] = f"{len(made) + 1:016x}"
                tags = {"chargeback__team": "support", "chargeback__feature": "assistant"}
                made.append(
                    span(
                        ids[agent],
                        above,
                        row["time"],
                        gen_ai__operation__name="invoke_agent",
                        gen_ai__agent__name=path[depth - 1].split("/")[0],
                        **(tags if depth == 1 else {}),
                    )
                )
        made.append(
            span(
                f"{len(made) + 1:016x}",
                ids[row["agent_path"]],
                row["time"],
                gen_ai__operation__name="chat",
                gen_ai__provider__name="aws.bedrock",
                gen_ai__request__model=row["model"],
                gen_ai__response__id=row["request_id"],
                gen_ai__usage__input_tokens=int(row["input_tokens"]),
                gen_ai__usage__output_tokens=int(row["output_tokens"]),
            )
        )
    return made


def span(span_id, parent, time, **told):
    started_ns = parse_instant(time) * 1000
    return {
        "traceId": TRACE,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": "step",
        "startTimeUnixNano": str(started_ns),
        "endTimeUnixNano": str(started_ns + 10**9),
        "attributes": attributes(**told),
        "status": {"code": 1},
    }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    if not RECORDED.exists():
        pytest.skip(f"no recordings in {RECORDED}")
    with RECORDED.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == RUN]
    folder = tmp_path_factory.mktemp("supervisor")
    path = folder / "spans.jsonl"
    scope = {"scope": {"name": "acme"}, "spans": spans(rows)}
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [scope]}]}) + "\n")
    company = Company(folder / "books")
    taken = ingest(
        company.store,
        open_files([path]),
        clock=company.clock,
        new_id=lambda: "s",
        on_progress=None,
        reject_folder=folder,
    )
    assert taken.accepted == len(rows) + 3
    return company


def micro(amounts):
    """``maths 3056.00, support 755.75`` from amounts in pico-dollars, in order of the alphabet."""
    return ", ".join(
        f"{name} {format_units(pico // 10**4, 2)}" for name, pico in sorted(amounts.items())
    )


@pytest.mark.parametrize("case", cases())
def test_three_cuts(recorded, case):
    said = cases()[case]
    recorded.apply(org=ORG % (said["KZJDL3ZYQR"], said["ZRPPXH8SBU"]), policy=POLICY, prices=PRICES)
    recorded.run("2025-05")
    with recorded.store.read() as tx:
        sheet = latest_sheet(tx, "2025-05")
    cuts = {"caused": defaultdict(int), "ran": defaultdict(int), "pays": defaultdict(int)}
    for line in sheet.lines:
        cuts["caused"][line.owner.started_by[0]] += line.card_pico
        cuts["ran"][line.owner.executor] += line.card_pico
        cuts["pays"][line.owner.team] += line.card_pico
    assert {name: micro(cut) for name, cut in cuts.items()} == {
        name: in_order(said[name]) for name in cuts
    }
    owed = {f"{use.team} to {use.executor}": use.amount_nano * 1000 for use in sheet.uses}
    assert micro(owed) == in_order(said.get("owes", ""))
