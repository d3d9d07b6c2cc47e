"""The demo: new books, three months lived in them, and pages to look at."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tallybook.errors import WrongUsageError
from tallybook.sim.months import Life, Place, Tell
from tallybook.sim.pages import Pages, write_pages
from tallybook.store import Store

MARK = "SIMULATED.txt"
_MARK_TEXT = """\
Everything in this folder was made by `tallybook demo` for a company that does not exist.
The next demo replaces it whole.
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo left behind."""

    home: Path
    events: Path
    pages: Pages


def demo(out: Path, home: Path, seed: int, tell: Tell, scale: int = 1) -> Demo:
    """Live the company's months in new books and write the pages.

    Args:
        out: the folder for pages and events.
        home: the folder for the books.
        seed: the same seed gives the same statements, to the byte.
        tell: is told what happens, one line at a time.
        scale: divides the number of calls.

    Raises:
        WrongUsageError: a folder holds something that no demo made; nothing is touched.
    """
    is_inside = home.resolve().is_relative_to(out.resolve())
    if not is_inside and out.resolve().is_relative_to(home.resolve()):
        raise WrongUsageError(
            f"the pages in {out} would lie inside the books", next_step="name --out beside --home"
        )
    folders = [out] if is_inside else [out, home]
    for folder in folders:
        _require_ours(folder)
    for folder in folders:
        _begin(folder)
    place = Place(home, out / "events")
    store = Store.create(home)
    try:
        place.policy.mkdir()
        Life(store, place, seed, scale, tell).live()
        tell("writing pages")
        pages = write_pages(store, out, home, seed)
    finally:
        store.close()
    return Demo(home, place.events, pages)


def _require_ours(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise WrongUsageError(f"{folder} is a file", next_step="name a folder with --out or --home")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise WrongUsageError(
            f"{folder} holds something that no demo made",
            next_step="name an empty or a new folder with --out or --home",
        )


def _begin(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text(_MARK_TEXT, encoding="utf-8")
