"""Worklists name what waits: the model without a price, what an ownerless call carried."""

from company import PRICES, usage
from tallybook.clock import Period
from tallybook.post.worklist import unallocated_usage, unpriced_usage

OCTOBER = Period(2026, 10)


def test_unpriced_usage_is_named_until_it_has_a_price(company):
    company.ingest(usage(), usage("2", model="new", tier="batch"), usage("3", model="new"))
    company.run()
    found = unpriced_usage(company.store, OCTOBER)
    assert {(x.provider, x.model, x.calls, x.tokens, x.used) for x in found} == {
        ("X", "new", 1, 60_000, ("input_uncached", "output"))
    }
    assert len({x.tier for x in found}) == 2
    row = '  - {contract: C3, provider: X, model: new, tier: all, discount: "0%"}\n'
    priced = row.replace('discount: "0%"', 'per_million_tokens: {input_uncached: "1", output: "1"}')
    company.apply(prices=PRICES + priced)
    company.run()
    assert unpriced_usage(company.store, OCTOBER) == []


def test_unallocated_usage_says_what_the_calls_carried(company):
    company.ingest(
        usage("1"),
        usage("2", team="ghosts", feature="boo"),
        usage("3", team="ghosts", feature="boo"),
        usage("4", team=None, feature=None, purpose=None),
    )
    company.run()
    found = unallocated_usage(company.store, OCTOBER)
    assert [(dict(x.carried), x.calls) for x in found] == [
        ({"team": "ghosts", "feature": "boo", "purpose": "production"}, 2),
        ({}, 1),
    ]
