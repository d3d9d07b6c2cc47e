from datetime import UTC, date, datetime, time
from decimal import Decimal

from genai_prices.types import (
    ClauseAnd,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from tallybook.rate.seed import Refusals, _model, _provider, match_clause

DAY_US = 86_400_000_000
SECOND = datetime(1970, 1, 3, tzinfo=UTC)


def usd(text):
    return ModelPrice(output_mtok=Decimal(text))


def starts(day):
    return StartDateConstraint(start_date=date(1970, 1, day))


def seeded(prices, variants=(), comment=""):
    refusals = Refusals()
    model = ModelInfo(
        id="m",
        match=ClauseEquals("m"),
        prices=prices,
        price_variants=list(variants),
        price_comments=comment,
    )
    return _model("p", model, refusals)["tiers"], refusals.document()


def outputs(segments):
    return [
        (s["from_us"], [(p["from_s"], p["to_s"], [(b["over"], b["prices"]["output"]) for b in p["bands"]]) for p in s["parts"]])
        for s in segments
    ]  # fmt: skip


ALL_DAY = (0, 86_400)


def test_one_price_applies_from_the_beginning_and_is_undated():
    tiers, refused = seeded(usd("1"))
    assert outputs(tiers["standard"]) == [(None, [(*ALL_DAY, [(-1, 1_000_000)])])]
    assert tiers["standard"][0]["undated"]
    assert refused == []


def test_the_first_price_does_not_stand_in_before_its_date():
    tiers, _ = seeded(
        [ConditionalPrice(starts(3), prices=usd("1")), ConditionalPrice(starts(5), prices=usd("2"))]
    )
    assert outputs(tiers["standard"]) == [
        (None, []),
        (2 * DAY_US, [(*ALL_DAY, [(-1, 1_000_000)])]),
        (4 * DAY_US, [(*ALL_DAY, [(-1, 2_000_000)])]),
    ]
    assert [s["undated"] for s in tiers["standard"]] == [True, False, False]


def test_context_steps_become_bands_and_flat_prices_are_in_each():
    stepped = TieredPrices(
        base=Decimal(1),
        tiers=[Tier(start=200, price=Decimal(2)), Tier(start=500, price=Decimal(3))],
    )
    tiers, _ = seeded(ModelPrice(input_mtok=stepped, output_mtok=Decimal(4)))
    (part,) = tiers["standard"][0]["parts"]
    assert [(b["over"], b["prices"]["input_uncached"], b["prices"]["output"]) for b in part["bands"]] == [
        (-1, 1_000_000, 4_000_000), (200, 2_000_000, 4_000_000), (500, 3_000_000, 4_000_000),
    ]  # fmt: skip


def test_a_window_over_midnight_is_cut_in_three():
    window = TimeOfDateConstraint(start_time=time(22, tzinfo=UTC), end_time=time(1, 30, tzinfo=UTC))
    tiers, _ = seeded(
        [ConditionalPrice(prices=usd("1")), ConditionalPrice(window, prices=usd("2"))]
    )
    assert outputs(tiers["standard"])[0][1] == [
        (0, 5_400, [(-1, 2_000_000)]), (5_400, 79_200, [(-1, 1_000_000)]), (79_200, 86_400, [(-1, 2_000_000)]),
    ]  # fmt: skip


WINDOW = TimeOfDateConstraint(start_time=time(1), end_time=time(2))


def test_an_undated_window_does_not_reach_behind_a_dated_price():
    prices = [
        ConditionalPrice(prices=usd("1")),
        ConditionalPrice(starts(3), prices=usd("2")),
        ConditionalPrice(WINDOW, prices=usd("3")),
    ]
    tiers, (refusal,) = seeded(prices)
    before, after = outputs(tiers["standard"])
    assert [part[:2] for part in before[1]] == [(0, 3_600), (7_200, 86_400)]
    assert (3_600, 7_200, [(-1, 3_000_000)]) in after[1]
    assert refusal["reason"] == "an undated daily window before a dated price"


def test_a_window_of_weekdays_only_is_refused():
    prices = [ConditionalPrice(prices=usd("1")), ConditionalPrice(WINDOW, prices=usd("3"))]
    tiers, (refusal,) = seeded(prices, comment="needs a day-of-week condition")
    assert [part[:2] for part in outputs(tiers["standard"])[0][1]] == [(0, 3_600), (7_200, 86_400)]
    assert "weekdays" in refusal["reason"]


def test_a_tier_begins_with_its_variant_and_keeps_what_that_does_not_state():
    both = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2))
    batch = PriceVariant(when={"processing": "batch"}, prices=usd("0.5"), constraint=starts(3))
    tiers, _ = seeded(both, [batch])
    empty, dated = tiers["batch"]
    assert (empty["from_us"], empty["parts"]) == (None, [])
    prices = dated["parts"][0]["bands"][0]["prices"]
    assert (prices["input_uncached"], prices["output"]) == (1_000_000, 500_000)
    assert list(tiers) == ["standard", "batch"]


def test_of_two_variants_in_force_the_first_wins():
    late = PriceVariant(when={"service_tier": "flex"}, prices=usd("2"), constraint=starts(3))
    early = PriceVariant(when={"service_tier": "flex"}, prices=usd("1"))
    tiers, _ = seeded(usd("9"), [late, early])
    assert [parts[0][2] for _, parts in outputs(tiers["flex"])] == [
        [(-1, 1_000_000)],
        [(-1, 2_000_000)],
    ]


def test_a_condition_that_no_event_carries_refuses_what_it_changes():
    eu = PriceVariant(when={"route": "eu"}, prices=usd("2"))
    tiers, (refusal,) = seeded(usd("1"), [eu])
    assert tiers == {}
    assert refusal["reason"].endswith("another price under route=eu, which no event tells")


def test_no_stated_price_is_not_free_and_a_stated_zero_is():
    tiers, (refusal,) = seeded(ModelPrice())
    assert tiers == {}
    assert "silent zero" in refusal["reason"]
    assert outputs(seeded(usd("0"))[0]["standard"])[0][1] == [(*ALL_DAY, [(-1, 0)])]


def test_a_refused_model_keeps_its_name_so_that_no_other_answers_for_it():
    provider = Provider(
        id="p",
        name="P",
        api_pattern="x",
        models=[ModelInfo(id="m", match=ClauseEquals("m"), prices=ModelPrice())],
    )
    assert _provider(provider, Refusals())["models"] == [
        {"id": "m", "match": {"equals": "m"}, "tiers": {}}
    ]


def test_clauses_become_plain_data():
    clause = ClauseOr([ClauseEquals("a"), ClauseAnd([ClauseRegex("^b"), ClauseEquals("c")])])
    assert match_clause(clause) == {
        "or": [{"equals": "a"}, {"and": [{"regex": "^b"}, {"equals": "c"}]}]
    }
