from tallybook.books.model import FOREVER_US, Prices
from tallybook.books.terms import ContractRow
from tallybook.rate import PriceBook, PriceKey, card_prices, load_list
from tallybook.rate.grid import price_at

START, DAY15, END = 1_793_491_200_000_000, 1_794_700_800_000_000, 1_796_083_200_000_000
KEY = PriceKey("openai", "gpt-4.1", "", "")
OWN = PriceKey("openai", "our-own", "", "")


def book(*rows):
    def row(model, prices, from_us=0, over=None, above=None):
        return ContractRow(
            "c",
            "openai",
            model,
            "",
            "",
            None,
            prices,
            over,
            above or {},
            from_us,
            FOREVER_US,
            f"{from_us}",
        )

    return PriceBook(load_list(), Prices(tuple(row(*given) for given in rows)))


def card(publications, key=KEY, basis="contract", context=0):
    return price_at(card_prices(publications, key, START, END, basis), 0, context)


def test_the_card_is_the_price_at_the_period_s_first_instant():
    made = book(("gpt-4.1", {"output": 5}), ("gpt-4.1", {"output": 3}, DAY15))
    assert card([made])["output"] == 5


def test_a_later_publication_does_not_move_a_frozen_price():
    assert card([book(("gpt-4.1", {"output": 5})), book(("gpt-4.1", {"output": 3}))])["output"] == 5


def test_a_model_priced_later_takes_its_first_price():
    made = book(("our-own", {"output": 5}, DAY15), ("our-own", {"output": 3}, DAY15 + 1))
    assert card([made], OWN) == {"output": 5}


def test_a_model_of_a_later_publication_takes_its_price_there():
    assert card([book(), book(("our-own", {"output": 5}))], OWN) == {"output": 5}
    assert card([book()], OWN) is None


def test_an_earlier_publication_goes_first_even_when_it_prices_later_in_the_period():
    late, early = book(("our-own", {"output": 5}, DAY15)), book(("our-own", {"output": 3}))
    assert card([late, early], OWN) == {"output": 5}


def test_a_meter_first_priced_in_mid_month_has_a_card_price_too():
    made = book(("gpt-4.1", {"rerank_search": 9}, DAY15))
    assert card([made])["rerank_search"] == 9


def test_the_list_may_be_the_basis():
    assert card([book(("gpt-4.1", {"output": 5}))], basis="list")["output"] == 8_000_000


def test_the_card_keeps_the_context_bands_of_its_instant():
    first = book(("our-own", {"output": 5}, 0, 1_000, {"output": 9}))
    second = book(("our-own", {"output": 1}))
    assert [card([first, second], OWN, context=n)["output"] for n in (1_000, 1_001)] == [5, 9]


def test_the_card_keeps_off_peak_hours():
    grid = card_prices(
        [book()], PriceKey("deepseek", "deepseek-chat", "", ""), START, END, "contract"
    )
    at = [price_at(grid, second, 0)["output"] for second in (0, 1_799, 1_800, 59_399, 59_400)]
    assert at == [550_000, 550_000, 1_100_000, 1_100_000, 550_000]
