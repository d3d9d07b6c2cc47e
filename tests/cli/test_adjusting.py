"""`adjust`, `dispute` and `open-items` on the command line."""

import pytest

SIDES = ("--line", "Charge:a:bot=-0.25", "--line", "Variance:goodwill=0.25")
SAID = ("--text", "outage", "--reason", "agreed", "--support", "INC-1")


def test_the_sides_come_from_a_file_and_the_support_is_digested(october, call, tmp_path):
    sides, support = tmp_path / "sides.csv", tmp_path / "mail.txt"
    sides.write_text("account,amount\nCharge:a:bot,-0.25\nVariance:goodwill,0.25\n", "utf-8")
    support.write_text("agreed", encoding="utf-8")
    said = ("--text", "outage", "--reason", "agreed", "--support", str(support))
    made = call("adjust", "2026-10", "--file", str(sides), *said, "--json").value
    assert (made["support"], made["support_sha256"][:8]) == ("mail.txt", "9eace412")
    assert [line["amount"] for line in made["lines"]] == ["-0.25", "0.25"]
    sides.write_text("konto,betrag\n", encoding="utf-8")
    assert call("adjust", "2026-10", "--file", str(sides), *said).code == 2


def test_what_does_not_balance_says_by_how_much(october, call):
    refused = call("adjust", "2026-10", "--line", "Charge:a:bot=-1", "--line",
                   "Variance:goodwill=2", *SAID)  # fmt: skip
    assert refused.code == 1
    assert "differ by 1.000000000" in refused.err


def test_a_line_is_disputed_listed_and_rejected(october, call, by):
    call("close", "2026-10")
    line = october.statements().statement("a").lines[0].id
    made = call("dispute", line, "--reason", "not ours", "--json").value
    assert made["dispute"] == "D-0001"
    october.clock.advance(3 * 86_400_000_000)
    items = call("open-items", "--json").value
    assert [(one["kind"], one["days"]) for one in items] == [("accrual", 7), ("dispute", 3)]
    assert "Accrued:X" in call("open-items").out
    done = by("cfo", "dispute", "D-0001", "--rejected", "--reason", "it is yours")
    assert done.stdout == "D-0001 is rejected\n"
    assert len(call("open-items", "--json").value) == 1


@pytest.mark.parametrize("option", ["--approve", "--post", "--reject", "--undo", "--about"])
def test_an_entry_that_is_named_by_nothing_is_not_taken_as_none_named(call, option):
    refused = call("adjust", "2026-10", option, "")
    assert (refused.code, f"{option} is blank" in refused.err) == (2, True)


def test_a_settlement_that_names_no_entry_raises_no_dispute(call):
    refused = call("dispute", "L-1", "--reason", "r", "--adjusted", "")
    assert (refused.code, "--adjusted is blank" in refused.err) == (2, True)
