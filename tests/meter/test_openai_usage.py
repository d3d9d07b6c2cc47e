"""OpenAI's Usage API pages and dashboard exports: disjoint classes, whatever form they come in."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.measure import total_tokens
from tallybook.meter.sources.openai_usage import open_files
from tallybook.meter.sources.openai_usage_endpoints import ENDPOINTS
from tallybook.meter.sources.openai_usage_export import export_groups, exported

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "billing_samples"
START, END = 1_759_622_400, 1_759_708_800
GROUP = {"project_id": "proj_1", "user_id": None, "api_key_id": "key_1", "model": "gpt-4o"}
COMPLETIONS = {
    "object": "organization.usage.completions.result", "num_model_requests": 5,
    "input_tokens": 1000, "input_cached_tokens": 400, "input_cache_write_tokens": 100,
    "input_uncached_tokens": 500, "output_tokens": 500, "input_text_tokens": 400,
    "output_text_tokens": 400, "input_cached_text_tokens": 300, "input_audio_tokens": 50,
    "input_cached_audio_tokens": 50, "output_audio_tokens": 50, "input_image_tokens": 50,
    "input_cached_image_tokens": 50, "output_image_tokens": 50,
    **GROUP, "batch": False, "service_tier": "default", "api_source": None,
}  # fmt: skip
HEADER = (
    "start_time\tend_time\tstart_time_iso\tend_time_iso\tproject_id\tnum_model_requests\tuser_id"
    "\tapi_key_id\tmodel\tbatch\tservice_tier\tinput_tokens\toutput_tokens\tinput_cached_tokens"
)


def page(*results, start=START, end=END, **more):
    bucket = {"object": "bucket", "start_time": start, "end_time": end, "results": list(results)}
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None, **more}


def read(tmp_path, told, name="page.json"):
    path = tmp_path / name
    if isinstance(told, bytes):
        path.write_bytes(told)
    else:
        path.write_text(told if isinstance(told, str) else json.dumps(told))
    return list(open_files([path]).read())


def event_of(tmp_path, **changes):
    (one,) = read(tmp_path, page({**COMPLETIONS, **changes}))
    if isinstance(one.event, EventError):
        raise one.event
    return one.event


def test_the_partition_of_input_becomes_disjoint_classes(tmp_path):
    event = event_of(tmp_path)
    assert event.tokens == {
        "input_uncached": 400, "audio_input": 50, "image_input": 50, "cache_read": 350,
        "cache_read_audio": 50, "cache_write": 100, "output": 400, "audio_output": 50,
        "image_output": 50,
    }  # fmt: skip
    assert total_tokens(event) == 1000 + 500


def test_a_bucket_says_its_window_key_model_tier_and_requests(tmp_path):
    (one,) = read(tmp_path, page(COMPLETIONS, group_by=["model", "api_key_id"]))
    event = one.event
    assert one.role == "bucket"
    assert one.place == "page.json.1.1"
    assert (event.started_us, event.ended_us) == (START * 1_000_000, END * 1_000_000)
    assert (event.provider, event.model, event.key_id) == ("openai", "gpt-4o", "key_1")
    assert (event.tier, event.operation, event.usage) == ("standard", "completions", "reported")
    assert event.labels == {
        "grouped_by": "api_key_id,model",
        "project_id": "proj_1",
        "requests": "5",
    }


def test_a_batch_is_a_tier_whatever_it_says_it_was_served_at(tmp_path):
    assert event_of(tmp_path, batch=True).tier == "batch"
    assert event_of(tmp_path, service_tier="flex").tier == "flex"
    assert event_of(tmp_path, service_tier=None, batch=None).tier is None


def test_cache_writes_by_their_time_to_live(tmp_path):
    event = event_of(tmp_path, input_cache_write_30m_tokens=70, input_cache_write_12h_tokens=20)
    assert [event.tokens[f"cache_write{ttl}"] for ttl in ("_30m", "_12h", "")] == [70, 20, 10]


def test_cache_writes_that_an_older_form_leaves_out_are_what_is_missing(tmp_path):
    assert event_of(tmp_path, input_cache_write_tokens=None).tokens["cache_write"] == 100


def test_without_the_partition_parts_are_taken_out_of_the_whole(tmp_path):
    event = event_of(tmp_path, input_uncached_tokens=None)
    assert event.tokens["input_uncached"] == 400


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"input_uncached_tokens": 501}, "input_tokens is 1000, but its parts are 501 uncached"),
        ({"input_cache_write_tokens": 99}, "input_tokens is 1000, but its parts are 500"),
        (
            {"input_cached_audio_tokens": 401},
            "input_cached_tokens is 400, less than its parts, 401",
        ),
        ({"input_audio_tokens": 600}, "input_tokens|input_uncached_tokens is 500, less than"),
        ({"output_audio_tokens": 600}, "output_tokens is 500, less than its parts, 650"),
        ({"input_cache_write_30m_tokens": 101}, "input_cache_write_tokens is 100, less than"),
        ({"output_tokens": -1}, "output_tokens is -1; a count is"),
        ({"model": None}, "this bucket adds up all models"),
        ({"object": "organization.costs.result"}, "these are costs, in money"),
        ({"object": "organization.usage.new.result"}, "NAME one of completions"),
        ({"object": None}, "object is null"),
    ],
)
def test_figures_that_contradict_each_other_are_told(tmp_path, changes, told):
    with pytest.raises(EventError, match=told):
        event_of(tmp_path, **changes)


@pytest.mark.parametrize(
    ("endpoint", "figures", "counted"),
    [
        ("embeddings", {"input_tokens": 9}, {"input_uncached": 9}),
        ("moderations", {"input_tokens": 9}, {"input_uncached": 9}),
        ("decisions", {"input_tokens": 9, "output_tokens": 1}, {"input_uncached": 9, "cache_read": 0, "output": 1}),
        ("images", {"images": 2, "size": "1024x1024", "source": "image.edit"}, {"image": 2}),
        ("audio_speeches", {"characters": 45}, {"character": 45}),
        ("audio_transcriptions", {"seconds": 37}, {"audio_ms": 37_000}),
        ("web_searches", {"num_requests": 3, "context_level": "low"}, {"web_search": 3}),
        ("file_searches", {"num_requests": 3, "vector_store_id": "vs_1", "model": None}, {"file_search": 3}),
        ("vector_stores", {"usage_bytes": 1024, "model": None}, {"vector_store_byte": 1024}),
        ("code_interpreter_sessions", {"num_sessions": 1, "model": None}, {"container": 1}),
    ],
)  # fmt: skip
def test_every_endpoint_counts_its_own(tmp_path, endpoint, figures, counted):
    result = {"object": f"organization.usage.{endpoint}.result", **GROUP, "num_model_requests": 4}
    (one,) = read(tmp_path, page(result | figures))
    assert (one.event.tokens or one.event.units) == counted
    spelled = {"web_searches": "web_search_calls", "file_searches": "file_search_calls"}
    assert one.event.operation == spelled.get(endpoint, endpoint)
    assert one.event.labels.get("requests") == (None if endpoint == "web_searches" else "4")
    assert one.event.labels.get("not_billed") == ("free" if endpoint == "moderations" else None)


def test_an_absent_figure_is_unknown_not_zero(tmp_path):
    result = {"object": "organization.usage.images.result", **GROUP}
    (one,) = read(tmp_path, page(result))
    assert one.event.units == {"image": None}
    assert event_of(tmp_path, output_tokens=None).tokens["output"] is None


def test_a_person_is_a_user_and_in_no_digest(tmp_path):
    source = open_files([_write(tmp_path, page({**COMPLETIONS, "user_id": "user-1"}))])
    (one,) = source.read()
    assert one.event.user == "user-1"
    assert ("user_id",) in source.personal


def _write(tmp_path, told):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(told))
    return path


def test_what_is_broken_in_a_page_is_told_and_the_rest_goes_in(tmp_path):
    broken = page(COMPLETIONS, 7, {**COMPLETIONS, "model": "o3", "input_tokens": "x"})
    broken["data"] += [8, {"start_time": 1, "end_time": 0, "results": []}, {"start_time": 1}]
    broken["data"].append({"start_time": START, "end_time": END, "results": None})
    found = read(tmp_path, broken)
    places = [one.place for one in found if isinstance(one.event, EventError)]
    assert places == [f"page.json.{at}" for at in ("1.2", "1.3", "2", "3", "4", "5")]
    assert sum(not isinstance(one.event, EventError) for one in found) == 1


def test_a_file_that_is_no_page_is_told(tmp_path):
    (one,) = read(tmp_path, {"error": {"message": "no"}})
    assert "data is null; it is a list" in one.event.what


def test_empty_buckets_tell_nothing(tmp_path):
    assert read(tmp_path, page()) == []


def row(**changes):
    cells = {
        "start_time": str(START), "end_time": str(END), "start_time_iso": "", "end_time_iso": "",
        "project_id": "proj_1", "num_model_requests": "5.0", "user_id": "", "api_key_id": "key_1",
        "model": "gpt-4o", "batch": "FALSE", "service_tier": "default", "input_tokens": "1000.0",
        "output_tokens": "500.0", "input_cached_tokens": "400.0", **changes,
    }  # fmt: skip
    return "\t".join(cells.get(name, "") for name in HEADER.split("\t"))


def test_an_export_is_the_same_bucket_as_the_page(tmp_path):
    (exported_one,) = read(tmp_path, f"{HEADER}\n{row()}\n", "usage.tsv")
    same = {name: COMPLETIONS[name] for name in (*GROUP, "batch", "service_tier", "object")}
    figures = {"num_model_requests": 5, "input_tokens": 1000, "output_tokens": 500}
    (pulled,) = read(tmp_path, page(same | figures | {"input_cached_tokens": 400}))
    assert exported_one.event.event_id == pulled.event.event_id
    assert exported_one.event.tokens == pulled.event.tokens
    assert exported_one.record == pulled.record
    groups = "api_key_id,batch,model,project_id,service_tier,user_id"
    assert exported_one.event.labels["grouped_by"] == groups


def test_an_export_with_commas_a_mark_of_order_and_more_columns(tmp_path):
    header = HEADER.replace("\t", ",") + ",project_name,user_email"
    told = (
        b"\xef\xbb\xbf" + f'{header}\n{row().replace(chr(9), ",")},"Search, new",a@b.c\n'.encode()
    )
    (one,) = read(tmp_path, told, "usage.csv")
    assert one.event.tokens == {"input_uncached": 600, "cache_read": 400, "output": 500}
    assert one.record["project_name"] == "Search, new"
    assert "project_name" not in one.event.labels


def test_days_without_usage_are_rows_without_figures(tmp_path):
    empty = f"{START}\t{END}" + "\t" * (HEADER.count("\t") - 1)
    (one,) = read(tmp_path, f"{HEADER}\n{empty}\n\n{row()}\n", "usage.tsv")
    assert one.place == "usage.tsv:4"


def test_only_the_iso_columns_are_a_window_too(tmp_path):
    iso = {"start_time_iso": "2025-10-05T00:00:00+00:00", "end_time_iso": "2025-10-06T00:00:00Z"}
    (one,) = read(tmp_path, f"{HEADER}\n{row(start_time='', end_time='', **iso)}\n", "usage.tsv")
    assert (one.event.started_us, one.event.ended_us) == (START * 1_000_000, END * 1_000_000)


@pytest.mark.parametrize(
    ("columns", "endpoint"),
    [
        ("model,input_tokens", "embeddings"),
        ("model,images", "images"),
        ("model,characters", "audio_speeches"),
        ("model,seconds", "audio_transcriptions"),
        ("project_id,usage_bytes", "vector_stores"),
        ("project_id,num_sessions", "code_interpreter_sessions"),
        ("model,context_level,num_requests", "web_search_calls"),
        ("vector_store_id,num_requests", "file_search_calls"),
    ],
)
def test_the_columns_of_an_export_name_its_endpoint(tmp_path, columns, endpoint):
    cells = [
        "m" if name in {"model", "project_id", "context_level"} else "3"
        for name in columns.split(",")
    ]
    told = f"start_time,end_time,{columns}\n{START},{END},{','.join(cells)}\n"
    (one,) = read(tmp_path, told, "usage.csv")
    assert one.event.operation == endpoint


def test_moderations_are_known_by_their_model(tmp_path):
    told = f"start_time,end_time,model,input_tokens\n{START},{END},omni-moderation-latest,3.0\n"
    (one,) = read(tmp_path, told, "usage.csv")
    assert one.event.labels["not_billed"] == "free"


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ("start_time,amount_value\n1,2\n", "these are costs"),
        ("a,b\n1,2\n", 'the header is ["a","b"]'),
        ("", "the header is []"),
        (f"{HEADER}\n1\t2\n", "2 fields stand here; the header has 14"),
        (f"{HEADER}\n{row(input_tokens='1.5')}\n", "input_tokens is"),
        (f"{HEADER}\n{row(start_time='later')}\n", "start_time is"),
        (f"{HEADER}\n{row(start_time='')}\n", "start_time_iso or end_time_iso"),
        (f"{HEADER}\n".encode() + b"\xff" + row().encode(), "not UTF-8 text"),
        (f'{HEADER}\n"{row()}\n', "not a table"),
        (f"start_time,end_time,model\n{START},{END},m\n", "no column of usage"),
    ],
)
def test_a_broken_export_is_told(tmp_path, told, what):
    (one,) = read(tmp_path, told, "usage.tsv")
    assert what in one.event.what


def test_a_packed_export_that_is_cut_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(EventError, match="cannot be read"):
        read(tmp_path, b"\x1f\x8b\x08\x00broken", "usage.tsv.gz")


def test_a_file_that_is_not_there_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(EventError, match="cannot be read"):
        open_files([tmp_path / "absent.json"])


def test_an_export_is_read_by_its_own_module(tmp_path):
    path = tmp_path / "usage.tsv"
    path.write_text(f"{HEADER}\n{row()}\n")
    (bucket,) = exported(path)
    assert "user_id" in export_groups(path)
    assert bucket.group["batch"] == "false"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*COMPLETIONS, "data", "results", "start_time"]), inner)
    ),
    max_leaves=12,
)
RESULT = st.dictionaries(
    st.sampled_from([*COMPLETIONS, "images", "seconds"]),
    st.integers(-2, 2**64) | st.sampled_from(["1.0", "", "x", None, True]) | JSON,
) | st.builds(
    lambda changes, name: {**COMPLETIONS, **changes, "object": f"organization.usage.{name}.result"},
    st.dictionaries(st.sampled_from(list(COMPLETIONS)), st.integers(0, 2**63) | st.text(max_size=4)),
    st.sampled_from(list(ENDPOINTS)),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(RESULT | JSON, max_size=3), JSON)
def test_any_page_gives_buckets_or_faults(tmp_path_factory, results, more):
    folder = tmp_path_factory.mktemp("fuzz")
    whole = page(*results)
    whole["data"].append(more)
    for one in read(folder, json.dumps(whole)):
        if not isinstance(one.event, EventError):
            assert one.role == "bucket"
            assert total_tokens(one.event) >= 0
    read(folder, json.dumps(more))


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_give_buckets_or_faults(tmp_path_factory, told, headed):
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        read(folder, (HEADER.encode() + b"\n" if headed else b"") + told)
    except EventError:
        return


@pytest.fixture
def sample():
    def found(name):
        if not SAMPLES.is_dir():
            pytest.skip("the shared data is absent: billing_samples")
        return SAMPLES / name

    return found


def test_the_documented_sample_adds_up_and_needs_a_model(sample, tmp_path):
    whole = json.loads(sample("openai_usage_completions.json").read_text())
    (one,) = read(tmp_path, whole)
    assert "adds up all models" in one.event.what
    told = whole["data"][0]["results"][0]
    told["model"] = "gpt-4o"
    (one,) = read(tmp_path, whole)
    assert total_tokens(one.event) == told["input_tokens"] + told["output_tokens"]
    read_in = ("cache_read", "cache_read_audio")
    assert sum(one.event.tokens[name] for name in read_in) == told["input_cached_tokens"]
    assert one.event.tokens["input_uncached"] == told["input_text_tokens"]


def test_the_real_dashboard_export_sums_up_by_day_and_model(sample):
    days = defaultdict(lambda: [0, 0, 0, 0])
    for one in open_files([sample("openai_dashboard_usage_2025-10.tsv")]).read():
        tokens, labels = one.event.tokens, one.event.labels
        day = days[one.event.started_us // 86_400_000_000 * 86_400, one.event.model]
        day[0] += int(labels["requests"])
        day[1] += tokens["input_uncached"] + tokens["cache_read"]
        day[2] += tokens["cache_read"]
        day[3] += tokens["output"]
    assert dict(days) == {
        (1_759_622_400, "gpt-4o-2024-08-06"): [10, 59_200, 5_760, 10_646],
        (1_759_708_800, "gpt-5-2025-08-07"): [9, 52_047, 8_192, 76_000],
        (1_759_795_200, "gpt-5-mini-2025-08-07"): [21, 80_992, 0, 274_770],
        (1_760_054_400, "gpt-5-mini-2025-08-07"): [11, 124_784, 0, 154_852],
        (1_760_140_800, "gpt-5-mini-2025-08-07"): [2, 22_688, 0, 33_191],
    }


@pytest.mark.parametrize(
    ("day", "cost"),
    [(1_759_795_200, "0.569788"), (1_760_054_400, "0.3409"), (1_760_140_800, "0.072054")],
)
def test_three_real_days_at_list_price_are_the_dashboards_cost(sample, day, cost):
    """gpt-5-mini: 0.25 in, 2.00 out for a million; cached there is none on these days."""
    from decimal import Decimal  # noqa: PLC0415

    found = open_files([sample("openai_dashboard_usage_2025-10.tsv")]).read()
    (one,) = [one.event for one in found if one.event.started_us == day * 1_000_000]
    nano = one.tokens["input_uncached"] * 250 + one.tokens["output"] * 2_000
    assert Decimal(nano) / 10**9 == Decimal(cost)
