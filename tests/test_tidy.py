"""Style as a test: sizes, names, leftovers, READMEs and missing tests, each with file and line.

Small things are cheap to keep and dear to restore. Every rule is a function with a test of its own
that shows it a breach.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
HOUSE = PROJECT / "src" / "tallybook"
TESTS = PROJECT / "tests"

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
README_LINES_MAX = 80
TEXT_SUFFIXES = {".py", ".sql", ".md", ".html", ".css", ".js"}
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|pytest\.mark\.skip|xfail)")
VAGUE = re.compile(r"(utils?|helpers?|commons?|managers?|misc|stuff)$")
UNMIRRORED = {"__init__", "model"}


def rooms(house: Path) -> list[Path]:
    return sorted(folder for folder in house.iterdir() if any(folder.glob("*.py")))


def files(*folders: Path) -> list[Path]:
    found = [path for folder in folders for path in folder.rglob("*")]
    return sorted(
        path for path in found if path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts
    )


def named(path: Path) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else path.name


def readme_breaches(room: Path) -> list[str]:
    readme = room / "README.md"
    if not readme.is_file():
        return [f"{named(room)}:1: room without README.md"]
    lines = len(readme.read_text(encoding="utf-8").splitlines())
    if lines > README_LINES_MAX:
        return [f"{named(readme)}:{lines}: {lines} lines, more than {README_LINES_MAX}"]
    return []


def length_breaches(path: Path) -> list[str]:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > FILE_LINES_MAX:
        return [f"{named(path)}:{lines}: {lines} lines, more than {FILE_LINES_MAX}"]
    return []


def function_breaches(path: Path) -> list[str]:
    breaches = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = function_lines(node)
            if lines > FUNCTION_LINES_MAX:
                breaches.append(
                    f"{named(path)}:{node.lineno}: {node.name} has {lines} lines, "
                    f"more than {FUNCTION_LINES_MAX}"
                )
    return breaches


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is None:
        return lines
    docstring = node.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def leftover_breaches(path: Path) -> list[str]:
    return [
        f"{named(path)}:{number}: {found[0]} is left over"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := LEFTOVER.search(line))
    ]


def name_breaches(path: Path) -> list[str]:
    words = {path.stem, *path.relative_to(PROJECT).parts[:-1]}
    return [
        f"{named(path)}:1: the name {word!r} says nothing"
        for word in sorted(words)
        if VAGUE.search(word)
    ]


def imported_modules(paths: list[Path]) -> set[str]:
    """Dotted names that test files import: modules, and names from modules."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def mirror_breaches(room: Path, tests: Path) -> list[str]:
    """Modules of a room that no test file is named after and none imports."""
    test_files = sorted((tests / room.name).rglob("test_*.py"))
    stems = {path.stem for path in test_files}
    imported = imported_modules(test_files)
    breaches = []
    for path in sorted(room.rglob("*.py")):
        inside = path.relative_to(room.parent).with_suffix("").parts
        dotted = ".".join(("tallybook", *inside))
        if path.stem in UNMIRRORED or "migrations" in inside:
            continue
        if f"test_{path.stem}" not in stems and dotted not in imported:
            breaches.append(f"{named(path)}:1: no tests/{room.name}/test_{path.stem}.py")
    return breaches


def test_every_room_has_a_short_readme() -> None:
    assert_none([breach for room in rooms(HOUSE) for breach in readme_breaches(room)])


def test_files_are_short() -> None:
    paths = files(HOUSE, TESTS, PROJECT / "bench")
    assert_none([breach for path in paths for breach in length_breaches(path)])


def test_functions_are_short() -> None:
    paths = [path for path in files(HOUSE, TESTS, PROJECT / "bench") if path.suffix == ".py"]
    assert_none([breach for path in paths for breach in function_breaches(path)])


def test_nothing_is_left_over() -> None:
    assert_none([breach for path in files(HOUSE) for breach in leftover_breaches(path)])


def test_names_say_something() -> None:
    assert_none([breach for path in files(HOUSE) for breach in name_breaches(path)])


def test_every_module_has_its_test() -> None:
    assert_none([breach for room in rooms(HOUSE) for breach in mirror_breaches(room, TESTS)])


def assert_none(breaches: list[str]) -> None:
    assert not breaches, "\n" + "\n".join(breaches)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    folder = tmp_path / "src" / "coffee"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "brew.py").write_text("x = 1\n")
    return folder


def test_a_room_without_a_readme_is_caught(room: Path) -> None:
    assert rooms(room.parent) == [room]
    assert readme_breaches(room) == ["coffee:1: room without README.md"]
    (room / "README.md").write_text("line\n" * 80)
    assert readme_breaches(room) == []
    (room / "README.md").write_text("line\n" * 81)
    assert readme_breaches(room) == ["README.md:81: 81 lines, more than 80"]


def test_a_long_file_is_caught(room: Path) -> None:
    path = room / "brew.py"
    path.write_text("x = 1\n" * 600)
    assert length_breaches(path) == []
    path.write_text("x = 1\n" * 601)
    assert length_breaches(path) == ["brew.py:601: 601 lines, more than 600"]


def test_a_long_function_is_caught_and_its_docstring_is_free(room: Path) -> None:
    path = room / "brew.py"
    docstring = '    """Brew.\n' + "\n    More.\n" * 50 + '    """\n'
    path.write_text("class A:\n  pass\nasync def brew():\n" + docstring + "    x = 1\n" * 59)
    assert function_breaches(path) == []
    path.write_text("class A:\n  pass\nasync def brew():\n" + docstring + "    x = 1\n" * 60)
    assert function_breaches(path) == ["brew.py:3: brew has 61 lines, more than 60"]


@pytest.mark.parametrize(
    "line", ["# TODO: brew", "raise NotImplementedError", "@pytest.mark.skipif(x)", "# XXX"]
)
def test_a_leftover_is_caught(room: Path, line: str) -> None:
    path = room / "brew.py"
    path.write_text(f"x = 1\n{line}\n")
    assert len(leftover_breaches(path)) == 1
    assert leftover_breaches(path)[0].startswith("brew.py:2: ")


@pytest.mark.parametrize("name", ["utils.py", "helpers/brew.py", "pool_manager.py", "common.py"])
def test_a_vague_name_is_caught(name: str) -> None:
    assert len(name_breaches(HOUSE / "coffee" / name)) == 1
    assert name_breaches(HOUSE / "coffee" / "brew.py") == []


def test_a_module_without_a_test_is_caught(room: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    (tests / "coffee").mkdir(parents=True)
    assert mirror_breaches(room, tests) == ["brew.py:1: no tests/coffee/test_brew.py"]
    other = tests / "coffee" / "test_other.py"
    other.write_text("import tallybook.coffee\nfrom tallybook.coffee import pour\n")
    assert mirror_breaches(room, tests) != []
    other.write_text("from tallybook.coffee.brew import x\n")
    assert mirror_breaches(room, tests) == []
    other.rename(tests / "coffee" / "test_brew.py").write_text("")
    assert mirror_breaches(room, tests) == []
