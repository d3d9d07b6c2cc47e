"""Tags reach the calls made under them, and no others."""

import asyncio
import contextvars
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum

import pytest

from tallybook.sdk.tagging import TagsExecutor, carry, current, tagged, tags


def test_outside_a_block_there_are_none():
    with tags(team="support"):
        assert current() == {"team": "support"}
    assert current() == {}


def test_inner_tags_win_name_by_name_and_none_takes_away():
    with tags(team="support", feature="bot"), tags(feature="mail", team=None, labels={"a": "b"}):
        assert current() == {"team": "", "feature": "mail", "labels.a": "b"}


def test_a_block_may_be_entered_twice_and_left_by_an_error():
    block = tags(team="support")
    with suppress(KeyError), block:
        with block:
            pass
        assert current() == {"team": "support"}
        raise KeyError
    assert current() == {}


@pytest.mark.parametrize(
    "told",
    [
        {"team": ""},
        {"team": "x" * 257},
        {"team": "a\nb"},
        {"team": object()},
        {"team": True},
        {"purpose": "fun"},
        {"labels": {"a": []}},
        {"team": 10**5000},
        {"team": "a\ud83d"},
        {"labels": {"a\ud83d": "b"}},
        {"labels": {"": "b"}},
        {"labels": {"a" * 257: "b"}},
    ],
)
def test_a_tag_that_cannot_be_used_is_told_and_left_out(told, caplog):
    with caplog.at_level(logging.WARNING), tags(feature="bot", **told):
        assert current() == {"feature": "bot"}
    assert "left out" in caplog.text


def test_a_member_of_an_enumeration_is_its_value():
    team = Enum("Team", {"SUPPORT": "support"}, type=str)
    user = Enum("User", {"ANN": 7}, type=int)
    with tags(team=team.SUPPORT, user=user.ANN):
        assert current() == {"team": "support", "user": "7"}


def test_values_that_break_when_looked_at_are_left_out(caplog):
    class Broken(dict):
        def items(self):
            raise RuntimeError

    with caplog.at_level(logging.WARNING), tags(labels=Broken()):
        assert current() == {}
    assert "cannot be read" in caplog.text


def test_a_name_that_is_no_field_becomes_a_label_and_is_told(caplog):
    with caplog.at_level(logging.WARNING), tags(teem="support", session=7):
        assert current() == {"labels.teem": "support", "session": "7"}
    assert "'teem' is no field" in caplog.text


def test_a_function_is_tagged_while_it_runs():
    @tagged(team="support")
    def work(a, *, b):
        """Work."""
        return a, b, current()

    assert work(1, b=2) == (1, 2, {"team": "support"})
    assert work.__name__ == "work"
    assert current() == {}


def test_a_coroutine_is_tagged_and_tasks_do_not_see_each_other():
    async def work(name):
        with tags(team=name):
            for _ in range(5):
                await asyncio.sleep(0)
                assert current() == {"feature": "bot", "team": name}
        return current()

    @tagged(feature="bot")
    async def all_of_them():
        return await asyncio.gather(*(work(f"team-{i}") for i in range(20)))

    assert asyncio.run(all_of_them()) == [{"feature": "bot"}] * 20


def test_a_generator_is_tagged_only_while_it_runs():
    seen = []

    @tagged(team="support")
    def steps():
        try:
            got = yield current()
            seen.append((got, current()))
            try:
                yield
            except KeyError:
                seen.append(current())
            yield "last"
        finally:
            seen.append("closed")
        return "end"

    running = steps()
    assert next(running) == {"team": "support"}
    assert current() == {}
    running.send("sent")
    assert seen == [("sent", {"team": "support"})]
    assert running.throw(KeyError()) == "last"
    assert seen[-1] == {"team": "support"}
    running.close()
    assert seen[-1] == "closed"
    assert list(steps())[-1] == "last"


def test_an_async_generator_is_tagged_only_while_it_runs():
    seen = []

    @tagged(team="support")
    async def steps():
        try:
            seen.append((yield current()))
            try:
                yield
            except KeyError:
                seen.append(current())
            yield "last"
        finally:
            seen.append("closed")

    async def main():
        running = steps()
        assert await anext(running) == {"team": "support"}
        assert current() == {}
        await running.asend("sent")
        assert await running.athrow(KeyError()) == "last"
        await running.aclose()
        assert seen == ["sent", {"team": "support"}, "closed"]
        return [one async for one in steps()]

    assert asyncio.run(main())[-1] == "last"


def test_a_generator_returns_what_it_returns():
    @tagged(team="support")
    def inner():
        yield 1
        return "end"

    def outer():
        return (yield from inner())

    running = outer()
    next(running)
    with pytest.raises(StopIteration) as end:
        next(running)
    assert end.value.value == "end"


def test_a_new_thread_sees_none_unless_they_are_carried():
    seen = []
    with tags(team="support"):
        for target in (lambda: seen.append(current()), carry(lambda: seen.append(current()))):
            thread = contextvars.Context().run(threading.Thread, target=target)
            thread.start()
            thread.join()
    assert seen == [{}, {"team": "support"}]


def test_a_pool_of_threads_carries_the_tags_of_who_submits():
    with TagsExecutor(2) as pool:
        with tags(team="a"):
            first = pool.submit(current)
            mapped = list(pool.map(lambda _: current(), range(3)))
        with tags(team="b"):
            second = pool.submit(current)
        third = pool.submit(current)
        assert [one.result() for one in (first, second, third)] == [
            {"team": "a"},
            {"team": "b"},
            {},
        ]
        assert mapped == [{"team": "a"}] * 3


def test_asyncio_threads_carry_them_by_themselves_and_executors_by_carry():
    async def main():
        loop = asyncio.get_running_loop()
        with tags(team="support"), ThreadPoolExecutor(1) as pool:
            return (
                await asyncio.to_thread(current),
                await loop.run_in_executor(pool, carry(current)),
                await loop.run_in_executor(pool, current),
            )

    assert asyncio.run(main()) == ({"team": "support"}, {"team": "support"}, {})


def test_a_block_that_is_left_elsewhere_does_no_harm():
    block = tags(team="support")
    block.__enter__()
    contextvars.Context().run(block.__exit__, None, None, None)
    with tags(feature="bot"):
        block.__exit__(None, None, None)
        assert current() == {}
    assert current() == {}


def test_what_has_no_name_is_decorated_all_the_same():
    class Callable:
        def __call__(self):
            return current()

    assert tagged(team="support")(Callable())() == {"team": "support"}
