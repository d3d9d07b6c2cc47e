"""A figure from its file and from what was said beside it."""

import pytest

from tallybook.clock import Period
from tallybook.errors import WrongUsageError
from tallybook.report.why.claim import Beside, claim_of


@pytest.fixture
def ask(tmp_path):
    def run(content, period=None, **beside):
        path = tmp_path / ("f.json" if content.startswith("{") else "f.csv")
        path.write_text(content)
        month = Period.parse(period) if period else None
        return claim_of(str(path), month, Beside(**beside), "Europe/Berlin", "USD")

    return run


def test_the_month_is_that_of_most_days(ask):
    asked = ask("date,cost\n2026-09-30,1\n2026-10-01,1\n2026-10-02,1\n")
    assert str(asked.period) == "2026-10"
    assert (asked.claim.first_day, asked.claim.last_day) == ("2026-09-30", "2026-10-02")
    assert (asked.claim.zone, asked.claim.dimensions) == ("Europe/Berlin", ("day",))


def test_one_row_is_a_figure_with_its_scope(ask):
    asked = ask("team,month,cost\na,2026-10,5.00\n")
    assert asked.claim.dimensions == ()
    assert asked.claim.scope == {"team": frozenset({"a"})}
    assert (asked.claim.first_day, asked.claim.last_day) == ("2026-10-01", "2026-10-31")


def test_json_says_all_of_it(ask):
    asked = ask(
        '{"amount": "5", "scope": {"team": ["a", "b"], "provider": "OpenAI"}, "by": "executor",'
        ' "timezone": "UTC", "from": "2026-10-01", "to": "2026-10-05", "period": "2026-10"}'
    )
    claim = asked.claim
    assert claim.scope == {"team": {"a", "b"}, "provider": {"openai"}}
    assert (claim.basis, claim.zone, claim.last_day) == ("executor", "UTC", "2026-10-05")


def test_a_column_that_some_rows_leave_empty_tells_nothing_apart(ask):
    asked = ask("team,model,cost\na,x-1,1\n,x-1,2\n", "2026-10")
    assert asked.claim.dimensions == ("model",)


@pytest.mark.parametrize(
    ("content", "beside", "words"),
    [
        ("team,cost\na,1\nb,2\n", {}, "names no days"),
        ("date,cost,currency\n2026-10-01,1,EUR\n", {}, "it is in EUR, the books are in USD"),
        ("date,cost\n2026-10-01,1\n", {"zone": "Mars/Base"}, "not a time zone"),
        ("date,cost\n2026-10-01,1\n", {"first_day": "2026-10-09"}, "its days run from"),
        ("date,cost\n2026-10-01,1\n", {"first_day": "x"}, "x"),
        ("date,cost\n2026-10-01,1\n", {"basis": "owner"}, "there is no 'owner'"),
        ("date,cost\n2026-10-01,1\n", {"scope": [("color", "red")]}, "there is no scope 'color'"),
        ('{"amount": "1", "colour": "red"}', {}, "colour, which nothing is known of"),
    ],
)
def test_what_says_too_little_or_too_much_is_refused(ask, content, beside, words):
    with pytest.raises(WrongUsageError, match=words):
        ask(content, **beside)


@pytest.mark.parametrize("told", ["missing.csv", "October", "12a"])
def test_neither_file_nor_amount(told):
    with pytest.raises(WrongUsageError, match="neither a file nor an amount"):
        claim_of(told, Period.parse("2026-10"), Beside(), "UTC", "USD")
