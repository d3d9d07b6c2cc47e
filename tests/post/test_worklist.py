"""Worklists name what waits: the model without a price, what an ownerless call carried."""

from company import PRICES, org, usage
from tallybook.clock import Period
from tallybook.post.worklist import refused_claims, unallocated_usage, unpriced_usage

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


KEYS = org().replace("purpose: production}", "purpose: production, claims: own}")


def test_a_claim_for_another_team_is_refused_and_the_key_decides(company):
    company.apply(org=KEYS)
    company.ingest(
        usage("lie", key_id="key-b"),
        usage("lie2", key_id="key-b", feature=None),
        usage("own", key_id="key-b", team="b", feature="find"),
        usage("free"),
    )
    company.run()
    assert [
        (x.key_id, x.source, x.team, x.calls, x.cost)
        for x in refused_claims(company.store, OCTOBER)
    ] == [("key-b", "gateway", "a", 2, "2.000000000000")]
    assert company.balances("2026-10")["Charge:b:usage"] == "3.00"
    assert company.balances("2026-10")["Charge:a:usage"] == "1.00"


def test_tags_of_a_source_that_is_not_trusted_are_not_believed(company):
    company.apply(org=org() + "trust: {tags: [sdk]}\n")
    company.ingest(usage("1"), usage("2", source="sdk"))
    company.run()
    (claim,) = refused_claims(company.store, OCTOBER)
    assert (claim.source, claim.team, claim.calls) == ("gateway", "a", 1)
    assert company.balances("2026-10")["Charge:a:usage"] == "1.00"


def test_a_call_whose_trace_names_an_owner_is_not_unallocated(company):
    nobody = {"team": None, "feature": None, "purpose": None, "trace_id": "t"}
    company.ingest(
        usage("root", trace_id="t", span_id="1"),
        usage("below", **nobody, span_id="2", parent_span_id="1"),
        usage("lost", **nobody | {"trace_id": "u"}, span_id="2", parent_span_id="1"),
    )
    company.run()
    assert [x.calls for x in unallocated_usage(company.store, OCTOBER)] == [1]
    assert company.balances("2026-10")["Charge:a:usage"] == "2.00"
