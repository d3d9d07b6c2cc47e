"""The tree of a trace node by node: each node once, its parent before it."""

from tallybook.attribute.tree import Node, parents_of


def node(row, span="", parent="", started=0, stands=True):  # noqa: FBT002
    return Node(
        1, row, span, parent, started,
        stands=stands and bool(span), hollow=False, bills=True, said=0, service=0,
    )  # fmt: skip


def found(*nodes):
    rows = [(one.row_at, up) for one, up in parents_of(nodes)]
    seen = set()
    for row, up in rows:
        assert up is None or up in seen
        seen.add(row)
    assert len(rows) == len(nodes)
    return dict(rows)


def test_a_cycle_begins_where_it_started_first():
    assert found(node(1, "a", "b", 5), node(2, "b", "a", 3)) == {1: 2, 2: None}
    assert found(node(1, "a", "b"), node(2, "b", "a")) == {1: None, 2: 1}
    assert found(node(1, "a", "a")) == {1: None}


def test_what_names_nobody_hangs_under_the_only_root():
    assert found(node(1, "a"), node(2, "b", "gone"), node(3)) == {1: None, 2: 1, 3: 1}
    assert found(node(1, "a"), node(2, "b"), node(3)) == {1: None, 2: None, 3: None}
    assert found(node(1, "a", "gone"), node(2)) == {1: None, 2: 1}


def test_the_first_of_a_cycle_is_a_root_for_orphans_too():
    nodes = node(1, "a", "b", 5), node(2, "b", "a", 3), node(3, "c", "gone")
    assert found(*nodes) == {1: 2, 2: None, 3: 2}
