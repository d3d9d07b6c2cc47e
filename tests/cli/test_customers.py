"""`customers`: in words and for machines."""

from __future__ import annotations

from company import usage


def rows(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_month_without_calls_says_so(company, call):
    assert "no call of 2026-10" in call("customers", "2026-10").out
    assert call("customers", "2026-10", "--by", "team").code == 2


def test_a_month_whose_calls_are_all_of_another_month_now(company, call):
    company.ingest(usage("old"))
    company.run("2026-10")
    moved = usage("new", supersedes="old", started_at="2026-11-03T10:00:00Z")
    company.ingest(moved, name="again")
    company.run("2026-11")
    found = call("customers", "2026-10").out.strip()
    assert found == "no call of 2026-10 that was asked for stands, of what is sealed"


def test_it_shows_the_dearest_and_what_nobody_stated(company, call):
    company.ingest(
        *(usage(f"{n}", customer=f"c-{n % 3}", cohort="free") for n in range(6)),
        usage("none"),
        usage("dear", model="nobody-prices-it"),
        usage("dark", usage="unknown", tokens=None, cohort="free"),
    )
    call("run", "2026-10")
    told = rows(call("customers", "2026-10", "--names", "--most", "1").out)
    assert told[0] == "2026-10, USD, at the rate card"
    assert "2 more 4 240,000 4.00 57.1 %" in told
    assert "no customer stated 3 120,000 1.00 14.3 %" in told
    assert "total 9 480,000 7.00 100.0 %" in told
    assert "1 of these calls have no price; nobody knows what they cost" in told
    assert "1 of these calls are of unknown usage; only what is known is counted" in told
    assert any(row.startswith("c-0 2 120,000 2.00") for row in told)
    assert not any("c-0" in row for row in rows(call("customers", "2026-10").out))
    value = call("customers", "2026-10", "--by", "cohort", "--feature", "bot", "--json").value
    assert (value["by"], value["feature"]) == ("cohort", "bot")
    assert [(row["id"], row["calls"]) for row in value["rows"]] == [("free", 7)]
    told = rows(call("customers", "2026-10", "--team", "a").out)
    assert told[0] == "2026-10, USD, at the rate card; started by a"


def test_what_nobody_knows_is_a_question_mark(company, call):
    company.ingest(usage("dear", model="nobody-prices-it", customer="c-1"), usage("plain"))
    call("run", "2026-10")
    told = rows(call("customers", "2026-10", "--names").out)
    assert "c-1 1 60,000 ? ?" in told
    assert "no customer stated 1 60,000 1.00 100.0 %" in told
    assert call("customers", "2026-10", "--most", "0").code == 2
