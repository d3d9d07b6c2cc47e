"""A seal record against the books it was taken of, tampered with in any way."""

import hashlib
import json
import random
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from company import Company, usage
from stores import Stores
from tallybook.check.kept import kept_faults
from tallybook.check.seal_record import read_record, record_json, record_line
from tallybook.check.sealing import differences, seal_of
from tallybook.errors import PeriodError, StoreError
from tallybook.ledger import verify
from tallybook.ledger.chain import LINK_FIELDS, POSTING_FIELDS, link_hash
from tallybook.store import Store
from tampering import REFUSED, content, shell

TABLES = ("chain", "posting", "sealed_file", "statement", "document")


def record_of(home, period=""):
    store = Store(home)
    with store.read() as tx:
        record = seal_of(tx, period)
    store.close()
    return record


def verified(home, record=None):
    """Kinds of faults with their places, as the command finds them."""
    store = Store(home)
    told = []
    try:
        with store.read() as tx:
            found = [*verify(tx).faults, *kept_faults(store, tx)]
            told += [(fault.kind, fault.where) for fault in found]
            told += [("database", text) for text in tx.integrity()]
            if record:
                told += [(f"against {f.kind}", f.where) for f in differences(tx, record)]
    except StoreError as error:
        told.append(("database", str(error)))
    finally:
        store.close()
    return told


def tampered(home, chance):
    """Do one random thing to the tables, past every guard; False if nothing changed."""
    try:
        with shell(home) as raw:
            before = content(raw, TABLES)
            tamper(raw, chance.choice(TABLES), chance)
            return content(raw, TABLES) != before
    except REFUSED:
        return False


def tamper(raw, table, chance):
    found = raw.execute(f"SELECT rowid, * FROM {table} ORDER BY 1")
    names = [column[0] for column in found.description[1:]]
    rows = found.fetchall()
    (rowid, *values), (other, *others) = (chance.choice(rows) for _ in range(2))
    at = chance.randrange(len(names))
    change = f"UPDATE {table} SET {names[at]} = ? WHERE rowid = ?"
    act = chance.choice(["flip", "delete", "insert", "swap", "cut"])
    if act == "flip":
        raw.execute(change, (flipped(values[at], chance), rowid))
    elif act == "delete":
        raw.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
    elif act == "insert":
        values[at] = flipped(values[at], chance)
        raw.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)
    elif act == "swap":
        raw.execute(change, (values[at], other))
        raw.execute(change, (others[at], rowid))
    else:
        raw.execute(f"DELETE FROM {table} WHERE rowid >= ?", (rowid,))


def flipped(value, chance):
    if value is None:
        return chance.randrange(1, 9)
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 1000])
    at = chance.randrange(len(value) + 1)
    return value[:at] + chance.choice("x0 ") + value[at + 1 :]


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_any_change_of_the_tables_is_found(sealed_books, tmp_path_factory, seed):
    with closing(Stores()) as stores:
        home = stores.copy(sealed_books.home(), tmp_path_factory.mktemp("t") / "b")
        record = record_of(home)
        assume(tampered(home, random.Random(seed)))
        assert verified(home, record)


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_any_change_of_a_sealed_file_is_found_and_named(sealed_books, tmp_path_factory, seed):
    with closing(Stores()) as stores:
        home = stores.copy(sealed_books.home(), tmp_path_factory.mktemp("t") / "b")
        path = damage(home, random.Random(seed))
        assert any(kind == "file" and path.name in where for kind, where in verified(home))


def damage(home, chance):
    """Do one random thing to a sealed file; which it was."""
    files = sorted((home / "lake").rglob("*.parquet"))
    path, other = chance.sample(files, 2)
    bytes_ = bytearray(path.read_bytes())
    act = chance.choice(["flip", "cut", "longer", "gone", "swap"])
    if act == "flip":
        bytes_[chance.randrange(len(bytes_))] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes_)
    elif act == "cut":
        path.write_bytes(bytes_[: chance.randrange(len(bytes_))])
    elif act == "longer":
        path.write_bytes(bytes_ + b"\0")
    elif act == "gone":
        path.unlink()
    else:
        path.write_bytes(other.read_bytes())
        other.write_bytes(bytes_)
    return path


def test_what_came_after_a_record_is_no_difference(copied):
    records = [record_of(copied.home, period) for period in ("", "2026-10", "2026-11")]
    lines = [read_record(record_line(record), "f") for record in records]
    copied.ingest(usage("d-2", started_at="2026-12-04T10:00:00Z"), name="more")
    copied.apply(policy=(copied.home / "books" / "policy.yaml").read_text() + "\n# read again\n")
    copied.close("2026-12")
    for record in (*records, *lines):
        assert verified(copied.home, record) == []


def test_a_record_names_each_closed_month_as_it_stands(copied):
    record = record_of(copied.home)
    assert [(month.period, month.version, month.files) for month in record.months] == [
        ("2026-10", 2, 3), ("2026-11", 1, 1)
    ]  # fmt: skip
    seals = {month.period: month.head for month in record.months}
    assert seals["2026-10"] == copied.statements("2026-10").seal
    assert seals["2026-11"] == copied.statements("2026-11").seal
    october = record_of(copied.home, "2026-10")
    assert [month.period for month in october.months] == ["2026-10"]
    assert october.chain.digest == seals["2026-10"]
    assert october.statements.reach == 2
    with pytest.raises(PeriodError, match=r"2026-12 is not closed.*closed: 2026-10, 2026-11"):
        record_of(copied.home, "2026-12")


def cut_tail(home, last):
    """Take back all that came after a link, everywhere, as a restored older backup would be."""
    with shell(home) as raw:
        kept = "(SELECT hash FROM chain)"
        raw.execute("DELETE FROM posting WHERE seq > ?", (last,))
        raw.execute("DELETE FROM chain WHERE seq > ?", (last,))
        raw.execute(f"DELETE FROM statement WHERE seal NOT IN {kept}")
        raw.execute("DELETE FROM sealed_file WHERE added > 3")
        raw.execute("DELETE FROM sheet WHERE period > '2026-10'")


def test_a_tail_that_was_cut_off_whole_shows_only_against_a_record(sealed_home, copied):
    record = record_of(copied.home)
    october = record.months[0]
    cut_tail(copied.home, october.seq)
    assert verified(copied.home) == []
    found = verified(copied.home, record)
    gone = f"2026-11: link {record.months[1].seq} is gone, the record says {record.months[1].head}"
    assert ("against chain", gone) in found
    assert any(
        where.startswith(f"cut off: it ends at link {october.seq},")
        and where.endswith(f"agrees with the record is {october.seq}")
        for _, where in found
    )
    assert {kind for kind, _ in found} == {
        "against chain",
        "against statements",
        "against manifest",
    }
    line = read_record(record_line(record), "f")
    assert "against chain" in {kind for kind, _ in verified(copied.home, line)}


def rewrite(home, change):
    """Change the journal, then make every hash, close and statement fit again."""
    with shell(home) as raw:
        raw.execute(change)
        before, seals = "0" * 64, {}
        links = raw.rows(f"SELECT {','.join(LINK_FIELDS)}, hash FROM chain ORDER BY seq")
        for *values, old in links:
            fields = dict(zip(LINK_FIELDS, values, strict=True)) | {"prev_hash": before}
            if fields["reason"] == "close":
                details = json.loads(fields["details"]) | {"head": before}
                text = json.dumps(
                    details, sort_keys=True, separators=(",", ":"), ensure_ascii=False
                )
                fields["details"] = text
            columns = ",".join(POSTING_FIELDS)
            lines = raw.execute(f"SELECT {columns} FROM posting WHERE seq = ? ORDER BY 1",
                                (fields["seq"],)).fetchall()  # fmt: skip
            hash_ = link_hash(fields, lines)
            raw.execute("UPDATE chain SET prev_hash = ?, details = ?, hash = ? WHERE seq = ?",
                        (before, fields["details"], hash_, fields["seq"]))  # fmt: skip
            seals[old] = before = hash_
        for seal, body in raw.rows("SELECT seal, body FROM statement"):
            raw.execute("UPDATE statement SET seal = ?, body = ? WHERE seal = ?",
                        (seals[seal], body.replace(seal, seals[seal]), seal))  # fmt: skip


def test_a_chain_that_was_rewritten_whole_shows_only_against_a_record(copied):
    record = record_of(copied.home)
    november = record.months[1]
    rewrite(copied.home, f"UPDATE chain SET text = 'other' WHERE seq = {november.seq - 1}")
    assert verified(copied.home) == []
    found = verified(copied.home, record)
    assert any(f"agrees with the record is {record.months[0].seq}" in where for _, where in found)
    assert any(where.startswith(f"2026-11: link {november.seq} is ") for _, where in found)
    assert not any(where.startswith("2026-10: link") for _, where in found)


def test_a_file_that_was_forged_with_its_row_shows_only_against_a_record(copied):
    """A change that no identity covers, with the manifest and the name made to fit."""
    record = record_of(copied.home)
    path = next((copied.home / "lake" / "events" / "2026-11").glob("*.parquet"))
    table = pq.read_table(path)
    at = table.schema.get_field_index("team")
    forged = table.set_column(
        at, table.schema.field(at), pa.array(["b"], table.schema.field(at).type)
    )
    pq.write_table(forged, path)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    named = path.rename(path.with_name(f"{path.stem[:-16]}{sha[:16]}.parquet"))
    with shell(copied.home) as raw:
        raw.execute("UPDATE sealed_file SET path = ?, sha256 = ?, bytes = ? WHERE period = '2026-11'",
                    (f"events/2026-11/{named.name}", sha, named.stat().st_size))  # fmt: skip
    assert verified(copied.home) == []
    found = verified(copied.home, record)
    assert any(kind == "against manifest" and where.startswith("2026-11: 1 files of 1 rows")
               for kind, where in found)  # fmt: skip


def test_a_record_of_other_books_is_told(copied, tmp_path):
    other = Company(tmp_path / "other")
    record = read_record(json.dumps(record_json(record_of(copied.home))), "f")
    assert verified(other.home, record)[0][0] == "against books"
    empty = record_of(other.home)
    assert verified(copied.home, empty) == []
    other.store.close()
