"""What the steward publishes is what every process reads, and stays when the books are gone."""

from __future__ import annotations

import pytest

from gateway.budget_parts import write_books
from tallybook.books.documents import parse, read_folder
from tallybook.budget.limits import limits_in_force
from tallybook.clock import Period
from tallybook.errors import CorruptedError
from tallybook.gateway.published import BOOKS, NAME, Published, publish
from tallybook.rate.model import PriceKey

OCTOBER = Period.parse("2026-10")
KEY = PriceKey("openai", "plain", "", "")


def published(tmp_path, monthly="5"):
    documents = read_folder(
        write_books(tmp_path / "books", f"feature: find, monthly: {monthly}, over: stop")
    )
    books = parse(documents)
    start_us, _ = books.calendar.bounds_us(OCTOBER)
    publish(tmp_path / "here", [limits_in_force(books, OCTOBER, start_us)], documents)
    return start_us


def test_what_is_published_is_read_once_it_is_other(tmp_path):
    reader = Published(tmp_path / "here")
    assert not reader.refresh()
    assert reader.at(1) is None
    start_us = published(tmp_path)
    assert reader.refresh()
    assert not reader.refresh()
    (limit,) = reader.at(start_us).of("", "find", "", "")
    assert limit.limit_nano == 5 * 10**9
    assert reader.at(start_us - 1) is None
    published(tmp_path)
    assert not reader.refresh()
    published(tmp_path, "6")
    assert reader.refresh()


def test_prices_are_those_of_the_books_with_their_contracts(tmp_path):
    reader = Published(tmp_path / "here")
    assert reader.prices().vector(KEY, 1_790_000_000_000_000, 0) is None
    assert not reader.has_other_prices()
    published(tmp_path)
    assert reader.has_other_prices()
    assert reader.prices().vector(KEY, 1_790_000_000_000_000, 0)["output"] == 1_000_000
    assert not reader.has_other_prices()


@pytest.mark.parametrize("text", ["", "[1]", '[{"period": "2026-10"}]', "{"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    published(tmp_path)
    (tmp_path / "here" / NAME).write_text(text)
    with pytest.raises(CorruptedError, match="not what a gateway publishes"):
        Published(tmp_path / "here").refresh()
    (tmp_path / "here" / BOOKS).write_text("[]")
    with pytest.raises(CorruptedError, match="not what a gateway publishes"):
        Published(tmp_path / "here").prices()
