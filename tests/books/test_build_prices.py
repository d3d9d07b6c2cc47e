from fractions import Fraction

import pytest

from tallybook.books.model import FOREVER_US, PriceAlias
from tallybook.books.terms import ContractRow

PER_TOKEN = "contract: MSA, provider: openai, per_million_tokens: {output: 8.40}"


def prices(*contracts, aliases=(), head=""):
    text = head
    for section, rows in (("contracts", contracts), ("aliases", aliases)):
        text += f"{section}:\n" + "".join(f"  - {{{row}}}\n" for row in rows)
    return text


def test_a_discount_row(folder):
    text = prices('contract: MSA, provider: openai, discount: "8%", from: 2026-10-01')
    assert folder.books(prices=text).prices.contracts == (
        ContractRow(
            "MSA", "openai", "", "", "", Fraction(2, 25), {}, None, {},
            1790812800000000, FOREVER_US, "contracts 1",
        ),
    )  # fmt: skip


def test_a_price_row_is_whole_pico(folder):
    text = prices(
        "contract: MSA, provider: openai, model: gpt-4o*, region: any, "
        'per_million_tokens: {output: "8.40", input_uncached: "2.10"}, '
        'per_unit: {web_search: "0.01", request: "0"}, '
        'long_context: {over: 200000, per_million_tokens: {output: "16.800001"}}, '
        "from: 2026-10-01T02:00:00+02:00, to: 2026-10-02"
    )
    (row,) = folder.books(prices=text).prices.contracts
    assert (row.model, row.tier, row.region) == ("gpt-4o*", "standard", "")
    assert list(row.prices.items()) == [
        ("input_uncached", 2_100_000),
        ("output", 8_400_000),
        ("request", 0),
        ("web_search", 10**10),
    ]
    assert row.long_context_over == 200000
    assert row.long_context_prices == {"output": 16_800_001}
    assert (row.from_us, row.to_us) == (1790812800000000, 1790899200000000)


@pytest.mark.parametrize(
    ("row", "tier"),
    [
        (PER_TOKEN, "standard"),
        (PER_TOKEN + ", tier: all", ""),
        (PER_TOKEN + ", tier: batch", "batch"),
        ("contract: M, provider: p, discount: 8%", ""),
        ("contract: M, provider: p, discount: 8%, tier: batch", "batch"),
    ],
)
def test_a_price_is_for_the_standard_tier_unless_it_says_otherwise(folder, row, tier):
    assert folder.books(prices=prices(row)).prices.contracts[0].tier == tier


def test_aliases(folder):
    text = prices(
        aliases=[
            "provider: azure, model: acme-chat, is: gpt-4o, is_provider: openai",
            "provider: openai, model: chat-latest, is: gpt-4o",
        ]
    )
    assert folder.books(prices=text).prices.aliases == (
        PriceAlias("azure", "acme-chat", "openai", "gpt-4o"),
        PriceAlias("openai", "chat-latest", "openai", "gpt-4o"),
    )


def test_another_currency_without_a_rate_is_refused(folder):
    folder.books(prices=prices(PER_TOKEN, head="currency: USD\n"))
    fault = folder.fault(prices=prices(PER_TOKEN, head="currency: EUR\n"))
    assert fault.startswith("prices.yaml:3: contracts 1, currency: priced in EUR, with rates none")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("contract: M, provider: p", "neither a discount nor a price"),
        (PER_TOKEN + ", discount: 8%", "a discount and prices"),
        (PER_TOKEN + ", from: 2026-10-02, to: 2026-10-01", "from 2026-10-02 is not before to"),
        (PER_TOKEN.replace("output", "outputs"), "unknown token class (did you mean output?)"),
        (PER_TOKEN.replace("output", "reasoning"), "reasoning is part of output"),
        (PER_TOKEN + ", per_unit: {cache_read: 1}", "cache_read is a token class"),
        (PER_TOKEN + ", per_unit: {Web Search: 1}", "is not the name of a unit"),
        (PER_TOKEN + ", per_thousand_tokens: {output: 1}", "per_thousand_tokens: unknown key"),
        (PER_TOKEN + ", discount: 101%", '"101%" is out of range'),
        (PER_TOKEN.replace("contract: MSA, ", ""), "contract is missing"),
        (PER_TOKEN + ", from: 2026-10-01T00:00:00", "is not an instant"),
        (
            PER_TOKEN + ", long_context: {over: 1, per_million_tokens: {cache_read: 1}}",
            "a long-context price of cache_read without a plain one",
        ),
        (PER_TOKEN + ", long_context: {over: -1, per_million_tokens: {output: 1}}", "-1 is not a"),
    ],
)
def test_wrong_contract_rows(folder, row, said):
    fault = folder.fault(prices=prices(row))
    assert fault.startswith("prices.yaml:2: contracts 1")
    assert said in fault


@pytest.mark.parametrize(
    ("row", "other"),
    [
        (PER_TOKEN, PER_TOKEN),
        (PER_TOKEN + ", from: 2026-10-01", PER_TOKEN + ", to: 2026-10-02"),
        (PER_TOKEN + ", model: gpt-4*", PER_TOKEN + ", model: '*pt-4o'"),
        (PER_TOKEN + ", model: '*'", PER_TOKEN),
        ("contract: M, provider: p, discount: 8%", "contract: N, provider: p, discount: 9%"),
    ],
)
def test_two_prices_for_one_call_are_refused(folder, row, other):
    fault = folder.fault(prices=prices(row, other))
    assert fault.startswith(
        "prices.yaml:3: contracts 2: prices the same calls as the row at line 2"
    )


@pytest.mark.parametrize(
    ("row", "other"),
    [
        (PER_TOKEN + ", to: 2026-10-01", PER_TOKEN + ", from: 2026-10-01"),
        (PER_TOKEN, PER_TOKEN.replace("output", "cache_read")),
        (PER_TOKEN, PER_TOKEN + ", tier: batch"),
        (PER_TOKEN, PER_TOKEN + ", region: eu"),
        (PER_TOKEN, PER_TOKEN + ", model: gpt-4o"),
        (PER_TOKEN, PER_TOKEN.replace("openai", "azure")),
        (PER_TOKEN + ", model: gpt-4*", PER_TOKEN + ", model: gpt-5*"),
        (PER_TOKEN, "contract: M, provider: openai, discount: 8%, tier: standard"),
    ],
)
def test_rows_that_never_compete_stand_beside_each_other(folder, row, other):
    assert len(folder.books(prices=prices(row, other)).prices.contracts) == 2


def test_precedence_orders_the_specific_before_the_general(folder):
    rows = (
        "contract: M, provider: openai, discount: 8%",
        PER_TOKEN + ", tier: all",
        PER_TOKEN + ", tier: all, region: eu",
        PER_TOKEN,
        PER_TOKEN + ", model: gpt-4*",
        PER_TOKEN + ", model: gpt-4o*",
        PER_TOKEN + ", model: o1",
    )
    made = folder.books(prices=prices(*rows)).prices.contracts
    ranks = [row.precedence for row in made]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["model: a, is: b", "model: a, is: c"], 'alias of "a" stands twice, first at line 3'),
        (["model: a, is: b", "model: b, is: c"], '"b" is an alias itself'),
        (["model: a, is: a"], '"a" is an alias itself'),
        (["model: a*, is: b"], '"a*" has a wildcard'),
        (["model: a, is: b, is_provder: x"], "is_provder: unknown key (did you mean is_provider?)"),
    ],
)
def test_wrong_aliases(folder, rows, said):
    text = prices(aliases=[f"provider: p, {row}" for row in rows])
    assert said in folder.fault(prices=text)
