"""INV-14: one price per moment."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.books.model import FOREVER_US, Prices
from tallybook.books.terms import ContractRow
from tallybook.errors import PriceError
from tallybook.rate import PriceBook, PriceKey, card_prices, compile_prices, load_list
from tallybook.rate.grid import price_at

START, END = 1_790_812_800_000_000, 1_793_491_200_000_000  # October 2026
DAY_US = 86_400_000_000
KEYS = [
    PriceKey("openai", "gpt-4.1", "", "eu"),
    PriceKey("openai", "gpt-5.4", "flex", ""),
    PriceKey("anthropic", "claude-haiku-5-5", "batch", ""),
    PriceKey("deepseek", "deepseek-chat", "default", ""),
    PriceKey("deepseek", "deepseek-v4-pro", "", ""),
    PriceKey("openai", "our-own", "", ""),
    PriceKey("nobody", "nothing", "", ""),
]
METERS = ("input_uncached", "output", "web_search")


@st.composite
def contract_rows(draw):
    number = draw(st.integers(0, 10**6))
    begin = draw(st.integers(START - 3 * DAY_US, END))
    discount = draw(st.none() | st.fractions(0, 1, max_denominator=40))
    over = draw(st.none() | st.integers(0, 300_000))
    prices = draw(st.dictionaries(st.sampled_from(METERS), st.integers(0, 10**12), min_size=1))
    return ContractRow(
        contract=f"c{number}",
        provider=draw(st.sampled_from(["openai", "deepseek", "anthropic"])),
        model=draw(st.sampled_from(["", "gpt*", "our-own", "deepseek-chat"])),
        tier=draw(st.sampled_from(["", "flex", "standard"])),
        region=draw(st.sampled_from(["", "eu"])),
        discount=discount,
        prices={} if discount is not None else prices,
        long_context_over=over if discount is None else None,
        long_context_prices={} if over is None or discount is not None else {"output": 1},
        from_us=begin,
        to_us=draw(st.just(FOREVER_US) | st.integers(begin + 1, END + DAY_US)),
        line=f"prices.yaml:{number}",
    )


def books():
    rows = st.lists(contract_rows(), max_size=5, unique_by=lambda row: row.from_us)
    return rows.map(lambda found: PriceBook(load_list(), Prices(tuple(found))))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(books(), min_size=1, max_size=2),
    st.sampled_from(["contract", "list"]),
    st.lists(
        st.tuples(st.integers(START, END - 1), st.integers(0, 400_000)), min_size=1, max_size=40
    ),
)
def test_exactly_one_row_or_one_reason_per_key_instant_and_context(publications, basis, points):
    rows, unpriced = compile_prices(KEYS, publications, basis, START, END)
    assert [row.price_id for row in rows] == list(range(1, len(rows) + 1))
    edges = [
        (us, c)
        for row in rows[:60]
        for us in (row.from_us, row.to_us - 1)
        for c in (row.context_over + 1, row.context_upto)
    ]
    for key in KEYS:
        card = card_prices(publications, key, START, END, basis)
        held = [row for row in rows if row.key == key]
        for instant, context in points + edges:
            found = [row for row in held if row.holds(instant, context)]
            gaps = [
                gap for gap in unpriced if gap.key == key and gap.from_us <= instant < gap.to_us
            ]
            assert len(found) + len(gaps) == 1
            (layer,) = publications[-1].layers(key, instant, instant + 1)
            second = instant // 1_000_000 % 86_400
            expected = (
                price_at(layer.list, second, context),
                price_at(layer.contract, second, context),
            )
            if gaps:
                assert expected == (None, None)
                assert gaps[0].reason
            else:
                assert (found[0].list, found[0].contract) == expected
                assert found[0].card == price_at(card, second, context)
                assert found[0].contract_ref == layer.contract_ref


def test_rows_are_sorted_disjoint_and_independent_of_the_order_of_keys():
    book = PriceBook(load_list(), Prices())
    rows, unpriced = compile_prices(KEYS, [book], "contract", START, END)
    assert (rows, unpriced) == compile_prices(KEYS[::-1] + KEYS, [book], "contract", START, END)
    order = [(row.key, row.from_us, row.context_over) for row in rows]
    assert order == sorted(set(order))


def test_a_price_that_holds_all_month_is_one_row_and_equal_neighbours_are_one():
    (row,), gaps = compile_prices(
        [KEYS[0]], [PriceBook(load_list(), Prices())], "contract", START, END
    )
    assert (row.from_us, row.to_us, row.context_over, row.context_upto) == (START, END, -1, 2**62)
    assert (row.undated, row.contract_ref, gaps) == (True, "", [])


def test_daily_windows_cut_the_days_of_utc():
    rows, _ = compile_prices([KEYS[3]], [PriceBook(load_list(), Prices())], "contract", START, END)
    assert len(rows) == 31 * 2 + 1
    assert rows[1].from_us == START + 1_800_000_000


def test_a_tier_that_was_not_on_offer_yet_is_unpriced_until_it_is():
    rows, (gap,) = compile_prices(
        [KEYS[1]], [PriceBook(load_list(), Prices())], "contract", START, END
    )
    assert (gap.from_us, gap.to_us) == (START, START + 11 * DAY_US)
    assert {row.from_us for row in rows} == {START + 11 * DAY_US}
    assert not rows[0].undated


def test_refused_peak_hours_stay_unpriced():
    rows, gaps = compile_prices(
        [KEYS[4]], [PriceBook(load_list(), Prices())], "contract", START, END
    )
    assert sum(gap.to_us - gap.from_us for gap in gaps) == 31 * 7 * 3_600_000_000
    assert {row.contract["output"] for row in rows} == {1_980_000}


@pytest.mark.parametrize("pico", [2**63, -1])
def test_a_price_beyond_64_bits_is_refused(pico):
    row = ContractRow(
        "c", "openai", "", "", "", None, {"output": pico}, None, {}, 0, FOREVER_US, "x"
    )
    with pytest.raises(PriceError, match=f"output at {pico} pico"):
        compile_prices([KEYS[0]], [PriceBook(load_list(), Prices((row,)))], "contract", START, END)


def test_a_full_discount_is_a_price_of_zero_and_not_the_lack_of_one():
    row = ContractRow("c", "openai", "", "", "", Fraction(1), {}, None, {}, 0, FOREVER_US, "x")
    rows, gaps = compile_prices(
        [KEYS[0]], [PriceBook(load_list(), Prices((row,)))], "contract", START, END
    )
    assert set(rows[0].contract.values()) == {0}
    assert gaps == []
