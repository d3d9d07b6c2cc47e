"""For whom calls were made: the customer of the origin, believed as its team is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from attribute.graphs import END_US, START_US, Row, opened, paths_down_to, whom
from attribute.test_walk import SPANS, TEAMS, numbered, org_of
from tallybook.attribute.behalf import Behalf, for_whom, outermost, teller_of, who_told
from tallybook.attribute.path import Paths

KEYS = (
    {"id": "key-a", "team": "a"},
    {"id": "key-b", "team": "b", "claims": "own"},
    {"id": "key-c", "team": "c", "claims": ["a"]},
)
SERVICES = ({"id": "plain", "team": "b"},)
ORG = org_of(list(SERVICES), KEYS)
OPEN = org_of(list(SERVICES), KEYS[:1])
TRUSTING = replace(ORG, trusted_sources=("gateway", "merged-by-hand"))
MAY = {"key-b": ("b",), "key-c": ("a",)}


def naively(org, rows, elsewhere=()):
    """The rules of docs/call_graph.md, call by call."""
    trusted, claims = org.trusted_sources, any(key.claims is not None for key in org.keys)
    keys = {key.id: key.team for key in org.keys}
    features = {feature.id: feature.team for feature in org.features}

    def claimed(row):
        return features.get(row.feature, row.team if row.team in (*TEAMS, "platform") else "")

    def is_refused(row):
        team = claimed(row)
        if team and trusted is not None and row.source not in trusted:
            return True
        return bool(team and claims and row.key in MAY and team not in MAY[row.key])

    def is_named(row):
        return bool(claimed(row) and not is_refused(row)) or row.key in keys

    def states(row):
        teller = row.teller if row.source == "merged" else row.source
        may = trusted is None or teller in trusted
        return row.customer if may and not is_refused(row) else ""

    found = {}
    for row, path in paths_down_to(rows, elsewhere):
        origin = next((one for one in path if is_named(one)), None)
        own = states(origin) if origin else ""
        found[row.id] = own or next((states(one) for one in path if states(one)), "")
    return found


def test_a_call_that_states_nobody_works_for_whom_its_origin_does():
    rows = [
        Row("r", span="1", bills=False, team="a", customer="c-1"),
        Row("s", span="2", parent="1", bills=False, service="plain"),
        Row("x", span="3", parent="2"),
        Row("y", span="4", parent="2", team="b", customer="agent-of-b"),
        Row("lone", trace="", customer="c-2"),
        Row("nobody", trace=""),
    ]
    assert whom(ORG, rows) == {"x": "c-1", "y": "c-1", "lone": "c-2", "nobody": ""}


def test_the_origin_comes_before_what_stands_above_it_and_that_before_what_stands_below():
    unnamed = Row("door", span="1", bills=False, customer="door")
    origin = Row("o", span="2", parent="1", bills=False, team="a", customer="c-1")
    call = Row("x", span="3", parent="2", team="c", customer="c-9")
    assert whom(ORG, [unnamed, origin, call]) == {"x": "c-1"}
    assert whom(ORG, [unnamed, replace(origin, customer=""), call]) == {"x": "door"}
    assert whom(ORG, [replace(unnamed, customer=""), replace(origin, customer=""), call]) == {
        "x": "c-9"
    }


def test_what_a_source_without_trust_claims_is_not_believed():
    lie = Row("r", span="1", bills=False, source="otel", customer="c-9")
    call = Row("x", span="2", parent="1", source="gateway", team="a", customer="c-1")
    assert whom(ORG, [lie, replace(call, team="")]) == {"x": "c-9"}
    assert whom(TRUSTING, [lie, replace(call, team="")]) == {"x": "c-1"}
    assert whom(TRUSTING, [lie, replace(call, customer="")]) == {"x": ""}


def test_of_a_merged_call_the_source_that_told_the_customer_counts():
    row = Row("x", trace="", source="merged", customer="c-1")
    assert whom(TRUSTING, [replace(row, teller="gateway")]) == {"x": "c-1"}
    assert whom(TRUSTING, [replace(row, teller="otel")]) == {"x": ""}
    assert whom(TRUSTING, [row]) == {"x": ""}
    fields = dict.fromkeys(who_told("customer"), "")
    told = fields | {"source": "merged", "labels.tags_from": "sdk"}
    assert teller_of(told, "customer") == "sdk"
    assert teller_of(told | {"labels.tags_from.customer": "otel"}, "customer") == "otel"
    assert teller_of(fields | {"source": "sdk"}, "customer") == "sdk"


def test_whose_claim_for_a_team_is_refused_is_not_believed_about_its_customer():
    row = Row("x", trace="", key="key-b", team="a", customer="c-1")
    assert whom(ORG, [row]) == {"x": ""}
    assert whom(ORG, [replace(row, team="b")]) == {"x": "c-1"}
    assert whom(ORG, [replace(row, team="")]) == {"x": "c-1"}


def test_the_chart_of_the_call_decides_who_is_believed():
    changed = START_US + 5
    (strict,) = (key for key in ORG.keys if key.id == "key-b")
    early = replace(strict, span=replace(strict.span, to_us=changed))
    late = replace(strict, claims=None, span=replace(strict.span, from_us=changed))
    org = replace(ORG, keys=(early, late))
    rows = [
        Row("r", span="1", bills=False, key="key-b", team="a", customer="c-1"),
        Row("before", span="2", parent="1", started=changed - 1),
        Row("after", span="3", parent="1", started=changed),
    ]
    assert whom(org, rows, epochs=(changed,)) == {"before": "", "after": "c-1"}


def test_another_month_tells_for_whom_and_is_not_counted():
    rows = [Row("x", span="2", parent="1")]
    beside = [Row("root", span="1", started=END_US + 1, team="a", customer="c-1")]
    assert whom(ORG, rows, beside) == {"x": "c-1"}


graphs = st.lists(
    st.builds(
        Row,
        id=st.just(""),
        trace=st.sampled_from(("t", "t", "u", "")),
        span=st.sampled_from(SPANS),
        parent=st.sampled_from(SPANS),
        started=st.integers(START_US, START_US + 3),
        bills=st.booleans(),
        team=st.sampled_from(("", "", "a", "b", "nobody")),
        feature=st.sampled_from(("", "", "a-1", "c-2")),
        key=st.sampled_from(("", "", "key-a", "key-b", "key-c")),
        service=st.sampled_from(("", "plain", "odd")),
        source=st.sampled_from(("otel", "sdk", "gateway")),
        customer=st.sampled_from(("", "", "c-1", "c-2", "c-3")),
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],
)
@given(graphs, st.sampled_from((OPEN, ORG, TRUSTING)), st.randoms(use_true_random=False))
def test_any_graph_works_for_whom_a_naive_walk_finds_in_any_order(rows, org, random):
    rows = [replace(r, span="", parent="") if not r.trace else r for r in numbered(rows)]
    rows = [row for row in rows if row.trace or row.bills]
    wanted = naively(org, rows)
    assert whom(org, rows) == wanted
    random.shuffle(rows)
    assert whom(org, rows) == wanted


@pytest.mark.parametrize("depth", [1, 2, 7, 100_000])
def test_the_outermost_of_a_chain_is_found_whatever_its_depth(depth):
    up = np.arange(-1, depth - 1, dtype=np.int32)
    which = np.arange(depth) % 3 == 2
    found = outermost(up, which)
    assert found.tolist() == [2 if at >= 2 else -1 for at in range(depth)]
    nobody = outermost(up, np.zeros(depth, bool))
    assert set(nobody.tolist()) == {-1}


def test_one_node_further_down():
    assert for_whom("", "c", begins=False) == "c"
    assert for_whom("b", "c", begins=False) == "b"
    assert for_whom("b", "c", begins=True) == "c"
    assert for_whom("b", "", begins=True) == "b"


def test_only_customers_cohorts_and_plans_are_told_of():
    with pytest.raises(AssertionError, match="for which team"):
        Behalf(opened([]), Paths(ORG, (START_US,)), "team")
