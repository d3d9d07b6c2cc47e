from tallybook.rate import PriceKey, PriceRow, Unpriced, price_call, row_lookup
from tallybook.rate.model import ANY_CONTEXT
from tallybook.rate.reference import context_of, used_meters

KEY = PriceKey("p", "m", "", "")
LOW = {"input_uncached": 2, "cache_read": 1, "output": 10}
HIGH = {"input_uncached": 4, "cache_read": 2, "output": 15}
CARD = LOW | {"output": 11}


def made(over, upto, prices, price_id, **layers):
    given = {"list": prices, "contract": prices, "card": CARD} | layers
    return PriceRow(
        price_id, "p", "m", "", "", 0, 100, over, upto, **given, undated=True, contract_ref=""
    )


ROWS = [made(-1, 1_000, LOW, 1), made(1_000, ANY_CONTEXT, HIGH, 2)]


def price(tokens, units=None, rows=ROWS, at=0, **more):
    return price_call(row_lookup(rows), KEY, tokens, units or {}, at, **more)


def test_the_whole_request_takes_the_band_of_all_its_input():
    assert price({"input_uncached": 600, "cache_read": 400, "output": 1})["contract"] == 1_610
    assert price({"input_uncached": 600, "cache_read": 401, "output": 1})["contract"] == 3_217


def test_output_does_not_move_the_band():
    assert price({"input_uncached": 1_000, "output": 1_000})["contract"] == 12_000


def test_every_input_class_counts_into_the_context():
    assert context_of({"cache_write_1h": 1, "audio_input": 2, "output": 9, "reasoning": 9}) == 3


def test_reasoning_is_inside_output():
    assert price({"output": 5, "reasoning": 5}) == price({"output": 5})


def test_layers_differ_only_by_their_prices():
    assert price({"output": 2}) == {"list": 20, "contract": 20, "card": 22}


def test_a_used_meter_without_a_price_makes_the_call_unpriced_and_names_it():
    result = price({"output": 5, "cache_write_12h": 1, "cache_write": 0}, {"web_search": 1})
    reason = "no contract price for cache_write_12h, web_search"
    assert result == Unpriced(KEY, 0, 100, reason)


def test_no_card_no_price():
    result = price({"output": 1}, rows=[made(-1, ANY_CONTEXT, LOW, 1, card=None)])
    assert result.reason == "no card price for output"


def test_a_list_that_lacks_a_meter_is_left_out():
    result = price({"output": 1}, rows=[made(-1, ANY_CONTEXT, LOW, 1, list=None)])
    assert result == {"contract": 10, "card": 11}


def test_outside_the_rows_there_is_no_price():
    assert "no price at this instant" in price({"output": 1}, at=100).reason


def test_the_request_fee_is_due_once_for_a_call_that_did_not_fail():
    fee = LOW | {"request": 7}
    rows = [made(-1, ANY_CONTEXT, fee, 1, card=fee)]
    assert price({"output": 1}, rows=rows)["contract"] == 17
    assert price({"output": 1}, rows=rows, status="client_aborted")["contract"] == 17
    assert price({}, rows=rows, status="error")["contract"] == 0
    assert used_meters({}, {"request": 3}, rows[0]) == {"request": 1}
    assert used_meters({}, {}, rows[0], "error") == {}
    assert price_call(row_lookup(rows), KEY, {}, {}, 0)["contract"] == 7


def test_a_call_that_used_nothing_is_free_and_not_unpriced():
    assert price({}) == {"list": 0, "contract": 0, "card": 0}
