"""Books with a little of everything in them, and the way to make more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stores import Stores, Template
from tallybook.ledger import Act, ActKind, Entry, Posting, Reason, append_act, append_entry, reverse
from tallybook.store import Store
from tampering import Attacked, head_of

NOW_US = 1_790_000_000_000_000
OCTOBER = "2026-10"
NOVEMBER = "2026-11"


def entry(*amounts_nano: int, **fields: object) -> Entry:
    """An entry of one reason: the amounts on Cost:x, the difference on Accrued:x."""
    postings = [Posting("Cost:x", nano, source=f"meter:{n}") for n, nano in enumerate(amounts_nano)]
    defaults: dict[str, object] = {
        "reason": Reason.METER,
        "period": OCTOBER,
        "service_period": OCTOBER,
        "text": "usage",
        "postings": (*postings, Posting("Accrued:x", -sum(amounts_nano))),
    }
    return Entry(**(defaults | fields))  # type: ignore[arg-type]


@pytest.fixture
def make_entry() -> Callable[..., Entry]:
    return entry


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    return new_store()


def nine_links(home: Path, opened: Callable[[Path], Store]) -> None:
    """Entries in two periods, a reversal, a close, a waiver, a reopening, a close."""
    books = opened(home)
    with books.write() as tx:
        first = append_entry(tx, entry(500, 100, versions={"policy": 7}), "run", NOW_US)
        append_entry(tx, entry(250, period="2026-09", service_period="2026-09"), "run", NOW_US + 1)
        append_act(tx, Act(ActKind.WAIVER, OCTOBER, "small", {"limit": "1%"}), "dana", NOW_US + 2)
        append_act(tx, Act(ActKind.CLOSE, OCTOBER, "month end"), "dana", NOW_US + 3)
        reverse(tx, first.id, "dana", "counted twice", NOW_US + 4)
        append_act(tx, Act(ActKind.REOPEN, OCTOBER, "invoice wrong"), "dana", NOW_US + 5)
        append_entry(tx, entry(42, details={"invoice": ["i-1"]}), "run", NOW_US + 6)
        append_act(tx, Act(ActKind.CLOSE, OCTOBER, "again"), "dana", NOW_US + 7)
        append_entry(tx, entry(7, 8, period=NOVEMBER), "run", NOW_US + 8)
    books.close()


@pytest.fixture(scope="session")
def full_books(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("ledger"), nine_links)


@pytest.fixture
def full_home(full_books: Template, stores: Stores) -> Path:
    return full_books.home(stores.kind)


@pytest.fixture
def attacked(full_home: Path, tmp_path: Path, stores: Stores) -> Attacked:
    return Attacked(full_home, tmp_path / "copy", stores)


@pytest.fixture
def good_head(full_home: Path) -> str:
    return head_of(full_home)
