"""A run that builds on the last sheet says what a run over all events says, and reads only the new."""

import json
from contextlib import contextmanager
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from company import PRICES, Company, org, policy, usage
from tallybook.clock import Period
from tallybook.errors import BooksError, CorruptedError, PeriodError
from tallybook.post import increment
from tallybook.post.basis import read_basis
from tallybook.post.increment import compute_since, compute_whole
from tallybook.store.lake import Lake

OCTOBER = Period.parse("2026-10")
MOVED = org().replace(
    "  - {id: bot, team: a, name: Bot}",
    "  - {id: bot, team: a, name: Bot, to: 2026-10-15}\n"
    "  - {id: bot, team: b, name: Bot, from: 2026-10-15}",
)  # fmt: skip
RULED = org() + "rules:\n  - {when: {endpoint: /find}, feature: find, from: 2026-10-10}\n"
DEARER = PRICES.replace('"10"', '"11"')


@pytest.fixture
def read(monkeypatch):
    """The event files that each session opened, in turn."""
    opened: list[list[str]] = []
    session = Lake.session

    @contextmanager
    def spied(self, snapshot, *args, **named):
        opened.append([file.path for file in snapshot.files])
        with session(self, snapshot, *args, **named) as engine:
            yield engine

    monkeypatch.setattr(Lake, "session", spied)
    return opened


def same(company, period=OCTOBER):
    """Both ways of computing, compared; whether they agree to the last unit and in order."""
    basis = read_basis(company.store, period)
    return compute_since(company.store, basis) == compute_whole(company.store, basis)


def names(paths):
    return [path.rpartition("/")[2].split("-")[0].lstrip("0") for path in paths]


def test_a_second_run_reads_only_what_came_since(company, read):
    company.ingest(usage("1"))
    company.run()
    company.ingest(usage("2", provider="Y", model="y-1"))
    read.clear()
    company.run()
    assert [names(paths) for paths in read] == [["2"]]
    assert same(company)
    assert company.failing() == {}


def test_a_run_with_nothing_new_reads_no_events(company, read):
    company.ingest(usage("1"), usage("c", supersedes="1"))
    company.run()
    read.clear()
    company.run()
    assert read == []


def test_usage_of_another_month_does_not_make_this_one_read_again(company, read):
    company.ingest(usage("1"))
    company.run()
    company.ingest(usage("2", started_at="2026-11-03T10:00:00Z"))
    read.clear()
    company.run()
    assert read == []


def test_a_new_model_does_not_make_old_events_read_again(company, read):
    company.ingest(usage("1"))
    company.run()
    company.ingest(usage("2", provider="openai", model="gpt-4o"))
    read.clear()
    company.run()
    assert [names(paths) for paths in read] == [["2"]]
    assert same(company)


def test_a_correction_takes_off_exactly_what_it_supersedes(company):
    company.ingest(usage("1"), usage("2", units={"searches": 3}), usage("3", provider="Y"))
    company.run()
    company.ingest(usage("2b", supersedes="2"), usage("3b", supersedes="3"))
    assert same(company)
    company.run()
    company.ingest(usage("late", supersedes="2b", started_at="2026-11-02T00:00:00Z"))
    assert same(company)
    company.run()
    assert company.balances("2026-10")["Charge:a:usage"] == "2.00"
    assert company.failing("INV-10", "INV-12") == {}


def test_a_correction_may_come_before_what_it_supersedes(company):
    company.ingest(usage("1b", supersedes="1"))
    company.run()
    company.ingest(usage("1"))
    company.run()
    assert company.balances()["Charge:a:usage"] == "1.00"
    assert same(company)


@pytest.mark.parametrize(
    "change",
    [{"org": MOVED}, {"org": RULED}, {"prices": DEARER}, {"org": org("Asia/Kolkata")}],
    ids=["a feature moves", "a rule looks at another field", "a price changes", "another zone"],
)
def test_when_the_ground_moves_every_event_is_read(company, read, change):
    company.ingest(usage("1"), usage("2", started_at="2026-10-31T20:00:00Z", endpoint="/find"))
    company.run()
    company.ingest(usage("3", started_at="2026-10-20T00:00:00Z"))
    company.apply(**change)
    read.clear()
    company.run()
    assert sum(map(len, read)) >= 2
    assert same(company)
    assert company.failing() == {}


def test_other_code_reads_every_event(company, read, monkeypatch):
    company.ingest(usage("1"))
    company.run()
    monkeypatch.setattr(increment, "code_digest", lambda: "another release")
    read.clear()
    company.run()
    assert [names(paths) for paths in read] == [["1"]]


def test_the_code_that_decides_is_in_the_digest():
    increment.code_digest.cache_clear()
    assert increment.code_digest() == increment.code_digest()
    texts = b"".join(increment._texts(increment.files("tallybook").joinpath("rate")))
    assert b"metered.sql" in texts
    assert b"def rate_events" in texts


def test_without_a_ground_every_event_is_read(company, read):
    company.ingest(usage("1"))
    company.run()
    with company.store.write() as tx:
        tx.run("DELETE FROM ground")
    read.clear()
    company.run()
    assert [names(paths) for paths in read] == [["1"]]


def forge(company, *, digest: bool) -> None:
    """Double what the sheet says, as somebody could who writes into the book file."""
    with company.store.write() as tx:
        (row,) = tx.rows("SELECT body FROM sheet")
        lines = json.loads(row.body)
        lines[0][10] *= 2
        lines[0][12] *= 2
        body = json.dumps(lines)
        seal = sha256(body.encode()).hexdigest() if digest else "00"
        table = " ON sheet" if tx.dialect == "postgresql" else ""
        tx.run(f"DROP TRIGGER sheet_no_update{table}")
        tx.run("UPDATE sheet SET body = :body, sha256 = :seal", body=body, seal=seal)


def test_a_damaged_sheet_is_refused(company):
    company.ingest(usage("1"))
    company.run()
    forge(company, digest=False)
    company.ingest(usage("2"))
    with pytest.raises(CorruptedError, match="not what was written"):
        company.run()


def test_a_forged_sheet_is_found_by_check_and_does_not_survive_the_close(company):
    company.ingest(usage("1"))
    company.run()
    forge(company, digest=True)
    assert "INV-10" in company.failing("INV-10")
    company.close()
    assert company.statements().charged_total_cents == 115
    assert company.failing("INV-10", "INV-12") == {}


@pytest.mark.parametrize("verb", ["run", "close"])
def test_every_byte_is_verified_also_of_what_is_not_read(company, read, verb):
    company.ingest(usage("1"))
    company.run()
    read.clear()
    (file,) = company.store.lake.snapshot().files
    path = company.store.lake.path(file)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptedError, match="SHA-256"):
        getattr(company, verb)()
    assert read == []


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_run_sees_that_a_file_is_gone_or_cut(company, damage):
    company.ingest(usage("1"))
    company.run()
    (file,) = company.store.lake.snapshot().files
    path = company.store.lake.path(file)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptedError, match="a sealed file of 1 events"):
        company.run()


def test_late_usage_of_a_closed_month_is_metered_alone(company, read):
    company.ingest(usage("1"), usage("2"))
    company.close()
    company.ingest(usage("l"))
    read.clear()
    company.run("2026-11")
    assert [names(paths) for paths in read if paths] == [["2"]]
    company.ingest(usage("m", supersedes="2", tokens={"output": 1}))
    company.run("2026-11")
    assert company.failing() == {}


INSTANTS = ("2026-10-01T00:00:00Z", "2026-10-10T00:00:00Z", "2026-10-31T20:00:00Z",
            "2026-11-01T00:00:00Z")  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {
        "started_at": st.sampled_from(INSTANTS),
        "model": st.sampled_from(["x-1", "y-1"]),
        "provider": st.sampled_from(["X", "Y", "Q"]),
        "team": st.sampled_from(["a", "b", "nobody"]),
        "feature": st.sampled_from([None, "bot", "find"]),
        "endpoint": st.sampled_from([None, "/find"]),
        "tokens": st.sampled_from([None, {"output": 7}, {"input_uncached": 3, "cache_read": 5}]),
        "units": st.sampled_from([None, {"searches": 2}]),
        "status": st.sampled_from(["ok", "error"]),
    }
)
INGEST = st.tuples(st.just("ingest"), st.lists(st.tuples(EVENTS, st.booleans()), max_size=4))
APPLY = st.tuples(
    st.just("apply"),
    st.sampled_from(
        [{"org": org()}, {"org": MOVED}, {"org": RULED}, {"prices": DEARER}, {"prices": PRICES},
         {"org": org("Asia/Kolkata")}]
    ),
)  # fmt: skip
RUN = st.tuples(st.just("run"), st.sampled_from(["2026-10", "2026-11"]))
CLOSE = st.tuples(st.just("close"), st.just("2026-10"))
STEPS = st.lists(st.one_of(INGEST, INGEST, RUN, RUN, APPLY, CLOSE), min_size=3, max_size=9)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_whatever_happens_both_ways_of_computing_agree(found_company, steps):
    made = found_company.__dict__.setdefault("made", [])
    company = found_company(f"books-{len(made)}", policy=POLICY)
    made.append(company)
    ids: list[str] = []
    for number, (what, given_) in enumerate([*steps, ("run", "2026-10"), ("run", "2026-11")]):
        if what == "ingest":
            company.ingest(*_numbered(number, given_, ids), name=f"in-{number}")
        elif what == "apply":
            _tried(lambda given_=given_: company.apply(**given_))
        elif what == "close":
            _tried(lambda: company.close("2026-10"))
        else:
            _tried(lambda given_=given_: company.run(given_))
            assert all(same(company, Period.parse(p)) for p in ("2026-10", "2026-11"))
    assert company.failing("INV-05", "INV-10", "INV-12", "INV-15") == {}


POLICY = """
versions:
  - effective_from: 2020-01
    default: {model: real_cost, markup: "15%"}
    pools:
      - {id: gateway, monthly: "30.00", driver: calls, recovered_by: driver}
    limits: {unallocated: "100%", unpriced: "100%", unknown: "100%", estimated: "100%"}
"""


def _numbered(step, drawn, ids):
    """Events with ids of their own; some supersede one that came before."""
    for n, (fields, corrects) in enumerate(drawn):
        name = f"e-{step}-{n}"
        old = ids.pop(0) if corrects and ids else None
        ids.append(name)
        yield usage(name, **fields, supersedes=old)


def _tried(act):
    """Do it, unless the books refuse: a closed month, a zone that is fixed."""
    try:
        act()
    except (PeriodError, BooksError):
        return


TRACED = org().replace(
    "transfer: caller_pays}",
    'transfer: transfer_price, price: "0.30", per: outcome}\n'
    "  - {id: rank, team: b, transfer: split, weights: {callee: 1, caller: 2}}\n"
    "  - {id: warm, team: b, joint: {purposes: [batch], users_of: rank, by: tokens}}",
)
SPANS = ("", "1", "2", "3")
rows_of_traces = st.lists(
    st.builds(
        dict,
        trace_id=st.sampled_from((None, "t", "u")),
        span_id=st.sampled_from(SPANS),
        parent_span_id=st.sampled_from(SPANS),
        service=st.sampled_from((None, "retrieval", "rank", "warm")),
        team=st.sampled_from((None, "a", "b")),
        feature=st.just(None),
        purpose=st.sampled_from((None, "batch")),
        status=st.sampled_from(("ok", "error")),
        started_at=st.sampled_from(
            ("2026-10-03T10:00:00Z", "2026-10-31T23:59:59Z", "2026-11-01T00:00:01Z")
        ),
        supersedes=st.sampled_from((None, None, None, "e-0", "e-2")),
    ),
    min_size=2,
    max_size=6,
)


def told(number, row):
    """An event; without a trace it names no span, and it supersedes none that comes later."""
    traced = {
        name: row[name] if row["trace_id"] else None for name in ("span_id", "parent_span_id")
    }
    old = row["supersedes"]
    return usage(
        f"e-{number}",
        **{
            **row,
            **{name: value or None for name, value in traced.items()},
            "supersedes": old if old and int(old[2:]) < number else None,
        },
    )


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=rows_of_traces, cut=st.integers(1, 5))
def test_what_comes_later_places_a_trace_anew(rows, cut, tmp_path_factory):
    company = Company(tmp_path_factory.mktemp("books"))
    company.apply(org=TRACED, policy=policy(), prices=PRICES)
    events = [told(number, row) for number, row in enumerate(rows)]
    for part in (events[:cut], events[cut:]):
        if part:
            company.ingest(*part)
        assert same(company)
        company.run()


def test_a_root_that_comes_later_takes_the_calls_beneath_it_from_who_had_them(company, read):
    nobody = {"team": None, "feature": None, "purpose": None, "trace_id": "t"}
    company.ingest(usage("x", **nobody, span_id="2", parent_span_id="1"), usage("other"))
    company.run()
    company.ingest(usage("r", started_at="2026-11-01T00:00:01Z", trace_id="t", span_id="1"))
    read.clear()
    assert same(company)
    company.run()
    assert company.balances("2026-10")["Charge:a:usage"] == "2.00"
    assert company.failing() == {}
