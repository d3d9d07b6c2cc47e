"""A stream into the books: page after page, continued where it was cut, each figure once."""

import pytest

from tallybook.clock import parse_instant
from tallybook.errors import PullError
from tallybook.pull.openai import streams
from tallybook.pull.position import load
from tallybook.pull.run import told
from usage_api import openai, served

FROM, TO = (parse_instant(f"2026-10-{day}T00:00:00Z") for day in ("01", "08"))
(STREAM,) = streams(["completions"], "1d", ())
DAYS = 7


@pytest.fixture
def api():
    with served(openai) as running:
        yield running


def counts(pulled):
    return pulled.pages, pulled.accepted, pulled.duplicate, pulled.quarantined, pulled.rejected


def test_pages_follow_each_other_into_the_books(api, pull_of, inbox_rows):
    pulled = pull_of(api).stream(STREAM, FROM, TO)
    assert counts(pulled) == (4, DAYS, 0, 0, 0)
    rows = inbox_rows()
    assert {row["role"] for row in rows} == {"bucket"}
    groups = "api_key_id,batch,model,project_id,service_tier,user_id"
    assert {dict(row["labels"])["grouped_by"] for row in rows} == {groups}
    assert len(api.asked) == 4
    assert told(pulled)["from"] == "2026-10-01T00:00:00.000Z"


def test_again_is_all_duplicates(api, pull_of):
    pull_of(api).stream(STREAM, FROM, TO)
    assert counts(pull_of(api).stream(STREAM, FROM, TO)) == (4, 0, DAYS, 0, 0)


@pytest.mark.parametrize("page", range(4))
@pytest.mark.parametrize("failure", [500, "cut", "half", "close", (429, {"Retry-After": "9999"})])
def test_cut_at_any_page_it_goes_on_there(api, pull_of, inbox_rows, page, failure):
    api.failures = [None] * page + [failure]
    with pytest.raises(PullError):
        pull_of(api, tries=1).stream(STREAM, FROM, TO)
    api.asked.clear()
    rest = pull_of(api).stream(STREAM, None if page else FROM, TO)
    assert sum(param is None for param in api.params("page")) <= 1 + (page == 0)
    assert rest.accepted == DAYS - 2 * page
    assert len(inbox_rows()) == DAYS


def test_killed_after_a_page_was_brought_in_it_counts_once(api, pull_of, inbox_rows, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    pull = pull_of(api)
    monkeypatch.setattr("tallybook.pull.run.save", die)
    with pytest.raises(KeyboardInterrupt):
        pull.stream(STREAM, FROM, TO)
    monkeypatch.undo()
    assert counts(pull_of(api).stream(STREAM, FROM, TO)) == (4, DAYS - 2, 2, 0, 0)
    assert len(inbox_rows()) == DAYS


def test_the_next_pull_starts_a_day_before_the_last_ended(api, pull_of):
    pull_of(api).stream(STREAM, FROM, TO)
    api.asked.clear()
    pulled = pull_of(api).stream(STREAM, None, None)
    assert api.params("start_time")[0] == str((TO - 86_400_000_000) // 1_000_000)
    assert api.params("end_time")[0] == str(parse_instant("2026-10-10T00:00:00Z") // 1_000_000)
    assert counts(pulled) == (2, 2, 1, 0, 0)


def test_what_was_left_and_what_came_since_in_one_pull(api, pull_of):
    api.failures = [None, 500]
    with pytest.raises(PullError):
        pull_of(api, tries=1).stream(STREAM, FROM, TO)
    pulled = pull_of(api).stream(STREAM, None, None)
    assert pulled.accepted == DAYS - 2 + 2
    assert pulled.window.to_us == parse_instant("2026-10-10T00:00:00Z")


def test_a_bucket_that_grew_meanwhile_is_superseded(pull_of, inbox_rows):
    more = {"input_tokens": 0}

    def growing(path, params):
        page = openai(path, params)
        for bucket in page["data"]:
            bucket["results"][0]["input_tokens"] += more["input_tokens"]
        return page

    with served(growing) as api:
        pull_of(api).stream(STREAM, FROM, TO)
        more["input_tokens"] = 90
        pulled = pull_of(api).stream(STREAM, TO - 86_400_000_000, TO)
    assert counts(pulled) == (1, 1, 0, 0, 0)
    (newest,) = [row for row in inbox_rows() if row["supersedes"]]
    assert newest["input_uncached"] == 96


def test_a_cursor_that_the_server_forgot_starts_the_window_again(pull_of, inbox_rows):
    forgotten = []

    def forgetful(path, params):
        if dict(params).get("page") in forgotten:
            raise LookupError
        return openai(path, params)

    with served(forgetful) as api:
        api.failures = [None, None, 500]
        with pytest.raises(PullError):
            pull_of(api, tries=1).stream(STREAM, FROM, TO)
        forgotten.append(dict(api.asked[-1][1])["page"])
        api.asked.clear()

        def first_time(path, params):
            if dict(params).get("page") in forgotten:
                forgotten.clear()
                raise LookupError
            return openai(path, params)

        api.answer = first_time
        pulled = pull_of(api).stream(STREAM, FROM, TO)
    assert counts(pulled) == (4, 3, 4, 0, 0)
    assert len(inbox_rows()) == DAYS


def test_a_cursor_belongs_to_its_question(api, pull_of):
    api.failures = [None, 500]
    with pytest.raises(PullError):
        pull_of(api, tries=1).stream(STREAM, FROM, TO)
    (other,) = streams(["completions"], "1d", ["model"])
    api.asked.clear()
    pull_of(api).stream(other, FROM, TO)
    assert api.params("page")[0] is None


def test_without_a_start_the_first_pull_says_so(api, pull_of):
    with pytest.raises(PullError, match="openai-usage completions has not been pulled yet"):
        pull_of(api).stream(STREAM, None, None)


def test_a_window_without_length_asks_nothing(api, pull_of):
    assert counts(pull_of(api).stream(STREAM, TO, FROM)) == (0, 0, 0, 0, 0)
    assert api.asked == []


def test_a_server_that_turns_in_a_circle_is_told(pull_of):
    def circle(path, params):
        return openai(path, params) | {"has_more": True, "next_page": f"page_{FROM // 1_000_000}"}

    with served(circle) as api, pytest.raises(PullError, match="names the page itself"):
        pull_of(api).stream(STREAM, FROM, TO)


def test_nothing_on_the_disk_holds_the_key_or_a_page(api, pull_of, store):
    api.failures = [None, 500]
    with pytest.raises(PullError):
        pull_of(api, tries=1).stream(STREAM, FROM, TO)
    left = [path for path in store.home.rglob("*") if path.is_file()]
    assert [path.name for path in (store.home / "pulls").iterdir()] == [
        "openai-usage.completions.json"
    ]
    assert not [path for path in left if b"T0pSecret" in path.read_bytes()]
    assert load(store.home / "pulls" / "openai-usage.completions.json").cursor
