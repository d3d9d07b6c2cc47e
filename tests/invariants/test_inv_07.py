"""INV-07: neither the order of events nor their repetition changes a statement."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from company import usage

EVENTS = (
    usage("1"),
    usage("2", tokens={"input_uncached": 13, "output": 7}),
    usage("3", provider="Y", model="y-1", service="retrieval"),
    usage("4", provider="Y", model="y-1", team="b", feature="find", tokens={"output": 11}),
    usage("5", team="nobody", feature=None),
    usage("6", purpose="evaluation"),
    usage("7", tokens={"output": 1}, supersedes="2"),
    usage("8", provider="Q", model="unheard-of"),
    usage("9", tokens=None),
)


@pytest.fixture
def body_of(found_company):
    made = iter(range(1000))

    def digest(events, batches):
        company = found_company(f"books-{next(made)}")
        for number in range(batches):
            company.ingest(*events[number::batches], name=f"in-{number}")
        company.run()
        for item in ("unpriced", "unknown"):
            company.waive("2026-10", item)
        return company.close().body_sha256

    return digest


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.permutations([*EVENTS, *EVENTS[:4]]), st.integers(1, 3))
def test_permutations_and_repetitions_give_the_same_bytes(body_of, events, batches):
    assert body_of(list(events), batches) == body_of(list(EVENTS), 1)


def test_a_wrong_content_digest_is_seen_on_the_file_and_on_the_statement(lived, damage):
    damage("UPDATE sealed_file SET digest = '00' WHERE period = '2026-10'")
    failing = lived.failing()
    assert set(failing) == {"INV-07", "INV-09", "INV-15"}
    assert "the manifest says 00" in failing["INV-07"]
