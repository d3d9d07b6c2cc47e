"""Which usage a line is about: the most exact slot first, each cell once."""

from hypothesis import given
from hypothesis import strategies as st

from invoice_parts import DAY, cell, line
from tallybook.reconcile.match import ghosts, match, widest_form


def claimed(found):
    return {slot.refs: sorted(c.model for c in slot.cells) for slot in found.slots}


def test_what_says_more_claims_first_and_what_says_less_takes_the_rest():
    cells = [cell("gpt-5", "output"), cell("gpt-5", "input_uncached"), cell("gpt-4o", "output")]
    day, model, exact = line(), line(model="gpt-5"), line(model="gpt-5", token_class="output")
    found = match([day, model, exact], cells)
    assert claimed(found) == {
        day.ref_tuple: ["gpt-4o"], model.ref_tuple: ["gpt-5"], exact.ref_tuple: ["gpt-5"],
    }  # fmt: skip
    assert found.unclaimed == ()


def test_a_model_is_the_same_by_its_mark_unless_another_line_names_it():
    cells = [cell("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), cell("claude-sonnet-4-5")]
    named, alike = line(model="claude-sonnet-4-5"), line(model="Claude4.5Sonnet")
    found = match([named, alike], cells)
    assert claimed(found) == {
        named.ref_tuple: ["claude-sonnet-4-5"],
        alike.ref_tuple: ["us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    }


def test_cache_writes_of_no_stated_time_take_those_of_any():
    cells = [cell("m", "cache_write_5m", 3), cell("m", "cache_write_1h", 4), cell("m", "output")]
    found = match([line(model="m", token_class="cache_write", quantity=7)], cells)
    assert found.slots[0].metered_quantity == 7
    assert [left.token_class for left in found.unclaimed] == ["output"]


def test_hours_of_a_day_are_one_slot_and_a_month_holds_its_days():
    hour = DAY // 24
    hours = [line(model="m", start_us=n * hour, end_us=(n + 1) * hour) for n in range(3)]
    month = line(model="n", start_us=0, end_us=31 * DAY)
    found = match([*hours, month], [cell("m"), cell("n", day=3), cell("n", day=30)])
    assert [(len(slot.lines), len(slot.cells)) for slot in found.slots] == [(3, 1), (1, 2)]


def test_usage_at_another_tier_is_found_only_where_the_tier_itself_found_nothing():
    other = match([line(model="m", tier="priority")], [cell("m", tier="standard")])
    assert (other.slots[0].other_tier, len(other.slots[0].cells)) == (True, 1)
    both = [cell("m", tier="priority"), cell("m", tier="standard")]
    same = match([line(model="m", tier="priority")], both)
    assert (same.slots[0].other_tier, len(same.unclaimed)) == (False, 1)


def test_a_key_keeps_its_usage_apart():
    found = match([line(model="m", key_id="k1")], [cell("m", key="k1"), cell("m", key="k2")])
    assert [c.key_id for c in found.unclaimed] == ["k2"]


names = st.sampled_from(["", "gpt-5", "gpt-4o", "other"])
classes = st.sampled_from(["", "output", "input_uncached", "cache_write"])
tiers = st.sampled_from(["", "standard", "batch"])
keys = st.sampled_from(["", "k1", "k2"])
days = st.integers(0, 3)


@given(
    st.lists(st.tuples(names, classes, tiers, keys, days, st.integers(1, 3)), max_size=8),
    st.lists(
        st.tuples(
            st.sampled_from(["gpt-5", "gpt-4o-2024-08-06"]),
            st.sampled_from(["output", "input_uncached", "cache_write_5m"]),
            st.sampled_from(["standard", "batch"]), keys, days,
        ),
        max_size=12, unique=True,
    ),
)  # fmt: skip
def test_every_cell_is_claimed_once_or_left(told, metered):
    lines = [
        line(model=m, token_class=c, tier=t, key_id=k, start_us=d * DAY, end_us=(d + n) * DAY)
        for m, c, t, k, d, n in told
    ]
    cells = [cell(m, c, tier=t, key=k, day=d) for m, c, t, k, d in metered]
    found = match(lines, cells)
    seen = [id(c) for slot in found.slots for c in slot.cells] + [id(c) for c in found.unclaimed]
    assert sorted(seen) == sorted(map(id, cells))
    assert sum(len(slot.lines) for slot in found.slots) == len(lines)
    made = ghosts(found.unclaimed, widest_form(found.slots), counted=True)
    assert sum(len(slot.cells) for slot in made) == len(found.unclaimed)
