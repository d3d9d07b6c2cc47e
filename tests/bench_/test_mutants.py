"""The hunt for mutants: who is noticed, who survives, who never ends and who is never called."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.mutants import switch
from bench.mutants.tally import changes, page, table

PROJECT = Path(__file__).parent.parent.parent
MODULE = """
from bench.mutants.switch import switched

def x_half__mutmut_orig(n):
    return n // 2

def x_half__mutmut_1(n):
    return n // 3

def x_half__mutmut_2(n):
    return n / 2

def x_half__mutmut_3(n):
    while True:
        pass

mutants = {
    "_mutmut_orig": x_half__mutmut_orig,
    "x_half__mutmut_1": x_half__mutmut_1,
    "x_half__mutmut_2": x_half__mutmut_2,
    "x_half__mutmut_3": x_half__mutmut_3,
}
half = switched(mutants)(x_half__mutmut_orig)
"""
TESTS = """
from halves import half

def test_nothing_of_it():
    assert half(0) == 0

def test_an_even_number(tmp_path):
    assert half(4) == 2
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "halves.py").write_text(MODULE)
    (tmp_path / "test_halves.py").write_text(TESTS)
    return tmp_path


def hunted(project, mutants, *more):
    (project / "mutants.json").write_text(json.dumps(mutants))
    plain = ["-q", "-p", "bench.mutants.hunt", "-p", "no:cacheprovider", "--at-once", "2"]
    options = ["--mutants", "mutants.json", "--fates", str(project / "fates.json"), *more]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *options],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{project}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads((project / "fates.json").read_text()) if done.returncode == 0 else {}


def test_each_mutant_meets_its_fate(project):
    names = [f"halves.x_half__mutmut_{n}" for n in (1, 2, 3)]
    done, fates = hunted(project, [*names, "halves.x_twice__mutmut_1"])
    assert done.returncode == 0, done.stdout
    assert fates == dict(
        zip(
            [*names, "halves.x_twice__mutmut_1"],
            ["killed", "survived", "timeout", "no tests"],
            strict=True,
        )
    )


def test_tests_that_fail_by_themselves_are_no_proof(project):
    (project / "test_wrong.py").write_text("def test_wrong():\n    assert False\n")
    done, _ = hunted(project, ["halves.x_half__mutmut_1"])
    assert done.returncode != 0
    assert "fails without a mutant: ['test_wrong.py::test_wrong']" in done.stdout


def test_only_the_living_mutant_acts():
    def x_one__mutmut_orig():
        return 1

    def x_one__mutmut_1():
        return 2

    both = {"_mutmut_orig": x_one__mutmut_orig, "x_one__mutmut_1": x_one__mutmut_1}
    one = switch.switched(both)(x_one__mutmut_orig)
    try:
        assert one() == 1
        switch.switch_on(f"{__name__}.x_one__mutmut_1")
        assert one() == 2
        switch.switch_on("elsewhere.x_one__mutmut_1")
        assert one() == 1
    finally:
        switch.switch_on("")
    assert f"{__name__}.x_one" in switch.called
    assert switch.function_of(f"{__name__}.x_one__mutmut_1") == f"{__name__}.x_one"


def test_a_survivor_is_told_by_what_it_changes(project):
    found = changes(project, "halves.x_half__mutmut_2")
    assert found == ["- return n // 2", "+ return n / 2"]


def test_a_page_keeps_what_people_wrote_of_survivors():
    fates = {"money": {"a": "killed", "b": "timeout", "c": "survived", "d": "no tests"}}
    old = "# Mutants\n\nWhy.\n\n## Tally\n\nyesterday\n\n## What survives\n\nNobody minds.\n"
    new = page(old, "today", fates)
    assert new.startswith("# Mutants\n\nWhy.\n\n## Tally\n\ntoday\n\n| room |")
    assert "yesterday" not in new
    assert "| money | 4 | 1 | 1 | 2 | 50.0 % |" in new
    assert new.endswith("## What survives\n\nNobody minds.\n")
    assert table({"rate": {}}).endswith("| rate | 0 | 0 | 0 | 0 | - |")
