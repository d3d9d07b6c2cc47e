"""The search for cycles is as it was afterwards; what was freed goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tallybook.store.memory import collector_paused, release_unused

HOLES = """
import os
from pathlib import Path
from tallybook.store.memory import release_unused

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

pieces = [(bytearray(60_000), bytearray(600)) for _ in range(2_000)]
lives_on = [small for _, small in pieces]
del pieces
before = resident_bytes()
release_unused()
print(before - resident_bytes())
"""


@pytest.fixture(autouse=True)
def _on() -> Iterator[None]:
    yield
    gc.enable()


def test_it_is_off_within_and_on_again_after_an_error() -> None:
    def broken() -> None:
        with collector_paused():
            assert not gc.isenabled()
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    with collector_paused(), collector_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library gives nothing back"
)
def test_holes_between_what_lives_on_go_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOLES], stdout=subprocess.PIPE, text=True, check=True
    )
    assert int(done.stdout) > 100_000_000


def test_a_c_library_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    release_unused()
