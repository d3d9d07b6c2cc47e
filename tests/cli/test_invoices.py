"""`invoice` and `reconcile` on the command line."""

import json

import pytest

from company import usage


def page(path, value=1.0):
    bucket = {"start_time": 1_790_985_600, "end_time": 1_791_072_000, "results": [
        {"amount": {"value": value, "currency": "usd"}, "line_item": "x-1, input"}]}  # fmt: skip
    path.write_text(json.dumps({"object": "page", "data": [bucket]}))
    return str(path)


def test_import_list_show_and_history(company, call, tmp_path):
    done = call("invoice", "import", "openai", page(tmp_path / "a.json"), "--json")
    (one,) = done.value["invoices"]
    assert (done.code, done.value["form"], one["became"], one["total"]) == (
        0,
        "openai-costs",
        "new",
        "1.00",
    )
    assert call("invoice", "import", "openai", page(tmp_path / "b.json", 2.5)).code == 0
    (last,) = call("invoice", "list", "--json").value
    assert (last["id"], last["version"], last["total"]) == ("P-000001", 2, "2.50")
    assert len(call("invoice", "list", "--history", "--provider", "OpenAI", "--json").value) == 2
    shown = call("invoice", "show", "P-000001", "--version", "1", "--json").value
    assert [line["amount"] for line in shown["standing"]] == ["1.00"]
    assert "version 2 of 2" in call("invoice", "show", "P-000001").out
    refused = call("invoice", "show", "P-000001", "--version", "7")
    assert (refused.code, "no version 7" in refused.err) == (1, True)


def test_enter_by_hand_reconcile_and_decide(company, call):
    company.ingest(usage())
    lines = ["--line", "usage 1.00 model=x-1 day=2026-10-03", "--line", "tax 0.19",
             "--line", "other 0.03 note=odd"]  # fmt: skip
    enter = ["invoice", "enter", "X", "--number", "17", "--period", "2026-10", "--total", "1.22"]
    assert call(*enter, *lines).code == 0
    found = call("reconcile", "2026-10", "--json")
    (provider,) = found.value["providers"]
    assert provider["by_kind"] == {"tax": "0.19", "suspense": "0.03"}
    assert (provider["metered"], provider["invoiced"]) == ("1.00", "1.22")
    odd = next(v for v in provider["variances"] if v["kind"] == "suspense")
    assert "suspense" in call("reconcile", "2026-10", "--variance", odd["id"]).out
    decide = ["reconcile", "2026-10", "--variance", odd["id"], "--status", "disputed"]
    assert "no reason" in call(*decide).err
    assert call(*decide, "--reason", "ticket 1", "--owner", "b").code == 0
    again = call("reconcile", "2026-10", "--variance", odd["id"], "--json").value
    assert (again["status"], again["owner"], again["reason"]) == ("disputed", "b", "ticket 1")
    assert "no team 'zz'" in call(*decide, "--reason", "r", "--owner", "zz").err
    assert call("reconcile", "2026-10", "--csv").out.startswith("period,provider,part")


def test_what_is_refused_says_what_to_do(company, call, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert "--map" in call("invoice", "import", "x", str(tmp_path / "x.csv")).err
    assert (
        "no rate" in call("invoice", "import", "x", page(tmp_path / "a.json"), "--rate", "EUR").err
    )
    dated = call("invoice", "import", "x", page(tmp_path / "a.json"), "--rate", "EUR=1.1@soon")
    assert (dated.code, "'soon' is not a date" in dated.err) == (1, True)
    total = call("invoice", "import", "x", page(tmp_path / "a.json"), "--total", "3.00")
    assert (total.code, "2.00 is missing" in total.err) == (1, True)
    assert "neither usage" in call("reconcile", "2031-01").err
    assert call("reconcile", "2026-10", "--status", "open").code == 2


@pytest.mark.parametrize("option", ["--number", "--total", "--restate"])
def test_an_option_that_is_blank_is_refused_and_nothing_is_entered(call, option):
    said = {"--number": "17", "--total": "1.00", "--restate": "r", option: " "}
    pairs = [word for pair in said.items() for word in pair]
    enter = ["invoice", "enter", "X", "--period", "2026-10", "--line", "usage 1.00", *pairs]
    refused = call(*enter)
    assert (refused.code, f"{option} is blank" in refused.err) == (2, True)
    assert call("invoice", "list", "--json").value == []


def test_a_number_is_kept_without_the_blanks_around_it(call):
    enter = ["invoice", "enter", "X", "--period", "2026-10", "--total", "1.00"]
    for number in ("17", " 17 "):
        made = call(*enter, "--number", number, "--line", "usage 1.00", "--json").value
    assert [(one["number"], one["became"]) for one in made["invoices"]] == [("17", "unchanged")]


def test_a_true_up_of_a_provider_that_is_blank_posts_nothing_of_others(call):
    refused = call("true-up", "2026-10", "--provider", "")
    assert (refused.code, "--provider is blank" in refused.err) == (2, True)


def test_an_invoice_that_came_by_mistake_is_withdrawn(company, call):
    company.ingest(usage())
    call("run", "2026-10")
    enter = ["invoice", "enter", "X", "--number", "1", "--period", "2026-10", "--total", "1.19"]
    enter += ["--line", "usage 1.00 model=x-1 day=2026-10-03", "--line", "tax 0.19"]
    call(*enter)
    call("true-up", "2026-10")
    why = ("--reason", "of another company")
    gone = call("invoice", "withdraw", "P-000001", *why, "--json").value
    assert (gone["withdrawn"], gone["version"], gone["total"]) == (True, 2, "0.00")
    assert "withdrawn" in call("invoice", "list").out
    shown = call("invoice", "show", "P-000001")
    assert "withdrawn by tester at" in shown.out
    assert "of another company" in shown.out
    assert "0.19" in call("invoice", "show", "P-000001", "--version", "1").out
    assert call("true-up", "2026-10", "--json").value["payable"] == {"X": "0"}
    with company.store.read() as tx:
        (row,) = tx.rows("SELECT args, actor FROM command WHERE name = 'invoice withdraw'")
    assert (json.loads(row.args)["reason"], row.actor) == ("of another company", "tester")
    assert "was withdrawn by tester" in call(*enter).err
    assert call(*enter, "--restate", "ours after all").code == 0
    assert call("invoice", "withdraw", "P-000001", "--reason", "").code == 2


def test_a_plain_table_by_a_mapping(company, call, tmp_path):
    (tmp_path / "bill.csv").write_text("Day,Sum\n2026-10-03,1.00\n")
    (tmp_path / "map.yaml").write_text(
        "columns: {day: Day, amount: Sum}\nconstants: {currency: USD}\n"
    )
    args = [
        "invoice",
        "import",
        "X",
        str(tmp_path / "bill.csv"),
        "--map",
        str(tmp_path / "map.yaml"),
    ]
    assert call(*args, "--period", "2026-10", "--total", "1.00").code == 0
    company.ingest(usage())
    assert call("reconcile", "2026-10", "--json").value["providers"][0]["matched_lines"] == 1


def test_true_up_posts_once(company, call):
    company.ingest(usage())
    company.run()
    enter = ["invoice", "enter", "X", "--number", "1", "--period", "2026-10", "--total", "1.19"]
    call(*enter, "--line", "usage 1.00 model=x-1 day=2026-10-03", "--line", "tax 0.19")
    done = call("true-up", "2026-10", "--json").value
    assert (len(done["entries"]), done["payable"]) == (1, {"X": "1.19"})
    assert "nothing new" in call("true-up", "2026-10").out
    assert "is before" in call("true-up", "2026-10", "--into", "2026-09").err
