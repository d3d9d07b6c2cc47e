"""The quarantine as a worklist: whole, oldest first, page by page."""

from tallybook.meter import quarantined, quarantined_count


def test_pages_follow_each_other(store, record, bring_in):
    bring_in(store, [record(f"e-{i}") for i in range(3)])
    bring_in(store, [record(f"e-{i}", team="other") for i in range(3)])
    with store.read() as tx:
        first = quarantined(tx, most=2)
        rest = quarantined(tx, after=first[-1].id)
        assert quarantined_count(tx) == 3
    assert [noted.event_id for noted in (*first, *rest)] == ["e-0", "e-1", "e-2"]
    assert '"team":"other"' in first[0].record
