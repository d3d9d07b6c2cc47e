"""The search for cycles is as it was afterwards, whatever happens in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tallybook.store.collector import collector_paused


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
