from pathlib import Path

import pytest

from tallybook.books.documents import parse, read_folder
from tallybook.books.model import Books
from tallybook.clock import Period
from tallybook.sim.company import CLOSED_MONTHS, POOL_ACTUALS, SEPTEMBER, Edit, decided, first_files


def books_of(files: dict[str, str], folder: Path) -> Books:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return parse(read_folder(folder))


def test_the_company_is_large_enough_to_be_interesting_and_says_that_it_is_simulated(
    tmp_path: Path,
) -> None:
    books = books_of(first_files(), tmp_path)
    org = books.org
    assert org.company.simulated
    assert len({team.id for team in org.teams} - {org.unowned_team}) >= 8
    assert len(org.units) >= 3
    assert len({feature.id for feature in org.features}) >= 25
    policy = books.policy.at(Period.parse("2026-08"))
    models = {policy.policy_for(team.id).model for team in org.teams}
    assert models == {"showback", "proportional", "real_cost", "use_case_budget"}
    charges = {p.charge for p in policy.teams.values() if p.model == "use_case_budget"}
    assert charges == {"actual", "committed"}


def test_a_decision_moves_a_feature_and_a_price_in_the_middle_of_september(tmp_path: Path) -> None:
    before = books_of(first_files(), tmp_path)
    after = books_of(decided(first_files(), SEPTEMBER), tmp_path)
    assert [f.team for f in before.org.features if f.id == "campaign-writer"] == ["growth"]
    assert [f.team for f in after.org.features if f.id == "campaign-writer"] == ["growth", "sales"]
    assert len(after.prices.contracts) == len(before.prices.contracts) + 1


def test_the_files_explain_themselves() -> None:
    assert all("#" in text for text in first_files().values())


def test_an_edit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="not exactly once"):
        Edit("a", "x", "y")({"a": "none"})
    with pytest.raises(ValueError, match="not exactly once"):
        Edit("a", "x", "y")({"a": "x x"})
    assert Edit("a", "x", "y")({"a": "1 x", "b": "x"}) == {"a": "1 y", "b": "x"}


def test_every_closed_month_has_the_amounts_of_every_pool_with_a_policy_amount(
    tmp_path: Path,
) -> None:
    policy = books_of(first_files(), tmp_path).policy
    for month in CLOSED_MONTHS:
        pools = {p.id for p in policy.at(Period.parse(month)).pools if p.monthly_nano is not None}
        assert POOL_ACTUALS[month].keys() == pools
