"""The book of a node: what several processes draw at once, and what is left of one that died."""

from __future__ import annotations

import json
import multiprocessing
import os

import pytest

from tallybook.budget.book import Book, Want

NANO = 10**9


def draw(book, holder, need, ceiling=100, used=0, *, shared=False, halvings=40, name="2026-10/a"):
    (granted,) = book.draw(
        holder, [Want(name, ceiling, need)], [used], [0], halvings, is_shared=shared
    )
    return granted


def hammer(folder, holder, count, out):
    book = Book(folder)
    out.put(sum(draw(book, holder, 7, 10_000) for _ in range(count)))


def test_processes_that_draw_at_once_never_draw_more_than_there_is(tmp_path):
    context = multiprocessing.get_context("fork")
    out = context.Queue()
    all_ = [context.Process(target=hammer, args=(tmp_path, f"h{n}", 500, out)) for n in range(4)]
    for one in all_:
        one.start()
    drawn = sum(out.get(timeout=30) for _ in all_)
    for one in all_:
        one.join(30)
    assert drawn == 10_000 - 10_000 % 7
    assert Book(tmp_path).account("2026-10/a").taken_nano == drawn


def test_a_book_is_read_as_it_was_written(tmp_path):
    one, other = Book(tmp_path), Book(tmp_path)
    assert draw(one, "x", 60) == 60
    assert draw(other, "y", 60) == 0
    assert draw(other, "y", 40, used=0) == 40
    with one.held() as acts:
        acts.append(["tell", "2026-10/a", "x", 20, 30])
    assert draw(other, "y", 30) == 30
    again = Book(tmp_path).account("2026-10/a")
    assert (again.taken_nano, again.spent_nano) == (100, 20)


def test_half_a_line_of_a_full_disk_counts_for_nothing(tmp_path):
    book = Book(tmp_path)
    draw(book, "x", 60)
    with (tmp_path / "book").open("ab") as file:
        file.write(b'["draw","2026-10/a","y",')
    other = Book(tmp_path)
    assert draw(other, "y", 40) == 40
    assert [json.loads(line)[0] for line in (tmp_path / "book").read_bytes().splitlines()] == [
        "slot", "draw", "slot", "draw",
    ]  # fmt: skip


def test_what_cannot_be_written_is_not_drawn(tmp_path, monkeypatch):
    book = Book(tmp_path)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:5]))
    with pytest.raises(OSError, match="No space"):
        draw(book, "x", 60)
    monkeypatch.undo()
    assert draw(Book(tmp_path), "y", 100) == 100


def test_a_minute_lets_so_many_calls_through_whoever_asks(tmp_path):
    one, other = Book(tmp_path), Book(tmp_path)
    let = [book.minute("2026-10/a", 5, 3) for book in (one, other, one, other, one)]
    assert let == [True, True, True, False, False]
    assert other.minute("2026-10/a", 6, 3)


def test_of_a_shared_account_the_node_has_what_it_drew_and_notes_what_it_lacks(tmp_path):
    book = Book(tmp_path)
    assert draw(book, "x", 10, shared=True) == 0
    assert book.wants == {"2026-10/a": (10, 100)}
    size = (tmp_path / "book").stat().st_size
    assert draw(book, "x", 10, shared=True) == 0
    assert (tmp_path / "book").stat().st_size == size  # it is noted once
    with book.held() as acts:
        acts.append(["ceiling", "2026-10/a", 30])
    assert draw(book, "x", 10, shared=True) == 10


def test_a_long_book_is_written_anew_and_means_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("tallybook.budget.book._COMPACT_BYTES", 1000)
    book, other = Book(tmp_path), Book(tmp_path)
    for n in range(50):
        draw(book, f"h{n % 3}", 1)
        draw(book, "old", 1, name="2026-08/a")
    with book.held() as acts:
        acts += [["warn", "2026-10/a", "1:2@100"], ["close", "2026-10/a", "h0", 5]]
        acts += [["ceiling", "2026-10/b", 9], ["blind", "", "gone"]]
        acts += [["minute", "2026-10/b", 7], ["minute", "2026-10/b", 7]]
    before = book.account("2026-10/a")
    figures = (before.taken_nano, before.spent_nano, set(before.warned))
    book.compact(["2026-10"])
    for one in (book, other, Book(tmp_path)):
        one.look()
        after = one.account("2026-10/a")
        assert (after.taken_nano, after.spent_nano, after.warned) == figures
        assert "2026-08/a" not in one.accounts
        assert one.ceilings == {"2026-10/b": 9}
        assert (one.blind, one.minutes) == ("gone", {"2026-10/b": (7, 2)})
    assert (tmp_path / "book").stat().st_size < 1000


def test_that_a_node_is_blind_touches_no_account(tmp_path):
    book = Book(tmp_path)
    book.touched = set()
    with book.held() as acts:
        acts.append(["blind", "", "gone"])
    assert (book.blind, book.accounts, book.touched) == ("gone", {}, set())
