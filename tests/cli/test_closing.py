"""`close --soft`, `adjust`, `dispute`, `open-items`: the end of a month on the command line."""

import pytest

from company import usage

SIDES = ("--line", "Charge:a:bot=-0.25", "--line", "Variance:goodwill=0.25")
SAID = ("--text", "outage", "--reason", "agreed", "--support", "INC-1")


def test_a_month_is_soft_closed_adjusted_and_closed(october, call, by):
    soft = call("close", "2026-10", "--soft", "--json").value
    assert (soft["state"], soft["act"][:2]) == ("soft-closed", "A-")
    assert "finance entries and no usage" in call("run", "2026-10").err
    assert call("status", "2026-10").code == 0
    assert "SOFT-CLOSED DRAFT" in call("statement", "2026-10", "--team", "a").out
    made = call("adjust", "2026-10", *SIDES, *SAID, "--json").value
    assert (made["id"], made["state"], made["prepared_by"]) == ("J-0001", "draft", "tester")
    assert "takes two people" in call("adjust", "2026-10", "--approve", "J-0001").err
    assert by("cfo", "adjust", "2026-10", "--approve", "J-0001").exit_code == 0
    posted = by("cfo", "adjust", "2026-10", "--post", "J-0001")
    assert "J-0001 of 2026-10, posted: outage" in posted.stdout
    listed = call("adjust", "2026-10", "--json").value
    assert [step["step"] for step in listed[0]["steps"]] == ["approved", "posted"]
    assert call("close", "2026-10", "--json").value["version"] == 1
    assert "Adjustment J-0001: outage" in call("statement", "2026-10", "--team", "a").out
    assert october.failing() == {}


@pytest.mark.parametrize(
    "args",
    [
        ("close", "2026-10", "--reason", "r"),
        ("close", "2026-10", "--soft", "--approved-by", "cfo"),
        ("adjust", "2026-10", "--approve", "J-0001", "--post", "J-0001"),
        ("dispute", "D-0001", "--rejected", "--adjusted", "J-0001", "--reason", "r"),
    ],
)
def test_options_that_contradict_are_wrong_usage(october, call, args):
    assert call(*args).code == 2


def test_the_checklist_says_where_to_look(october, call):
    october.ingest(usage("2", model="unheard-of"))
    shown = call("status", "2026-10")
    assert shown.code == 1
    assert "unpriced: tallybook worklist unpriced 2026-10" in shown.out
    told = {one["name"]: one for one in call("status", "2026-10", "--json").value}
    assert told["unpriced"]["blocks"]
    assert told["unpriced"]["next_step"].startswith("see `tallybook worklist unpriced`")
