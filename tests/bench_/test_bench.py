"""The benchmark measures the right thing: no test asserts on time."""

import subprocess
import sys
from pathlib import Path

import pytest
from bench.chains import make_chain
from bench.claims import fill, measured
from bench.figures import Figure, as_text
from bench.generate import make_home
from bench.measure import Took, measure_in_turn, median
from bench.page import as_markdown
from bench.record import keep, kept

from tallybook.clock import Period
from tallybook.ledger.verify import verify
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed
from tallybook.store import Store

PROJECT = Path(__file__).parent.parent.parent
ROWS = 20_000


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "home"
    make_home(path, ROWS)
    return path


def test_bare_and_rating_agree_to_the_last_pico(home):
    took = measure_in_turn(("bare", "attribute"), home, 1)
    assert took["bare"].result["pico"] == took["attribute"].result["pico"] > 0


def test_every_made_up_call_is_counted_once_and_priced(home):
    store = Store.open(home)
    store.lake.verify(store.lake.snapshot())
    basis = read_basis(store, Period.parse("2026-09"))
    lines = attributed(store, basis).lines
    with store.lake.session(basis.snapshot) as session:
        ((calls, tokens, searches),) = session.rows(
            "SELECT COUNT(*), SUM(total_tokens), SUM(units['web_search']) FROM events"
        )
    assert sum(line.calls for line in lines) == calls == ROWS
    assert sum(line.tokens for line in lines) == tokens
    assert sum(line.units.get("web_search", 0) for line in lines) == searches
    assert not any(line.unpriced for line in lines)
    store.close()


def test_the_company_is_varied(home):
    store = Store.open(home)
    lines = attributed(store, read_basis(store, Period.parse("2026-09"))).lines
    rules = {line.owner.rule.split(":")[0] for line in lines}
    assert rules >= {"tag", "rule", "key", "fallback"}
    assert {line.owner.kind for line in lines} == {"usage", "transfer"}
    moved = {line.owner.team for line in lines if line.owner.feature == "feature-0007"}
    assert moved == {"team-007", "team-100"}
    store.close()


def test_the_command_prints_a_table_and_writes_only_where_told(tmp_path):
    page = tmp_path / "benchmarks.md"
    command = [
        sys.executable,
        "-m",
        "bench",
        "--rows",
        str(ROWS),
        "--repeat",
        "1",
        "--month",
        "--hundred",
        "--entries",
        "2000",
    ]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "work"), "--write", str(page)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for part in ("bare:", "whole run", "second run", "ingest with", "explain a line", "apportion",
                 "DuckDB, bare", "total is off by", "verify", "200,000"):  # fmt: skip
        assert part in done.stdout
        assert part in page.read_text(encoding="utf-8")


def test_a_section_measured_alone_keeps_the_others_on_the_page(tmp_path):
    page = tmp_path / "benchmarks.md"
    keep(page, "claims", "first, in May.", [Figure("for each id", 44.5, "bytes")])
    sections = keep(page, "month", "second, in June.", [Figure("bare", 4.0, "CPU s")])
    assert kept(page) == sections
    text = as_markdown(sections)
    assert text.index("| bare | 4.00 CPU s |") < text.index("| for each id | 44.50 bytes |")
    assert "first, in May." in text
    assert "## The chain" not in text


def test_claims_are_measured_at_any_size(tmp_path):
    fill(tmp_path / "home", 200_000)
    figures = {one.what: one.value for one in measured(tmp_path / "home")}
    assert 40 < figures["  for each id"] < 80
    assert min(figures.values()) > 0


def test_a_chain_made_in_bulk_verifies(tmp_path):
    make_chain(tmp_path / "home", 300)
    store = Store.open(tmp_path / "home")
    with store.read() as tx:
        found = verify(tx)
    assert (found.ok, found.entries) == (True, 300)
    store.close()


def test_medians_are_taken_figure_by_figure():
    took = [Took(3.0, 1.0, 30, {"n": 1}), Took(1.0, 2.0, 10, {"n": 2}), Took(2.0, 9.0, 20, {})]
    assert median(took) == Took(2.0, 2.0, 20, {})


@pytest.mark.parametrize(
    ("value", "most", "least", "verdict"),
    [(2.0, 2, None, "ok"), (2.1, 2, None, "over"), (5, None, 6, "under"), (1, None, None, "")],
)
def test_a_figure_is_judged_by_its_target(value, most, least, verdict):
    assert Figure("x", value, "s", most=most, least=least).verdict == verdict


def test_the_table_is_aligned():
    text = as_text([Figure("a", 1.5, "s", most=2), Figure("longer", 12_345.0, "events/s")])
    assert text.splitlines()[1:] == [
        "a                1.50 s  at most 2 s  ok",
        "longer  12,345 events/s",
    ]
