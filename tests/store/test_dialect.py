"""What is said differently on Spark, and what is not said at all."""

import pytest

from tallybook.errors import StoreError
from tallybook.store.dialect import to_spark


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT CAST(a AS HUGEINT) * b FROM t", "SELECT CAST(a AS DECIMAL(38, 0)) * b FROM t"),
        ("SELECT SUM(a) AS s FROM t", "SELECT SUM(CAST(a AS DECIMAL(38, 0))) AS s FROM t"),
        (
            "SELECT SUM(CAST(a AS HUGEINT) + b) FROM t",
            "SELECT SUM(CAST(CAST(a AS DECIMAL(38, 0)) + b AS DECIMAL(38, 0))) FROM t",
        ),
        ("SELECT t.* EXCLUDE (a), b FROM t", "SELECT t.* EXCEPT (a), b FROM t"),
        ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a NULLS LAST"),
        ("SELECT a FROM t WHERE a >= $least", "SELECT a FROM t WHERE a >= :least"),
        ("SELECT a, COUNT(*) FROM t GROUP BY ALL", "SELECT a, COUNT(*) FROM t GROUP BY ALL"),
        (r"SELECT e.labels['o''c\k'] FROM e", r"SELECT e.labels['o\'c\\k'] FROM e"),
        ("SELECT a -- why\nFROM t", "SELECT a FROM t"),
        (
            "SELECT a FROM t ANTI JOIN u ON t.a = u.a",
            "SELECT a FROM t ANTI JOIN u ON t.a = u.a",
        ),
    ],
)
def test_a_reviewed_form_is_translated(ours, theirs):
    found = to_spark(ours)
    assert (found.makes, found.kept, found.query) == ("", False, theirs)


def test_what_a_statement_makes_is_told_apart_from_its_query():
    table = to_spark("-- rate/metered\nCREATE OR REPLACE TABLE metered AS SELECT 1 AS a")
    assert (table.makes, table.kept, table.query) == ("metered", True, "SELECT 1 AS a")
    view = to_spark("CREATE OR REPLACE VIEW rated AS SELECT 1 AS a")
    assert (view.makes, view.kept) == ("rated", False)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a / b FROM t",
        "SELECT a // b FROM t",
        "SELECT a % b FROM t",
        "SELECT a - b FROM t",
        "SELECT -a FROM t",
        "SELECT 1.5",
        "SELECT 1e3",
        "SELECT 9223372036854775808",
        "SELECT CAST(a AS DOUBLE) FROM t",
        "SELECT CAST(a AS DECIMAL(18, 12)) FROM t",
        "SELECT ROUND(a) FROM t",
        "SELECT AVG(a) FROM t",
        "SELECT NOW()",
        "SELECT nonsense(a) FROM t",
        "SELECT SUM(DISTINCT a) FROM t",
        "SELECT SUM(a) OVER () FROM t",
        "SELECT SUM(a) FILTER (WHERE b) FROM t",
        "SELECT a[1] FROM t",
        "SELECT a FROM t FULL JOIN u ON t.a = u.a",
        "SELECT a FROM t ASOF JOIN u ON t.a >= u.a",
        "SELECT a FROM t NATURAL JOIN u",
        "SELECT a FROM t, u",
        "SELECT a FROM t LIMIT 1",
        "SELECT a FROM t UNION ALL SELECT a FROM u",
        "CREATE TABLE t AS SELECT 1",
        "CREATE OR REPLACE TABLE t (a INT)",
        "DROP TABLE t",
        "SELECT (",
    ],
)
def test_what_was_not_reviewed_is_refused_not_guessed(statement):
    with pytest.raises(StoreError, match=r"not offered on Spark(.|\n)*next: run without --engine"):
        to_spark(statement)
