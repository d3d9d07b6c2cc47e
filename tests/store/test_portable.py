"""SQL that rooms bring runs on both databases: none of it has words of one alone.

Statements that no test of ``both_stores`` runs are held here by their words. A statement that needs
words of its own has a second file beside it, ``name.postgresql.sql``.
"""

import ast
import re
from pathlib import Path

import pytest

from tallybook.store import engine
from tallybook.store.sqltext import sql_text

HOUSE = Path(engine.__file__).parent.parent
OWN = {"store/sqlite.py", "store/postgresql.py", "store/guards.py", "sim/places.py"}
WORDS = re.compile(
    r"\bINSERT\s+OR\b|\bREPLACE\s+INTO\b|\bsqlite_\w+|\bpragma\b|\browid\b|\btypeof\s*\("
    r"|\bifnull\s*\(|\bstrftime\s*\(|\bgroup_concat\s*\(|\bzeroblob\s*\(|\bpg_\w+\s*\("
    r"|\bSUM\s*\(\s*[\w.]+\s*=|\bILIKE\b|\bjson_(?:extract|object|array|group_array)\s*\("
    r"|\bWITHOUT\s+ROWID\b|\bAUTOINCREMENT\b",
    re.IGNORECASE,
)
STATEMENT = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE)\b", re.IGNORECASE
)


def breaches(name, text):
    return [f"{name}: {found[0]}" for found in WORDS.finditer(text)]


def statements(path):
    """The texts of a module that are SQL; parts of one that is put together count as one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                part.value if isinstance(part, ast.Constant) else "x" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if STATEMENT.match(text):
            yield text


def test_no_statement_of_the_house_has_words_of_one_database():
    found = []
    for path in sorted(HOUSE.rglob("*.py")):
        name = str(path.relative_to(HOUSE))
        if name not in OWN and "migrations" not in path.parts:
            found += [one for text in statements(path) for one in breaches(name, text)]
    for path in sorted(HOUSE.rglob("*.sql")):
        has_own = path.with_name(f"{path.stem}.postgresql.sql").exists()
        if not has_own and not path.name.endswith(".postgresql.sql"):
            text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
            found += breaches(str(path.relative_to(HOUSE)), text)
    assert not found, "\n".join(found)


def test_migrations_leave_triggers_to_the_guards():
    found = [
        path.name
        for path in (HOUSE / "store" / "migrations" / "versions").glob("*.py")
        if re.search(r"CREATE\s+TRIGGER", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert not found, f"use tallybook.store.guards: {found}"


def test_every_migration_can_be_taken_back():
    found = [
        path.name
        for path in (HOUSE / "store" / "migrations" / "versions").glob("*.py")
        if "def downgrade()" not in path.read_text(encoding="utf-8")
    ]
    assert not found, f"write its downgrade with tallybook.store.removal: {found}"


@pytest.mark.parametrize(
    "text",
    [
        "INSERT OR IGNORE INTO x VALUES (1)",
        "SELECT name FROM sqlite_master",
        "SELECT SUM(amount_nano = 0) FROM posting",
        "SELECT json_extract(body, 'x') FROM sheet",
    ],
)
def test_words_of_one_database_are_seen(text):
    assert breaches("x", text)


def test_a_statement_of_its_own_stands_for_the_other():
    plain = sql_text("tallybook.ledger", "sealed_links", "sqlite")
    own = sql_text("tallybook.ledger", "sealed_links", "postgresql")
    assert "json_object" in plain
    assert "to_json" in own
    assert sql_text("tallybook.ledger", "head", "postgresql") == sql_text(
        "tallybook.ledger", "head"
    )
