"""Their rows against our cells: counts, readings that fit, neighbouring days, rounding."""

from types import SimpleNamespace

import pytest

from tallybook.rate.model import PriceKey, PriceRow
from tallybook.report.differing import bridge_html
from tallybook.report.why.compare import Group, compared, fits, grouped, neighbours
from tallybook.report.why.model import Bridge, Claim, ClaimRow, Part, Step, UsageCell
from tallybook.report.why.ours import team_total
from tallybook.report.why.readings import readings
from tallybook.report.why.scope import owners
from tallybook.report.why.usage import OurUsage
from tallybook.report.why.view import KINDS, bridge_text, bridge_value

CELL = UsageCell("2026-10-01", True, "2026-10", "x", "m", "k", "a", "b", "a", "f", "production",
                 "output", 10, 2, 1)  # fmt: skip
CACHE = CELL._replace(token_class="cache_read", quantity=100, calls=0)
ROW = PriceRow(1, "x", "m", "", "", 0, 100, -1, 2**62, {"output": 9, "input_uncached": 4},
               {"output": 7, "cache_read": 1, "input_uncached": 3}, {"output": 8}, False, "c")  # fmt: skip
BEFORE = PriceRow(1, "x", "m", "", "", -50, 0, -1, 2**62, None, {"output": 5, "cache_read": 1}, None,
                  False, "c")  # fmt: skip
OURS = OurUsage(
    (CELL, CACHE), {("2026-10", 1): ROW}, {PriceKey("x", "m", "", ""): [BEFORE, ROW]}, 0
)


def row(pico, places=12, counts=None, **values):
    return ClaimRow("f:1", "usage", pico, places, values, counts or {})


def claim(*rows, dimensions=(), **scope):
    return Claim("f", rows, dimensions, {k: frozenset(v) for k, v in scope.items()}, "UTC")


def test_readings_price_the_same_usage_in_every_known_way():
    found = {one.cause: one.amount([CELL, CACHE]) for one in readings(OURS, "contract")}
    assert found["contract_price"] == 70 + 100
    assert found["list_price"] == 90 + 100
    assert found["card_price"] == 80 + 100
    assert found["cache_as_input_contract"] == 70 + 300
    assert found["cache_as_input_list"] == 90 + 400
    assert found["cache_twice_contract"] == 70 + 400
    assert found["cache_unseen_contract"] == 70
    assert 50 + 100 in {pico for cause, pico in found.items() if cause.startswith("contract_of")}
    assert readings(OURS, "card")[0].cause == "card_price"


def test_counts_are_compared_by_name():
    group = Group((), [row(1, counts={"output": 10, "calls": 2, "input": 100})], [CELL, CACHE])
    theirs, ours = group.counts()
    assert theirs == ours == {"output": 10, "calls": 2, "input": 100}
    group.rows.append(row(1, counts={"output": 1}))
    assert group.counts() == ({"output": 11}, {"output": 10})


@pytest.mark.parametrize(("places", "off", "good"), [(2, 5 * 10**9, True), (2, 6 * 10**9, False),
                                                     (12, 2_000, False)])  # fmt: skip
def test_a_figure_fits_up_to_half_of_its_last_decimal(places, off, good):
    (first, *_) = readings(OURS, "contract")
    group = Group((), [row(170 + off, places)], [CELL, CACHE])
    assert fits(group, first) is good


def test_usage_of_one_side_alone_is_volume():
    tried = readings(OURS, "contract")
    groups = grouped(claim(row(33, model="other")), [CELL], ("model",), "payer")
    found = {step.cause: step.amount_pico for step in compared(groups, ("model",), tried)}
    assert found == {"not_counted": -70, "not_metered": 33}


def test_neighbouring_days_that_have_each_others_usage_are_timing():
    parts = tuple(Part(f"2026-10-0{day}", pico) for day, pico in ((1, 9), (2, -4), (5, -3), (7, 3)))
    (timing, volume) = neighbours([Step("volume", "same_price", "w", 5, "e", parts)], ("day",))
    assert (timing.kind, timing.amount_pico) == ("timing", 0)
    assert timing.parts == (Part("2026-10-01", 4), Part("2026-10-02", -4))
    assert volume.amount_pico == 5
    assert {part.about for part in volume.parts} == {"2026-10-01", "2026-10-05", "2026-10-07"}
    assert neighbours([volume], ("model",)) == [volume]


def test_one_team_in_rows_is_that_team_and_several_are_all():
    one = claim(row(1, team="a"), dimensions=("team",))
    assert owners(one) == (frozenset("a"), frozenset())
    assert owners(claim(row(1, team="a"), row(1, team="b"), dimensions=("team",)))[0] == frozenset()


def test_a_bridge_that_does_not_add_up_does_not_exist():
    step = Step.of("price", "list_price", "w", "e", {"m": 2, "n": 0})
    assert step.parts == (Part("m", 2),)
    made = Bridge("f", "2026-10", "October 2026", "Acme", "USD", "all", 1, 3, (step,),
                  notes=("a note",), nearest=(Part("near", 1),), simulated=True)  # fmt: skip
    value, text, page = bridge_value(made), bridge_text(made), bridge_html(made)
    assert value["difference"] == "0.000000000002"
    for words in ("0.000000000003", "a note", "near", KINDS["price"]):
        assert words in text
        assert words in page
    with pytest.raises(AssertionError, match="additive"):
        Bridge("f", "2026-10", "October 2026", "Acme", "USD", "all", 1, 4, (step,))


def test_a_teams_total_is_its_lines_and_what_is_no_usage_is_apart():
    line = SimpleNamespace(amount_cents=100, kind="usage", is_price=False, feature="f", label="",
                           detail="", feature_name="F")  # fmt: skip
    markup = SimpleNamespace(**{**vars(line), "amount_cents": 15, "kind": "markup", "feature": ""})
    price = SimpleNamespace(
        **{**vars(line), "amount_cents": -3, "kind": "transfer", "is_price": True}
    )
    issue = SimpleNamespace(
        statements=[SimpleNamespace(team="a", team_name="A", lines=[line, markup, price])]
    )
    total = team_total(issue, {"a"}, ())
    assert (total.pico, total.usage_pico) == (112 * 10**10, 100 * 10**10)
    assert {step.cause: step.amount_pico for step in total.away} == {
        "markup": -15 * 10**10, "price": 3 * 10**10
    }  # fmt: skip
