"""What a process holds: reserved before, settled after, and counted when it is killed."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.budget.book import Book
from tallybook.budget.hold import Holder, bury
from tallybook.budget.model import Estimate, Limit
from tallybook.clock import Period

OCTOBER = Period.parse("2026-10")


def limit(nano=1000, subject="bot", scope="feature", over="stop", before=0):
    return Limit(
        scope=scope,
        subject=subject,
        period=OCTOBER,
        limit_nano=nano,
        over=over,
        spent_before_nano=before,
    )


def ask(holder, limits, need, hold=None):
    """Reserve, drawing where there is too little."""
    rooms = [holder.room_of(one) for one in limits]
    estimate = Estimate(need, need if hold is None else hold)
    found = holder.reserve(rooms, estimate)
    if found is None and not holder.draw(rooms, need, [room.ceiling_nano for room in rooms]):
        found = holder.reserve(rooms, estimate)
    return found


@pytest.fixture
def holder(tmp_path):
    made = Holder(Book(tmp_path), "one")
    yield made
    made.close()


def test_what_is_held_is_free_again_when_less_was_used(holder):
    first = ask(holder, [limit()], 600)
    assert ask(holder, [limit()], 600) is None
    holder.settle(first, 100)
    holder.settle(first, 100)  # once
    assert ask(holder, [limit()], 600)
    assert ask(holder, [limit()], 301) is None
    assert ask(holder, [limit()], 300)


def test_a_call_that_failed_leaves_nothing_behind(holder):
    for _ in range(100):
        holder.release(ask(holder, [limit()], 1000))


def test_every_limit_must_have_room_or_nothing_is_held(holder):
    team = limit(500, "support", "team")
    assert ask(holder, [limit(), team], 400)
    assert ask(holder, [limit(), team], 200) is None
    assert ask(holder, [limit()], 600)


def test_a_limit_that_only_shows_counts_and_refuses_nothing(holder):
    shown = limit(10, over="none")
    for _ in range(5):
        holder.settle(ask(holder, [shown], 100), 90)
    holder.tend()
    assert holder.book.account("2026-10/feature:bot").spent_nano == 450


def test_what_was_spent_elsewhere_is_not_there_to_be_held(holder):
    assert ask(holder, [limit(before=700)], 301) is None
    assert ask(holder, [limit(before=700)], 300)


def test_a_limit_that_is_raised_has_room_at_once(holder):
    assert ask(holder, [limit()], 1000)
    assert ask(holder, [limit()], 1) is None
    assert ask(holder, [limit(1500)], 500)


def test_a_cost_beyond_what_was_held_is_made_up_by_the_next_draw(holder):
    holder.settle(ask(holder, [limit()], 100), 400)
    assert ask(holder, [limit()], 601) is None
    assert ask(holder, [limit()], 600)


def test_what_is_idle_goes_back_to_the_node(tmp_path, holder):
    other = Holder(Book(tmp_path), "other")
    holder.settle(ask(holder, [limit()], 500), 10)
    assert ask(other, [limit()], 600) is None
    holder.tend()
    holder.tend()
    assert ask(other, [limit()], 990)
    other.close()


def test_what_a_call_beyond_the_limit_did_not_use_is_for_no_call_within_it(holder):
    room = holder.room_of(limit(1000))
    holder.settle(ask(holder, [limit(1000)], 1000), 1000)
    beyond = [room]
    assert holder.draw([room], 300, [2000], beyond) == []
    held = holder.reserve([room], Estimate(300, 300), beyond)
    assert room.drawn == 1300
    holder.settle(held, 100)
    assert ask(holder, [limit(1000)], 1) is None
    holder.tend()
    book = holder.book.account("2026-10/feature:bot")
    assert (book.taken_nano, book.spent_nano) == (1100, 1100)


def test_a_process_that_is_killed_leaves_what_it_used_and_held(tmp_path):
    book, ready = Book(tmp_path), os.pipe()
    pid = os.fork()
    if not pid:
        mine = Holder(Book(tmp_path), "killed")
        mine.settle(ask(mine, [limit(), limit(5000, "t", "team")], 300), 200)
        ask(mine, [limit()], 100)
        os.write(ready[1], b"x")
        signal.pause()
    os.read(ready[0], 1)
    assert bury(book) == 0
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert bury(book) == 1
    assert bury(book) == 0
    feature, team = book.account("2026-10/feature:bot"), book.account("2026-10/team:t")
    assert (feature.taken_nano, feature.spent_nano, team.taken_nano) == (300, 300, 200)


def test_one_that_leaves_is_counted_once(tmp_path):
    book = Book(tmp_path)
    one = Holder(Book(tmp_path), "one")
    one.settle(ask(one, [limit()], 300), 200)
    one.tend()
    one.close()
    assert bury(book) == 0
    book.look()
    assert book.account("2026-10/feature:bot").taken_nano == 200


def test_budgets_of_past_months_and_idle_ones_are_forgotten_and_counted(holder):
    holder.settle(ask(holder, [limit()], 300), 200)
    for _ in range(3):
        holder.tend()
    holder.forget(["2026-10"], 10)
    assert holder._rooms
    holder.forget(["2026-10"], 3)
    assert not holder._rooms
    assert holder.book.account("2026-10/feature:bot").taken_nano == 200
    assert ask(holder, [limit()], 801) is None
    holder.settle(ask(holder, [limit()], 800), 100)
    holder.tend()
    assert holder.book.account("2026-10/feature:bot").spent_nano == 300


CALLS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([("feature",), ("feature", "team"), ("team",)]),
        st.integers(1, 400),
        st.integers(0, 100),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(CALLS)
def test_no_limit_is_passed_whoever_asks_for_what(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("book")
    holders = [Holder(Book(folder), f"h{n}") for n in range(3)]
    limits = {"feature": limit(1000), "team": limit(700, "t", "team")}
    under_way, spent = [], {"feature": 0, "team": 0}
    for who, scopes, need, share in calls:
        held = ask(holders[who], [limits[scope] for scope in scopes], need)
        if held is None:
            if under_way:
                mine, its, cost, its_scopes = under_way.pop(0)
                mine.settle(its, cost)
                for scope in its_scopes:
                    spent[scope] += cost
            continue
        under_way.append((holders[who], held, need * share // 100, scopes))
        for one in holders:
            one.tend()
        for scope, most in (("feature", 1000), ("team", 700)):
            held_now = sum(its.nano for _, its, _, which in under_way if scope in which)
            assert spent[scope] + held_now <= most
    for one in holders:
        one.close()


def test_a_thousand_callers_at_one_budget_spend_no_more_than_it(tmp_path):
    """Four holders of one node, 250 threads' worth of calls each, held at the bound."""
    spent, lock = [0], threading.Lock()

    def calls(name):
        mine = Holder(Book(tmp_path), name)
        for _ in range(250):
            held = ask(mine, [limit(100_000)], 300)
            if held:
                mine.settle(held, 200)
                with lock:
                    spent[0] += 200
            mine.tend()
        mine.close()

    threads = [threading.Thread(target=calls, args=(f"h{n}",)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert 90_000 < spent[0] <= 100_000
