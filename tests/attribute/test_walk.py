"""The walk of traces: the rules one by one, then any graph at all against a naive walk."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from attribute.graphs import END_US, START_US, Row, naively, stands
from tallybook.attribute import told as telling
from tallybook.books.build_org import build_org
from tallybook.books.faults import Sheet
from tallybook.books.schema import OrgForm

TEAMS = ("a", "b", "c", "d")


def org_of(services, keys=()):
    form = {
        "company": {
            "name": "Acme", "currency": "USD", "fiscal_year_start": "2026-01", "timezone": "UTC",
        },
        "business_units": [{"id": "main"}],
        "teams": [{"id": team, "unit": "main"} for team in (*TEAMS, "platform")],
        "features": [{"id": f"{team}-{n}", "team": team} for team in TEAMS for n in (1, 2)],
        "services": services,
        "keys": list(keys),
        "unowned": {"team": "platform"},
    }  # fmt: skip
    sheet = Sheet("org.yaml")
    org = build_org(OrgForm.model_validate(form), sheet)
    assert not sheet.faults
    return org


ORG = org_of(
    [
        {"id": "plain", "team": "b"},
        {"id": "absorbing", "team": "b", "transfer": "callee_absorbs", "feature": "b-1"},
        {"id": "splitting", "team": "c", "transfer": "split", "weights": {"callee": 3, "caller": 7}},
        {"id": "halving", "team": "d", "transfer": "split", "weights": {"callee": 1, "caller": 1},
         "feature": "d-2"},
        {"id": "priced", "team": "d", "transfer": "transfer_price", "price": "6", "per": "outcome"},
        {"id": "own", "team": "a"},
        {"id": "indexer", "team": "b", "joint": {"purposes": ["batch"], "by": "calls"}},
    ],
    [{"id": "key-a", "team": "a", "purpose": "production"}, {"id": "key-b", "feature": "b-2"}],
)  # fmt: skip


def ids(found):
    return {name: (stand.origin, stand.executor) for name, stand in found.items()}


def test_the_outermost_that_is_named_started_it():
    rows = [
        Row("r", span="1", bills=False, service="plain"),
        Row("s", span="2", parent="1", bills=False, team="a", purpose="batch"),
        Row("x", span="3", parent="2", team="c", purpose="production", service="splitting"),
    ]
    found, _ = stands(ORG, rows)
    assert found["x"].origin == ("a", "")
    assert found["x"].purpose == "batch"
    assert found["x"].executor == "c"
    assert found == naively(ORG, rows)


def test_two_levels_of_a_trace_pay_by_two_rules():
    rows = [
        Row("r", span="1", bills=False, feature="a-1"),
        Row("s", span="2", parent="1", bills=False, service="splitting"),
        Row("x", span="3", parent="2", service="halving"),
    ]
    found, _ = stands(ORG, rows)
    assert [(team, str(part)) for team, _, part in found["x"].payers] == [
        ("a", "7/20"), ("c", "3/20"), ("d", "1/2"),
    ]  # fmt: skip


def test_a_span_that_is_its_own_ancestor():
    rows = [
        Row("late", span="1", parent="2", started=START_US + 9, team="a"),
        Row("first", span="2", parent="3", started=START_US + 1, team="b"),
        Row("mid", span="3", parent="1", started=START_US + 5, team="c"),
        Row("self", trace="u", span="9", parent="9", team="d"),
        Row("below", trace="u", span="8", parent="9"),
    ]
    found, walked = stands(ORG, rows)
    assert {name: stand.origin[0] for name, stand in found.items()} == {
        "late": "b", "first": "b", "mid": "b", "self": "d", "below": "d",
    }  # fmt: skip
    assert walked.one_by_one == 3


def test_of_a_cycle_that_started_at_once_the_smallest_span_is_the_root():
    rows = [
        Row("x", span="b", parent="a", team="a"),
        Row("y", span="a", parent="b", team="c"),
    ]
    assert {stand.origin[0] for stand in stands(ORG, rows)[0].values()} == {"c"}


def test_a_span_with_two_parents_lies_under_the_one_that_is_believed_first():
    above = [
        Row("p", span="1", bills=False, team="a", source="otel"),
        Row("q", span="2", bills=False, team="c", source="otel"),
    ]
    told = [
        Row("s", span="3", parent="1", bills=False, source="otel", started=START_US + 1),
        Row("t", span="3", parent="2", bills=False, source="gateway", started=START_US + 2),
    ]
    call = Row("x", span="4", parent="3")
    assert stands(ORG, [*above, *told, call])[0]["x"].origin == ("c", "")
    alike = [told[0], replace(told[1], source="otel")]
    assert stands(ORG, [*above, *alike, call])[0]["x"].origin == ("a", "")


def test_orphans_and_calls_without_a_span_hang_under_the_only_root():
    root = Row("r", span="1", bills=False, team="a")
    rows = [root, Row("x", span="2", parent="gone"), Row("y")]
    assert {s.origin[0] for s in stands(ORG, rows)[0].values()} == {"a"}
    two = [*rows, Row("r2", span="5", bills=False, team="b")]
    assert {s.origin[0] for s in stands(ORG, two)[0].values()} == {"platform"}
    assert stands(ORG, two)[0] == naively(ORG, two)


def test_an_orphan_alone_is_the_root_of_what_names_nothing():
    rows = [Row("x", span="2", parent="gone", team="b"), Row("y")]
    assert {s.origin[0] for s in stands(ORG, rows)[0].values()} == {"b"}


def test_a_trace_that_crosses_the_end_of_a_month():
    call = Row("x", span="2", parent="1")
    before = Row("r", span="1", started=START_US - 5, team="c")
    assert stands(ORG, [call], [before])[0]["x"].origin == ("c", "")
    after = Row("late", span="1", started=END_US + 5, team="b")
    assert stands(ORG, [call], [after])[0]["x"].origin == ("b", "")


def test_the_chart_of_the_calls_own_instant_counts():
    moved = org_of(
        [{"id": "plain", "team": "b", "to": "2026-10-15"},
         {"id": "plain", "team": "c", "from": "2026-10-15"}]
    )  # fmt: skip
    middle = moved.services[1].span.from_us
    rows = [
        Row("r", span="1", bills=False, team="a", started=middle - 5),
        Row("s", span="2", parent="1", bills=False, service="plain", started=middle - 4),
        Row("x", span="3", parent="2", started=middle - 3),
        Row("y", span="4", parent="2", started=middle + 3),
    ]
    wide = {"START_US": middle - 100, "END_US": middle + 100}
    with pytest.MonkeyPatch.context() as patch:
        for name, at in wide.items():
            patch.setattr(f"attribute.graphs.{name}", at)
        found, _ = stands(moved, rows, epochs=(middle,))
    assert ids(found) == {"x": (("a", ""), "b"), "y": (("a", ""), "c")}


def test_a_chain_of_thousands_is_walked_to_its_end():
    chain = [
        Row(f"e{n}", span=str(n), parent=str(n - 1) if n else "", team="a" if n == 0 else "b")
        for n in range(3_000)
    ]
    found, walked = stands(ORG, chain)
    assert {stand.origin for stand in found.values()} == {("a", "")}
    assert (walked.nodes, walked.one_by_one) == (3_000, 0)


def test_what_tells_of_a_call_that_bills_by_another_row_counts_only_above_others():
    rows = [
        Row("r", span="1", bills=False, team="a"),
        Row("h", span="2", parent="1", bills=False, role="call", service="priced"),
        Row("x", span="3", parent="2", service="priced"),
        Row("leaf", span="4", parent="1", bills=False, role="call", service="priced"),
    ]
    found, walked = stands(ORG, rows)
    assert found["x"].executor == "d"
    assert [(one.service, one.calls) for one in walked.invocations] == [("priced", 1)]


def test_an_invocation_is_counted_once_and_its_outcomes_are_those_without_error():
    rows = [Row("r", span="1", bills=False, feature="a-1", purpose="production")]
    for n in range(3):
        status = "error" if n == 0 else "ok"
        rows += [
            Row(f"s{n}", span=f"s{n}", parent="1", bills=False, service="priced", status=status),
            Row(f"x{n}", span=f"x{n}", parent=f"s{n}", service="priced"),
            Row(f"y{n}", span=f"y{n}", parent=f"x{n}"),
        ]
    (one,) = stands(ORG, rows)[1].invocations
    assert (one.service, one.executor, one.origin, one.origin_feature) == (
        "priced",
        "d",
        "a",
        "a-1",
    )
    assert (one.calls, one.outcomes, one.price_nano) == (3, 2, 6_000_000_000)
    assert [(payer.team, payer.feature) for payer in one.payers] == [("a", "a-1")]


SPANS = ("", "1", "2", "3", "4", "5", "6")
SERVICES = ("", "", "plain", "absorbing", "splitting", "halving", "priced", "own", "indexer", "odd")
graphs = st.lists(
    st.builds(
        Row,
        id=st.just(""),
        trace=st.sampled_from(("t", "t", "u")),
        span=st.sampled_from(SPANS),
        parent=st.sampled_from(SPANS),
        started=st.integers(START_US, START_US + 3),
        bills=st.booleans(),
        team=st.sampled_from(("", "", "", "a", "b", "nobody")),
        feature=st.sampled_from(("", "", "", "a-1", "c-2")),
        purpose=st.sampled_from(("", "", "production", "batch")),
        key=st.sampled_from(("", "", "key-a", "key-b")),
        service=st.sampled_from(SERVICES),
        source=st.sampled_from(("otel", "sdk", "gateway")),
    ),
    min_size=1,
    max_size=12,
)


def numbered(rows):
    """Rows of which no two tell of one step at one instant from one standpoint."""
    told, kept = set(), []
    for n, row in enumerate(rows):
        key = (row.trace, row.span, row.started, row.bills, row.source, row.parent)
        if (row.span or row.bills) and key not in told:
            told.add(key)
            kept.append(replace(row, id=f"e{n}"))
    return kept


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],
)
@given(graphs, st.randoms(use_true_random=False))
def test_any_graph_is_walked_as_a_naive_walk_does_in_any_order(rows, random):
    rows = numbered(rows)
    wanted = naively(ORG, rows)
    assert stands(ORG, rows)[0] == wanted
    random.shuffle(rows)
    assert stands(ORG, rows)[0] == wanted


def test_a_large_month_is_walked_part_by_part(monkeypatch):
    monkeypatch.setattr(telling, "_PART", 7)
    rows = [
        Row(f"{t}-{n}", trace=f"t{t}", span=str(n), parent=str(n // 2) if n else "",
            team=TEAMS[t % 4] if n == 0 else "", service=SERVICES[(n + t) % 9])
        for t in range(9) for n in range(5)
    ]  # fmt: skip
    assert stands(ORG, rows)[0] == naively(ORG, rows)
