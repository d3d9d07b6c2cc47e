"""INV-09: the same statements, to the byte, wherever and whenever they are made again."""

from __future__ import annotations

import json
import locale
import os
import subprocess
import sys

import pytest

from company import usage


def has_locale(name):
    held = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_ALL, held)
    return True


@pytest.fixture(scope="module")
def restated(tmp_path_factory):
    """Two months with late usage, one issued twice."""
    from company import PRICES, Company, org, policy  # noqa: PLC0415

    company = Company(tmp_path_factory.mktemp("inv09") / "books", "2026-12-05T09:00:00Z")
    company.apply(org=org(), policy=policy(), prices=PRICES)
    company.ingest(usage("1"), usage("2", team="b", feature="find", tokens={"output": 333}))
    company.close()
    company.reopen()
    company.ingest(usage("3", purpose="evaluation"))
    company.close()
    company.ingest(usage("4"), usage("n", started_at="2026-11-03T00:00:00Z", service="retrieval"))
    company.close("2026-11")
    company.store.close()
    return company


PLACES = [
    {"TZ": "Asia/Kolkata"},
    {"LC_ALL": "C", "TZ": "America/St_Johns"},
    {"PYTHONHASHSEED": "1"},
    {"PYTHONHASHSEED": "2", "LC_ALL": "de_DE.UTF-8" if has_locale("de_DE.UTF-8") else "C.UTF-8"},
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_another_zone_locale_or_hash_seed_gives_the_same_bytes(restated, place):
    environment = {**os.environ, **place, "TALLYBOOK_HOME": str(restated.home)}
    done = subprocess.run(
        [sys.executable, "-c", "from tallybook.cli.main import main; main()",
         "rebuild", "--compare", "--json"],
        check=False, capture_output=True, env=environment, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = {(x["period"], x["version"]): x["same"] for x in json.loads(done.stdout)}
    assert found == {("2026-10", 1): True, ("2026-10", 2): True, ("2026-11", 1): True}


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-09") == {}


def test_a_changed_statement_is_named_by_its_place(lived, damage):
    damage("UPDATE statement SET body = replace(body, 'Team A', 'Team Z')")
    assert "company.teams.a: issued 'Team Z', rebuilt 'Team A'" in lived.failing("INV-09")["INV-09"]
