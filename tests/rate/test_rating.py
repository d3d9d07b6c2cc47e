"""Rating in the engine agrees with the plain rule, call by call, to the last pico."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from company import PRICES, usage
from tallybook.clock import Period, parse_instant
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed, price_rows
from tallybook.rate.model import PriceKey, Unpriced
from tallybook.rate.reference import price_call, row_lookup

BOOK = (
    PRICES
    + """
  - contract: C3
    provider: X
    model: long
    per_million_tokens: {input_uncached: "1.000001", cache_read: "0.1", output: "3"}
    per_unit: {web_search: "0.01", request: "0.002"}
    long_context: {over: 1000, per_million_tokens: {input_uncached: "2", output: "7.5"}}
  - contract: C4
    provider: X
    model: long
    tier: batch
    per_million_tokens: {input_uncached: "0.5", output: "1.5"}
  - contract: C5
    provider: X
    model: cut
    per_million_tokens: {input_uncached: "4", output: "8"}
    to: 2026-10-10
  - contract: C6
    provider: X
    model: cut
    per_million_tokens: {input_uncached: "2"}
    from: 2026-10-10
aliases:
  - {provider: Z, model: deployed, is: gpt-4o, is_provider: openai}
"""
)
counts = st.sampled_from([0, 1, 7, 999, 1000, 1001, 123_457])
calls = st.builds(
    dict,
    provider_model=st.sampled_from(
        [("X", "x-1"), ("X", "long"), ("X", "cut"), ("Y", "y-1"), ("Z", "deployed"),
         ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"), ("Q", "nobody-knows")]
    ),
    tier=st.sampled_from([None, "standard", "batch", "default", "turbo"]),
    started_at=st.sampled_from(
        ["2026-10-01T00:00:00Z", "2026-10-09T23:59:59.999999Z", "2026-10-10T00:00:00Z",
         "2026-10-31T23:59:59Z"]
    ),
    tokens=st.dictionaries(
        st.sampled_from(["input_uncached", "cache_read", "cache_write", "audio_input", "output"]),
        counts,
        min_size=1,
    ),
    units=st.dictionaries(st.sampled_from(["web_search", "o'clock", "request"]), st.integers(0, 3)),
    status=st.sampled_from(["ok", "error", "client_aborted"]),
)  # fmt: skip


def expected(rows, call):
    find = row_lookup(rows)
    provider, model = call["provider_model"]
    key = PriceKey(provider, model, call["tier"] or "", "")
    return price_call(
        find,
        key,
        call["tokens"],
        call["units"],
        parse_instant(call["started_at"]),
        status=call["status"],
    )


@pytest.fixture
def rated(found_company):
    made = iter(range(1000))

    def totals(drawn):
        company = found_company(f"books-{next(made)}", prices=BOOK)
        events = []
        for number, call in enumerate(drawn):
            provider, model = call["provider_model"]
            rest = {
                name: call[name] for name in ("tier", "started_at", "tokens", "units", "status")
            }
            events.append(usage(f"e-{number}", provider=provider, model=model, **rest))
        company.ingest(*events)
        company.run()
        basis = read_basis(company.store, Period(2026, 10))
        return price_rows(basis), attributed(company.store, basis).lines

    return totals


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(calls, min_size=1, max_size=25))
def test_the_engine_agrees_with_the_reference(rated, drawn):
    rows, lines = rated(drawn)
    prices = [expected(rows, call) for call in drawn]
    priced = [price for price in prices if not isinstance(price, Unpriced)]
    assert sum(line.calls for line in lines) == len(drawn)
    assert sum(x.calls for x in lines if x.unpriced) == len(prices) - len(priced)
    assert sum(x.contract_pico for x in lines) == sum(price["contract"] for price in priced)
    assert sum(x.card_pico for x in lines) == sum(price["card"] for price in priced)
    assert sum(x.tokens for x in lines) == sum(sum(call["tokens"].values()) for call in drawn)


def one(company, **changes):
    company.ingest(usage(**changes))
    company.run()
    (line,) = attributed(company.store, read_basis(company.store, Period(2026, 10))).lines
    return line


@pytest.mark.parametrize(
    ("context", "pico"),
    [(1000, 1_000_001_000 + 10 * 3_000_000), (1001, 1001 * 2_000_000 + 10 * 7_500_000)],
)
def test_the_whole_request_takes_the_band_of_its_context(found_company, context, pico):
    company = found_company(prices=BOOK)
    line = one(company, model="long", tokens={"input_uncached": context, "output": 10})
    assert line.contract_pico == pico + 2_000_000_000  # and the request fee


def test_a_meter_without_a_price_leaves_the_whole_call_unpriced(company):
    line = one(company, tokens={"input_uncached": 5, "audio_input": 1})
    assert (line.unpriced, line.contract_pico, line.card_pico, line.calls) == (True, 0, 0, 1)


def test_a_unit_that_counts_requests_is_never_reported(company):
    line = one(company, units={"request": 4})
    assert not line.unpriced
    assert line.units == {}


def test_units_are_counted_by_name(found_company):
    line = one(found_company(prices=BOOK), model="long", tokens={}, units={"web_search": 3})
    assert line.units == {"web_search": 3}
    assert line.contract_pico == 3 * 10**10 + 2 * 10**9
