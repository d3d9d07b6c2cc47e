"""The JSON of a set has the published keys, ties in its own text, and is the set again."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from tallybook.errors import LedgerError
from tallybook.report.body import body, body_digest, from_body, json_text, sealed

TOP = {
    "period", "version", "status", "currency", "charged_total", "shown_total", "central",
    "ledger_cost", "statements", "unallocated", "unpriced", "estimated", "unknown", "versions",
    "body_sha256", "seal",
}  # fmt: skip
STATEMENT = {"team", "unit", "cost_center", "model", "charged", "total", "lines"}
LINE = {"id", "feature", "purpose", "kind", "quantity", "amount"}


def test_keys_are_the_published_ones_and_few_more(mixed):
    made = body(mixed)
    assert made.keys() - TOP == {"company", "notes"}
    assert made.keys() >= TOP
    for each in made["statements"]:
        assert each.keys() - STATEMENT == {"notes"}
        assert each.keys() >= STATEMENT
        for line in each["lines"]:
            assert line.keys() == LINE | {"detail", "label"}
            assert line["quantity"].keys() == {"calls", "tokens", "units"}
    assert made["versions"].keys() == {"events", "prices", "policy", "org", "code"}
    assert made["central"].keys() == {"lines", "total"}


def test_a_reader_who_knows_only_the_json_can_tie_it(mixed):
    made = json.loads(json_text(mixed))
    for each in made["statements"]:
        assert sum(Decimal(line["amount"]) for line in each["lines"]) == Decimal(each["total"])
    charged = sum(Decimal(each["total"]) for each in made["statements"] if each["charged"])
    shown = sum(Decimal(each["total"]) for each in made["statements"] if not each["charged"])
    central = sum(Decimal(line["amount"]) for line in made["central"]["lines"])
    assert (str(charged), str(shown)) == (made["charged_total"], made["shown_total"])
    assert str(central) == made["central"]["total"]
    assert charged + central == Decimal(made["ledger_cost"]) == Decimal("1070.00")


def test_what_is_only_shown_stands_under_notes(mixed):
    support = body(mixed)["statements"][0]
    assert [line["amount"] for line in support["notes"]["lines"]] == ["100.00"]
    assert "paid by quality pool" not in {line["label"] for line in support["lines"]}


def test_a_line_about_a_transfer_names_the_other_team_and_no_other_line_does(priced):
    support, search = body(priced)["statements"]
    assert [line.get("transfer") for line in support["lines"]] == [
        None,
        {"role": "owed", "team": "B", "service": "retrieval", "rule": "transfer_price"},
        None,
        None,
    ]
    assert [line["transfer"]["role"] for line in search["lines"] if "transfer" in line] == [
        "paid_for", "earned",
    ]  # fmt: skip
    assert support["notes"]["lines"][1]["transfer"]["role"] == "paid_by"


def test_the_stored_text_is_the_set_again(real_cost, mixed, priced):
    for issue in (real_cost, mixed, priced):
        assert from_body(json.loads(json_text(issue))) == issue


def test_the_digest_covers_all_but_status_digest_and_seal(real_cost):
    kept = json.loads(json_text(real_cost))
    for key in ("status", "body_sha256", "seal"):
        del kept[key]
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert real_cost.body_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert body_digest(replace(real_cost, status="corrected", seal="x")) == real_cost.body_sha256
    assert sealed(real_cost, "other head").body_sha256 == real_cost.body_sha256
    assert body_digest(replace(real_cost, version=2)) != real_cost.body_sha256


def test_a_label_a_share_and_a_simulation_are_digested(real_cost):
    support = real_cost.statements[0]
    for change in ({"label": "Gift"}, {"share": "74.0 %"}):
        lines = (*support.lines[:3], replace(support.lines[3], **change))
        statements = (replace(support, lines=lines), real_cost.statements[1])
        assert body_digest(replace(real_cost, statements=statements)) != real_cost.body_sha256
    assert body_digest(replace(real_cost, simulated=True)) != real_cost.body_sha256


def test_stored_figures_that_were_changed_are_refused(real_cost):
    stored = json.loads(json_text(real_cost))
    stored["statements"][0]["lines"][0]["amount"] = "500.01"
    with pytest.raises(LedgerError, match=r"lines 765\.01 and total 765\.00"):
        from_body(stored)
