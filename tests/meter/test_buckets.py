"""Windows and groups of providers: who a bucket is, rows of one page added up, counts as written."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.buckets import (
    Bucket,
    Pages,
    bucket_readings,
    count,
    groups_of,
    listed,
    plain,
    window_us,
)

DAY_US = 86_400_000_000


def bucket(place="p:1", figures=None, **group):
    return Bucket(place, "chat", 0, DAY_US, group, figures or {"n": 1}, {"name": "told"})


def translate(one):
    return {"provider": "openai", "model": "m", "tokens": {"output": one.figures["n"]}}


def test_a_bucket_is_its_endpoint_window_and_group():
    one = bucket(model="a", key="k")
    assert one.event_id == bucket("elsewhere", {"n": 9}, key="k", model="a").event_id
    assert one.event_id.startswith("chat:")
    others = [bucket(model="a"), bucket(model="a", key="K"), bucket(model="ak", key="")]
    assert len({one.event_id, *(other.event_id for other in others)}) == 4


def test_its_record_is_what_was_written_without_what_was_left_open():
    assert bucket(figures={"n": 0, "m": None}, model="a").record == {
        "endpoint": "chat",
        "started_at": "1970-01-01T00:00:00.000Z",
        "ended_at": "1970-01-02T00:00:00.000Z",
        "model": "a",
        "name": "told",
        "n": 0,
    }


def test_rows_of_one_page_with_one_group_are_added_up():
    rows = [
        bucket("p:1", {"n": 2}, model="a"),
        bucket("p:2", {"n": 5}, model="b"),
        bucket("p:3", {"n": 40}, model="a"),
    ]
    found = list(bucket_readings("toy", rows, translate, ["model", "key"]))
    assert [(one.place, one.event.tokens["output"], one.role) for one in found] == [
        ("p:1", 42, "bucket"),
        ("p:2", 5, "bucket"),
    ]
    assert found[0].event.labels == {"grouped_by": "key,model"}
    assert found[0].event.ended_us == DAY_US
    assert found[0].record["n"] == 42


def test_a_figure_that_one_of_two_rows_left_open_is_unknown():
    rows = [bucket(figures={"n": 2}), bucket(figures={"n": None})]
    (one,) = bucket_readings("toy", rows, translate)
    assert one.event.tokens == {"output": None}


def test_a_row_that_is_none_comes_as_its_fault():
    fault = EventError("no")
    first, second = bucket_readings("toy", [("p:1", 7, fault), bucket()], translate)
    assert (first.place, first.record, first.event) == ("p:1", 7, fault)
    assert second.event.source == "toy"


def test_pages_in_one_file_are_pages_by_themselves(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps({"n": n}) + "\n" for n in (1, 2)) + "7\n")

    def unfold(place, page):
        yield bucket(place, page)

    found = list(Pages("toy", [path], unfold, translate).read())
    assert [one.place for one in found] == ["pages.jsonl:1", "pages.jsonl:2", "pages.jsonl:3"]
    assert [one.event.tokens for one in found[:2]] == [{"output": 1}, {"output": 2}]
    assert isinstance(found[2].event, EventError)


@pytest.mark.parametrize(
    ("told", "figure"),
    [(7, 7), ("59200.0", 59_200), (Decimal("7.00"), 7), ("", None), (None, None), ("1E+3", 1000)],
)
def test_a_count_as_it_is_written(told, figure):
    assert count("n", told) == figure


@pytest.mark.parametrize(
    "told",
    [-1, "1.5", Decimal("0.1"), True, [], "many", "1_0", 2**63, "1E+99999", "NaN", "٣", "-0.0001"],
)
def test_what_is_no_count_is_told(told):
    with pytest.raises(EventError, match=r"^n is .*; a count is a whole number of 0 or more"):
        count("n", told)


@given(st.integers() | st.text() | st.decimals() | st.booleans() | st.none() | st.lists(st.none()))
def test_anything_is_a_count_or_a_fault(told):
    try:
        figure = count("n", told)
    except EventError:
        return
    assert figure is None or 0 <= figure < 2**63


def test_a_window_has_a_length_and_a_place_in_time():
    assert window_us(0, 86_400) == (0, DAY_US)
    assert window_us("0.0", Decimal(86_400)) == (0, DAY_US)
    for start, end in ((5, 5), (6, 5), (None, 5), (5, None), (0, 10**15)):
        with pytest.raises(EventError):
            window_us(start, end)


def test_a_value_of_a_group_is_the_same_in_json_and_in_a_table():
    assert [plain(told) for told in (True, "TRUE", "true", "gpt", Decimal("1.50"))] == [
        "true",
        "true",
        "true",
        "gpt",
        "1.50",
    ]


def test_what_is_no_list_is_told():
    with pytest.raises(EventError, match=r"^data is null; it is a list"):
        list(listed("p", None, "data"))
    assert list(listed("p", ["a"], "data")) == [("p.1", "a")]


def test_a_page_may_say_what_it_was_grouped_by():
    assert groups_of({"group_by": ["model", 7, "key"]}) == ("model", "key")
    assert groups_of({"group_by": "model"}) == groups_of({}) == ()
