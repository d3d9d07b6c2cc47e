"""`pool`, `run`, `status`, `waive`, `close`: a month on the command line."""

import sys

from company import usage


def test_run_says_what_it_posted_and_nothing_the_second_time(company, call):
    company.ingest(usage())
    first = call("run", "2026-10", "--json")
    assert first.value.keys() == {"period", "events", "entries", "postings", "prices"}
    assert (first.code, first.value["events"], first.value["prices"]) == (0, 1, "2026-10-01.1")
    assert call("run", "2026-10", "--json").value["entries"] == []
    assert "nothing new to post" in call("run", "2026-10").out


def test_pool_enters_an_amount_or_refuses(call):
    assert call("pool", "2026-10", "gateway", "31.00", "--json").value["amount"] == "31.00"
    refused = call("pool", "2026-10", "gateway", "lots")
    assert (refused.code, refused.out) == (1, "")
    assert "lots" in refused.err


def test_status_closes_nothing_and_tells_with_its_exit_code(company, call):
    company.ingest(usage("1"), usage("2", model="unheard-of"))
    found = call("status", "2026-10", "--json")
    assert found.code == 1
    blocked = [item for item in found.value if not item["ok"]]
    assert [item["name"] for item in blocked] == ["unpriced"]
    waived = call(
        "waive", "2026-10", "unpriced", "--estimate", "1.00", "--reason", "beta", "--json"
    )
    assert waived.value["act"].startswith("A-")
    assert call("status", "2026-10").code == 0
    company.ingest(usage("3", model="unheard-of"))
    grown = call("status", "2026-10")
    assert (grown.code, "signed for less" in grown.out) == (1, True)


def test_a_waiver_of_nothing_is_refused(company, call):
    company.ingest(usage("1"))
    refused = call("waive", "2026-10", "unpriced", "--estimate", "1.00", "--reason", "in case")
    assert refused.code != 0
    assert "unpriced of 2026-10 has nothing to sign for: 0 calls" in refused.err
    assert "next: see what stops the close: tallybook status 2026-10" in refused.err


def test_close_answers_with_totals_and_seal(company, call):
    company.ingest(usage())
    closed = call("close", "2026-10", "--json")
    assert closed.code == 0
    assert {
        "period",
        "version",
        "charged_total",
        "central",
        "ledger_cost",
        "body_sha256",
        "seal",
    } <= (closed.value.keys())
    assert (closed.value["charged_total"], closed.value["ledger_cost"]) == ("1.15", "31.00")
    again = call("close", "2026-10")
    assert again.code == 1
    assert "is closed" in again.err


def test_a_blocked_close_names_figures_and_the_next_step(company, call):
    company.ingest(usage("1"), usage("2", model="unheard-of"))
    refused = call("close", "2026-10", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "unpriced: 1 calls, 50.0 % of all calls" in refused.err
    assert "tallybook waive 2026-10 unpriced" in refused.err


def test_what_is_no_period_is_wrong_usage(call):
    for text in ("october", "2026-13", "2026-1"):
        refused = call("run", text)
        assert refused.code == 2
        assert "is not a period" in refused.err


def test_another_engine_is_refused_before_anything_is_posted(company, call, monkeypatch):
    company.ingest(usage())
    wrong = call("run", "2026-10", "--master", "local[2]")
    assert wrong.code == 2
    assert "--master local[2] is for Spark" in wrong.err
    monkeypatch.setitem(sys.modules, "pyspark", None)
    absent = call("run", "2026-10", "--engine", "spark")
    assert absent.code == 1
    assert "pip install 'tallybook[spark]'" in absent.err
    assert company.journal() == []
    assert call("run", "2026-10", "--engine", "duckdb", "--json").value["entries"]


def test_a_command_that_is_interrupted_says_how_things_stand(company, call, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tallybook.cli.month.run_period", interrupted)
    company.ingest(usage())
    ended = call("run", "2026-10")
    assert (ended.code, ended.out) == (130, "")
    assert "interrupted; what was not finished changed nothing" in ended.err
    assert company.journal() == []


def test_control_characters_of_callers_are_shown_and_not_obeyed(company, call):
    company.ingest(usage(model="x\x1b[2J\nnext\u202ey"))
    call("run", "2026-10")
    listed = call("worklist", "unpriced", "2026-10").out
    assert r"x\x1b[2J\nnext\u202ey" in listed
    assert len(listed.splitlines()) == 3


def test_a_month_to_come_is_not_run_and_nothing_of_it_is_booked(company, call):
    """A year that was mistyped would book what its pools cost, for ever."""
    for command in (
        ("run", "2030-01"),
        ("status", "2030-01"),
        ("waive", "2030-01", "unpriced", "--estimate", "1", "--reason", "r"),
    ):
        refused = call(*command)
        assert (
            refused.code,
            "2030-01 has not begun: it begins at 2030-01-01T00" in refused.err,
        ) == (
            1,
            True,
        )
    with company.store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM chain WHERE period = '2030-01'") == 0
    assert call("run", "2026-11").code == 0
