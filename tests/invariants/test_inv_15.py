"""INV-15: any byte that is not what was written shows."""

import sqlite3

import pytest

from tallybook.errors import CorruptedError, StoreError
from tallybook.ledger import verify


def sealed(lived, period="2026-10"):
    return next((lived.home / "lake" / "events" / period).glob("*.parquet"))


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x20
    path.write_bytes(content)


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-15") == {}


@pytest.mark.parametrize("share", range(0, 100, 9))
def test_any_flipped_byte_of_a_sealed_file_is_seen(lived, share):
    path = sealed(lived)
    flip(path, path.stat().st_size * share // 100)
    assert "is not what was written" in lived.failing("INV-15")["INV-15"]


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_a_cut_or_lost_file_is_seen_by_every_check_that_reads_it(lived, content):
    path = sealed(lived)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert set(lived.failing()) == {
        "INV-06", "INV-07", "INV-09", "INV-10", "INV-11", "INV-15"
    }  # fmt: skip


def test_events_swapped_between_months_are_seen(lived):
    october, november = sealed(lived), sealed(lived, "2026-11")
    ours, theirs = october.read_bytes(), november.read_bytes()
    october.write_bytes(theirs)
    november.write_bytes(ours)
    assert {"INV-07", "INV-15"} <= set(lived.failing())


def test_a_run_on_a_damaged_file_refuses_and_posts_nothing(lived):
    before = lived.dump()
    flip(sealed(lived, "2026-11"), 200)
    with pytest.raises(CorruptedError, match="nothing was posted"):
        lived.run("2026-11")
    assert lived.dump() == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chain SET actor = 'somebody' WHERE seq = 2",
        "UPDATE chain SET text = text || ' ' WHERE seq = 3",
        "UPDATE chain SET recorded_us = recorded_us + 1 WHERE seq = 1",
        "UPDATE posting SET feature = 'find' WHERE feature = 'bot'",
        "DELETE FROM chain WHERE reason = 'close'",
        "UPDATE chain SET hash = prev_hash, prev_hash = hash WHERE seq = 4",
    ],
)
def test_a_changed_chain_is_seen(lived, damage, change):
    damage(change)
    assert "INV-15" in lived.failing("INV-15")
    with lived.store.read() as tx:
        assert not verify(tx).ok


def test_a_chain_cut_after_the_close_is_seen_by_the_seal(lived, damage):
    seal = lived.statements("2026-10").seal
    damage(
        "DELETE FROM posting WHERE seq >= (SELECT seq FROM chain WHERE reason = 'close')",
        "DELETE FROM chain WHERE seq >= (SELECT seq FROM chain WHERE reason = 'close')",
    )
    assert "the seal names no close" in lived.failing("INV-15")["INV-15"]
    with lived.store.read() as tx:
        assert verify(tx).ok
        assert not verify(tx, seal).ok


@pytest.mark.of_the_file
def test_a_flipped_byte_of_the_journal_in_the_book_file_is_seen(lived):
    lived.store.close()
    book = sqlite3.connect(lived.home / "book.sqlite")
    book.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.close()
    path = lived.home / "book.sqlite"
    at = path.read_bytes().index(b"Metered usage")
    flip(path, at)
    assert "INV-15" in lived.failing("INV-15")


@pytest.mark.of_the_file
def test_a_book_file_with_broken_pages_is_refused_or_fails(lived):
    lived.store.close()
    sqlite3.connect(lived.home / "book.sqlite").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = lived.home / "book.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(4096 * 3, len(content), 4096):
        content[page] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        lived.run("2026-11")
    assert set(lived.failing()) >= {"INV-01", "INV-10", "INV-15"}
