import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallybook.errors import WrongUsageError
from tallybook.sim.demo import MARK, demo

SMALL = 300
PROGRAM = """
import json, sys
from pathlib import Path
from tallybook.sim.demo import demo
out = Path(sys.argv[1])
done = demo(out, out / "books", int(sys.argv[2]), lambda line: None, int(sys.argv[3]))
print(json.dumps({p: i.body_sha256 for p, i in done.pages.months.items() if i.seal}))
"""


def digests(out: Path, seed: int, hash_seed: str) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(out), str(seed), str(SMALL)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
        text=True,
    )
    found = json.loads(run.stdout)
    assert list(found) == ["2026-08", "2026-09"]
    return found


def test_the_same_seed_gives_the_same_statements_to_the_byte(tmp_path: Path) -> None:
    first = digests(tmp_path / "one", 11, "1")
    assert digests(tmp_path / "two", 11, "2") == first
    assert digests(tmp_path / "three", 12, "1") != first


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(WrongUsageError, match="no demo made"):
        demo(tmp_path, tmp_path / "books", 7, lambda _: None, SMALL)
    with pytest.raises(WrongUsageError, match="is a file"):
        demo(tmp_path / "mine.txt", tmp_path / "books", 7, lambda _: None, SMALL)
    with pytest.raises(WrongUsageError, match="no demo made"):
        demo(tmp_path.parent / "out", tmp_path, 7, lambda _: None, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_pages_do_not_lie_inside_the_books(tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError, match="inside the books"):
        demo(tmp_path / "books" / "out", tmp_path / "books", 7, lambda _: None, SMALL)


def test_a_second_demo_replaces_the_first_and_books_may_lie_elsewhere(tmp_path: Path) -> None:
    out, home = tmp_path / "out", tmp_path / "home"
    for _ in range(2):
        done = demo(out, home, 7, lambda _: None, SMALL)
        assert (out / MARK).is_file()
        assert (home / MARK).is_file()
        assert done.home == home
        assert (home / "books" / "org.yaml").is_file()
