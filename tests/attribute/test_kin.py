"""Parents found in columns are those that the rules find node by node."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.attribute.kin import kin_of
from tallybook.attribute.nodes import Nodes
from tallybook.attribute.tree import Node, parents_of, standing

SPANS = ("", "1", "2", "3", "4", "5", "6", "7")
ROWS = st.lists(
    st.builds(
        Node,
        trace=st.integers(1, 3),
        row_at=st.just(0),
        span_id=st.sampled_from(SPANS),
        parent_span_id=st.sampled_from(SPANS),
        started_us=st.integers(0, 2),
        stands=st.just(False),
        hollow=st.booleans(),
        bills=st.booleans(),
        said=st.integers(0, 2),
        service=st.integers(0, 2),
        believed=st.integers(0, 2),
    ),
    min_size=1,
    max_size=24,
)


def told(rows):
    """Rows as they may be told: what bills is not hollow, and what does not bill has a span."""
    made = []
    for row in rows:
        hollow = row.hollow and not row.bills
        if row.bills or row.span_id:
            values = {name: getattr(row, name) for name in Node.__slots__}
            made.append(Node(**{**values, "row_at": 10 + len(made), "hollow": hollow}))
    return made


def columns(rows):
    def of(name, kind):
        return np.array([getattr(row, name) for row in rows], kind)

    names = {name: n for n, name in enumerate(SPANS)}
    return Nodes(
        row_at=of("row_at", np.int64),
        trace=of("trace", np.uint64),
        span=np.array([names[row.span_id] for row in rows], np.uint64),
        parent=np.array([names[row.parent_span_id] for row in rows], np.uint64),
        started_us=of("started_us", np.int64),
        said=of("said", np.int32),
        service=of("service", np.int32),
        mark=np.zeros(len(rows), np.int32),
        believed=of("believed", np.int8),
        bills=of("bills", bool),
        hollow=of("hollow", bool),
        has_span=np.array([row.span_id != "" for row in rows], bool),
        has_parent=np.array([row.parent_span_id != "" for row in rows], bool),
    )


def loops(up):
    """The rows from which no root is reached."""
    lost = set()
    for row in up:
        seen, at = set(), row
        while at is not None and at not in seen:
            seen.add(at)
            at = up[at]
        if at is not None:
            lost.add(row)
    return lost


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_columns_and_rules_find_the_same_parents(rows):
    rows = told(rows)
    kin = kin_of(columns(rows))
    row_at = kin.nodes.row_at.tolist()
    found = {
        row: row_at[up] if up >= 0 else None
        for row, up in zip(row_at, kin.up.tolist(), strict=True)
    }
    trace = {row.row_at: row.trace for row in rows}
    odd = {int(one) for one in kin.odd} | {trace[row] for row in loops(found)}
    wanted = {node.row_at: up for node, up in parents_of(standing(rows))}
    assert {row: up for row, up in found.items() if trace[row] not in odd} == {
        row: up for row, up in wanted.items() if trace[row] not in odd
    }
    # Of odd traces every row is there that the rules may want.
    assert {row for row in wanted if trace[row] in odd} <= set(found)


def test_of_rows_that_are_equal_but_for_their_parents_names_the_text_decides():
    def row(at, span, parent):
        return Node(1, at, span, parent, 0, False, False, False, 0, 0)

    rows = [row(1, "1", ""), row(2, "2", ""), row(3, "3", "2"), row(4, "3", "1")]
    assert kin_of(columns(rows)).odd.tolist() == [1]
    assert [node.row_at for node in standing(rows)] == [1, 2, 4]
    assert not len(kin_of(columns(rows[:3])).odd)
